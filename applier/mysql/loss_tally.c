/*
 * loss_tally.c
 *		Losses that were allowed, counted until their transaction commits.
 *
 * A table of a few columns may lose something in every row, so counting is one
 * look into a hash table.  Names are copied: maps change while counts wait.
 */
#include <inttypes.h>

#include "base/mem.h"
#include "mysql/conversion.h"
#include "mysql/mysql_conn.h"

#define FIRST_SLOTS ((size_t) 64)

typedef struct TallyEntry
{
	uint32_t oid;
	const char *schema;
	const char *table;
	const char *column;
	LossKind kind;
	uint64_t count; /* 0: the slot is free */
} TallyEntry;

struct LossTally
{
	Arena names;
	TallyEntry *slots;
	size_t slot_count; /* a power of two, at most half of them used */
	size_t used;
};

LossTally *
loss_tally_new(void)
{
	LossTally *tally = mem_zalloc(sizeof(*tally));

	arena_init(&tally->names);
	tally->slot_count = FIRST_SLOTS;
	tally->slots = mem_zalloc(FIRST_SLOTS * sizeof(*tally->slots));
	return tally;
}

void
loss_tally_free(LossTally *tally)
{
	if (tally == NULL)
		return;
	arena_release(&tally->names);
	mem_free(tally->slots);
	mem_free(tally);
}

bool
loss_tally_empty(const LossTally *tally)
{
	return tally->used == 0;
}

void
loss_tally_reset(LossTally *tally)
{
	memset(tally->slots, 0, tally->slot_count * sizeof(*tally->slots));
	tally->used = 0;
	arena_reset(&tally->names);
}

static bool
same_entry(const TallyEntry *a, const TallyEntry *b)
{
	return a->oid == b->oid && a->kind == b->kind &&
		   strcmp(a->column, b->column) == 0 &&
		   strcmp(a->table, b->table) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* Its slot, or the free one where it belongs. */
static TallyEntry *
find_slot(const LossTally *tally, const TallyEntry *entry)
{
	uint64_t hash = entry->oid * UINT64_C(31) + (uint64_t) entry->kind;
	size_t mask = tally->slot_count - 1;

	for (const char *p = entry->column; *p != '\0'; p++)
		hash = (hash ^ (unsigned char) *p) * UINT64_C(0x100000001B3);
	for (size_t i = (size_t) (hash ^ hash >> 32) & mask;; i = (i + 1) & mask)
	{
		TallyEntry *slot = &tally->slots[i];

		if (slot->count == 0 || same_entry(slot, entry))
			return slot;
	}
}

static void
grow(LossTally *tally)
{
	TallyEntry *old = tally->slots;
	size_t old_count = tally->slot_count;

	tally->slot_count *= 2;
	tally->slots = mem_zalloc(tally->slot_count * sizeof(*tally->slots));
	for (size_t i = 0; i < old_count; i++)
	{
		if (old[i].count > 0)
			*find_slot(tally, &old[i]) = old[i];
	}
	mem_free(old);
}

static void
add_entry(LossTally *tally, TallyEntry entry)
{
	TallyEntry *slot = find_slot(tally, &entry);

	if (slot->count > 0)
	{
		slot->count += entry.count;
		return;
	}
	entry.schema = arena_strdup(&tally->names, entry.schema);
	entry.table = arena_strdup(&tally->names, entry.table);
	entry.column = arena_strdup(&tally->names, entry.column);
	*slot = entry;
	if (++tally->used > tally->slot_count / 2)
		grow(tally);
}

void
loss_tally_add(LossTally *tally, const TableMap *map, const ColumnMap *column,
			   LossKind kind, uint64_t count)
{
	if (count == 0)
		return;
	add_entry(tally, (TallyEntry){ map->oid, map->schema, map->name,
								   column->name, kind, count });
}

void
loss_tally_merge(LossTally *tally, const LossTally *from)
{
	for (size_t i = 0; i < from->slot_count; i++)
	{
		if (from->slots[i].count > 0)
			add_entry(tally, from->slots[i]);
	}
}

static void
put_entry(Buffer *sql, const char *stream, const TallyEntry *entry, bool first)
{
	static const char *const names[] = { "stream", "table_schema", "table_name",
										 "column_name", "kind" };
	const char *const values[] = { stream, entry->schema, entry->table,
								   entry->column, loss_kind_name(entry->kind) };

	buffer_puts(sql, first ? "SELECT " : " UNION ALL SELECT ");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		my_quote_text(sql, slice_of(values[i]));
		buffer_printf(sql, first ? " AS %s, " : ", ", names[i]);
	}
	buffer_printf(sql, "%" PRIu64, entry->count);
	if (first)
		buffer_puts(sql, " AS lost");
}

/* A derived table: VALUES() of it is deprecated on one server, and what takes
 * its place is unknown to the other. */
void
loss_tally_sql(const LossTally *tally, const char *stream, Buffer *sql)
{
	bool first = true;

	if (loss_tally_empty(tally))
		BUG("no loss to note");
	buffer_puts(sql,
				"INSERT INTO portage_loss (stream, table_schema, "
				"table_name, column_name, kind, `count`) SELECT new.stream, "
				"new.table_schema, new.table_name, new.column_name, "
				"new.kind, new.lost FROM (");
	for (size_t i = 0; i < tally->slot_count; i++)
	{
		if (tally->slots[i].count == 0)
			continue;
		put_entry(sql, stream, &tally->slots[i], first);
		first = false;
	}
	buffer_puts(sql, ") AS new ON DUPLICATE KEY UPDATE portage_loss.`count` = "
					 "portage_loss.`count` + new.lost");
}

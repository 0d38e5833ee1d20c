/*
 * stamps.c
 *		Visibility of transactions in the snapshots of what was copied.
 *
 * A table has one chunk or several, each with its stamp.  If the stamps of a
 * table agree about a transaction, that is the answer for all of its rows.  Else
 * it depends on the range that the row's key is in, before and after.
 *
 * The WAL carries 32-bit xids, snapshots 64-bit ones: an xid belongs to the
 * epoch that brings it nearest to the snapshot's xmax, since transactions of
 * one WAL stream are never two billion apart.
 */
#include "stream/stamps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream/key_order.h"

typedef struct Snapshot
{
	const char *text;
	uint64_t xmin;
	uint64_t xmax;
	const uint64_t *xip; /* ascending */
	int xip_count;
} Snapshot;

/* The chunks of a table, in the order of their ranges. */
typedef struct TableStamps
{
	uint32_t table_oid;
	const Chunk *chunks;
	const Snapshot **snapshots; /* of the chunks; NULL: the slot's */
	int count;
	bool uniform; /* all are the same */
} TableStamps;

struct Stamps
{
	ChangeFilter filter; /* must be first */
	Arena arena;
	Lsn newest;
	Chunk *chunks;
	const Snapshot **snapshots; /* of the chunks */
	TableStamps *tables; /* by OID; only those with a stamp of their own */
	int count;
	uint32_t *ignored; /* OIDs of tables that are not followed */
	int ignored_count;
};

static bool
parse_number(const char **p, char end, uint64_t *out)
{
	char *stop;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoull(*p, &stop, 10);
	if (errno != 0 || (*stop != end && !(end == ',' && *stop == '\0')))
		return false;
	*p = *stop != '\0' ? stop + 1 : stop;
	return true;
}

static bool
parse_snapshot(const char *text, Arena *arena, Snapshot *out)
{
	const char *p = text;
	uint64_t *xip;
	size_t max = 1;

	if (!parse_number(&p, ':', &out->xmin) ||
		!parse_number(&p, ':', &out->xmax))
		return false;
	for (const char *c = p; *c != '\0'; c++)
		max += *c == ',';
	xip = ARENA_ARRAY(arena, uint64_t, max);
	out->xip = xip;
	out->xip_count = 0;
	while (*p != '\0')
	{
		if (!parse_number(&p, ',', &xip[out->xip_count]))
			return false;
		out->xip_count++;
	}
	return true;
}

static uint64_t
full_xid(uint32_t xid, uint64_t xmax)
{
	uint64_t full = (xmax & ~UINT64_C(0xFFFFFFFF)) | xid;
	const uint64_t half = UINT64_C(0x80000000);

	if (full > xmax + half && full >= 2 * half)
		return full - 2 * half;
	if (full + half < xmax)
		return full + 2 * half;
	return full;
}

static int
compare_xids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a;
	uint64_t y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static bool
snapshot_shows(const Snapshot *snapshot, uint32_t xid)
{
	uint64_t full;

	/* what the slot's snapshot shows is never sent */
	if (snapshot == NULL)
		return false;
	full = full_xid(xid, snapshot->xmax);
	if (full < snapshot->xmin)
		return true;
	if (full >= snapshot->xmax)
		return false;
	return snapshot->xip_count == 0 ||
		   bsearch(&full, snapshot->xip, (size_t) snapshot->xip_count,
				   sizeof(uint64_t), compare_xids) == NULL;
}

bool
stamp_shows(const char *snapshot, uint32_t xid, bool *shows)
{
	Snapshot parsed = { 0 };
	Arena arena;
	bool ok;

	arena_init(&arena);
	ok = parse_snapshot(snapshot, &arena, &parsed);
	if (ok)
		*shows = snapshot_shows(&parsed, xid);
	arena_release(&arena);
	return ok;
}

static int
compare_tables(const void *a, const void *b)
{
	uint32_t x = ((const TableStamps *) a)->table_oid;
	uint32_t y = ((const TableStamps *) b)->table_oid;

	return x < y ? -1 : x > y;
}

static int
compare_oids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a;
	uint32_t y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

/* Chunks are in the order of table and number, so tables are runs of them. */
static int
compare_chunks(const void *a, const void *b)
{
	const Chunk *x = a;
	const Chunk *y = b;

	if (x->table_oid != y->table_oid)
		return x->table_oid < y->table_oid ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The chunk whose range holds the value: the last that does not begin above. */
static bool
chunk_find(const TableStamps *table, const Column *column, const Value *value,
		   int *found)
{
	int low = 0;
	int high = table->count - 1;

	while (low < high)
	{
		int middle = low + (high - low + 1) / 2;
		const char *bound = table->chunks[middle].low;
		int order;

		if (bound == NULL ||
			!key_compare(column->base_type_oid, value->data, value->len, bound,
						 strlen(bound), &order))
			return false;
		if (order >= 0)
			low = middle;
		else
			high = middle - 1;
	}
	*found = low;
	return true;
}

/* Does the chunk that holds the row with this key show the transaction? */
static bool
row_shown(const TableStamps *table, uint32_t xid, const Column *column,
		  const Value *value, bool *shown)
{
	int chunk;

	if (value->state != WIRE_COL_PRESENT ||
		!chunk_find(table, column, value, &chunk))
		return false;
	*shown = snapshot_shows(table->snapshots[chunk], xid);
	return true;
}

static ChangeVerdict
row_verdict(const TableStamps *table, uint32_t xid, const Change *change,
			int key)
{
	const Column *column = &change->relation->columns[key];
	const Value *old_values = change->old_values;
	const Value *new_values = change->new_values;
	bool old_shown;
	bool new_shown;

	/* without an old tuple the key is what it was */
	if (old_values == NULL)
		old_values = new_values;
	if (new_values == NULL)
		new_values = old_values;
	if (new_values == NULL ||
		!row_shown(table, xid, column, &old_values[key], &old_shown) ||
		!row_shown(table, xid, column,
				   new_values[key].state == WIRE_COL_UNCHANGED
					   ? &old_values[key]
					   : &new_values[key],
				   &new_shown))
		return VERDICT_UNKNOWN;
	if (old_shown == new_shown)
		return old_shown ? VERDICT_SKIP : VERDICT_APPLY;
	return old_shown ? VERDICT_AS_INSERT : VERDICT_AS_DELETE;
}

/*
 * The key's column; -1 if it has gone, or if the identity is another one by
 * now, as then an UPDATE may change the key without telling what it was.
 */
static int
key_column(const TableStamps *table, const Change *change)
{
	const Relation *relation = change->relation;
	const char *key = table->chunks[0].key;

	for (int i = 0; key != NULL && i < relation->column_count; i++)
	{
		if (strcmp(relation->columns[i].name, key) != 0)
			continue;
		if (change->kind == CHANGE_INSERT ||
			change->old_kind == WIRE_OLD_FULL ||
			(relation->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			return i;
	}
	return -1;
}

/* How many of the table's chunks show the transaction: none, some, all? */
static void
table_shown(const TableStamps *table, uint32_t xid, bool *any, bool *all)
{
	int checked = table->uniform ? 1 : table->count;

	*any = false;
	*all = true;
	for (int i = 0; i < checked; i++)
	{
		bool shown = snapshot_shows(table->snapshots[i], xid);

		*any |= shown;
		*all &= shown;
	}
}

static const TableStamps *
table_find(const Stamps *stamps, uint32_t oid)
{
	TableStamps key = { .table_oid = oid };

	return bsearch(&key, stamps->tables, (size_t) stamps->count,
				   sizeof(TableStamps), compare_tables);
}

static ChangeVerdict
stamp_verdict(const ChangeFilter *filter, const Txn *txn, const Change *change,
			  const Relation *relation)
{
	const Stamps *stamps = (const Stamps *) filter;
	const TableStamps *table;
	bool any;
	bool all;
	int key;

	/* the rules have asked for the source's row; the state is never copied */
	if (relation->derived || relation->internal)
		return VERDICT_APPLY;
	if (stamps->ignored_count > 0 &&
		bsearch(&relation->oid, stamps->ignored, (size_t) stamps->ignored_count,
				sizeof(uint32_t), compare_oids) != NULL)
		return VERDICT_SKIP;
	if (stamps->count == 0 || txn->commit_lsn >= stamps->newest)
		return VERDICT_APPLY;
	table = table_find(stamps, relation->oid);
	if (table == NULL)
		return VERDICT_APPLY;
	table_shown(table, txn->xid, &any, &all);
	if (all)
		return VERDICT_SKIP;
	if (!any || change->kind == CHANGE_NOKEY)
		return VERDICT_APPLY;
	if (change->kind == CHANGE_TRUNCATE)
		return VERDICT_PARTLY;
	key = key_column(table, change);
	return key < 0 ? VERDICT_UNKNOWN
				   : row_verdict(table, txn->xid, change, key);
}

static const Chunk *
stamp_emptied(const ChangeFilter *filter, const Txn *txn,
			  const Relation *relation, int i)
{
	const Stamps *stamps = (const Stamps *) filter;
	const TableStamps *table = table_find(stamps, relation->oid);

	for (int k = 0; table != NULL && k < table->count; k++)
	{
		if (!snapshot_shows(table->snapshots[k], txn->xid) && i-- == 0)
			return &table->chunks[k];
	}
	return NULL;
}

/* Chunks that were read together have the same text: parse it once. */
static bool
stamps_snapshot(Stamps *stamps, int chunk)
{
	const Stamp *stamp = &stamps->chunks[chunk].stamp;
	Snapshot *snapshot;

	if (stamp->slot)
		return true;
	for (int i = chunk - 1; i >= 0; i--)
	{
		if (stamps->snapshots[i] != NULL &&
			strcmp(stamps->snapshots[i]->text, stamp->snapshot) == 0)
		{
			stamps->snapshots[chunk] = stamps->snapshots[i];
			return true;
		}
	}
	snapshot = ARENA_NEW(&stamps->arena, Snapshot);
	snapshot->text = stamp->snapshot;
	stamps->snapshots[chunk] = snapshot;
	return parse_snapshot(stamp->snapshot, &stamps->arena, snapshot);
}

static const char *
copy_text(Arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

/* The caller's chunks may go before the stamps do. */
static void
stamps_chunks(Stamps *stamps, const Chunk *chunks, int count)
{
	Arena *arena = &stamps->arena;

	stamps->chunks = ARENA_ARRAY(arena, Chunk, (size_t) count + 1);
	stamps->snapshots = ARENA_ARRAY(arena, const Snapshot *,
									(size_t) count + 1);
	for (int i = 0; i < count; i++)
	{
		Chunk *chunk = &stamps->chunks[i];

		*chunk = chunks[i];
		chunk->schema = copy_text(arena, chunk->schema);
		chunk->name = copy_text(arena, chunk->name);
		chunk->key = copy_text(arena, chunk->key);
		chunk->low = copy_text(arena, chunk->low);
		chunk->high = copy_text(arena, chunk->high);
		chunk->stamp.snapshot = copy_text(arena, chunk->stamp.snapshot);
	}
	qsort(stamps->chunks, (size_t) count, sizeof(Chunk), compare_chunks);
}

/* Tables that were read under nothing but the slot's snapshot are left out. */
static void
stamps_tables(Stamps *stamps, int count)
{
	int next;

	stamps->tables = ARENA_ARRAY(&stamps->arena, TableStamps,
								 (size_t) count + 1);
	for (int first = 0; first < count; first = next)
	{
		TableStamps *table = &stamps->tables[stamps->count];
		bool all_slot = true;

		table->table_oid = stamps->chunks[first].table_oid;
		table->chunks = &stamps->chunks[first];
		table->snapshots = &stamps->snapshots[first];
		table->uniform = true;
		for (next = first;
			 next < count && stamps->chunks[next].table_oid == table->table_oid;
			 next++)
		{
			all_slot &= stamps->snapshots[next] == NULL;
			table->uniform &= stamps->snapshots[next] == table->snapshots[0];
		}
		table->count = next - first;
		stamps->count += !all_slot;
	}
}

Stamps *
stamps_new(const Chunk *chunks, int count, Lsn newest, Error *err)
{
	Stamps *stamps = mem_zalloc(sizeof(*stamps));

	arena_init(&stamps->arena);
	stamps->filter.verdict = stamp_verdict;
	stamps->filter.emptied = stamp_emptied;
	stamps->newest = newest;
	stamps_chunks(stamps, chunks, count);
	for (int i = 0; i < count; i++)
	{
		const Chunk *chunk = &stamps->chunks[i];

		if ((chunk->stamp.slot || chunk->state == CHUNK_DONE) &&
			stamps_snapshot(stamps, i))
			continue;
		error_set(err, P_PROGRESS,
				  "the copy of table %s.%s has no readable stamp",
				  chunk->schema, chunk->name);
		stamps_free(stamps);
		return NULL;
	}
	stamps_tables(stamps, count);
	return stamps;
}

void
stamps_ignore(Stamps *stamps, const uint32_t *oids, int count)
{
	stamps->ignored = ARENA_ARRAY(&stamps->arena, uint32_t, (size_t) count + 1);
	memcpy(stamps->ignored, oids, (size_t) count * sizeof(uint32_t));
	stamps->ignored_count = count;
}

void
stamps_free(Stamps *stamps)
{
	if (stamps == NULL)
		return;
	arena_release(&stamps->arena);
	mem_free(stamps);
}

const ChangeFilter *
stamps_filter(const Stamps *stamps)
{
	return &stamps->filter;
}

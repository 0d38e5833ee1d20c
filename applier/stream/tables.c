/*
 * tables.c
 *		See tables.h.  A hash table by the relations' serial numbers.
 */
#include "stream/tables.h"

#include <string.h>

#include "base/mem.h"

#define MIN_CAPACITY 64
#define MAX_KEPT 20000

typedef struct TableEntry
{
	uint64_t serial; /* 0: free */
	const PlanTable *table;
} TableEntry;

struct Tables
{
	Target *target;
	TableEntry *entries;
	size_t capacity; /* a power of two */
	size_t count;
};

Tables *
tables_new(Target *target)
{
	Tables *tables = mem_zalloc(sizeof(*tables));

	tables->target = target;
	tables->capacity = MIN_CAPACITY;
	tables->entries = mem_zalloc(MIN_CAPACITY * sizeof(TableEntry));
	return tables;
}

void
tables_free(Tables *tables)
{
	if (tables == NULL)
		return;
	mem_free(tables->entries);
	mem_free(tables);
}

/* Serial numbers count up from 1, so their low bits differ. */
static TableEntry *
find_entry(const Tables *tables, uint64_t serial)
{
	size_t i = serial & (tables->capacity - 1);

	while (tables->entries[i].serial != 0 &&
		   tables->entries[i].serial != serial)
		i = (i + 1) & (tables->capacity - 1);
	return &tables->entries[i];
}

static void
grow(Tables *tables)
{
	TableEntry *old = tables->entries;
	size_t old_capacity = tables->capacity;

	tables->capacity *= 2;
	tables->entries = mem_zalloc(tables->capacity * sizeof(TableEntry));
	for (size_t i = 0; i < old_capacity; i++)
	{
		if (old[i].serial != 0)
			*find_entry(tables, old[i].serial) = old[i];
	}
	mem_free(old);
}

const PlanTable *
tables_find(const Tables *tables, const Relation *relation)
{
	return find_entry(tables, relation->serial)->table;
}

bool
tables_asked(const Tables *tables, const Relation *relation)
{
	return find_entry(tables, relation->serial)->serial != 0;
}

bool
tables_ask(Tables *tables, const Relation *relation, Error *err)
{
	const PlanTable *table;
	TableEntry *entry;

	if (!tables->target->ops->table_look(tables->target, relation, &table, err))
		return false;
	if (tables->count >= tables->capacity / 2)
		grow(tables);
	entry = find_entry(tables, relation->serial);
	tables->count += entry->serial == 0;
	*entry = (TableEntry){ relation->serial, table };
	return true;
}

bool
tables_renewed(Tables *tables, const Relation *relation)
{
	return tables->target->ops->table_renewed(tables->target, relation);
}

void
tables_forget(Tables *tables)
{
	memset(tables->entries, 0, tables->capacity * sizeof(TableEntry));
	tables->count = 0;
}

void
tables_trim(Tables *tables)
{
	if (tables->count > MAX_KEPT)
		tables_forget(tables);
}

const TableUse *
table_uses_find(TableUses *uses, const Relation *relation)
{
	if (uses->last < uses->count &&
		uses->items[uses->last].relation == relation)
		return &uses->items[uses->last];
	for (int i = 0; i < uses->count; i++)
	{
		if (uses->items[i].relation == relation)
		{
			uses->last = i;
			return &uses->items[i];
		}
	}
	return NULL;
}

void
table_uses_add(TableUses *uses, TableUse use)
{
	uses->items = mem_room(uses->items, uses->count, &uses->capacity,
						   sizeof(*uses->items));
	uses->last = uses->count;
	uses->items[uses->count++] = use;
}

void
table_uses_release(TableUses *uses)
{
	mem_free(uses->items);
	memset(uses, 0, sizeof(*uses));
}

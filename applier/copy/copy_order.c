/*
 * copy_order.c
 *		See copy_order.h.
 */
#include "copy/copy_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* building one index takes about so much of the time of copying the rows */
#define INDEX_SHARE 4

typedef struct Way
{
	int64_t bytes;
	Table table;
} Way;

bool
copy_order_is_index(const DdlEntry *entry, const Table *table)
{
	return entry->section == DDL_POST_DATA && entry->state == DDL_TODO &&
		   entry->table_oid == table->oid &&
		   (strcmp(entry->type, "INDEX") == 0 ||
			strcmp(entry->type, "CONSTRAINT") == 0);
}

static int
longest_first(const void *left, const void *right)
{
	const Way *a = left;
	const Way *b = right;

	if ((a->table.reference != NULL) != (b->table.reference != NULL))
		return a->table.reference != NULL ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->table.bytes != b->table.bytes)
		return a->table.bytes < b->table.bytes ? 1 : -1;
	return a->table.oid < b->table.oid ? -1 : a->table.oid > b->table.oid;
}

void
copy_order_tables(Table *tables, int count, const DdlEntry *entries,
				  int entry_count, const Chunk *chunks, int chunk_count)
{
	Way *ways = mem_zalloc((size_t) (count + 1) * sizeof(Way));

	for (int i = 0; i < count; i++)
	{
		Way *way = &ways[i];

		way->table = tables[i];
		for (int c = 0; c < chunk_count; c++)
		{
			if (chunks[c].table_oid == tables[i].oid &&
				chunks[c].state == CHUNK_TODO && chunks[c].size > way->bytes)
				way->bytes = chunks[c].size;
		}
		for (int e = 0; e < entry_count; e++)
		{
			if (copy_order_is_index(&entries[e], &tables[i]))
				way->bytes += tables[i].bytes / INDEX_SHARE;
		}
	}
	qsort(ways, (size_t) count, sizeof(Way), longest_first);
	for (int i = 0; i < count; i++)
		tables[i] = ways[i].table;
	mem_free(ways);
}

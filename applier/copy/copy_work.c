/*
 * copy_work.c
 *		See copy_work.h.
 */
#include "copy/copy_work.h"

#include <string.h>

#include "base/mem.h"
#include "copy/copy_chunks.h"

/* Rows and indexes are there. */
static bool
table_is_built(const CopyTable *table)
{
	return table->chunks_done == table->chunk_count &&
		   table->indexes_done == table->index_count;
}

bool
copy_table_done(const CopyTable *table)
{
	return table_is_built(table) && table->analyze != ANALYZE_TODO &&
		   table->analyze != ANALYZE_RUNNING;
}

/* One that locks the table waits for the others, and they wait for it. */
static bool
take_index(CopyTable *table, CopyWork *work)
{
	IndexJob *index;

	if (table->chunks_done < table->chunk_count ||
		table->next_index == table->index_count)
		return false;
	index = &table->indexes[table->next_index];
	if (table->building_alone || (index->alone && table->building > 0))
		return false;
	table->next_index++;
	table->building++;
	table->building_alone = index->alone;
	work->kind = WORK_INDEX;
	work->table = table;
	work->index = index;
	return true;
}

/*
 * The table has other storage now than the snapshot knows: once nobody copies
 * any of it, it becomes one chunk.
 */
static bool
take_again(CopyTable *table, CopyWork *work)
{
	if (table->copying > 0)
		return false;
	copy_chunk_whole(table->table, &table->whole);
	table->chunks = &table->whole;
	table->chunk_count = 1;
	table->next_chunk = 1;
	table->chunks_done = 0;
	table->rewritten = false;
	table->copying = 1;
	table->rows = 0;
	table->bytes = 0;
	table->bytes_expected = table->table->bytes;
	work->kind = WORK_AGAIN;
	work->table = table;
	work->chunk = &table->whole;
	return true;
}

static bool
take_chunk(CopyTable *table, CopyWork *work)
{
	if (table->rewritten)
		return take_again(table, work);
	while (table->next_chunk < table->chunk_count &&
		   table->chunks[table->next_chunk].state == CHUNK_DONE)
		table->next_chunk++;
	if (table->next_chunk == table->chunk_count)
		return false;
	table->copying++;
	work->kind = WORK_CHUNK;
	work->table = table;
	work->chunk = &table->chunks[table->next_chunk++];
	return true;
}

static bool
take_analyze(CopyTable *table, CopyWork *work)
{
	if (!table_is_built(table) || table->analyze != ANALYZE_TODO)
		return false;
	table->analyze = ANALYZE_RUNNING;
	work->kind = WORK_ANALYZE;
	work->table = table;
	return true;
}

/* Rows that may ask a reference are of no earlier snapshot than its own. */
static bool
references_left(const CopyPlan *plan)
{
	for (int i = 0; i < plan->todo_count; i++)
	{
		if (plan->todo[i].table->reference != NULL &&
			plan->todo[i].chunks_done < plan->todo[i].chunk_count)
			return true;
	}
	return false;
}

void
copy_work_take(CopyPlan *plan, CopyWork *work)
{
	bool first = references_left(plan);
	bool left = false;

	memset(work, 0, sizeof(*work));
	for (int i = 0; i < plan->todo_count; i++)
	{
		if (take_index(&plan->todo[i], work))
			return;
		left |= !copy_table_done(&plan->todo[i]);
	}
	for (int i = 0; i < plan->todo_count; i++)
	{
		if ((!first || plan->todo[i].table->reference != NULL) &&
			take_chunk(&plan->todo[i], work))
			return;
	}
	for (int i = 0; i < plan->todo_count; i++)
	{
		if (take_analyze(&plan->todo[i], work))
			return;
	}
	work->kind = left ? WORK_WAIT : WORK_END;
}

void
copy_work_done(CopyWork *work, bool rewritten)
{
	CopyTable *table = work->table;

	if (work->kind == WORK_ANALYZE)
	{
		table->analyze = ANALYZE_DONE;
		return;
	}
	if (work->kind == WORK_INDEX)
	{
		work->index->entry->state = DDL_DONE;
		table->indexes_done++;
		table->building--;
		table->building_alone = false;
		return;
	}
	table->copying--;
	if (rewritten)
	{
		BUG_UNLESS(work->kind == WORK_CHUNK);
		table->rewritten = true;
		return;
	}
	work->chunk->state = CHUNK_DONE;
	table->chunks_done++;
}

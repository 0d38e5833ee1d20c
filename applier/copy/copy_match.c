/*
 * copy_match.c
 *		See copy_match.h.
 *
 * What a rule with match reads is a chunk of its own with a stamp of its own, so
 * that the stream knows which changes are shown.  It is read when every table is
 * loaded and has its indexes, under a snapshot that is no earlier than theirs.
 */
#include "copy/copy_match.h"

#include "copy/copy_changes.h"

static bool
worker_open(CopyWorker *worker, Error *err)
{
	CopyPool *pool = worker->pool;

	worker->reader = pool->source->ops->reader_open(pool->source,
													&pool->snapshot, err);
	if (worker->reader == NULL)
		return false;
	worker->engine = rule_engine_new(pool->view->rules, err);
	return worker->engine != NULL && rule_engine_read(worker->engine, err);
}

static void
worker_close(CopyWorker *worker)
{
	copy_changes_close(worker);
	if (worker->reader != NULL)
		worker->pool->source->ops->reader_close(worker->reader);
	rule_engine_free(worker->engine);
}

static bool
match_one(CopyWorker *worker, const Table *table, Chunk *chunk, Error *err)
{
	CopyTable counted = { .table = table };
	CopyWork work = { .kind = WORK_CHUNK, .table = &counted, .chunk = chunk };
	bool whole;
	bool ok;

	ok = copy_changes_write(worker, worker->reader, &work, &whole, err);
	if (ok && !whole)
		ok = error_set(err, P_SERVER_BUSY,
					   "the table was rewritten on the source");
	/* it points into the reader; the target's row has what is needed */
	chunk->stamp.snapshot = "";
	if (!ok)
		return error_wrap(err, "table %s.%s, match", table->source->schema,
						  table->source->name);
	chunk->state = CHUNK_DONE;
	return true;
}

/* The next table, from *position on, whose rows have not been matched yet. */
static const Table *
next_table(const CopyPlan *plan, int *position, Chunk **chunk)
{
	while (*position < plan->table_count)
	{
		const Table *table = &plan->tables[(*position)++];

		for (int i = 0; table->match && i < plan->chunk_count; i++)
		{
			*chunk = &plan->chunks[i];
			if ((*chunk)->table_oid == table->oid &&
				(*chunk)->state == CHUNK_TODO)
				return table;
		}
	}
	return NULL;
}

bool
copy_matches(CopyPool *pool, Error *err)
{
	CopyWorker worker = { .pool = pool };
	int position = 0;
	Chunk *chunk;
	const Table *table = next_table(pool->plan, &position, &chunk);
	bool ok;

	if (table == NULL)
		return true;
	ok = worker_open(&worker, err);
	while (ok && table != NULL)
	{
		ok = match_one(&worker, table, chunk, err);
		table = next_table(pool->plan, &position, &chunk);
	}
	worker_close(&worker);
	return ok;
}

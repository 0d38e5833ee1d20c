/*
 * copy_worker.c
 *		One worker: takes a table, copies it in one target transaction with its
 *		chunk row, builds its indexes, takes the next.
 */
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "copy/copy_pool.h"

/* how often a table is read again that is rewritten under our eyes */
#define REWRITES_MAX 10

static CopyItem *
item_take(CopyPool *pool)
{
	CopyItem *item = NULL;

	if (atomic_load(&pool->no_more))
		return NULL;
	pthread_mutex_lock(&pool->lock);
	if (pool->next < pool->plan->item_count)
		item = &pool->plan->items[pool->next++];
	pthread_mutex_unlock(&pool->lock);
	return item;
}

/* Between two pieces: may this worker go on? */
static bool
may_go_on(CopyPool *pool, Error *err)
{
	if (signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped while tables were copied");
	if (atomic_load(&pool->give_up))
		return error_set(err, P_STOPPED, "another worker has failed");
	return true;
}

/* Pass the bytes through as they come. */
static bool
pass_rows(CopyWorker *worker, SourceReader *reader, Chunk *chunk, Error *err)
{
	CopyPool *pool = worker->pool;
	const SourceOps *source = pool->source->ops;
	const TargetOps *target = pool->target->ops;
	bool first = true;
	Slice data;

	chunk->bytes = 0;
	for (;;)
	{
		if (!may_go_on(pool, err) || !source->reader_data(reader, &data, err))
			return false;
		if (data.len == 0)
			return true;
		if (!target->loader_data(worker->loader, data, err) ||
			(first && !FAILPOINT(FP_COPY_STARTED, err)))
			return false;
		first = false;
		chunk->bytes += (int64_t) data.len;
		atomic_fetch_add(&pool->bytes, (long long) data.len);
	}
}

/*
 * One try.  *whole is false if the source's table was rewritten meanwhile;
 * then nothing has been committed.
 */
static bool
copy_once(CopyWorker *worker, SourceReader *reader, const CopyItem *item,
		  bool *whole, Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	Chunk *chunk = item->chunk;
	int64_t loaded;

	if (!target->loader_begin(worker->loader, item->table, chunk, err) ||
		!source->reader_begin(reader, item->table, err) ||
		!pass_rows(worker, reader, chunk, err) ||
		!source->reader_end(reader, item->table, &chunk->rows, whole, err) ||
		!target->loader_end(worker->loader, &loaded, err) ||
		!FAILPOINT(FP_COPY_LOADED, err))
		return false;
	if (!*whole)
		return true;
	if (loaded != chunk->rows)
		return error_set(err, P_COPY,
						 "%lld rows were sent, the target has"
						 " taken %lld",
						 (long long) chunk->rows, (long long) loaded);
	source->reader_stamp(reader, &chunk->stamp);
	return target->loader_commit(worker->loader, chunk, err);
}

static SourceReader *
reader_open_new(CopyPool *pool, Error *err)
{
	static const SnapshotRef now = { NULL, false, LSN_NONE };
	SourceReader *reader;

	pthread_mutex_lock(&pool->open_lock);
	reader = pool->source->ops->reader_open(pool->source, &now, err);
	pthread_mutex_unlock(&pool->open_lock);
	return reader;
}

/* The table has changed its storage since the snapshot: take a new one. */
static bool
copy_again(CopyWorker *worker, const CopyItem *item, bool *whole, Error *err)
{
	CopyPool *pool = worker->pool;
	SourceReader *reader;
	bool ok;

	log_info("table %s.%s was rewritten on the source: copying it again",
			 item->table->schema, item->table->name);
	atomic_fetch_sub(&pool->bytes, (long long) item->chunk->bytes);
	pool->target->ops->loader_abort(worker->loader);
	reader = reader_open_new(pool, err);
	if (reader == NULL)
		return false;
	ok = copy_once(worker, reader, item, whole, err);
	pool->source->ops->reader_close(reader);
	return ok;
}

static bool
copy_rows(CopyWorker *worker, const CopyItem *item, Error *err)
{
	bool whole = false;
	bool ok = copy_once(worker, worker->reader, item, &whole, err);

	for (int i = 0; ok && !whole && i < REWRITES_MAX; i++)
		ok = copy_again(worker, item, &whole, err);
	if (ok && !whole)
		ok = error_set(err, P_SERVER_BUSY,
					   "the table is rewritten on the"
					   " source again and again");
	/* stamps point into readers; the row on the target has what is needed */
	item->chunk->stamp.snapshot = "";
	if (ok)
	{
		atomic_fetch_add(&worker->pool->rows, (long long) item->chunk->rows);
		return true;
	}
	worker->pool->target->ops->loader_abort(worker->loader);
	return false;
}

static bool
item_copy(CopyWorker *worker, CopyItem *item, Error *err)
{
	CopyPool *pool = worker->pool;
	int64_t started_ms = clock_ms();

	if (item->chunk != NULL)
	{
		if (!copy_rows(worker, item, err))
			return error_wrap(err, "table %s.%s", item->table->schema,
							  item->table->name);
		item->chunk->state = CHUNK_DONE;
		log_debug("table %s.%s: %lld rows, %.1f MB in %.1f s",
				  item->table->schema, item->table->name,
				  (long long) item->chunk->rows,
				  (double) item->chunk->bytes / 1e6,
				  (double) (clock_ms() - started_ms) / 1000.0);
	}
	for (int i = 0; i < item->index_count; i++)
	{
		if (!may_go_on(pool, err) || !pool->target->ops->loader_ddl(
										 worker->loader, item->indexes[i], err))
			return false;
		item->indexes[i]->state = DDL_DONE;
	}
	return true;
}

/* Keep the first error, unless a later one is why it cannot be retried. */
static void
pool_fail(CopyPool *pool, const Error *err)
{
	bool fatal = !error_is_transient(err);

	pthread_mutex_lock(&pool->lock);
	if (!error_is_set(&pool->error) ||
		(fatal && error_is_transient(&pool->error)))
		pool->error = *err;
	pthread_mutex_unlock(&pool->lock);
	atomic_store(&pool->no_more, true);
	if (fatal)
		atomic_store(&pool->give_up, true);
}

void *
copy_worker_main(void *arg)
{
	CopyWorker *worker = arg;
	CopyPool *pool = worker->pool;
	Error err = ERROR_INIT;
	CopyItem *item;

	while ((item = item_take(pool)) != NULL)
	{
		if (!item_copy(worker, item, &err))
		{
			pool_fail(pool, &err);
			break;
		}
		pthread_mutex_lock(&pool->lock);
		pool->tables_done++;
		pthread_mutex_unlock(&pool->lock);
	}
	/* an open snapshot keeps the source from vacuuming: end it now */
	pool->source->ops->reader_close(worker->reader);
	pool->target->ops->loader_close(worker->loader);
	worker->reader = NULL;
	worker->loader = NULL;
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

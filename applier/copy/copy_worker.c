/*
 * copy_worker.c
 *		One worker: takes a chunk, copies it in one target transaction with its
 *		chunk row, or builds an index; takes the next.
 */
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "copy/copy_aside.h"
#include "copy/copy_changes.h"
#include "copy/copy_reference.h"
#include "rules/rule_copy.h"

/* how often a table is read again that is rewritten under our eyes */
#define REWRITES_MAX 10

/* Wait where others may leave something to do. */
static void
work_take(CopyPool *pool, CopyWork *work)
{
	pthread_mutex_lock(&pool->lock);
	work->kind = WORK_END;
	while (!atomic_load(&pool->no_more))
	{
		copy_work_take(pool->plan, work);
		if (work->kind != WORK_WAIT)
			break;
		pthread_cond_wait(&pool->more, &pool->lock);
		work->kind = WORK_END;
	}
	if (work->table != NULL && work->table->started_ms == 0)
		work->table->started_ms = clock_ms();
	pthread_mutex_unlock(&pool->lock);
}

static void
work_done(CopyPool *pool, CopyWork *work, bool rewritten)
{
	pthread_mutex_lock(&pool->lock);
	copy_work_done(work, rewritten);
	if (copy_table_done(work->table))
		pool->tables_done++;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

void
copy_count_sent(CopyPool *pool, CopyTable *table, int64_t bytes, int64_t rows)
{
	pthread_mutex_lock(&pool->lock);
	table->bytes += bytes;
	table->rows += rows;
	pthread_mutex_unlock(&pool->lock);
}

bool
copy_may_go_on(CopyPool *pool, Error *err)
{
	if (signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped while tables were copied");
	if (atomic_load(&pool->give_up))
		return error_set(err, P_STOPPED, "another worker has failed");
	return true;
}

/*
 * Pass the bytes through as they come; or, where a rule makes the table, what it
 * makes of them.
 */
static bool
pass_rows(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		  RuleCopy *rules, Error *err)
{
	CopyPool *pool = worker->pool;
	const SourceOps *source = pool->source->ops;
	const TargetOps *target = pool->target->ops;
	bool first = true;
	int64_t rows;
	Slice data;

	work->chunk->bytes = 0;
	work->chunk->rows = 0;
	for (;;)
	{
		if (!copy_may_go_on(pool, err) ||
			!source->reader_data(reader, &data, &rows, err))
			return false;
		if (data.len == 0)
			return true;
		if (rules != NULL && !rule_copy_rows(rules, data, &data, &rows, err))
			return false;
		if ((data.len > 0 && !target->loader_data(worker->loader, data, err)) ||
			(first && !FAILPOINT(FP_COPY_STARTED, err)))
			return false;
		first = false;
		work->chunk->bytes += (int64_t) data.len;
		work->chunk->rows += rows;
		copy_count_sent(pool, work->table, (int64_t) data.len, rows);
	}
}

/* What is read for the table. */
static const Table *
reading(const Table *table)
{
	return table->source != NULL ? table->source : table;
}

/* The source counts what was read, a rule what has become of it. */
static bool
read_end(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		 bool *whole, Error *err)
{
	const Table *table = work->table->table;
	int64_t passed = work->chunk->rows;

	if (!worker->pool->source->ops->reader_end(reader, reading(table),
											   work->chunk, whole, err))
		return false;
	if (table->source != NULL)
		work->chunk->rows = passed;
	return true;
}

bool
copy_keep_rest(CopyWorker *worker, RuleCopy *rules, Error *err)
{
	const TargetOps *target = worker->pool->target->ops;
	const KeptRow *kept;
	int count = rules != NULL;

	while (count > 0)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!rule_copy_kept(rules, &kept, &count, err) ||
			(count > 0 &&
			 !target->loader_keep(worker->loader, kept, count, err)))
			return false;
	}
	return true;
}

/* From the source through the rules, if there are any, to the target. */
static bool
load_rows(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		  RuleCopy *rules, bool *whole, Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	const Table *table = work->table->table;
	Chunk *chunk = work->chunk;
	int64_t loaded;

	if (!target->loader_begin(worker->loader, table, chunk, err) ||
		!source->reader_begin(reader, reading(table), chunk, err) ||
		!pass_rows(worker, reader, work, rules, err) ||
		!read_end(worker, reader, work, whole, err) ||
		!target->loader_end(worker->loader, &loaded, err) ||
		!FAILPOINT(FP_COPY_LOADED, err))
		return false;
	if (!*whole)
		return true;
	if (loaded != chunk->rows)
		return error_set(err, P_COPY,
						 "%lld rows were sent, the target has taken %lld",
						 (long long) chunk->rows, (long long) loaded);
	if (!copy_keep_rest(worker, rules, err))
		return false;
	source->reader_stamp(reader, &chunk->stamp);
	return target->loader_commit(worker->loader, chunk,
								 rules != NULL ? rule_copy_ledger(rules) : NULL,
								 err);
}

RuleCopy *
copy_rules_open(CopyWorker *worker, SourceReader *reader, const Table *table,
				Error *err)
{
	const Table *from = table->source != NULL ? table->source : table;
	const Derived *derived;
	Stamp stamp;

	if (!copy_references_take(worker, reader, err) ||
		!copy_view_derive(worker->pool->view, worker->engine, table, &derived,
						  err))
		return NULL;
	worker->pool->source->ops->reader_stamp(reader, &stamp);
	return rule_copy_open(worker->engine, derived, from, stamp.lsn);
}

/* What was sent is void: nothing of it was committed. */
static void
copy_undo(CopyWorker *worker, const CopyWork *work)
{
	copy_count_sent(worker->pool, work->table, -work->chunk->bytes,
					-work->chunk->rows);
	worker->pool->target->ops->loader_abort(worker->loader);
}

/* All rows at once, by the rules if they make the table. */
static bool
copy_at_once(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
			 bool *whole, Error *err)
{
	const Table *table = work->table->table;
	RuleCopy *rules = NULL;
	bool ok;

	if (table->source != NULL)
		rules = copy_rules_open(worker, reader, table, err);
	ok = !error_is_set(err) &&
		 load_rows(worker, reader, work, rules, whole, err);
	rule_copy_close(rules);
	return ok;
}

/*
 * One try.  *whole is false if the source's table was rewritten meanwhile;
 * then nothing has been committed.
 */
static bool
copy_once(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		  bool *whole, Error *err)
{
	if (work->table->table->reference != NULL)
		return copy_reference_keep(worker, reader, work, whole, err);
	if (copy_by_changes(work->table->table))
		return copy_changes_write(worker, reader, work, whole, err);
	if (copy_at_once(worker, reader, work, whole, err))
		return true;
	if (!copy_aside_wanted(work->table->table, err))
		return false;
	copy_undo(worker, work);
	return copy_aside_load(worker, reader, work, whole, err);
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

/* The table has other storage than the snapshot knows: take a new one. */
static bool
copy_again(CopyWorker *worker, const CopyWork *work, bool *whole, Error *err)
{
	CopyPool *pool = worker->pool;
	const Table *table = work->table->table;
	SourceReader *reader;
	bool ok;

	log_info("table %s.%s was rewritten on the source: copying it again",
			 table->schema, table->name);
	reader = reader_open_new(pool, err);
	if (reader == NULL)
		return false;
	ok = copy_once(worker, reader, work, whole, err);
	worker->references_of = NULL;
	pool->source->ops->reader_close(reader);
	return ok;
}

/*
 * Where no stream follows, a table of a later snapshot would never agree with
 * the others: everything is read again.
 */
static bool
must_be_one_snapshot(const CopyPool *pool, Error *err)
{
	return pool->progress->slot[0] != '\0' ||
		   error_set(err, P_SERVER_BUSY,
					 "the table was rewritten on the source: copying all again,"
					 " under one snapshot");
}

/*
 * A whole table that was rewritten is read again here; of one in pieces others
 * may have some: *rewritten tells, and it is left to whoever is the last.
 */
static bool
copy_rows(CopyWorker *worker, const CopyWork *work, bool *rewritten, Error *err)
{
	bool whole = false;
	bool ok = true;
	int tries = 0;

	if (work->kind == WORK_CHUNK)
		ok = copy_once(worker, worker->reader, work, &whole, err);
	if (ok && !whole)
		ok = must_be_one_snapshot(worker->pool, err);
	*rewritten = ok && !whole && work->chunk->kind != CHUNK_WHOLE;
	while (ok && !whole && !*rewritten && tries++ < REWRITES_MAX)
	{
		if (work->kind == WORK_CHUNK || tries > 1)
			copy_undo(worker, work);
		ok = copy_again(worker, work, &whole, err);
	}
	if (ok && !whole && !*rewritten)
		ok = error_set(err, P_SERVER_BUSY,
					   "the table is rewritten on the source again and again");
	/* stamps point into readers; the row on the target has what is needed */
	work->chunk->stamp.snapshot = "";
	if (!ok || *rewritten)
		copy_undo(worker, work);
	return ok;
}

static bool
work_chunk(CopyWorker *worker, CopyWork *work, Error *err)
{
	const Table *table = work->table->table;
	int64_t started_ms = clock_ms();
	bool rewritten;

	if (work->kind == WORK_AGAIN &&
		!worker->pool->target->ops->loader_reset(worker->loader, table,
												 work->chunk, 1, err))
		return error_wrap(err, "table %s.%s", table->schema, table->name);
	if (!copy_rows(worker, work, &rewritten, err))
		return error_wrap(err, "table %s.%s", table->schema, table->name);
	if (!rewritten)
		log_debug("table %s.%s, chunk %d of %d: %lld rows, %.1f MB in %.1f s",
				  table->schema, table->name, work->chunk->number,
				  work->table->chunk_count, (long long) work->chunk->rows,
				  (double) work->chunk->bytes / 1e6,
				  (double) (clock_ms() - started_ms) / 1000.0);
	work_done(worker->pool, work, rewritten);
	return true;
}

static bool
work_index(CopyWorker *worker, CopyWork *work, Error *err)
{
	CopyPool *pool = worker->pool;

	if (!copy_may_go_on(pool, err) ||
		!pool->target->ops->loader_ddl(worker->loader, work->index->entry, err))
		return false;
	work_done(pool, work, false);
	return true;
}

/* Plans made without statistics are slow ones; a failure is no error. */
static bool
work_analyze(CopyWorker *worker, CopyWork *work, Error *err)
{
	CopyPool *pool = worker->pool;
	const Table *table = work->table->table;

	if (!copy_may_go_on(pool, err))
		return false;
	if (!pool->target->ops->loader_analyze(worker->loader, table, err))
	{
		if (error_is_transient(err) || err->code == P_STOPPED)
			return false;
		copy_no_statistics(table, err);
	}
	work_done(pool, work, false);
	return true;
}

static bool
work_do(CopyWorker *worker, CopyWork *work, Error *err)
{
	switch (work->kind)
	{
		case WORK_INDEX:
			return work_index(worker, work, err);
		case WORK_ANALYZE:
			return work_analyze(worker, work, err);
		default:
			return work_chunk(worker, work, err);
	}
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
	atomic_store(&pool->no_more, true);
	if (fatal)
		atomic_store(&pool->give_up, true);
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

void *
copy_worker_main(void *arg)
{
	CopyWorker *worker = arg;
	CopyPool *pool = worker->pool;
	Error err = ERROR_INIT;
	CopyWork work;

	log_set_context(pool->context);
	for (;;)
	{
		memset(&work, 0, sizeof(work));
		work_take(pool, &work);
		if (work.kind == WORK_END)
			break;
		if (!work_do(worker, &work, &err))
		{
			pool_fail(pool, &err);
			break;
		}
	}
	/* an open snapshot keeps the source from vacuuming: end it now */
	copy_changes_close(worker);
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

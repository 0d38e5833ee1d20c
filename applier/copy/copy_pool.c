/*
 * copy_pool.c
 *		Starting the workers, waiting for them, telling how far they are.
 */
#include "copy/copy_pool.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "copy/copy_changes.h"
#include "copy/copy_show.h"

void
copy_pool_init(CopyPool *pool)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->open_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &attributes);
	pthread_cond_init(&pool->more, &attributes);
	pthread_condattr_destroy(&attributes);
	error_clear(&pool->error);
	atomic_init(&pool->no_more, false);
	atomic_init(&pool->give_up, false);
}

void
copy_pool_release(CopyPool *pool)
{
	pthread_cond_destroy(&pool->more);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->open_lock);
	pthread_mutex_destroy(&pool->lock);
}

static void
worker_close(CopyPool *pool, CopyWorker *worker)
{
	copy_changes_close(worker);
	pool->source->ops->reader_close(worker->reader);
	pool->target->ops->loader_close(worker->loader);
	rule_engine_free(worker->engine);
	worker->reader = NULL;
	worker->loader = NULL;
	worker->engine = NULL;
}

static bool
worker_open(CopyPool *pool, CopyWorker *worker, Error *err)
{
	worker->pool = pool;
	worker->reader = NULL;
	worker->engine = NULL;
	worker->references_of = NULL;
	worker->loader = pool->target->ops->loader_open(pool->target,
													pool->progress, err);
	if (worker->loader != NULL && pool->plan->todo_chunks > 0)
		worker->reader = pool->source->ops->reader_open(pool->source,
														&pool->snapshot, err);
	if (worker->reader != NULL && pool->view->engine != NULL)
		worker->engine = rule_engine_new(pool->view->rules, err);
	if (worker->engine != NULL && !rule_engine_read(worker->engine, err))
	{
		worker_close(pool, worker);
		return false;
	}
	if (worker->loader != NULL &&
		(worker->reader != NULL || pool->plan->todo_chunks == 0) &&
		!error_is_set(err))
		return true;
	worker_close(pool, worker);
	return false;
}

/*
 * As many as have something to do and as both servers allow; where a server
 * has no connection left, fewer have to do.  Returns their number, 0 for none.
 */
static int
workers_open(CopyPool *pool, CopyWorker *workers, int wanted, Error *err)
{
	int n;

	for (n = 0; n < wanted; n++)
	{
		if (worker_open(pool, &workers[n], err))
			continue;
		if (n == 0 || err->code != P_SERVER_BUSY)
		{
			while (n > 0)
				worker_close(pool, &workers[--n]);
			return 0;
		}
		log_warning("copying %d chunks at a time, not %d: %s", n, wanted,
					err->message);
		error_clear(err);
		break;
	}
	return n;
}

/* Until the last worker has ended. */
static void
pool_wait(CopyPool *pool)
{
	CopyShow show;

	pthread_mutex_lock(&pool->lock);
	copy_show_init(&show, pool);
	while (pool->running > 0)
	{
		int64_t due_ms = copy_show_due_ms(&show);
		struct timespec until = { .tv_sec = due_ms / 1000,
								  .tv_nsec = due_ms % 1000 * 1000000 };

		if (pthread_cond_timedwait(&pool->changed, &pool->lock, &until) ==
			ETIMEDOUT)
			copy_show_turn(&show);
	}
	copy_show_end(&show);
	copy_show_release(&show);
	pthread_mutex_unlock(&pool->lock);
}

/* Bring every table that is to be copied in pieces to where that can begin. */
static bool
pool_prepare(CopyPool *pool, TargetLoader *loader, Error *err)
{
	const TargetOps *target = pool->target->ops;
	bool ok = true;

	for (int i = 0; ok && i < pool->plan->todo_count; i++)
	{
		const CopyTable *todo = &pool->plan->todo[i];

		if (todo->start == START_PROVE_EMPTY)
			ok = target->loader_prove_empty(loader, todo->table, err);
		else if (todo->start != START_READY)
			ok = target->loader_reset(loader, todo->table, todo->chunks,
									  todo->chunk_count, err);
		if (ok && todo->table->altered != NULL &&
			todo->chunks_done < todo->chunk_count)
			ok = target->shape_copied(pool->target, pool->progress,
									  todo->table->altered, err);
		if (!ok)
			return error_wrap(err, "table %s.%s", todo->table->schema,
							  todo->table->name);
	}
	return true;
}

static bool
pool_start(CopyPool *pool, CopyWorker *workers, int count)
{
	int started = 0;

	pool->started_ms = clock_ms();
	pool->context = log_context();
	pthread_mutex_lock(&pool->lock);
	while (started < count &&
		   pthread_create(&workers[started].thread, NULL, copy_worker_main,
						  &workers[started]) == 0)
		started++;
	pool->running = started;
	pthread_mutex_unlock(&pool->lock);
	if (started == 0)
		BUG("no thread could be started");
	pool_wait(pool);
	for (int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return !error_is_set(&pool->error);
}

bool
copy_pool_run(CopyPool *pool, Error *err)
{
	int wanted = pool->plan->todo_chunks + pool->plan->todo_indexes;
	CopyWorker *workers;
	int opened;
	bool ok = false;

	if (wanted == 0)
		return true;
	if (wanted > pool->config->jobs)
		wanted = pool->config->jobs;
	workers = mem_zalloc((size_t) wanted * sizeof(CopyWorker));
	opened = workers_open(pool, workers, wanted, err);
	if (opened > 0 && pool_prepare(pool, workers[0].loader, err))
	{
		ok = pool_start(pool, workers, opened);
		if (!ok)
			*err = pool->error;
	}
	for (int i = 0; i < opened; i++)
		worker_close(pool, &workers[i]);
	mem_free(workers);
	return ok;
}

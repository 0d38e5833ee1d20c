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

#define TELL_EVERY_MS 10000

static void
pool_init(CopyPool *pool)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->open_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	error_clear(&pool->error);
	atomic_init(&pool->no_more, false);
	atomic_init(&pool->give_up, false);
	atomic_init(&pool->bytes, 0);
	atomic_init(&pool->rows, 0);
}

static void
pool_release(CopyPool *pool)
{
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->open_lock);
	pthread_mutex_destroy(&pool->lock);
}

static void
worker_close(CopyPool *pool, CopyWorker *worker)
{
	pool->source->ops->reader_close(worker->reader);
	pool->target->ops->loader_close(worker->loader);
	worker->reader = NULL;
	worker->loader = NULL;
}

static bool
worker_open(CopyPool *pool, CopyWorker *worker, Error *err)
{
	worker->pool = pool;
	worker->reader = NULL;
	worker->loader = pool->target->ops->loader_open(pool->target,
													pool->progress, err);
	if (worker->loader != NULL && pool->plan->todo_count > 0)
		worker->reader = pool->source->ops->reader_open(pool->source,
														&pool->snapshot, err);
	if (worker->loader != NULL &&
		(worker->reader != NULL || pool->plan->todo_count == 0))
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
		log_warning("copying %d tables at a time, not %d: %s", n, wanted,
					err->message);
		error_clear(err);
		break;
	}
	return n;
}

static void
pool_tell(CopyPool *pool, int64_t started_ms, int64_t *last_bytes,
		  int64_t *last_ms)
{
	int64_t now_ms = clock_ms();
	int64_t bytes = atomic_load(&pool->bytes);
	double seconds = (double) (now_ms - *last_ms) / 1000.0;

	log_info("copy: %d of %d tables, %lld rows, %.1f MB in %lld s, %.1f MB/s",
			 pool->tables_done, pool->plan->item_count,
			 (long long) atomic_load(&pool->rows), (double) bytes / 1e6,
			 (long long) (now_ms - started_ms) / 1000,
			 seconds > 0 ? (double) (bytes - *last_bytes) / 1e6 / seconds : 0);
	*last_bytes = bytes;
	*last_ms = now_ms;
}

/* Until the last worker has ended. */
static void
pool_wait(CopyPool *pool)
{
	int64_t started_ms = clock_ms();
	int64_t last_ms = started_ms;
	int64_t last_bytes = 0;

	pthread_mutex_lock(&pool->lock);
	while (pool->running > 0)
	{
		int64_t until_ms = last_ms + TELL_EVERY_MS;
		struct timespec until = { .tv_sec = until_ms / 1000,
								  .tv_nsec = until_ms % 1000 * 1000000 };

		if (pthread_cond_timedwait(&pool->changed, &pool->lock, &until) ==
			ETIMEDOUT)
		{
			if (pool->config->quiet)
				last_ms = clock_ms();
			else
				pool_tell(pool, started_ms, &last_bytes, &last_ms);
		}
	}
	if (!pool->config->quiet && !error_is_set(&pool->error))
	{
		last_bytes = 0;
		last_ms = started_ms;
		pool_tell(pool, started_ms, &last_bytes, &last_ms);
	}
	pthread_mutex_unlock(&pool->lock);
}

static bool
pool_start(CopyPool *pool, CopyWorker *workers, int count)
{
	int started = 0;

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
	for (int i = 0; i < count; i++)
		worker_close(pool, &workers[i]);
	return !error_is_set(&pool->error);
}

bool
copy_pool_run(CopyPool *pool, Error *err)
{
	CopyWorker *workers;
	int wanted = pool->config->jobs;
	int opened;
	bool ok = false;

	if (pool->plan->item_count == 0)
		return true;
	if (wanted > pool->plan->item_count)
		wanted = pool->plan->item_count;
	if (wanted < 1)
		wanted = 1;
	pool_init(pool);
	workers = mem_zalloc((size_t) wanted * sizeof(CopyWorker));
	opened = workers_open(pool, workers, wanted, err);
	if (opened > 0)
	{
		ok = pool_start(pool, workers, opened);
		if (!ok)
			*err = pool->error;
	}
	mem_free(workers);
	pool_release(pool);
	return ok;
}

/*
 * copy_pool.h
 *		Workers that copy tables, each with a reader and a loader of its own.
 *
 * Workers share nothing but the list of items and the counters.  The first
 * error ends the pool: at once if it cannot be retried, else when every other
 * worker has finished its table, because what is done stays done.
 */
#ifndef PORTAGE_COPY_POOL_H
#define PORTAGE_COPY_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include "copy/copy.h"
#include "copy/copy_plan.h"

typedef struct CopyPool
{
	const CopyConfig *config;
	Source *source;
	Target *target;
	const Progress *progress;
	SnapshotRef snapshot;
	CopyPlan *plan;

	pthread_mutex_t lock;	   /* next, running, tables_done, error */
	pthread_cond_t changed;	   /* a worker has ended */
	pthread_mutex_t open_lock; /* source, while a worker opens a reader */
	int next;				   /* item to be taken next */
	int running;
	int tables_done;
	Error error;
	atomic_bool no_more; /* take no other item */
	atomic_bool give_up; /* leave the table that is being copied */
	atomic_llong bytes;
	atomic_llong rows;
} CopyPool;

typedef struct CopyWorker
{
	CopyPool *pool;
	pthread_t thread;
	SourceReader *reader;
	TargetLoader *loader;
} CopyWorker;

/* Copy every item of the plan. */
bool copy_pool_run(CopyPool *pool, Error *err) MUST_CHECK;

/* copy_worker.c: the thread's function; arg is a CopyWorker. */
void *copy_worker_main(void *arg);

#endif /* PORTAGE_COPY_POOL_H */

/*
 * copy_pool.h
 *		Workers that copy chunks and build indexes, each with a reader and a
 *		loader of its own.
 *
 * Workers share nothing but the plan and the counters.  The first error ends
 * the pool: at once if it cannot be retried, else when every other worker has
 * finished its chunk, because what is done stays done.
 */
#ifndef PORTAGE_COPY_POOL_H
#define PORTAGE_COPY_POOL_H

#include <pthread.h>
#include <stdatomic.h>

#include "copy/copy.h"
#include "copy/copy_plan.h"
#include "rules/rule_copy.h"

typedef struct CopyPool
{
	const CopyConfig *config;
	Source *source;
	Target *target;
	const Progress *progress;
	SnapshotRef snapshot;
	const CopyView *view;
	CopyPlan *plan;
	const char *context; /* of the log */

	/* copy_changes.c: are there tables for it, and how the target has noted all */
	bool has_changes;
	Shape *shapes;
	int shape_count;

	pthread_mutex_t lock;	   /* what workers change in plan; all below */
	pthread_cond_t changed;	   /* a worker has ended */
	pthread_cond_t more;	   /* there may be something to take */
	pthread_mutex_t open_lock; /* source and target, of which there is one */
	int running;
	int64_t started_ms; /* on clock_ms() */
	int tables_done;
	Error error;
	atomic_bool no_more; /* begin nothing */
	atomic_bool give_up; /* leave what is being copied */
} CopyPool;

typedef struct CopyChanges CopyChanges;

typedef struct CopyWorker
{
	CopyPool *pool;
	pthread_t thread;
	SourceReader *reader;
	TargetLoader *loader;
	RuleEngine *engine;			 /* NULL: no rule changes anything */
	SourceReader *references_of; /* whose snapshot the engine's are as of */
	CopyChanges *changes;		 /* NULL: not needed so far */
} CopyWorker;

/* Around all that is done with it. */
void copy_pool_init(CopyPool *pool);
void copy_pool_release(CopyPool *pool);

/* Copy and build everything that the plan has left. */
bool copy_pool_run(CopyPool *pool, Error *err) MUST_CHECK;

/* copy.c: tell that a table has no statistics, which is no error, and forget. */
void copy_no_statistics(const Table *table, Error *err);

/* copy_worker.c: may this worker go on, between two pieces? */
bool copy_may_go_on(CopyPool *pool, Error *err) MUST_CHECK;

/* copy_worker.c: what was sent, or, below 0, what has to be sent again. */
void
copy_count_sent(CopyPool *pool, CopyTable *table, int64_t bytes, int64_t rows);

/*
 * copy_worker.c: the rules that make the table, with the worker's own programs, as
 * of the reader's snapshot.
 */
RuleCopy *copy_rules_open(CopyWorker *worker, SourceReader *reader,
						  const Table *table, Error *err) MUST_CHECK;

/* copy_worker.c: what rules keep of the rows of a chunk, in its transaction. */
bool copy_keep_rest(CopyWorker *worker, RuleCopy *rules, Error *err) MUST_CHECK;

/* copy_worker.c: the thread's function; arg is a CopyWorker. */
void *copy_worker_main(void *arg);

#endif /* PORTAGE_COPY_POOL_H */

/*
 * writers.c
 *		See writers.h.
 *
 * Invariants, all under one mutex: jobs is a ring of what was given, oldest
 * first; a thread has one job at most; the pieces of a large transaction go to
 * the thread that has its target transaction open.  After a failure nothing is
 * committed any more.
 *
 * A batch is written in two parts: rows that no older batch touches at once, the
 * others when all older ones are committed (plan/split.h).  What goes wrong
 * before that may be due to the order alone, so then the batch is begun again
 * in its turn.  An older batch that waits for a lock has the younger ones give
 * back what they hold.
 */
#include "stream/writers.h"

#include <pthread.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "plan/split.h"

typedef enum JobState
{
	JOB_WAITING,
	JOB_DONE,
	JOB_FAILED
} JobState;

typedef struct Job
{
	JobState state;
	uint64_t number; /* from 1, in the order of giving */
	BatchResult result;
	KeySet keys;	 /* if there are other threads */
	PlanSplit split; /* the same; early may be empty */
	bool holds;		 /* its early rows are written, or being written */
	Error error;
} Job;

typedef struct Thread
{
	Writers *writers;
	TargetWriter *connection;
	pthread_t thread;
	Job *job;			/* what it works on; NULL: nothing */
	ApplyCounts counts; /* of the open target transaction */
	Ledger ledger;		/* the same: of all its pieces */
	bool started;
} Thread;

struct Writers
{
	const TargetOps *ops;
	Queue *queue;
	const char *context; /* of the log */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	Thread *threads;
	int count;
	Job *jobs; /* a ring of count */
	int head;
	int busy;
	uint64_t given;		/* number of the last */
	uint64_t committed; /* number of the last that is through */
	uint64_t recalled;	/* what is younger gives its early rows back */
	Thread *holder;		/* has a large transaction open */
	bool ending;
};

static bool
is_turn(const Writers *writers, const Job *job)
{
	return writers->committed == job->number - 1;
}

/* Is an older batch begun again, for which this one is not to hold anything? */
static bool
is_recalled(const Writers *writers, const Job *job)
{
	return writers->recalled > writers->committed &&
		   writers->recalled < job->number;
}

/* Give the early rows back; the mutex is held, but not meanwhile. */
static void
give_back(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;

	pthread_mutex_unlock(&writers->mutex);
	writers->ops->writer_rollback(thread->connection);
	pthread_mutex_lock(&writers->mutex);
	job->holds = false;
	pthread_cond_broadcast(&writers->changed);
}

/* Wait until all older batches are through; false: it will not come to that. */
static bool
wait_turn(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;
	bool turn;

	pthread_mutex_lock(&writers->mutex);
	while (!is_turn(writers, job) && !writers->ending)
	{
		if (job->holds && is_recalled(writers, job))
			give_back(thread, job);
		else
			pthread_cond_wait(&writers->changed, &writers->mutex);
	}
	turn = is_turn(writers, job);
	pthread_mutex_unlock(&writers->mutex);
	return turn;
}

/* From its first early row on the batch may be in an older one's way. */
static bool
hold(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;

	pthread_mutex_lock(&writers->mutex);
	job->holds = job->split.early.count > 0 && !is_recalled(writers, job);
	pthread_mutex_unlock(&writers->mutex);
	return job->holds;
}

/* Rows that need not wait; what is said against them counts for nothing yet. */
static void
write_early(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;
	const TargetOps *ops = writers->ops;
	const ChangeFilter *filter = job->result.batch->filter;
	Error ignored = ERROR_INIT;

	if (!hold(thread, job))
		return;
	if (ops->writer_begin(thread->connection, &ignored) &&
		ops->writer_write(thread->connection, &job->split.early, filter,
						  &ignored) &&
		FAILPOINT(FP_EARLY_APPLIED, &ignored))
		return;
	pthread_mutex_lock(&writers->mutex);
	give_back(thread, job);
	pthread_mutex_unlock(&writers->mutex);
}

/* The rest of a batch whose early rows are written; false: begin again. */
static bool
write_late(Thread *thread, Job *job)
{
	const TargetOps *ops = thread->writers->ops;
	const Plan *late = &job->split.late;
	Error ignored = ERROR_INIT;

	job->holds = false;
	if (ops->writer_write(thread->connection, late, job->result.batch->filter,
						  &ignored) &&
		FAILPOINT(FP_BATCH_APPLIED, &ignored))
	{
		thread->counts = (ApplyCounts){ .batches = 1 };
		apply_counts_plan(&thread->counts, late);
		return true;
	}
	ops->writer_rollback(thread->connection);
	return false;
}

/* Nobody younger than the job holds anything any more. */
static void
recall(Writers *writers, const Job *job)
{
	bool held = true;

	pthread_mutex_lock(&writers->mutex);
	writers->recalled = job->number;
	pthread_cond_broadcast(&writers->changed);
	while (held && !writers->ending)
	{
		held = false;
		for (int i = 0; i < writers->count; i++)
			held = held || writers->jobs[i].holds;
		if (held)
			pthread_cond_wait(&writers->changed, &writers->mutex);
	}
	pthread_mutex_unlock(&writers->mutex);
}

/* The whole of it, in its turn. */
static bool
write_whole(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;
	StreamBatch *batch = job->result.batch;

	if (batch->first)
		thread->counts = (ApplyCounts){ 0 };
	if (batch_write(batch, writers->ops, thread->connection, &thread->counts,
					&job->error))
		return true;
	/* a younger batch may have the lock */
	if (writers->count == 1 || !batch->first || !job->error.lock_wait)
		return false;
	recall(writers, job);
	batch_again(batch);
	thread->counts = (ApplyCounts){ 0 };
	return batch_write(batch, writers->ops, thread->connection, &thread->counts,
					   &job->error);
}

/* Once for each piece that is written, however it came to be. */
static void
sum_ledger(Thread *thread, const StreamBatch *batch)
{
	if (batch->first)
		ledger_reset(&thread->ledger);
	ledger_add(&thread->ledger, batch->ledger.entries, batch->ledger.count);
}

static bool
write_job(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;
	StreamBatch *batch = job->result.batch;

	write_early(thread, job);
	if (!wait_turn(thread, job))
		return error_set(&job->error, P_STOPPED, "stopped");
	if (!(job->holds && write_late(thread, job)) && !write_whole(thread, job))
		return false;
	sum_ledger(thread, batch);
	if (!batch->last)
		return FAILPOINT(FP_PIECE_APPLIED, &job->error);
	if (writers->ops->writer_commit(
			thread->connection, &batch->before, &batch->after, &thread->counts,
			thread->ledger.count > 0 ? &thread->ledger : NULL,
			&job->result.durability, &job->error))
		return true;
	writers->ops->writer_rollback(thread->connection);
	return false;
}

static void
finish_job(Thread *thread, Job *job, bool ok)
{
	Writers *writers = thread->writers;

	pthread_mutex_lock(&writers->mutex);
	job->state = ok ? JOB_DONE : JOB_FAILED;
	job->holds = false;
	if (ok)
		writers->committed = job->number;
	else
		writers->ending = true;
	thread->job = NULL;
	pthread_cond_broadcast(&writers->changed);
	pthread_mutex_unlock(&writers->mutex);
	queue_wake(writers->queue);
}

static void *
thread_main(void *arg)
{
	Thread *thread = arg;
	Writers *writers = thread->writers;
	Job *job;

	log_set_context(writers->context);
	for (;;)
	{
		pthread_mutex_lock(&writers->mutex);
		while (thread->job == NULL && !writers->ending)
			pthread_cond_wait(&writers->changed, &writers->mutex);
		job = thread->job;
		pthread_mutex_unlock(&writers->mutex);
		if (job == NULL)
			return NULL;
		finish_job(thread, job, write_job(thread, job));
	}
}

static bool
start_thread(Writers *writers, Target *target, Thread *thread, Error *err)
{
	thread->writers = writers;
	thread->connection = target->ops->writer_open(target, writers->count > 1,
												  err);
	if (thread->connection == NULL)
		return false;
	if (pthread_create(&thread->thread, NULL, thread_main, thread) != 0)
		BUG("cannot start a thread");
	thread->started = true;
	return true;
}

Writers *
writers_open(Target *target, int count, Queue *queue, Error *err)
{
	Writers *writers = mem_zalloc(sizeof(*writers));
	bool ok = true;

	writers->ops = target->ops;
	writers->queue = queue;
	writers->context = log_context();
	writers->count = count;
	writers->threads = mem_zalloc((size_t) count * sizeof(Thread));
	writers->jobs = mem_zalloc((size_t) count * sizeof(Job));
	pthread_mutex_init(&writers->mutex, NULL);
	pthread_cond_init(&writers->changed, NULL);
	for (int i = 0; ok && i < count; i++)
		ok = start_thread(writers, target, &writers->threads[i], err);
	if (ok)
		return writers;
	writers_close(writers);
	return NULL;
}

void
writers_close(Writers *writers)
{
	if (writers == NULL)
		return;
	pthread_mutex_lock(&writers->mutex);
	writers->ending = true;
	pthread_cond_broadcast(&writers->changed);
	pthread_mutex_unlock(&writers->mutex);
	for (int i = 0; i < writers->count; i++)
	{
		if (writers->threads[i].started)
			pthread_join(writers->threads[i].thread, NULL);
		writers->ops->writer_close(writers->threads[i].connection);
		ledger_release(&writers->threads[i].ledger);
	}
	pthread_cond_destroy(&writers->changed);
	pthread_mutex_destroy(&writers->mutex);
	for (int i = 0; i < writers->count; i++)
		key_set_release(&writers->jobs[i].keys);
	mem_free(writers->threads);
	mem_free(writers->jobs);
	mem_free(writers);
}

int
writers_busy(const Writers *writers)
{
	return writers->busy;
}

/* The thread for the next batch; the mutex is held. */
static Thread *
free_thread(const Writers *writers)
{
	if (writers->holder != NULL)
		return writers->holder->job == NULL ? writers->holder : NULL;
	for (int i = 0; i < writers->count; i++)
	{
		if (writers->threads[i].job == NULL)
			return &writers->threads[i];
	}
	return NULL;
}

bool
writers_ready(const Writers *writers)
{
	Writers *self = (Writers *) writers;
	bool ready;

	pthread_mutex_lock(&self->mutex);
	ready = writers->busy < writers->count && !writers->ending &&
			free_thread(writers) != NULL;
	pthread_mutex_unlock(&self->mutex);
	return ready;
}

/* Its plan, split by what the batches before it are about to write. */
static void
job_split(Writers *writers, Job *job)
{
	StreamBatch *batch = job->result.batch;
	const KeySet *older[MAX_WRITERS];
	const Plan *plan = batch_finish(batch);

	key_set_fill(&job->keys, plan);
	/* the pieces before it are not committed either, and their keys are gone */
	job->keys.everything = job->keys.everything || !batch->first;
	for (int i = 0; i < writers->busy; i++)
		older[i] = &writers->jobs[(writers->head + i) % writers->count].keys;
	if (writers->busy > 0 && batch->first && batch->last)
		plan_split(plan, older, writers->busy, planner_arena(batch->planner),
				   &job->split);
}

/* A job that no thread has yet. */
static Job *
job_new(Writers *writers, StreamBatch *batch)
{
	Job *job = &writers->jobs[(writers->head + writers->busy) % writers->count];
	KeySet keys = job->keys;

	pthread_mutex_lock(&writers->mutex);
	BUG_UNLESS(writers->busy < writers->count);
	*job = (Job){ .number = ++writers->given, .keys = keys };
	job->result.batch = batch;
	pthread_mutex_unlock(&writers->mutex);
	if (writers->count > 1)
		job_split(writers, job);
	return job;
}

void
writers_give(Writers *writers, StreamBatch *batch)
{
	Job *job = job_new(writers, batch);
	Thread *thread;

	pthread_mutex_lock(&writers->mutex);
	thread = free_thread(writers);
	BUG_UNLESS(thread != NULL);
	thread->job = job;
	writers->holder = batch->last ? NULL : thread;
	writers->busy++;
	pthread_cond_broadcast(&writers->changed);
	pthread_mutex_unlock(&writers->mutex);
}

bool
writers_take(Writers *writers, BatchResult *result, bool *taken, Error *err)
{
	Job *job = &writers->jobs[writers->head];
	JobState state = JOB_WAITING;

	pthread_mutex_lock(&writers->mutex);
	if (writers->busy > 0)
		state = job->state;
	if (state == JOB_DONE)
	{
		writers->head = (writers->head + 1) % writers->count;
		writers->busy--;
	}
	pthread_mutex_unlock(&writers->mutex);
	*taken = state == JOB_DONE;
	if (*taken)
		*result = job->result;
	if (state == JOB_FAILED)
		*err = job->error;
	return state != JOB_FAILED;
}

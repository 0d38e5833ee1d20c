/*
 * writers.c
 *		See writers.h.
 *
 * Invariants, all under one mutex: jobs is a ring of what was given, oldest
 * first; a thread has one job at most; the pieces of a large transaction go to
 * the thread that has its target transaction open.  After a failure nothing is
 * committed any more.
 */
#include "stream/writers.h"

#include <pthread.h>

#include "base/failpoint.h"
#include "base/mem.h"

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
	Error error;
} Job;

typedef struct Thread
{
	Writers *writers;
	TargetWriter *connection;
	pthread_t thread;
	Job *job;			/* what it works on; NULL: nothing */
	ApplyCounts counts; /* of the open target transaction */
	bool started;
} Thread;

struct Writers
{
	const TargetOps *ops;
	Queue *queue;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	Thread *threads;
	int count;
	Job *jobs; /* a ring of count */
	int head;
	int busy;
	uint64_t given;		/* number of the last */
	uint64_t committed; /* number of the last that is through */
	Thread *holder;		/* has a large transaction open */
	bool ending;
};

/* Wait until all older batches are through; false: it will not come to that. */
static bool
wait_turn(Writers *writers, const Job *job)
{
	bool turn;

	pthread_mutex_lock(&writers->mutex);
	while (writers->committed != job->number - 1 && !writers->ending)
		pthread_cond_wait(&writers->changed, &writers->mutex);
	turn = writers->committed == job->number - 1;
	pthread_mutex_unlock(&writers->mutex);
	return turn;
}

static bool
write_job(Thread *thread, Job *job)
{
	Writers *writers = thread->writers;
	StreamBatch *batch = job->result.batch;

	if (!wait_turn(writers, job))
		return error_set(&job->error, P_STOPPED, "stopped");
	if (batch->first)
		thread->counts = (ApplyCounts){ 0 };
	if (!batch_write(batch, writers->ops, thread->connection, &thread->counts,
					 &job->error))
		return false;
	if (!batch->last)
		return FAILPOINT(FP_PIECE_APPLIED, &job->error);
	if (writers->ops->writer_commit(thread->connection, &batch->before,
									&batch->after, &thread->counts,
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
	thread->connection = target->ops->writer_open(target, err);
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
	}
	pthread_cond_destroy(&writers->changed);
	pthread_mutex_destroy(&writers->mutex);
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

void
writers_give(Writers *writers, StreamBatch *batch)
{
	Job *job = &writers->jobs[(writers->head + writers->busy) % writers->count];
	Thread *thread;

	pthread_mutex_lock(&writers->mutex);
	thread = free_thread(writers);
	BUG_UNLESS(writers->busy < writers->count && thread != NULL);
	*job = (Job){ .number = ++writers->given, .result = { .batch = batch } };
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

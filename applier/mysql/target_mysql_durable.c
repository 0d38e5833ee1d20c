/*
 * target_mysql_durable.c
 *		When commits have reached the disk.
 *
 * A server with innodb_flush_log_at_trx_commit=1, and sync_binlog=1 where it
 * writes a binary log, answers COMMIT when it is on disk.  Any other does it
 * later: what it is late by is waited for, by the monotonic clock, before
 * anything is confirmed to the source.  Our log's positions are the number of
 * commits so far.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"
#include "mysql/target_mysql.h"

/* Marks in the time that a commit may take to reach the disk. */
#define MARKS 32

typedef struct CommitMark
{
	uint64_t number; /* commits up to it ... */
	int64_t at_ms;	 /* ... were answered before then */
} CommitMark;

struct CommitClock
{
	pthread_mutex_t mutex;
	uint64_t commits;
	uint64_t durable;
	CommitMark marks[MARKS]; /* oldest first */
	int count;
};

struct CommitClock *
commit_clock_new(void)
{
	struct CommitClock *clock = mem_zalloc(sizeof(*clock));

	pthread_mutex_init(&clock->mutex, NULL);
	return clock;
}

void
commit_clock_free(struct CommitClock *clock)
{
	if (clock == NULL)
		return;
	pthread_mutex_destroy(&clock->mutex);
	mem_free(clock);
}

/* What is old enough is on disk. */
static void
settle(struct CommitClock *clock, int64_t late_ms, int64_t now)
{
	int old = 0;

	while (old < clock->count && now - clock->marks[old].at_ms > late_ms)
		old++;
	if (old == 0)
		return;
	clock->durable = clock->marks[old - 1].number;
	clock->count -= old;
	memmove(clock->marks, clock->marks + old,
			sizeof(clock->marks[0]) * (size_t) clock->count);
}

/* The newest mark moves on until it is far enough from the one before. */
static void
mark(struct CommitClock *clock, int64_t late_ms, int64_t now)
{
	int64_t step_ms = late_ms / (MARKS / 2);

	if (clock->count == 0 ||
		(clock->count < MARKS &&
		 now - (clock->count > 1 ? clock->marks[clock->count - 2].at_ms
								 : clock->marks[0].at_ms) >=
			 step_ms))
		clock->count++;
	clock->marks[clock->count - 1] = (CommitMark){ clock->commits, now };
}

uint64_t
target_mysql_committed(TargetMysql *self)
{
	struct CommitClock *clock = self->clock;
	int64_t late_ms = self->conn->server.durable_after_ms;
	int64_t now = clock_ms();
	uint64_t number;

	pthread_mutex_lock(&clock->mutex);
	number = ++clock->commits;
	if (late_ms == 0)
		clock->durable = number;
	else
	{
		settle(clock, late_ms, now);
		mark(clock, late_ms, now);
	}
	pthread_mutex_unlock(&clock->mutex);
	return number;
}

void
target_mysql_known(TargetMysql *self, TargetDurability *durability)
{
	struct CommitClock *clock = self->clock;

	pthread_mutex_lock(&clock->mutex);
	settle(clock, self->conn->server.durable_after_ms, clock_ms());
	durability->written = clock->commits;
	durability->durable = clock->durable;
	pthread_mutex_unlock(&clock->mutex);
}

/* Nothing can hurry the server: it takes the time that it takes. */
bool
target_mysql_durability(Target *target, DurabilityWish wish,
						TargetDurability *durability, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	const struct timespec pause = { .tv_nsec = 20000000 };
	int64_t begun_ms = clock_ms();

	for (;;)
	{
		target_mysql_known(self, durability);
		if (wish != DURABILITY_FORCED ||
			durability->durable == durability->written)
			return true;
		/* a second or two are waited for, whoever asks to stop */
		if (signals_stop_requested() && clock_ms() > begun_ms + 5000)
			return error_set(err, P_STOPPED, "stopped");
		nanosleep(&pause, NULL);
	}
}

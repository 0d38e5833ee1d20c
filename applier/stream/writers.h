/*
 * writers.h
 *		The threads that write batches, each with a connection of its own.
 *
 * Batches are given in the source's order and committed in it: a batch is
 * committed only when the one before it is, so the target is a prefix of the
 * source at every moment.  One thread gives and takes back.
 */
#ifndef PORTAGE_WRITERS_H
#define PORTAGE_WRITERS_H

#include "pipeline/queue.h"
#include "stream/batch_apply.h"
#include "stream/stream.h"

typedef struct Writers Writers;

/* What became of a batch. */
typedef struct BatchResult
{
	StreamBatch *batch;			 /* the caller's again */
	TargetDurability durability; /* if it was the last of its transaction */
} BatchResult;

/*
 * Open count connections and start their threads.  queue is woken whenever a
 * batch is finished.  NULL and err if the target does not let us.
 */
Writers *writers_open(Target *target, int count, Queue *queue, Error *err);

/* End the threads; what is not committed is rolled back. */
void writers_close(Writers *writers);

/* Can a batch be given? */
bool writers_ready(const Writers *writers);

/* How many batches were given and not taken back. */
int writers_busy(const Writers *writers);

/* Write this one next, behind all that were given; its plan is finished here. */
void writers_give(Writers *writers, StreamBatch *batch);

/*
 * The oldest batch, if it is finished: *taken.  False and err if it failed;
 * then nothing of it, or of any younger one, is on the target.
 */
bool writers_take(Writers *writers, BatchResult *result, bool *taken,
				  Error *err) MUST_CHECK;

#endif /* PORTAGE_WRITERS_H */

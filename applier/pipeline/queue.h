/*
 * queue.h
 *		Frames on their way from the reader to the writer, bounded in bytes.
 *
 * One producer, one consumer.  The producer never blocks for long: a full queue
 * is a return value, so that it can keep its connection alive meanwhile.
 */
#ifndef PORTAGE_QUEUE_H
#define PORTAGE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "change.h"

typedef struct Queue Queue;

/* What the consumer gets: a frame and where its events to apply begin. */
typedef struct QueueItem
{
	Frame *frame;
	int keep_from;
} QueueItem;

Queue *queue_new(size_t max_bytes);
void queue_free(Queue *queue);

/* Takes over the frame's reference when true; false: full after timeout_ms.
 * A frame larger than the bound fits into an empty queue. */
bool queue_push(Queue *queue, QueueItem item, int64_t timeout_ms);

/* False: nothing came within timeout_ms, or the queue is closed and empty. */
bool queue_pop(Queue *queue, QueueItem *item, int64_t timeout_ms);

/*
 * For the consumer: wait until there is a frame, if frames are wanted, or
 * somebody has called queue_wake since the last time, or the queue is closed, or
 * timeout_ms have passed: only then it is false.
 */
bool queue_await(Queue *queue, bool frames, int64_t timeout_ms);

/* The consumer has something else to look at. */
void queue_wake(Queue *queue);

/* Wake everybody; pushes fail from now on. */
void queue_close(Queue *queue);

#endif /* PORTAGE_QUEUE_H */

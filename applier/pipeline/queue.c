/*
 * queue.c
 *		A ring of frames under one mutex; waits end by the monotonic clock.
 */
#include "pipeline/queue.h"

#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct Queue
{
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	QueueItem *items;
	size_t capacity;
	size_t head;
	size_t count;
	size_t bytes;
	size_t max_bytes;
	bool closed;
	bool woken; /* since the last queue_await */
};

Queue *
queue_new(size_t max_bytes)
{
	Queue *queue = mem_zalloc(sizeof(*queue));
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&queue->mutex, NULL);
	pthread_cond_init(&queue->changed, &attr);
	pthread_condattr_destroy(&attr);
	queue->max_bytes = max_bytes;
	queue->capacity = 64;
	queue->items = mem_alloc(queue->capacity * sizeof(*queue->items));
	return queue;
}

void
queue_free(Queue *queue)
{
	if (queue == NULL)
		return;
	for (; queue->count > 0; queue->count--)
	{
		frame_release(queue->items[queue->head].frame);
		queue->head = (queue->head + 1) % queue->capacity;
	}
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->mutex);
	mem_free(queue->items);
	mem_free(queue);
}

/* Wait for a change until the deadline; false when it has passed. */
static bool
queue_wait(Queue *queue, const struct timespec *deadline)
{
	return pthread_cond_timedwait(&queue->changed, &queue->mutex, deadline) ==
		   0;
}

static struct timespec
deadline_after(int64_t timeout_ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += timeout_ms / 1000;
	ts.tv_nsec += (timeout_ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000)
	{
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

static void
queue_grow(Queue *queue)
{
	QueueItem *bigger = mem_alloc(2 * queue->capacity * sizeof(*bigger));
	size_t i;

	for (i = 0; i < queue->count; i++)
		bigger[i] = queue->items[(queue->head + i) % queue->capacity];
	mem_free(queue->items);
	queue->items = bigger;
	queue->head = 0;
	queue->capacity *= 2;
}

bool
queue_push(Queue *queue, QueueItem item, int64_t timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	bool fits;

	pthread_mutex_lock(&queue->mutex);
	for (;;)
	{
		fits = queue->count == 0 ||
			   queue->bytes + item.frame->bytes <= queue->max_bytes;
		if (queue->closed || fits || !queue_wait(queue, &deadline))
			break;
	}
	fits = fits && !queue->closed;
	if (fits)
	{
		if (queue->count == queue->capacity)
			queue_grow(queue);
		queue->items[(queue->head + queue->count++) % queue->capacity] = item;
		queue->bytes += item.frame->bytes;
		pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->mutex);
	return fits;
}

bool
queue_pop(Queue *queue, QueueItem *item, int64_t timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	bool got;

	pthread_mutex_lock(&queue->mutex);
	while (queue->count == 0 && !queue->closed && timeout_ms > 0 &&
		   queue_wait(queue, &deadline))
		;
	got = queue->count > 0;
	if (got)
	{
		*item = queue->items[queue->head];
		queue->head = (queue->head + 1) % queue->capacity;
		queue->count--;
		queue->bytes -= item->frame->bytes;
		pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->mutex);
	return got;
}

/* Is there anything for the consumer to look at? */
static bool
has_news(const Queue *queue, bool frames)
{
	return (frames && queue->count > 0) || queue->woken || queue->closed;
}

bool
queue_await(Queue *queue, bool frames, int64_t timeout_ms)
{
	struct timespec deadline = deadline_after(timeout_ms);
	bool found;

	pthread_mutex_lock(&queue->mutex);
	while (!has_news(queue, frames) && queue_wait(queue, &deadline))
		;
	/* what came as the time ran out counts, for it is forgotten here */
	found = has_news(queue, frames);
	queue->woken = false;
	pthread_mutex_unlock(&queue->mutex);
	return found;
}

void
queue_wake(Queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->woken = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}

void
queue_close(Queue *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->closed = true;
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->mutex);
}

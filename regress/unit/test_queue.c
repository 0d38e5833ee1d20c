/*
 * test_queue.c
 *		The bounded queue between reader and writer.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "pipeline/queue.h"
#include "tap.h"

#define BOUND 1000
#define FRAMES 20000

static atomic_int released;

static void
count_release(void *handle)
{
	(void) handle;
	atomic_fetch_add(&released, 1);
}

static Frame *
frame_of_bytes(size_t bytes, int number)
{
	Frame *frame = frame_new(NULL, 0, NULL, count_release);

	frame->bytes = bytes;
	frame->wal_end = (Lsn) number;
	return frame;
}

static bool
push(Queue *queue, size_t bytes, int number)
{
	QueueItem item = { frame_of_bytes(bytes, number), number };

	if (queue_push(queue, item, 0))
		return true;
	frame_release(item.frame);
	return false;
}

static int
pop(Queue *queue)
{
	QueueItem item;

	if (!queue_pop(queue, &item, 0))
		return -1;
	frame_release(item.frame);
	return item.keep_from;
}

static void
test_bound(void)
{
	Queue *queue = queue_new(BOUND);

	ok(pop(queue) == -1, "an empty queue gives nothing");
	ok(push(queue, 5 * BOUND, 1), "a frame over the bound fits when empty");
	ok(!push(queue, 1, 2), "and then nothing else");
	ok(pop(queue) == 1, "it comes out");
	ok(push(queue, 600, 3) && push(queue, 300, 4), "up to the bound");
	ok(!push(queue, 200, 5), "not beyond");
	ok(push(queue, 50, 6), "but what is smaller");
	ok(pop(queue) == 3 && pop(queue) == 4 && pop(queue) == 6, "in order");
	ok(push(queue, 900, 7), "room is given back");
	queue_free(queue);
	ok(atomic_load(&released) == 7, "every frame is released, %d",
	   atomic_load(&released));
}

static void
test_close(void)
{
	Queue *queue = queue_new(BOUND);
	int64_t started_ms = clock_ms();
	QueueItem item;

	ok(push(queue, 10, 1), "before the end");
	queue_close(queue);
	ok(!push(queue, 10, 2), "no push after it");
	ok(pop(queue) == 1, "what was in is still given out");
	ok(!queue_pop(queue, &item, 60000), "then nothing more");
	ok(clock_ms() - started_ms < 30000, "and at once");
	queue_free(queue);
}

static void *
produce(void *arg)
{
	Queue *queue = arg;

	for (int i = 0; i < FRAMES; i++)
	{
		QueueItem item = { frame_of_bytes(100 + (size_t) i % 500, i), i };

		while (!queue_push(queue, item, 10))
			;
	}
	queue_close(queue);
	return NULL;
}

static void
test_threads(void)
{
	Queue *queue = queue_new(BOUND);
	pthread_t producer;
	QueueItem item;
	int next = 0;
	bool in_order = true;

	atomic_store(&released, 0);
	ok(pthread_create(&producer, NULL, produce, queue) == 0, "a producer");
	while (next < FRAMES)
	{
		if (!queue_pop(queue, &item, 1000))
			continue;
		in_order = in_order && item.keep_from == next;
		frame_release(item.frame);
		next++;
	}
	pthread_join(producer, NULL);
	ok(in_order, "every frame, in order");
	ok(atomic_load(&released) == FRAMES, "each is released once");
	ok(!queue_pop(queue, &item, 1000), "then the end");
	queue_free(queue);
}

int
main(void)
{
	test_bound();
	test_close();
	test_threads();
	return done_testing();
}

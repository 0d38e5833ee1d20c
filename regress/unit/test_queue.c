/*
 * test_queue.c
 *		The bounded queue between reader and writer.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "pipeline/queue.h"
#include "tap.h"

#define BOUND 1000
#define FRAMES 20000
#define WAKES 50000
#define FOREVER_MS 60000

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

static void
test_await(void)
{
	Queue *queue = queue_new(BOUND);

	ok(!queue_await(queue, true, 0), "nothing to do");
	ok(push(queue, 10, 1), "a frame comes");
	ok(queue_await(queue, true, FOREVER_MS), "there is one");
	ok(queue_await(queue, true, FOREVER_MS), "until it is taken");
	ok(!queue_await(queue, false, 0), "for who wants one");
	queue_wake(queue);
	ok(queue_await(queue, false, FOREVER_MS), "woken before the wait");
	ok(!queue_await(queue, false, 0), "once");
	queue_wake(queue);
	queue_wake(queue);
	ok(queue_await(queue, false, FOREVER_MS) && !queue_await(queue, false, 0),
	   "woken twice is woken");
	queue_wake(queue);
	ok(pop(queue) == 1, "taking a frame");
	ok(queue_await(queue, true, FOREVER_MS), "leaves that to the wait");
	ok(!queue_await(queue, true, 0), "which forgets it");
	queue_close(queue);
	ok(queue_await(queue, true, FOREVER_MS) &&
		   queue_await(queue, false, FOREVER_MS),
	   "there is no wait for what is closed");
	queue_free(queue);
}

/* What another thread does while the consumer waits, or before. */
typedef enum Deed
{
	DEED_WAKE,
	DEED_PUSH,
	DEED_CLOSE
} Deed;

typedef struct Doer
{
	Queue *queue;
	Deed deed;
} Doer;

static void *
do_deed(void *arg)
{
	const Doer *doer = arg;

	if (doer->deed == DEED_WAKE)
		queue_wake(doer->queue);
	else if (doer->deed == DEED_PUSH)
		(void) push(doer->queue, 10, 1);
	else
		queue_close(doer->queue);
	return NULL;
}

static void
test_await_thread(Deed deed, const char *what)
{
	int missed = 0;

	for (int i = 0; i < 200; i++)
	{
		Doer doer = { queue_new(BOUND), deed };
		pthread_t thread;

		if (pthread_create(&thread, NULL, do_deed, &doer) != 0)
			ok(false, "a thread");
		missed += !queue_await(doer.queue, true, FOREVER_MS);
		pthread_join(thread, NULL);
		queue_free(doer.queue);
	}
	is_int(missed, 0, what);
}

/* Wakes again when the consumer has seen it. */
typedef struct Waker
{
	Queue *queue;
	atomic_int sent;
	sem_t seen;
} Waker;

static void *
wake_often(void *arg)
{
	Waker *waker = arg;

	for (int i = 0; i < WAKES; i++)
	{
		queue_wake(waker->queue);
		atomic_fetch_add(&waker->sent, 1);
		sem_wait(&waker->seen);
	}
	return NULL;
}

/* Wakes that meet the end of a wait: the next wait has them, if not this one. */
static void
test_wake_at_timeout(void)
{
	Waker waker = { .queue = queue_new(BOUND) };
	pthread_t thread;
	int seen = 0;
	int lost = 0;

	sem_init(&waker.seen, 0, 0);
	ok(pthread_create(&thread, NULL, wake_often, &waker) == 0, "a waker");
	while (seen < WAKES)
	{
		int sent = atomic_load(&waker.sent);
		bool woken = queue_await(waker.queue, false, 0);

		if (!woken && sent <= seen)
			continue;
		lost += !woken;
		seen++;
		sem_post(&waker.seen);
	}
	pthread_join(thread, NULL);
	is_int(lost, 0, "no wake is lost to a wait that ends at that moment");
	sem_destroy(&waker.seen);
	queue_free(waker.queue);
}

int
main(void)
{
	test_bound();
	test_close();
	test_threads();
	test_await();
	test_await_thread(DEED_WAKE, "a wake ends the wait");
	test_await_thread(DEED_PUSH, "a frame ends the wait");
	test_await_thread(DEED_CLOSE, "a close ends the wait");
	test_wake_at_timeout();
	return done_testing();
}

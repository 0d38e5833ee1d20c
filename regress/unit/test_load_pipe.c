/*
 * test_load_pipe.c
 *		Rows on their way to LOAD DATA: what is filled in is what is read, in
 *		segments, by two threads.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mysql/load_pipe.h"
#include "tap.h"

#define SEGMENT_BYTES 1000
#define BLOCKS 3000

static void
put(LoadPipe *pipe, const char *text, int64_t rows)
{
	Buffer block;

	buffer_init(&block);
	buffer_puts(&block, text);
	ok(load_pipe_put(pipe, &block, rows), "taken");
	ok(block.len == 0, "the block is empty");
	buffer_release(&block);
}

static void
test_one_thread(void)
{
	LoadPipe *pipe = load_pipe_new(10);
	bool given_up;
	char out[64];
	int64_t rows;
	Slice data;

	put(pipe, "abcdef\n", 1);
	put(pipe, "ghi\n", 1);
	ok(load_pipe_next(pipe, &given_up) && !given_up, "the first segment");
	ok(load_pipe_read(pipe, out, 5) == 5 && memcmp(out, "abcde", 5) == 0,
	   "a part of it");
	ok(load_pipe_read(pipe, out, 64) == 2, "the rest");
	ok(load_pipe_read(pipe, out, 64) == 0, "and the end: the next did not fit");
	ok(load_pipe_whole(pipe, &data, &rows) && rows == 1 && data.len == 7 &&
		   memcmp(data.data, "abcdef\n", 7) == 0,
	   "it is still there");
	load_pipe_accept(pipe);
	ok(load_pipe_next(pipe, &given_up), "the second segment");
	ok(load_pipe_read(pipe, out, 64) == 4, "what is there of it");
	load_pipe_end(pipe, false);
	ok(load_pipe_read(pipe, out, 64) == 0, "its end is that of all");
	load_pipe_accept(pipe);
	ok(!load_pipe_next(pipe, &given_up) && !given_up, "no more");

	load_pipe_reset(pipe);
	put(pipe, "this is larger than a segment\n", 1);
	put(pipe, "x\n", 1);
	ok(load_pipe_next(pipe, &given_up), "a row over the bound");
	ok(load_pipe_read(pipe, out, 64) == 30, "all of it");
	ok(load_pipe_read(pipe, out, 64) == 0, "it is a segment of its own");
	load_pipe_accept(pipe);
	load_pipe_end(pipe, true);
	ok(!load_pipe_next(pipe, &given_up) && given_up, "given up");
	ok(load_pipe_read(pipe, out, 64) == -1, "whoever reads on hears of it");
	ok(!load_pipe_whole(pipe, &data, &rows), "or waits");

	load_pipe_reset(pipe);
	load_pipe_end(pipe, false);
	ok(!load_pipe_next(pipe, &given_up) && !given_up, "nothing at all");
	load_pipe_free(pipe);
	load_pipe_free(NULL);
}

/* What the reading thread has found. */
typedef struct Found
{
	LoadPipe *pipe;
	unsigned int seed;
	int stop_after; /* segments; 0: never */
	Buffer all;
	int64_t rows;
	int segments;
	size_t largest;
	bool different; /* a segment is not what was read of it */
	bool given_up;
} Found;

static void *
read_all(void *arg)
{
	Found *found = arg;
	char out[300];
	int len;

	while (load_pipe_next(found->pipe, &found->given_up))
	{
		size_t before = found->all.len;
		int64_t rows;
		Slice data;

		while ((len = load_pipe_read(found->pipe, out,
									 1 + (unsigned int) rand_r(&found->seed) %
											 299)) > 0)
			buffer_append(&found->all, out, (size_t) len);
		if (len < 0 || !load_pipe_whole(found->pipe, &data, &rows))
		{
			found->given_up = true;
			break;
		}
		found->different |= data.len != found->all.len - before ||
							memcmp(data.data, found->all.data + before,
								   data.len) != 0;
		found->rows += rows;
		if (data.len > found->largest)
			found->largest = data.len;
		load_pipe_accept(found->pipe);
		if (++found->segments == found->stop_after)
			break;
	}
	load_pipe_stop(found->pipe);
	return NULL;
}

/* Blocks of random size; some larger than a segment.  False: not taken. */
static bool
fill(LoadPipe *pipe, unsigned int seed, int blocks, Buffer *all, int64_t *rows)
{
	Buffer block;
	bool taken = true;

	buffer_init(&block);
	*rows = 0;
	for (int i = 0; taken && i < blocks; i++)
	{
		int len = 1 + rand_r(&seed) % (i % 50 == 7 ? 3 * SEGMENT_BYTES : 200);

		for (int k = 0; k < len; k++)
			buffer_putc(&block, (char) ('a' + (i + k) % 26));
		buffer_append(all, block.data, block.len);
		*rows += len;
		taken = load_pipe_put(pipe, &block, len);
		if (i % 500 == 3)
			usleep(1000);
	}
	buffer_release(&block);
	return taken;
}

static void
test_two_threads(unsigned int seed)
{
	Found found = { .pipe = load_pipe_new(SEGMENT_BYTES), .seed = seed + 1 };
	pthread_t thread;
	int64_t rows;
	Buffer all;

	buffer_init(&all);
	for (int turn = 0; turn < 2; turn++)
	{
		buffer_init(&found.all);
		found.rows = 0;
		buffer_reset(&all);
		pthread_create(&thread, NULL, read_all, &found);
		ok(fill(found.pipe, seed, BLOCKS, &all, &rows), "all is taken");
		load_pipe_end(found.pipe, false);
		pthread_join(thread, NULL);
		ok(found.all.len == all.len &&
			   memcmp(found.all.data, all.data, all.len) == 0,
		   "what was filled in is what was read");
		is_int(found.rows, rows, "and so many rows");
		ok(!found.different && !found.given_up, "every segment was kept");
		ok(found.largest >= SEGMENT_BYTES &&
			   found.largest < 3 * SEGMENT_BYTES + 1,
		   "and none is larger than the largest block: %zu", found.largest);
		buffer_release(&found.all);
		load_pipe_reset(found.pipe);
	}
	load_pipe_free(found.pipe);
	buffer_release(&all);
}

/* Each of both may give up: the other one does not wait for ever. */
static void
test_giving_up(void)
{
	Found found = { .pipe = load_pipe_new(SEGMENT_BYTES), .stop_after = 3 };
	pthread_t thread;
	int64_t rows;
	Buffer all;

	buffer_init(&all);
	buffer_init(&found.all);
	pthread_create(&thread, NULL, read_all, &found);
	ok(!fill(found.pipe, 5, BLOCKS, &all, &rows), "the reader has stopped");
	load_pipe_end(found.pipe, true);
	pthread_join(thread, NULL);
	is_int(found.segments, 3, "after three segments");

	load_pipe_reset(found.pipe);
	found.stop_after = 0;
	pthread_create(&thread, NULL, read_all, &found);
	ok(fill(found.pipe, 6, 3, &all, &rows), "a part of a segment is there");
	usleep(20000);
	load_pipe_end(found.pipe, true);
	pthread_join(thread, NULL);
	ok(found.given_up, "and whoever reads it hears that it will not be full");
	load_pipe_free(found.pipe);
	buffer_release(&found.all);
	buffer_release(&all);
}

int
main(void)
{
	test_one_thread();
	test_two_threads(1);
	test_two_threads(2);
	test_giving_up();
	return done_testing();
}

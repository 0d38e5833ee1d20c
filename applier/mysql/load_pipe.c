/*
 * load_pipe.c
 *		See load_pipe.h.
 *
 * What is published of a segment neither changes nor moves until it is accepted:
 * the reader copies it without the lock.  So a segment has all its memory before
 * its first bytes are published, and a block that is as large as a segment
 * becomes one by changing places with an empty one's memory.
 */
#include "mysql/load_pipe.h"

#include <pthread.h>

#include "base/mem.h"

#define SEGMENTS 2

typedef struct Segment
{
	Buffer data; /* its length is the filler's; see published */
	size_t published;
	int64_t rows;
	bool full; /* nothing is added any more */
} Segment;

struct LoadPipe
{
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	Segment segments[SEGMENTS];
	size_t segment_bytes;
	uint64_t filled; /* segments that are full, ever: the next one is filled */
	uint64_t accepted; /* the same: the next one is read */
	bool ended;
	bool given_up; /* by who fills */
	bool stopped;  /* by who reads */

	/* the reader's own */
	size_t taken; /* of the segment that is read */
	size_t seen;  /* what was published when it looked */
};

LoadPipe *
load_pipe_new(size_t segment_bytes)
{
	LoadPipe *pipe = mem_zalloc(sizeof(*pipe));

	pthread_mutex_init(&pipe->mutex, NULL);
	pthread_cond_init(&pipe->changed, NULL);
	for (int i = 0; i < SEGMENTS; i++)
		buffer_init(&pipe->segments[i].data);
	pipe->segment_bytes = segment_bytes;
	return pipe;
}

void
load_pipe_free(LoadPipe *pipe)
{
	if (pipe == NULL)
		return;
	for (int i = 0; i < SEGMENTS; i++)
		buffer_release(&pipe->segments[i].data);
	pthread_cond_destroy(&pipe->changed);
	pthread_mutex_destroy(&pipe->mutex);
	mem_free(pipe);
}

static void
segment_clear(Segment *segment, size_t keep_bytes)
{
	buffer_reset(&segment->data);
	/* what one huge row needed is not kept */
	if (segment->data.capacity > 2 * keep_bytes)
	{
		buffer_release(&segment->data);
		buffer_init(&segment->data);
	}
	segment->published = 0;
	segment->rows = 0;
	segment->full = false;
}

void
load_pipe_reset(LoadPipe *pipe)
{
	for (int i = 0; i < SEGMENTS; i++)
		segment_clear(&pipe->segments[i], pipe->segment_bytes);
	pipe->filled = 0;
	pipe->accepted = 0;
	pipe->ended = false;
	pipe->given_up = false;
	pipe->stopped = false;
	pipe->taken = 0;
	pipe->seen = 0;
}

static Segment *
filling(LoadPipe *pipe)
{
	return &pipe->segments[pipe->filled % SEGMENTS];
}

static Segment *
reading(LoadPipe *pipe)
{
	return &pipe->segments[pipe->accepted % SEGMENTS];
}

/* The lock is held. */
static void
segment_full(LoadPipe *pipe)
{
	filling(pipe)->full = true;
	pipe->filled++;
	pthread_cond_broadcast(&pipe->changed);
}

/* Wait until a segment can take so many bytes; false: stopped. */
static bool
wait_for_room(LoadPipe *pipe, size_t len)
{
	bool stopped;

	pthread_mutex_lock(&pipe->mutex);
	if (pipe->filled - pipe->accepted < SEGMENTS &&
		filling(pipe)->data.len > 0 &&
		filling(pipe)->data.len + len > pipe->segment_bytes)
		segment_full(pipe);
	while (!pipe->stopped && pipe->filled - pipe->accepted >= SEGMENTS)
		pthread_cond_wait(&pipe->changed, &pipe->mutex);
	stopped = pipe->stopped;
	pthread_mutex_unlock(&pipe->mutex);
	return !stopped;
}

bool
load_pipe_put(LoadPipe *pipe, Buffer *block, int64_t rows)
{
	Segment *segment;

	if (!wait_for_room(pipe, block->len))
		return false;
	/* nobody else looks at it beyond what is published */
	segment = filling(pipe);
	if (segment->data.len == 0 && block->len >= pipe->segment_bytes)
	{
		Buffer other = segment->data;

		segment->data = *block;
		*block = other;
	}
	else
	{
		if (segment->data.len == 0)
			buffer_reserve(&segment->data, pipe->segment_bytes);
		buffer_append(&segment->data, block->data, block->len);
	}
	buffer_reset(block);
	pthread_mutex_lock(&pipe->mutex);
	segment->published = segment->data.len;
	segment->rows += rows;
	if (segment->published >= pipe->segment_bytes)
		segment_full(pipe);
	else
		pthread_cond_broadcast(&pipe->changed);
	pthread_mutex_unlock(&pipe->mutex);
	return true;
}

void
load_pipe_end(LoadPipe *pipe, bool give_up)
{
	pthread_mutex_lock(&pipe->mutex);
	if (pipe->filled - pipe->accepted < SEGMENTS && filling(pipe)->data.len > 0)
		segment_full(pipe);
	pipe->ended = true;
	pipe->given_up = give_up;
	pthread_cond_broadcast(&pipe->changed);
	pthread_mutex_unlock(&pipe->mutex);
}

bool
load_pipe_next(LoadPipe *pipe, bool *given_up)
{
	bool found;

	pthread_mutex_lock(&pipe->mutex);
	while (reading(pipe)->published == 0 && !pipe->ended)
		pthread_cond_wait(&pipe->changed, &pipe->mutex);
	*given_up = pipe->given_up;
	found = reading(pipe)->published > 0 && !pipe->given_up;
	pthread_mutex_unlock(&pipe->mutex);
	pipe->taken = 0;
	pipe->seen = 0;
	return found;
}

int
load_pipe_read(LoadPipe *pipe, char *out, unsigned int size)
{
	Segment *segment = reading(pipe);
	bool given_up = false;
	size_t len;

	if (pipe->taken == pipe->seen)
	{
		pthread_mutex_lock(&pipe->mutex);
		while (segment->published == pipe->seen && !segment->full &&
			   !pipe->given_up)
			pthread_cond_wait(&pipe->changed, &pipe->mutex);
		pipe->seen = segment->published;
		given_up = pipe->given_up;
		pthread_mutex_unlock(&pipe->mutex);
	}
	if (given_up)
		return -1;
	len = pipe->seen - pipe->taken;
	if (len > size)
		len = size;
	memcpy(out, segment->data.data + pipe->taken, len);
	pipe->taken += len;
	return (int) len;
}

bool
load_pipe_whole(LoadPipe *pipe, Slice *data, int64_t *rows)
{
	Segment *segment = reading(pipe);
	bool given_up;

	pthread_mutex_lock(&pipe->mutex);
	while (!segment->full && !pipe->given_up)
		pthread_cond_wait(&pipe->changed, &pipe->mutex);
	data->data = segment->data.data;
	data->len = segment->published;
	*rows = segment->rows;
	given_up = pipe->given_up;
	pthread_mutex_unlock(&pipe->mutex);
	return !given_up;
}

void
load_pipe_accept(LoadPipe *pipe)
{
	pthread_mutex_lock(&pipe->mutex);
	segment_clear(reading(pipe), pipe->segment_bytes);
	pipe->accepted++;
	pthread_cond_broadcast(&pipe->changed);
	pthread_mutex_unlock(&pipe->mutex);
}

void
load_pipe_stop(LoadPipe *pipe)
{
	pthread_mutex_lock(&pipe->mutex);
	pipe->stopped = true;
	pthread_cond_broadcast(&pipe->changed);
	pthread_mutex_unlock(&pipe->mutex);
}

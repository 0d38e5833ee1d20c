/*
 * load_stream.c
 *		See load_stream.h.
 *
 * The thread begins with the first rows and ends with the chunk: it never waits
 * for anything but rows and the server, and the pipe tells it when there are none
 * to wait for.  Which way rows are sent is found out once: the first LOAD DATA
 * that is not allowed is the last one.
 */
#include "mysql/load_stream.h"

#include <pthread.h>

#include "base/log.h"
#include "base/mem.h"
#include "mysql/load_write.h"

#define SEGMENT_BYTES (8 * 1024 * 1024)

struct LoadStream
{
	MyConn *conn;
	LoadPipe *pipe;
	const LoadTable *table;
	bool insert; /* LOAD DATA LOCAL is not allowed */
	bool running;
	pthread_t thread;
	const char *context; /* of the log */

	/* the thread's while it is running */
	int64_t rows; /* taken by the server */
	Error error;
};

LoadStream *
load_stream_new(MyConn *conn)
{
	LoadStream *self = mem_zalloc(sizeof(*self));

	self->conn = conn;
	self->pipe = load_pipe_new(SEGMENT_BYTES);
	self->insert = !conn->server.local_infile;
	return self;
}

void
load_stream_free(LoadStream *self)
{
	if (self == NULL)
		return;
	load_stream_abort(self);
	load_pipe_free(self->pipe);
	mem_free(self);
}

void
load_stream_begin(LoadStream *self, const LoadTable *table)
{
	BUG_UNLESS(!self->running);
	self->table = table;
	self->rows = 0;
	error_clear(&self->error);
	load_pipe_reset(self->pipe);
}

static bool
segment_insert(LoadStream *self, LoadVerdict *verdict, Error *err)
{
	int64_t count;
	Slice rows;

	if (!load_pipe_whole(self->pipe, &rows, &count))
		return false;
	*verdict = load_insert_rows(self->conn, self->table, rows, count, err);
	return true;
}

/* All of the next segment, or err; all of it stays until it is accepted. */
static bool
segment_send(LoadStream *self, Error *err)
{
	LoadVerdict verdict = LOAD_UNAVAILABLE;
	Error back = ERROR_INIT;
	int64_t count;
	Slice rows;

	if (self->table->exclusive && !load_pipe_whole(self->pipe, &rows, &count))
		return false;
	if (!load_savepoint(self->conn, err))
		return false;
	if (!self->insert)
		verdict = load_data_segment(self->conn, self->table, self->pipe, err);
	if (verdict == LOAD_UNAVAILABLE)
	{
		self->insert = true;
		if (!segment_insert(self, &verdict, err))
			return false;
	}
	if (verdict == LOAD_FAILED || !load_pipe_whole(self->pipe, &rows, &count))
		return false;
	if (verdict == LOAD_REFUSED)
	{
		if (load_savepoint_back(self->conn, &back))
			return load_refused(self->conn, self->table, self->insert, rows,
								count, err);
		*err = back;
		return false;
	}
	self->rows += count;
	return true;
}

static void *
stream_main(void *arg)
{
	LoadStream *self = arg;
	bool given_up;
	bool ok = true;

	log_set_context(self->context);
	while (ok && load_pipe_next(self->pipe, &given_up))
	{
		ok = segment_send(self, &self->error);
		if (ok)
			load_pipe_accept(self->pipe);
	}
	load_pipe_stop(self->pipe);
	return NULL;
}

/* The thread has ended or will: take what it has found. */
static bool
stream_join(LoadStream *self, Error *err)
{
	if (self->running)
		pthread_join(self->thread, NULL);
	self->running = false;
	if (!error_is_set(&self->error))
		return true;
	*err = self->error;
	return false;
}

bool
load_stream_put(LoadStream *self, Buffer *block, int64_t rows, Error *err)
{
	if (!self->running)
	{
		self->context = log_context();
		if (pthread_create(&self->thread, NULL, stream_main, self) != 0)
			BUG("no thread can be created");
		self->running = true;
	}
	if (load_pipe_put(self->pipe, block, rows))
		return true;
	load_pipe_end(self->pipe, true);
	if (stream_join(self, err))
		BUG("a load has ended without a reason");
	return false;
}

bool
load_stream_end(LoadStream *self, int64_t *rows, Error *err)
{
	load_pipe_end(self->pipe, false);
	if (!stream_join(self, err))
		return false;
	*rows = self->rows;
	return true;
}

void
load_stream_abort(LoadStream *self)
{
	Error ignored = ERROR_INIT;

	load_pipe_end(self->pipe, true);
	(void) stream_join(self, &ignored);
}

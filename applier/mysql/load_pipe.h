/*
 * load_pipe.h
 *		Rows on their way from a loader to its server, in segments that are read
 *		while they are filled, and kept until the server has accepted them.
 *
 * Two segments: one is filled while the other may still be on its way, or looked
 * through for the row that was refused.  One thread fills, another one reads.
 * Neither waits for ever if the other one says that it has given up, and both
 * have to, before the pipe is freed.
 */
#ifndef PORTAGE_LOAD_PIPE_H
#define PORTAGE_LOAD_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

typedef struct LoadPipe LoadPipe;

/* segment_bytes: a segment takes no more once it has as many. */
LoadPipe *load_pipe_new(size_t segment_bytes);
void load_pipe_free(LoadPipe *pipe); /* NULL is fine */

/* For the next run of rows: as new. */
void load_pipe_reset(LoadPipe *pipe);

/* ---- who fills */

/*
 * Append whole rows; block is empty afterwards, and may have got other memory.
 * Waits for room.  False: the reader has given up.
 */
bool load_pipe_put(LoadPipe *pipe, Buffer *block, int64_t rows);

/* There is no more; or there is, but nobody wants it (give_up). */
void load_pipe_end(LoadPipe *pipe, bool give_up);

/* ---- who reads */

/*
 * Wait for the first rows of the next segment.  False: there are none, or the
 * other one has given up, which *given_up tells.
 */
bool load_pipe_next(LoadPipe *pipe, bool *given_up);

/*
 * Some of the segment's bytes, as soon as there are any: how many.  0 at its end,
 * -1 if the other one has given up.
 */
int load_pipe_read(LoadPipe *pipe, char *out, unsigned int size);

/*
 * Wait until the segment is full: its rows, which stay until load_pipe_accept().
 * False if the other one has given up.
 */
bool load_pipe_whole(LoadPipe *pipe, Slice *data, int64_t *rows);

/* The server has the segment's rows: its memory is free for others. */
void load_pipe_accept(LoadPipe *pipe);

/* Nothing will be read any more. */
void load_pipe_stop(LoadPipe *pipe);

#endif /* PORTAGE_LOAD_PIPE_H */

/*
 * load_stream.h
 *		A thread that sends the rows of one chunk while they are converted.
 *
 * Between the first row and load_stream_end() or load_stream_abort() the
 * connection is the thread's, and nobody else may use it.
 */
#ifndef PORTAGE_LOAD_STREAM_H
#define PORTAGE_LOAD_STREAM_H

#include "mysql/load_table.h"

typedef struct LoadStream LoadStream;

LoadStream *load_stream_new(MyConn *conn);
void load_stream_free(LoadStream *self); /* aborts; NULL is fine */

/* Rows of this table come, within a transaction; it lives as long. */
void load_stream_begin(LoadStream *self, const LoadTable *table);

/*
 * Some of them; the block is empty afterwards.  When it is false, the thread is
 * gone, and err what has ended it: a row that was refused, by name.
 */
bool load_stream_put(LoadStream *self, Buffer *block, int64_t rows,
					 Error *err) MUST_CHECK;

/* There are no more: wait until all are there; *rows as the server counted. */
bool load_stream_end(LoadStream *self, int64_t *rows, Error *err) MUST_CHECK;

/*
 * There are no more that anybody wants.  Parts may have been written: the caller
 * rolls back.
 */
void load_stream_abort(LoadStream *self);

#endif /* PORTAGE_LOAD_STREAM_H */

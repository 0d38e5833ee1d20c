/*
 * copy_value.h
 *		Fields of COPY's text form as values of the stream, and rows that come in
 *		parts.
 */
#ifndef PORTAGE_COPY_VALUE_H
#define PORTAGE_COPY_VALUE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "change.h"

/*
 * A field without its escapes, with a NUL behind it, in the arena; bytes: it is
 * bytea's text and becomes its bytes.  P_COPY; the caller names the column.
 */
bool copy_value(Slice field, bool bytes, Arena *arena, Value *value,
				Error *err) MUST_CHECK;

/*
 * The next whole row off in; a row may lie across two calls, then its beginning
 * waits in rest, which is the caller's and empty at first.  False if there is no
 * whole row any more.
 */
bool copy_rows_next(Slice *in, Buffer *rest, bool *from_rest, Slice *row);

#endif /* PORTAGE_COPY_VALUE_H */

/*
 * load_text.h
 *		Rows and fields of COPY's text format, and of what LOAD DATA reads:
 *		pure.
 *
 * A tab between fields, a newline behind each row, \N for null, a backslash
 * before what would mean something else.  COPY writes \f and \v, which LOAD DATA
 * takes for f and v; LOAD DATA has \0 and \Z, which COPY does not write.  What
 * reads here understands them all.
 */
#ifndef PORTAGE_LOAD_TEXT_H
#define PORTAGE_LOAD_TEXT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/*
 * The tab or newline behind the field that begins at p, or end; *escapes: there
 * is a backslash in between.
 */
const char *load_field_end(const char *p, const char *end, bool *escapes);

/* Take the next row off rows, with its newline; empty if there is none. */
Slice load_row_next(Slice *rows);

/* Take the next field off a row.  False at the row's end. */
bool load_field_next(Slice *row, Slice *field);

bool load_field_is_null(Slice field);

/* Append the field without its escapes. */
void load_field_plain(Buffer *out, Slice field);

/* How many bytes of rows the first count of them are. */
size_t load_rows_length(Slice rows, int64_t count);

#endif /* PORTAGE_LOAD_TEXT_H */

/*
 * copy_text.h
 *		Rows in COPY's text format.
 */
#ifndef PORTAGE_COPY_TEXT_H
#define PORTAGE_COPY_TEXT_H

#include "base/buffer.h"
#include "plan/plan.h"

/*
 * Append one line: the columns of the row that are in the bit set.  bytea
 * values, which are sent as bytes, become its hexadecimal form.
 */
void copy_text_row(Buffer *out, const Relation *relation,
				   const uint8_t *columns, const Value *row);

/* Append bytes with what COPY would take for something else escaped. */
void copy_text_escape(Buffer *out, const char *data, size_t len);

#endif /* PORTAGE_COPY_TEXT_H */

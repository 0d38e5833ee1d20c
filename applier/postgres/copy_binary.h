/*
 * copy_binary.h
 *		Rows in COPY's binary format.
 */
#ifndef PORTAGE_COPY_BINARY_H
#define PORTAGE_COPY_BINARY_H

#include "postgres/binary_value.h"

/* A column that is copied. */
typedef struct BinaryColumn
{
	int column; /* its place in the row */
	BinaryForm form;
} BinaryColumn;

/* What stands before the first row, and behind the last one. */
void copy_binary_begin(Buffer *out);
void copy_binary_end(Buffer *out);

/*
 * Append a row's columns, those whose places are listed, in these forms.  False if
 * a value has to be sent as text; then nothing was appended.
 */
bool copy_binary_row(Buffer *out, const BinaryColumn *columns, int count,
					 const Value *row) MUST_CHECK;

#endif /* PORTAGE_COPY_BINARY_H */

/*
 * binary_row.h
 *		Rows in COPY's binary format.
 */
#ifndef PORTAGE_BINARY_ROW_H
#define PORTAGE_BINARY_ROW_H

#include "postgres/binary_value.h"

/* A column that is copied. */
typedef struct BinaryColumn
{
	int column; /* its place in the row */
	BinaryForm form;
} BinaryColumn;

/* What stands before the first row, and behind the last one. */
void binary_rows_begin(Buffer *out);
void binary_rows_end(Buffer *out);

/*
 * Append a row's columns, those whose places are listed, in these forms.  False if
 * a value has to be sent as text; then nothing was appended.
 */
bool binary_row_put(Buffer *out, const BinaryColumn *columns, int count,
					const Value *row) MUST_CHECK;

#endif /* PORTAGE_BINARY_ROW_H */

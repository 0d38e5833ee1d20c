/*
 * binary_row.c
 *		See binary_row.h.
 *
 * "COPY", file formats, binary format, in the server's documentation.
 */
#include "postgres/binary_row.h"

void
binary_rows_begin(Buffer *out)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* the NUL, too */

	buffer_append(out, signature, sizeof(signature));
	binary_put_int32(out, 0); /* flags */
	binary_put_int32(out, 0); /* length of the header's extension */
}

void
binary_rows_end(Buffer *out)
{
	binary_put_int16(out, UINT16_MAX);
}

bool
binary_row_put(Buffer *out, const BinaryColumn *columns, int count,
			   const Value *row)
{
	size_t begun = out->len;

	binary_put_int16(out, (uint16_t) count);
	for (int i = 0; i < count; i++)
	{
		if (binary_put(out, columns[i].form, &row[columns[i].column]))
			continue;
		out->len = begun;
		return false;
	}
	return true;
}

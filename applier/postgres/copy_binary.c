/*
 * copy_binary.c
 *		See copy_binary.h.
 *
 * "COPY", file formats, binary format, in the server's documentation.
 */
#include "postgres/copy_binary.h"

void
copy_binary_begin(Buffer *out)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* the NUL, too */

	buffer_append(out, signature, sizeof(signature));
	binary_put_int32(out, 0); /* flags */
	binary_put_int32(out, 0); /* length of the header's extension */
}

void
copy_binary_end(Buffer *out)
{
	binary_put_int16(out, UINT16_MAX);
}

bool
copy_binary_row(Buffer *out, const BinaryColumn *columns, int count,
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

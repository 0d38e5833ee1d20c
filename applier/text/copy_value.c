/*
 * copy_value.c
 *		See copy_value.h.
 */
#include "text/copy_value.h"

#include <string.h>

#include "text/bytea_text.h"
#include "text/load_text.h"

bool
copy_value(Slice field, bool bytes, Arena *arena, Value *value, Error *err)
{
	Slice text = field;
	Buffer plain;

	if (load_field_is_null(field))
	{
		*value = (Value){ NULL, 0, WIRE_COL_NULL };
		return true;
	}
	if (memchr(field.data, '\\', field.len) != NULL)
	{
		buffer_init(&plain);
		load_field_plain(&plain, field);
		text.len = plain.len;
		text.data = arena_strndup(arena, plain.data, plain.len);
		buffer_release(&plain);
	}
	else
		text.data = arena_strndup(arena, field.data, field.len);
	if (bytes)
		return bytea_parse(text, arena, value) ||
			   error_set(err, P_COPY, "bytes that are no hexadecimal text");
	if (text.len > UINT32_MAX)
		return error_set(err, P_COPY, "more than 4 GB");
	*value = (Value){ text.data, (uint32_t) text.len, WIRE_COL_PRESENT };
	return true;
}

bool
copy_rows_next(Slice *in, Buffer *rest, bool *from_rest, Slice *row)
{
	if (*from_rest)
		buffer_reset(rest);
	*from_rest = false;
	if (in->len == 0)
		return false;
	*row = load_row_next(in);
	if (rest->len == 0 && row->data[row->len - 1] == '\n')
		return true;
	buffer_append(rest, row->data, row->len);
	*from_rest = rest->data[rest->len - 1] == '\n';
	*row = (Slice){ rest->data, rest->len };
	return *from_rest;
}

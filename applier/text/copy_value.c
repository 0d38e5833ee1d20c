/*
 * copy_value.c
 *		See copy_value.h.
 */
#include "text/copy_value.h"

#include <string.h>

#include "text/load_text.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text of bytea becomes its bytes, as values of the stream are. */
static bool
plain_bytes(Slice text, Arena *arena, Value *value)
{
	size_t count = text.len / 2 - 1;
	char *bytes;

	if (text.len < 2 || text.len % 2 != 0 || text.data[0] != '\\' ||
		text.data[1] != 'x')
		return false;
	bytes = arena_alloc(arena, count + 1);
	for (size_t i = 0; i < count; i++)
	{
		int high = hex_digit(text.data[2 + i * 2]);
		int low = hex_digit(text.data[3 + i * 2]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (char) (high << 4 | low);
	}
	bytes[count] = '\0';
	*value = (Value){ bytes, (uint32_t) count, WIRE_COL_PRESENT };
	return true;
}

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
		return plain_bytes(text, arena, value) ||
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

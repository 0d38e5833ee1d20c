/*
 * array_text.c
 *		See array_text.h.
 *
 * Every value is quoted: array_in() (src/backend/utils/adt/arrayfuncs.c) would
 * trim spaces and take NULL for null otherwise.  Within quotes only the quote
 * itself and the backslash mean something.  The delimiter is a comma; types
 * with another one travel as text (table_facts.h).
 */
#include "postgres/array_text.h"

#include <string.h>

#include "base/hex.h"

void
array_text_begin(Buffer *out)
{
	buffer_putc(out, '{');
}

static char *
put_quoted(char *to, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end)
	{
		if (*data == '"' || *data == '\\')
			*to++ = '\\';
		*to++ = *data++;
	}
	return to;
}

/* "\\xab": the backslash of the type's own form is escaped for the array. */
static char *
put_hex(char *to, const char *data, size_t len)
{
	*to++ = '\\';
	*to++ = '\\';
	*to++ = 'x';
	return hex_put(to, data, len);
}

void
array_text_value(Buffer *out, const Value *value, bool is_bytea)
{
	char *to;

	if (value->state != WIRE_COL_PRESENT)
	{
		buffer_puts(out, "NULL,");
		return;
	}
	buffer_reserve(out, 2 * (size_t) value->len + 8);
	to = out->data + out->len;
	*to++ = '"';
	to = is_bytea ? put_hex(to, value->data, value->len)
				  : put_quoted(to, value->data, value->len);
	*to++ = '"';
	*to++ = ',';
	*to = '\0';
	out->len = (size_t) (to - out->data);
}

/* Every value has left a comma. */
void
array_text_end(Buffer *out)
{
	if (out->data[out->len - 1] == ',')
		out->len--;
	buffer_putc(out, '}');
}

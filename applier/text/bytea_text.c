/*
 * bytea_text.c
 *		See bytea_text.h.
 */
#include "text/bytea_text.h"

#include "base/hex.h"

void
bytea_print(Buffer *out, Slice bytes)
{
	char *end;

	buffer_puts(out, "\\x");
	buffer_reserve(out, 2 * bytes.len);
	end = hex_put(out->data + out->len, bytes.data, bytes.len);
	*end = '\0';
	out->len += 2 * bytes.len;
}

json_t *
bytea_json(Slice bytes)
{
	Buffer text;
	json_t *json;

	buffer_init(&text);
	bytea_print(&text, bytes);
	json = json_stringn(text.data, text.len);
	buffer_release(&text);
	return json;
}

bool
bytea_parse(Slice text, Arena *arena, Value *value)
{
	size_t count = text.len / 2 - 1;
	char *bytes;

	if (text.len < 2 || text.len % 2 != 0 || text.data[0] != '\\' ||
		text.data[1] != 'x')
		return false;
	bytes = arena_alloc(arena, count + 1);
	if (!hex_get(bytes, text.data + 2, count))
		return false;
	bytes[count] = '\0';
	*value = (Value){ bytes, (uint32_t) count, WIRE_COL_PRESENT };
	return true;
}

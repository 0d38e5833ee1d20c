/*
 * json_text.c
 *		See json_text.h.
 */
#include "base/json_text.h"

json_t *
json_text_load(Slice bytes, Error *err)
{
	json_error_t why;
	json_t *value;
	Buffer text;

	buffer_init(&text);
	buffer_reserve(&text, bytes.len * 2);
	for (size_t i = 0; i < bytes.len; i++)
	{
		unsigned char byte = (unsigned char) bytes.data[i];

		if (byte >= 0x80)
			buffer_putc(&text, (char) (0xC0 | byte >> 6));
		buffer_putc(&text, (char) (byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte));
	}
	value = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &why);
	buffer_release(&text);
	if (value == NULL)
		error_set(err, P_PROTOCOL, "not JSON: %s at byte %d", why.text,
				  why.position);
	return value;
}

const char *
json_text_string(const json_t *value, Arena *arena)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	char *bytes;
	char *out;

	if (text == NULL)
		return NULL;
	bytes = arena_alloc(arena, len + 1);
	out = bytes;
	for (size_t i = 0; i < len; i++)
	{
		unsigned char byte = (unsigned char) text[i];

		if (byte < 0x80)
			*out++ = (char) byte;
		else if (byte <= 0xC3 && i + 1 < len)
			*out++ = (char) (byte << 6 | ((unsigned char) text[++i] & 0x3F));
		else
			return NULL;
	}
	*out = '\0';
	return bytes;
}

void
json_text_put(Buffer *out, const char *text)
{
	buffer_putc(out, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			buffer_putc(out, '\\');
		if ((unsigned char) *text < ' ')
			buffer_printf(out, "\\u%04x", (unsigned) *text);
		else
			buffer_putc(out, *text);
	}
	buffer_putc(out, '"');
}

/*
 * test_row_text.c
 *		Values as COPY and unnest() read them: what is written is taken apart
 *		again, by the rules of the server's documentation.
 */
#include "postgres/array_text.h"
#include "text/copy_text.h"

#include <stdlib.h>

#include "tap.h"

static Value
value_of(const char *data, size_t len)
{
	return (Value){ data, (uint32_t) len, WIRE_COL_PRESENT };
}

/* "COPY", file formats, text format; false if a raw special is found. */
static bool
copy_unescape(const char *line, size_t len, Buffer *out)
{
	for (size_t i = 0; i < len; i++)
	{
		char c = line[i];

		if (c == '\t' || c == '\n' || c == '\r')
			return false;
		if (c == '\\')
		{
			c = line[++i];
			c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
		}
		buffer_putc(out, c);
	}
	return true;
}

/* "Array input and output syntax": one quoted element in braces. */
static bool
array_unquote(const char *text, size_t len, Buffer *out)
{
	if (len < 4 || memcmp(text, "{\"", 2) != 0 ||
		memcmp(text + len - 2, "\"}", 2) != 0)
		return false;
	for (size_t i = 2; i < len - 2; i++)
	{
		if (text[i] == '"')
			return false;
		if (text[i] == '\\')
			i++;
		buffer_putc(out, text[i]);
	}
	return true;
}

static bool
round_trip(const char *data, size_t len)
{
	Value value = value_of(data, len);
	Buffer text;
	Buffer back;
	bool same;

	buffer_init(&text);
	buffer_init(&back);
	copy_text_escape(&text, data, len);
	same = copy_unescape(text.data, text.len, &back) && back.len == len &&
		   memcmp(back.data, data, len) == 0;
	buffer_reset(&text);
	buffer_reset(&back);
	array_text_begin(&text);
	array_text_value(&text, &value, false);
	array_text_end(&text);
	same = same && array_unquote(text.data, text.len, &back) &&
		   back.len == len && memcmp(back.data, data, len) == 0;
	buffer_release(&text);
	buffer_release(&back);
	return same;
}

/* Every byte but NUL at every place of words of eight, and around them. */
static void
test_every_byte(void)
{
	char data[19];
	int wrong = 0;
	int tried = 0;

	for (size_t len = 0; len <= sizeof(data); len++)
	{
		for (size_t at = 0; at < len; at++)
		{
			for (int byte = 1; byte < 256; byte++)
			{
				memset(data, 'x', sizeof(data));
				data[at] = (char) byte;
				wrong += !round_trip(data, len);
				tried++;
			}
		}
	}
	ok(wrong == 0 && tried > 40000, "every byte at every place: %d of %d wrong",
	   wrong, tried);
}

static void
test_random(void)
{
	static const char bytes[] = "\\\"\n\r\t{}, N.\x7f\x80\xff";
	char data[64];
	unsigned seed = 20261128;
	int wrong = 0;

	for (int i = 0; i < 20000; i++)
	{
		size_t len = (size_t) rand_r(&seed) % sizeof(data);

		for (size_t k = 0; k < len; k++)
			data[k] = bytes[(size_t) rand_r(&seed) % (sizeof(bytes) - 1)];
		wrong += !round_trip(data, len);
	}
	is_int(wrong, 0, "special bytes side by side");
}

static void
test_row(void)
{
	Column columns[5] = { { 0 } };
	Relation relation = { .column_count = 5, .columns = columns };
	Value row[5] = {
		value_of("a\tb", 3),	   { .state = WIRE_COL_NULL }, value_of("", 0),
		value_of("\x00\xff\\", 3), value_of("\\N", 2),
	};
	const uint8_t all = 0x1f;
	const uint8_t some = 0x12;
	Buffer out;

	columns[3].base_type_oid = 17;
	buffer_init(&out);
	copy_text_row(&out, &relation, &all, row);
	is_str(out.data, "a\\tb\t\\N\t\t\\\\x00ff5c\t\\\\N\n",
		   "a row of COPY: null, nothing, bytes, and what looks like null");
	buffer_reset(&out);
	copy_text_row(&out, &relation, &some, row);
	is_str(out.data, "\\N\t\\\\N\n", "some of its columns");
	buffer_reset(&out);
	array_text_begin(&out);
	array_text_value(&out, &row[1], false);
	array_text_value(&out, &row[2], false);
	array_text_value(&out, &row[3], true);
	array_text_value(&out, &row[4], false);
	array_text_end(&out);
	is_str(out.data, "{NULL,\"\",\"\\\\x00ff5c\",\"\\\\N\"}",
		   "an array: null, nothing, bytes");
	buffer_reset(&out);
	array_text_begin(&out);
	array_text_end(&out);
	is_str(out.data, "{}", "an empty array");
	buffer_release(&out);
}

int
main(void)
{
	test_every_byte();
	test_random();
	test_row();
	return done_testing();
}

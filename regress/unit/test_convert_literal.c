/*
 * test_convert_literal.c
 *		Converted values as SQL literals and as fields of LOAD DATA.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "mysql/convert.h"
#include "tap.h"

static Buffer out;

static const char *
literal(ConvertKind kind, const char *text)
{
	ColumnMap column = { .convert = kind };
	Converted value = { .bytes = slice_of(text) };

	buffer_reset(&out);
	convert_literal(&out, &column, &value);
	return out.data;
}

static const char *
field(const char *text)
{
	Converted value = { .bytes = slice_of(text) };

	buffer_reset(&out);
	convert_field(&out, &value);
	return out.data;
}

static void
test_literals(void)
{
	ColumnMap column = { .convert = CONVERT_TEXT };
	Converted null = { .null = true };

	is_str(literal(CONVERT_INTEGER, "-5"), "-5", "a number");
	is_str(literal(CONVERT_DOUBLE, "-0e0"), "-0e0", "a double");
	is_str(literal(CONVERT_TEXT, ""), "''", "no text");
	is_str(literal(CONVERT_TEXT, "it's \\ \"so\"\n\t\x1a%_"),
		   "'it\\'s \\\\ \"so\"\n\t\x1a%_'", "text");
	is_str(literal(CONVERT_BYTES, "a'\xFF"), "_binary'a\\'\xFF'", "bytes");
	is_str(literal(CONVERT_BITS, "0101"), "b'0101'", "bits");
	is_str(literal(CONVERT_JSON, "{\"a\": \"\\n\"}"), "'{\"a\": \"\\\\n\"}'",
		   "JSON");
	buffer_reset(&out);
	convert_literal(&out, &column, &null);
	is_str(out.data, "NULL", "null");
}

static void
test_fields(void)
{
	Converted null = { .null = true };

	is_str(field(""), "", "no text");
	is_str(field("a\tb\nc\\d\re\bf\vg'\x1a"), "a\\tb\\nc\\\\d\re\bf\vg'\x1a",
		   "what ends fields and lines");
	is_str(field("\\N"), "\\\\N", "not null");
	is_str(field("NULL"), "NULL", "nor is this");
	buffer_reset(&out);
	convert_field(&out, &null);
	is_str(out.data, "\\N", "null");
}

/* Byte by byte, as slowly as it goes. */
static size_t
escape_slowly(const char *data, size_t len, bool sql, char *to)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++)
	{
		char c = data[i];
		char letter = c == '\0'			  ? '0'
					  : c == '\\'		  ? '\\'
					  : sql && c == '\''  ? '\''
					  : !sql && c == '\t' ? 't'
					  : !sql && c == '\n' ? 'n'
										  : 0;

		if (letter != 0)
		{
			to[at++] = '\\';
			to[at++] = letter;
		}
		else
			to[at++] = c;
	}
	return at;
}

/* Any bytes, at any place of a word, over the size of a piece. */
static void
test_all_bytes(void)
{
	ColumnMap column = { .convert = CONVERT_BYTES };
	static char data[150000];
	static char want[300002];
	int wrong = 0;

	srand(1);
	for (int run = 0; run < 400; run++)
	{
		size_t len = (size_t) rand() % (run < 4 ? sizeof(data) : 40);
		Converted value = { .bytes = { data, len } };
		int dense = rand() % 2;
		size_t want_len;

		for (size_t i = 0; i < len; i++)
			data[i] = (char) (dense || rand() % 50 == 0 ? rand() : 'a');
		buffer_reset(&out);
		convert_field(&out, &value);
		want_len = escape_slowly(data, len, false, want);
		wrong += out.len != want_len || memcmp(out.data, want, want_len) != 0;
		buffer_reset(&out);
		convert_literal(&out, &column, &value);
		want_len = escape_slowly(data, len, true, want);
		wrong += out.len != want_len + 9 ||
				 memcmp(out.data + 8, want, want_len) != 0;
	}
	is_int(wrong, 0, "any bytes are escaped as one by one");
}

int
main(void)
{
	buffer_init(&out);
	test_literals();
	test_fields();
	test_all_bytes();
	buffer_release(&out);
	return done_testing();
}

/*
 * test_hex.c
 *		Hexadecimal digits: every byte there and back, both cases, what is none; and
 *		the text of bytea that is made of them.
 */
#include <string.h>

#include "base/hex.h"
#include "tap.h"
#include "text/bytea_text.h"

static void
test_every_byte(void)
{
	unsigned char bytes[256];
	unsigned char back[256];
	char digits[513];
	char expected[513];

	for (int i = 0; i < 256; i++)
	{
		bytes[i] = (unsigned char) i;
		snprintf(expected + 2 * i, 3, "%02x", (unsigned) i);
	}
	*hex_put(digits, bytes, sizeof(bytes)) = '\0';
	is_str(digits, expected, "every byte is two digits");
	ok(hex_get(back, digits, sizeof(back)) &&
		   memcmp(bytes, back, sizeof(bytes)) == 0,
	   "which are the byte");
	for (char *p = digits; *p != '\0'; p++)
		*p = (char) (*p >= 'a' ? *p - 'a' + 'A' : *p);
	ok(hex_get(back, digits, sizeof(back)) &&
		   memcmp(bytes, back, sizeof(bytes)) == 0,
	   "in capitals as well");
}

static void
test_digits(void)
{
	unsigned char byte = 0;
	int known = 0;

	for (int c = -128; c < 128; c++)
		known += hex_digit((char) c) >= 0;
	is_int(known, 22, "nothing else is a digit");
	ok(!hex_get(&byte, "g0", 1), "not the first of two");
	ok(!hex_get(&byte, "0g", 1), "nor the second");
	ok(hex_get(&byte, "", 0), "no bytes have no digits");
}

static bool
parses(Arena *arena, const char *text, Value *value)
{
	return bytea_parse(slice_of(text), arena, value);
}

static void
test_bytea(void)
{
	static const char bytes[] = { 'a', '\0', (char) 0xff };
	Value value = { 0 };
	Arena arena;
	Buffer out;

	arena_init(&arena);
	buffer_init(&out);
	buffer_puts(&out, "=");
	bytea_print(&out, (Slice){ bytes, sizeof(bytes) });
	is_str(out.data, "=\\x6100ff", "it is appended");
	ok(parses(&arena, out.data + 1, &value) && value.len == 3 &&
		   memcmp(value.data, bytes, 3) == 0 && value.data[3] == '\0',
	   "and read, with a NUL behind it");
	ok(parses(&arena, "\\x", &value) && value.len == 0 &&
		   value.state == WIRE_COL_PRESENT,
	   "without bytes, too");
	ok(!parses(&arena, "", &value), "no text is none");
	ok(!parses(&arena, "\\", &value), "nor half of a beginning");
	ok(!parses(&arena, "61", &value), "nor digits alone");
	ok(!parses(&arena, "\\x6", &value), "nor half a byte");
	ok(!parses(&arena, "\\x6g", &value), "nor what is no digit");
	buffer_release(&out);
	arena_release(&arena);
}

int
main(void)
{
	test_every_byte();
	test_digits();
	test_bytea();
	return done_testing();
}

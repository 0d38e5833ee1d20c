/*
 * test_copy_binary.c
 *		Rows in the messages of a COPY TO STDOUT in binary.
 */
#include "postgres/copy_binary.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* what a server sends, from "COPY", file formats, binary format */
#define HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
#define LONG_HEADER "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\3abc"
#define END "\377\377"
#define ROW "\0\1\0\0\0\4\0\0\0\7"
#define NO_COLUMNS "\0\0"

#define HAS_ROW(text) has_row(text, sizeof(text) - 1)

/* Of exactly that size, so that a byte read too many is noticed. */
static bool
has_row(const char *text, size_t len)
{
	char *message = malloc(len > 0 ? len : 1);
	bool result;

	memcpy(message, text, len);
	result = copy_binary_has_row(message, len);
	free(message);
	return result;
}

int
main(void)
{
	bool none = true;

	ok(HAS_ROW(ROW), "a row");
	ok(HAS_ROW(NO_COLUMNS), "one of no columns");
	ok(HAS_ROW(HEADER ROW), "the first, behind the header");
	ok(HAS_ROW(LONG_HEADER ROW), "behind a header with an extension");
	ok(!HAS_ROW(END), "the end");
	ok(!HAS_ROW(HEADER END), "the end of no rows");
	ok(!HAS_ROW(LONG_HEADER END), "the same behind an extension");
	ok(!HAS_ROW(HEADER), "a header alone");
	ok(!HAS_ROW(""), "nothing");
	for (size_t len = 0; len < sizeof(LONG_HEADER) - 1; len++)
		none &= len >= 19 ? !has_row(LONG_HEADER, len) : true;
	ok(none, "a header that is cut off within its extension");
	return done_testing();
}

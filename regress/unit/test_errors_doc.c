/*
 * test_errors_doc.c
 *		doc/errors.md lists every code of the table, as it is, and no other.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"
#include "tap.h"

#define FILE_NAME "../../doc/errors.md"

static void
read_document(Buffer *out)
{
	char chunk[4096];
	size_t len;
	FILE *file = fopen(FILE_NAME, "r");

	while (file != NULL && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, len);
	if (file != NULL)
		fclose(file);
}

/* How many rows of tables begin with a code? */
static int
count_rows(const char *text)
{
	const char *p = text;
	int count = 0;

	while ((p = strstr(p, "\n| P0")) != NULL)
	{
		count++;
		p++;
	}
	return count;
}

int
main(void)
{
	const char *name;
	const char *cause;
	const char *remedy;
	ErrorKind kind;
	Buffer text;
	Buffer row;
	int number;
	int count = 0;

	buffer_init(&text);
	buffer_init(&row);
	read_document(&text);
	ok(text.len > 1000, FILE_NAME " is there");
	for (; error_table_entry(count, &number, &name, &kind, &cause, &remedy);
		 count++)
	{
		Error err = ERROR_INIT;

		error_set(&err, (ErrorCode) number, "x");
		buffer_reset(&row);
		buffer_printf(&row, "\n| P%04d | %d | %s | %s |\n", number,
					  error_exit_code(&err), cause, remedy);
		ok(strstr(text.data, row.data) != NULL, "P%04d %s is as it is in C",
		   number, name);
	}
	is_int(count_rows(text.data), count, "there is no other code");
	buffer_release(&text);
	buffer_release(&row);
	return done_testing();
}

/*
 * fuzz_csv_file.c
 *		libFuzzer target: a CSV file of anything.
 *
 * What is read and written again, every field in quotes, is read as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "text/csv_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rows as CSV; false if it is none. */
static bool
rewrite(const char *data, size_t size, Buffer *out)
{
	CsvFile *csv;
	Error err = ERROR_INIT;
	CsvRow row = { .count = 1 };
	bool good;

	csv = csv_open_stream(fmemopen((void *) data, size, "r"), "fuzz");
	while ((good = csv_next(csv, &row, &err)) && row.count > 0)
	{
		for (int i = 0; i < row.count; i++)
		{
			const Slice *field = &row.fields[i];

			buffer_puts(out, i > 0 ? "," : "");
			if (field->data == NULL)
				continue;
			if (field->data[field->len] != '\0')
				abort();
			buffer_putc(out, '"');
			for (size_t k = 0; k < field->len; k++)
			{
				if (field->data[k] == '"')
					buffer_putc(out, '"');
				buffer_putc(out, field->data[k]);
			}
			buffer_putc(out, '"');
		}
		buffer_putc(out, '\n');
	}
	csv_close(csv);
	if (!good && err.code != P_REFERENCE)
		abort();
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Buffer once;
	Buffer twice;

	if (size == 0)
		return 0;
	buffer_init(&once);
	buffer_init(&twice);
	if (rewrite((const char *) data, size, &once) && once.len > 0)
	{
		if (!rewrite(once.data, once.len, &twice) || once.len != twice.len ||
			memcmp(once.data, twice.data, once.len) != 0)
			abort();
	}
	buffer_release(&once);
	buffer_release(&twice);
	return 0;
}

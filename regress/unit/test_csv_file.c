/*
 * test_csv_file.c
 *		CSV files: what RFC 4180 says, what it leaves open, and what is refused.
 */
#include "text/csv_file.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "tap.h"

/* All rows as "line:[field][field]..." with {} for null; or the error. */
static const char *
read_all(const char *text, size_t len)
{
	static Buffer out;
	static bool begun;
	/* a stream of no bytes cannot be made */
	FILE *file = len > 0 ? fmemopen((void *) text, len, "r")
						 : fopen("/dev/null", "r");
	CsvFile *csv = csv_open_stream(file, "x.csv");
	Error err = ERROR_INIT;
	CsvRow row;

	if (!begun)
		buffer_init(&out);
	begun = true;
	buffer_reset(&out);
	for (;;)
	{
		if (!csv_next(csv, &row, &err))
		{
			buffer_printf(&out, "%s", err.message);
			break;
		}
		if (row.count == 0)
			break;
		buffer_printf(&out, "%d:", row.line);
		for (int i = 0; i < row.count; i++)
		{
			if (row.fields[i].data == NULL)
				buffer_puts(&out, "{}");
			else
				buffer_printf(&out, "[%s]", row.fields[i].data);
		}
	}
	csv_close(csv);
	return out.data;
}

typedef struct Case
{
	const char *text;
	const char *rows;
	const char *what;
} Case;

static const Case cases[] = {
	{ "", "", "nothing" },
	{ "a,b\n1,2\n", "1:[a][b]2:[1][2]", "lines" },
	{ "a,b\r\n1,2\r\n", "1:[a][b]2:[1][2]", "CRLF" },
	{ "a,b\n1,2", "1:[a][b]2:[1][2]", "no line end at the end" },
	{ "a,b\n1,\n", "1:[a][b]2:[1]{}", "an empty field at the end is null" },
	{ "a,b\n,1\n", "1:[a][b]2:{}[1]", "at the beginning" },
	{ ",", "1:{}{}", "two of them, without a line end" },
	{ "a,b\n1,", "1:[a][b]2:[1]{}", "the last byte is a comma" },
	{ "\"\",b\n", "1:[][b]", "quotes around nothing are an empty text" },
	{ "\"\"", "1:[]", "and so is the only one" },
	{ "\"a,b\",c\n", "1:[a,b][c]", "a comma in quotes" },
	{ "\"a\"\"b\"\n", "1:[a\"b]", "a doubled quote" },
	{ "\"\"\"\"\n", "1:[\"]", "nothing but a doubled quote" },
	{ "\"a\nb\",c\nd,e\n", "1:[a\nb][c]3:[d][e]", "a line end in quotes" },
	{ "\"a\r\nb\",c\r\nd,e\r\n", "1:[a\r\nb][c]3:[d][e]",
	  "CRLF in quotes stays" },
	{ "\n\na\n\r\n\nb\n\n", "3:[a]6:[b]", "empty lines are passed over" },
	{ " a , b \n", "1:[ a ][ b ]", "blanks belong to the field" },
	{ "\xEF\xBB\xBFid,x\n", "1:[id][x]", "a byte order mark" },
	{ "\xEF\xBB\xBF\"id\",x\n", "1:[id][x]", "and a quote behind it" },
	{ "\xEF\xBB\xBF", "", "nothing else" },
	{ "a\n\xEF\xBB\xBF\n", "1:[a]2:[\xEF\xBB\xBF]", "only at the beginning" },
	{ "\xEF\xBB", "1:[\xEF\xBB]", "half a mark is none" },
	{ "\\.\n", "1:[\\.]", "backslashes mean nothing" },
	{ "a\n\"b", "1:[a]x.csv:2: a quote is opened and never closed",
	  "an open quote" },
	{ "\"a\n\n\nb", "x.csv:1: a quote is opened and never closed",
	  "is told where it opens" },
	{ "a,b\"c\n",
	  "x.csv:1: a quote within a field that does not begin with one",
	  "a quote in the middle" },
	{ "a\n\"b\"c\n", "1:[a]x.csv:2: text behind a closing quote",
	  "text behind quotes" },
	{ "\"b\" ,c\n", "x.csv:1: text behind a closing quote", "a blank, too" },
	{ "\"b\"\rc\n", "x.csv:1: text behind a closing quote", "a CR, too" },
	{ "a\rb\n", "x.csv:1: a carriage return without a line feed",
	  "a CR alone" },
	{ "a\r", "x.csv:1: a carriage return without a line feed",
	  "at the end, too" },
};

/* A field longer than what is read at a time, ending on each side of it. */
static void
test_long_fields(void)
{
	size_t most = 65536 + 8;
	char *text = malloc(most + 8);
	int wrong = 0;

	for (size_t len = 65536 - 8; len < most; len++)
	{
		FILE *file;
		CsvFile *csv;
		CsvRow row;
		Error err = ERROR_INIT;

		memset(text, 'x', len);
		text[0] = '"';
		memcpy(text + len, "\"\"\",\r\n", 6);
		file = fmemopen(text, len + 6, "r");
		csv = csv_open_stream(file, "long");
		if (!csv_next(csv, &row, &err) || row.count != 2 ||
			row.fields[0].len != len || row.fields[0].data[len - 1] != '"' ||
			row.fields[1].data != NULL || !csv_next(csv, &row, &err) ||
			row.count != 0)
			wrong++;
		csv_close(csv);
	}
	is_int(wrong, 0, "fields across the edge of a block");
	free(text);
}

int
main(void)
{
	Error err = ERROR_INIT;
	CsvFile *csv;
	CsvRow row;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_str(read_all(cases[i].text, strlen(cases[i].text)), cases[i].rows,
			   cases[i].what);
	is_str(read_all("a\0b", 3), "x.csv:1: a NUL byte is no text", "a NUL");
	is_str(read_all("\"a\0b\"", 5), "x.csv:1: a NUL byte is no text",
		   "a NUL in quotes");
	test_long_fields();
	ok(csv_open("/nowhere/x.csv", &err) == NULL && err.code == P_REFERENCE,
	   "a file that is not there");
	has(err.message, "/nowhere/x.csv: No such file", "is named");
	csv = csv_open("/", &err);
	ok(csv != NULL && !csv_next(csv, &row, &err), "what cannot be read");
	is_str(err.message, "/: Is a directory", "is told");
	csv_close(csv);
	return done_testing();
}

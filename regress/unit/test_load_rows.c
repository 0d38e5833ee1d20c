/*
 * test_load_rows.c
 *		Rows of COPY's text format as LOAD DATA is to get them: fields, escapes,
 *		runs of bytes that are left as they are.
 *
 * What is right is said by a second reading of both formats, byte by byte, that
 * has nothing in common with the code under test.
 */
#include <stdlib.h>

#include "mysql/load_rows.h"
#include "tap.h"

#define COLUMNS 7

static ColumnMap columns[COLUMNS] = {
	{ .name = "id", .target = "id", .type = "int", .convert = CONVERT_INTEGER },
	{ .name = "v", .target = "v", .type = "longtext", .convert = CONVERT_TEXT },
	{ .name = "g", .target = "g", .type = "int", .computed = true },
	{ .name = "b",
	  .target = "b",
	  .type = "longblob",
	  .convert = CONVERT_BYTES },
	{ .name = "t",
	  .target = "t",
	  .type = "tinyint(1)",
	  .convert = CONVERT_BOOLEAN },
	{ .name = "at",
	  .target = "at",
	  .type = "datetime(6)",
	  .convert = CONVERT_UTC,
	  .precision = 6 },
	{ .name = "c",
	  .target = "c",
	  .type = "char(5)",
	  .convert = CONVERT_TRIMMED,
	  .policy = LOSS_WARN },
};

static const TableMap map = {
	.oid = 77,
	.schema = "public",
	.name = "t",
	.table = "t",
	.columns = columns,
	.column_count = COLUMNS,
};

static void
set_limits(void)
{
	for (int i = 0; i < COLUMNS; i++)
	{
		columns[i].max_chars = -1;
		columns[i].max_bytes = -1;
	}
	columns[6].max_chars = 5;
}

/* Of what converted() is given; NULL: UTF-8. */
static TextDecoder *decoder;

/* What becomes of rows with these columns; err->message if they are refused. */
static const char *
converted(const char **names, int count, const char *rows, size_t enough)
{
	static char text[4096];
	LossTally *tally = loss_tally_new();
	Slice data = slice_of(rows);
	Error err = ERROR_INIT;
	int64_t total = 0;
	LoadRows self;
	Buffer out;

	buffer_init(&out);
	ok(load_rows_init(&self, &map, names, count, tally, &err), "columns");
	self.decoder = decoder;
	while (!error_is_set(&err) && data.len > 0)
	{
		Buffer block;
		int64_t n;

		buffer_init(&block);
		if (load_rows_convert(&self, &data, enough, &block, &n, &err))
			total += n;
		buffer_append(&out, block.data, block.len);
		buffer_release(&block);
	}
	if (error_is_set(&err))
		snprintf(text, sizeof(text), "%s | %s", err.message, err.detail);
	else
		snprintf(text, sizeof(text), "%d: %s", (int) total, out.data);
	load_rows_release(&self);
	loss_tally_free(tally);
	buffer_release(&out);
	return text;
}

static void
test_fields(void)
{
	static const char *iv[] = { "id", "v" };
	static const char *ig[] = { "id", "g" };
	static const char *gi[] = { "g", "id" };
	static const char *vgi[] = { "v", "g", "id" };
	static const char *tatb[] = { "t", "at", "b" };
	static const char *civ[] = { "c", "id", "v" };
	static const char *v[] = { "v" };

	is_str(converted(iv, 2, "1\tone\n2\t\\N\n3\t\n", 1000),
		   "3: 1\tone\n2\t\\N\n3\t\n", "what is the same stays");
	is_str(converted(iv, 2, "1\ta\\tb\\nc\\\\d\\re\\bf\n", 1000),
		   "1: 1\ta\\tb\\nc\\\\d\re\bf\n", "escapes that mean the same");
	is_str(converted(iv, 2, "1\tx\\vy\\fz\n2\tw\n", 1000),
		   "2: 1\tx\vy\fz\n2\tw\n", "and those that do not");
	is_str(converted(v, 1, "\n\\N\nN\n\\\\N\n", 1000), "4: \n\\N\nN\n\\\\N\n",
		   "NULL is not the text \\N");
	is_str(converted(ig, 2, "1\t5\n2\t6\n", 1000), "2: 1\n2\n",
		   "the last column is computed");
	is_str(converted(gi, 2, "5\t1\n6\t2\n", 1000), "2: 1\n2\n",
		   "the first one is");
	is_str(converted(vgi, 3, "a\\v\t5\t1\nb\t\\N\t2\n", 1000),
		   "2: a\v\t1\nb\t2\n", "one in the middle");
	is_str(converted(tatb, 3,
					 "t\t2024-02-29 01:02:03.5+00\t\\\\x00ff090a5c41\n"
					 "f\t\\N\t\\N\n",
					 1000),
		   "2: 1\t2024-02-29 01:02:03.5\t\\0\xff\\t\\n\\\\A\n0\t\\N\t\\N\n",
		   "values of other forms");
	is_str(converted(civ, 3, "ab   \t7\tz\n", 1000), "1: ab\t7\tz\n",
		   "a field that loses its end");
	is_str(converted(civ, 3, "a\\\\\t7\tz\n\\\\b  \t8\ty\n", 1000),
		   "2: a\\\\\t7\tz\n\\\\b\t8\ty\n", "a backslash at either end");
	for (size_t enough = 1; enough < 40; enough += 7)
		is_str(converted(iv, 2, "1\tone\n2\t\\v\n3\tx\n", enough),
			   "3: 1\tone\n2\t\v\n3\tx\n", "in blocks");
}

static void
test_refused(void)
{
	static const char *iv[] = { "id", "v" };
	static const char *it[] = { "id", "t" };
	static const char *unknown[] = { "id", "new" };
	const char *said;
	LoadRows self;
	Error err = ERROR_INIT;

	said = converted(iv, 2, "1\tone\n2\n", 1000);
	has(said, "does not have 2 columns", "too few columns");
	said = converted(iv, 2, "1\tone\ttwo\n", 1000);
	has(said, "does not have 2 columns", "too many");
	said = converted(iv, 2, "1\tone", 1000);
	has(said, "does not have 2 columns", "no newline");
	said = converted(it, 2, "1\tt\n2\tx\n", 1000);
	has(said, "column t", "a value that is none");
	has(said, "Row (id, t)=(2, x).", "and which row it is");
	ok(!load_rows_init(&self, &map, unknown, 2, NULL, &err) &&
		   err.code == P_SCHEMA_DIFFERS,
	   "a column that the map does not know");
	load_rows_release(&self);
}

/* Values are decoded one by one, so that each column's policy answers. */
static void
test_encodings(void)
{
	static const char *ivc[] = { "id", "v", "c" };
	Error err = ERROR_INIT;

	ok(text_decoder_open("LATIN1", &decoder, &err), "a decoder");
	is_str(converted(ivc, 3, "1\tna\xEFve\t\xE4\\t\\\\ \n", 1000),
		   "1: 1\tna\xC3\xAFve\t\xC3\xA4\\t\\\\\n", "another encoding");
	has(converted(ivc, 3, "1\tna\xEFve\tx\nx\ty\tz\n", 1000),
		"column id: \"x\" is not an integer", "a row that is refused");
	text_decoder_close(decoder);
	ok(text_decoder_open("SQL_ASCII", &decoder, &err), "a validator");
	is_str(converted(ivc, 3, "1\ta\xC3\xA4\ta\xE4\n", 1000),
		   "1: 1\ta\xC3\xA4\ta?\n", "no text, which the column lets pass");
	is_str(
		converted(ivc, 3, "1\ta\xE4\tx\n", 1000),
		"column v: encoding: \"a\\xe4\" is not valid text, as longtext needs "
		"it | Row (id, v, c)=(1, ?, x).",
		"no text, which it does not");
	text_decoder_close(decoder);
	decoder = NULL;
}

static void
test_names(void)
{
	static const char *iv[] = { "id", "g", "v" };
	Slice row = slice_of("5\t9\ta\\tb\n");
	Slice written = slice_of("5\ta\\tb\n");
	Error err = ERROR_INIT;
	LoadRows self;
	Buffer out;

	buffer_init(&out);
	ok(load_rows_init(&self, &map, iv, 3, NULL, &err), "columns");
	load_rows_name(&self, row, false, &out);
	is_str(out.data, "(id, g, v)=(5, 9, a\tb)", "a row without a key");
	buffer_reset(&out);
	load_rows_name(&self, written, true, &out);
	is_str(out.data, "(id, v)=(5, a\tb)", "as it is written");
	self.columns[2].key = true;
	buffer_reset(&out);
	load_rows_name(&self, row, false, &out);
	is_str(out.data, "(v)=(a\tb)", "by its key");
	buffer_reset(&out);
	load_rows_name(&self, written, true, &out);
	is_str(out.data, "(v)=(a\tb)", "the same as it is written");
	is_str(load_rows_written(&self, 1)->map->name, "v",
		   "the second that is written");
	ok(load_rows_written(&self, 2) == NULL, "and there is no third");
	load_rows_release(&self);
	buffer_release(&out);
}

/* A field's bytes as COPY (copy) or LOAD DATA read them; false for NULL. */
static bool
read_field(const char **p, bool copy, Buffer *out)
{
	const char *s = *p;

	buffer_reset(out);
	if (s[0] == '\\' && s[1] == 'N' && (s[2] == '\t' || s[2] == '\n'))
	{
		*p = s + 2;
		return false;
	}
	for (; *s != '\t' && *s != '\n'; s++)
	{
		char c = *s;

		if (c == '\\')
		{
			c = *++s;
			if (c == 'n')
				c = '\n';
			else if (c == 't')
				c = '\t';
			else if (c == 'r')
				c = '\r';
			else if (c == 'b')
				c = '\b';
			else if (copy && c == 'f')
				c = '\f';
			else if (copy && c == 'v')
				c = '\v';
			else if (!copy && c == '0')
				c = '\0';
			else if (!copy && c == 'Z')
				c = '\x1a';
		}
		buffer_putc(out, c);
	}
	*p = s;
	return true;
}

/* Random texts, with much that is escaped, in columns that keep all of it. */
static void
test_random(unsigned int seed)
{
	static const char pieces[][3] = { "a",	  "b",	 "\\t", "\\n", "\\\\",
									  "\\v",  "\\f", "\\b", "\\r", "N",
									  "\x01", "é",	 "0",	"Z",   "\\\\" };
	static const char *vv[] = { "v", "v", "v" };
	LossTally *tally = loss_tally_new();
	Error err = ERROR_INIT;
	bool same = true;
	LoadRows self;
	Buffer rows;
	Buffer out;
	Buffer want;
	Buffer got;
	int64_t n;

	buffer_init(&rows);
	buffer_init(&out);
	buffer_init(&want);
	buffer_init(&got);
	ok(load_rows_init(&self, &map, vv, 3, tally, &err), "columns");
	for (int i = 0; i < 2000; i++)
		for (int k = 0; k < 3; k++)
		{
			int len = rand_r(&seed) % 30;

			if (len == 3)
				buffer_puts(&rows, "\\N");
			else
				while (len-- > 0)
					buffer_puts(&rows, pieces[rand_r(&seed) % 15]);
			buffer_putc(&rows, k == 2 ? '\n' : '\t');
		}
	Slice data = { rows.data, rows.len };
	ok(load_rows_convert(&self, &data, SIZE_MAX, &out, &n, &err) && n == 2000,
	   "2000 rows");

	const char *p = rows.data;
	const char *q = out.data;
	while (same && *p != '\0')
	{
		bool value = read_field(&p, true, &want);

		same = read_field(&q, false, &got) == value && want.len == got.len &&
			   memcmp(want.data, got.data, got.len) == 0 && *p++ == *q++;
	}
	ok(same && *q == '\0', "read the same by the other format's rules");
	load_rows_release(&self);
	loss_tally_free(tally);
	buffer_release(&rows);
	buffer_release(&out);
	buffer_release(&want);
	buffer_release(&got);
}

static void
test_split(void)
{
	Slice rows = slice_of("1\ta\\\nb\n2\tx\\\\\n\n3\ty\n");
	Slice field;
	Slice row;

	/* a newline behind a backslash is none: COPY does not write that */
	is_int(load_rows_length(rows, 1), 7, "a row's length");
	is_int(load_rows_length(rows, 2), 13, "that of two");
	is_int(load_rows_length(rows, 9), rows.len, "and not more than all");
	row = load_row_next(&rows);
	ok(load_field_next(&row, &field) && field.len == 1, "its first field");
	ok(load_field_next(&row, &field) && field.len == 4, "its second");
	ok(!load_field_next(&row, &field), "and no third");
	row = load_row_next(&rows);
	row = load_row_next(&rows);
	ok(load_field_next(&row, &field) && field.len == 0, "an empty row");
	ok(!load_field_next(&row, &field), "has one field");
}

int
main(void)
{
	set_limits();
	test_split();
	test_fields();
	test_refused();
	test_encodings();
	test_names();
	for (unsigned int seed = 1; seed <= 20; seed++)
		test_random(seed);
	return done_testing();
}

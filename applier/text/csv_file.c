/*
 * csv_file.c
 *		See csv_file.h.
 *
 * The bytes of a row lie behind each other in one buffer, each field with a NUL
 * behind it; while that grows, fields are known by where they begin.
 */
#include "text/csv_file.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/mem.h"

typedef struct CsvField
{
	size_t start;
	size_t len;
	bool null;
} CsvField;

struct CsvFile
{
	FILE *file;
	char *name;
	int line; /* that the next byte is on */
	Buffer text;
	CsvField *fields;
	Slice *slices; /* the same once the row is complete */
	int count;
	int capacity;
	size_t at; /* of the next byte in block */
	size_t have;
	bool begun;
	unsigned char block[65536];
};

/* What a field ends with. */
typedef enum CsvEnd
{
	END_FIELD,
	END_ROW,
	END_FILE,
	END_WRONG
} CsvEnd;

CsvFile *
csv_open_stream(FILE *file, const char *name)
{
	CsvFile *csv = mem_zalloc(sizeof(*csv));

	csv->file = file;
	csv->name = mem_strdup(name);
	csv->line = 1;
	buffer_init(&csv->text);
	return csv;
}

CsvFile *
csv_open(const char *path, Error *err)
{
	FILE *file = fopen(path, "re");

	if (file != NULL)
		return csv_open_stream(file, path);
	error_set(err, P_REFERENCE, "%s: %s", path, strerror(errno));
	return NULL;
}

void
csv_close(CsvFile *csv)
{
	if (csv == NULL)
		return;
	fclose(csv->file);
	buffer_release(&csv->text);
	mem_free(csv->fields);
	mem_free(csv->slices);
	mem_free(csv->name);
	mem_free(csv);
}

static CsvEnd
wrong(const CsvFile *csv, const char *what, Error *err)
{
	error_set(err, P_REFERENCE, "%s:%d: %s", csv->name, csv->line, what);
	return END_WRONG;
}

/* More bytes; a byte order mark at the very beginning is passed over. */
static bool
fill(CsvFile *csv)
{
	csv->have = fread(csv->block, 1, sizeof(csv->block), csv->file);
	csv->at = !csv->begun && csv->have >= 3 && csv->block[0] == 0xEF &&
					  csv->block[1] == 0xBB && csv->block[2] == 0xBF
				  ? 3
				  : 0;
	csv->begun = true;
	return csv->at < csv->have;
}

/* EOF at the end, and where reading fails. */
static int
next_byte(CsvFile *csv)
{
	if (csv->at == csv->have && !fill(csv))
		return EOF;
	return csv->block[csv->at++];
}

/* The byte that was read last comes again. */
static void
put_back(CsvFile *csv, int byte)
{
	if (byte != EOF)
		csv->at--;
}

static bool
keep_byte(CsvFile *csv, int byte)
{
	buffer_putc(&csv->text, (char) byte);
	return csv->text.len <= CSV_ROW_MAX;
}

/* Behind a field: a comma, the end of a line, or of the file. */
static bool
is_end(CsvFile *csv, int byte, CsvEnd *end)
{
	int next;

	switch (byte)
	{
		case ',':
			*end = END_FIELD;
			return true;
		case EOF:
			*end = END_FILE;
			return true;
		case '\r':
			next = next_byte(csv);
			if (next != '\n')
			{
				put_back(csv, next);
				return false;
			}
			*end = END_ROW;
			return true;
		case '\n':
			*end = END_ROW;
			return true;
		default:
			return false;
	}
}

/* The opening quote was read. */
static CsvEnd
quoted_field(CsvFile *csv, Error *err)
{
	int opened = csv->line;
	CsvEnd end;
	int byte;

	for (;;)
	{
		byte = next_byte(csv);
		if (byte == '"')
		{
			byte = next_byte(csv);
			if (byte != '"')
				break;
		}
		else if (byte == EOF)
		{
			csv->line = opened;
			return wrong(csv, "a quote is opened and never closed", err);
		}
		else if (byte == '\0')
			return wrong(csv, "a NUL byte is no text", err);
		csv->line += byte == '\n';
		if (!keep_byte(csv, byte))
		{
			csv->line = opened;
			return wrong(csv, "a row of more than 64 MB", err);
		}
	}
	return is_end(csv, byte, &end)
			   ? end
			   : wrong(csv, "text behind a closing quote", err);
}

/* byte is its first, or what it ends with. */
static CsvEnd
plain_field(CsvFile *csv, int byte, Error *err)
{
	CsvEnd end;

	while (!is_end(csv, byte, &end))
	{
		if (byte == '"')
			return wrong(csv,
						 "a quote within a field that does not begin with one",
						 err);
		if (byte == '\0')
			return wrong(csv, "a NUL byte is no text", err);
		if (byte == '\r')
			return wrong(csv, "a carriage return without a line feed", err);
		if (!keep_byte(csv, byte))
			return wrong(csv, "a row of more than 64 MB", err);
		byte = next_byte(csv);
	}
	return end;
}

static CsvField *
add_field(CsvFile *csv)
{
	if (csv->count == csv->capacity)
	{
		csv->capacity = csv->capacity * 2 + 16;
		csv->fields = mem_realloc(csv->fields, (size_t) csv->capacity *
												   sizeof(*csv->fields));
		csv->slices = mem_realloc(csv->slices, (size_t) csv->capacity *
												   sizeof(*csv->slices));
	}
	return &csv->fields[csv->count++];
}

static CsvEnd
read_field(CsvFile *csv, Error *err)
{
	CsvField *field = add_field(csv);
	int byte = next_byte(csv);
	CsvEnd end;

	field->start = csv->text.len;
	end = byte == '"' ? quoted_field(csv, err) : plain_field(csv, byte, err);
	field->len = csv->text.len - field->start;
	field->null = byte != '"' && field->len == 0;
	buffer_putc(&csv->text, '\0');
	return end;
}

bool
csv_next(CsvFile *csv, CsvRow *row, Error *err)
{
	CsvEnd end;

	do
	{
		buffer_reset(&csv->text);
		csv->count = 0;
		row->line = csv->line;
		do
			end = read_field(csv, err);
		while (end == END_FIELD);
		if (end == END_WRONG)
			return false;
		csv->line += end == END_ROW;
		/* an empty line has one field, which is empty */
	} while (end == END_ROW && csv->count == 1 && csv->fields[0].null);
	if (ferror(csv->file))
		return error_set(err, P_REFERENCE, "%s: %s", csv->name,
						 strerror(errno));
	if (csv->count == 1 && csv->fields[0].null)
		csv->count = 0;
	for (int i = 0; i < csv->count; i++)
		csv->slices[i] = (Slice){ csv->fields[i].null
									  ? NULL
									  : csv->text.data + csv->fields[i].start,
								  csv->fields[i].len };
	row->fields = csv->slices;
	row->count = csv->count;
	return true;
}

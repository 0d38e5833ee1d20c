/*
 * csv_file.h
 *		Rows of a CSV file, one after the other.
 *
 * RFC 4180, read as PostgreSQL's COPY reads it: fields are separated by commas, one
 * in quotes may hold commas, quotes (doubled) and line ends; lines end with LF or
 * CRLF.  An empty field is null, "" is an empty text.  A byte order mark at the
 * beginning and empty lines are passed over.  What is ambiguous is refused: a quote
 * within a field without quotes, text behind a closing quote, a CR alone, a NUL.
 */
#ifndef PORTAGE_CSV_FILE_H
#define PORTAGE_CSV_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/slice.h"

/* Longest row: a quote that is never closed must not take all memory. */
#define CSV_ROW_MAX (64 * 1024 * 1024)

typedef struct CsvFile CsvFile;

typedef struct CsvRow
{
	const Slice *fields; /* data is NULL where it is null; a NUL behind each */
	int count;
	int line; /* where it begins, from 1 */
} CsvRow;

/* P_REFERENCE if it cannot be opened. */
CsvFile *csv_open(const char *path, Error *err);

/* Of what is open already, which is closed with it; name is for messages. */
CsvFile *csv_open_stream(FILE *file, const char *name);
void csv_close(CsvFile *csv); /* NULL is fine */

/*
 * The next row, valid until the next call; count is 0 at the end.  P_REFERENCE
 * with file and line; then nothing more can be read.
 */
bool csv_next(CsvFile *csv, CsvRow *row, Error *err) MUST_CHECK;

#endif /* PORTAGE_CSV_FILE_H */

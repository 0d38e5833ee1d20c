/*
 * load_rows.h
 *		Rows of COPY's text format as rows for LOAD DATA: pure.
 *
 * Each value is converted as the table's map says.
 */
#ifndef PORTAGE_LOAD_ROWS_H
#define PORTAGE_LOAD_ROWS_H

#include "mysql/convert.h"
#include "text/load_text.h"
#include "mysql/table_map.h"

typedef struct LoadColumn
{
	const ColumnMap *map;
	bool key; /* part of the target's primary key: names a row */
} LoadColumn;

typedef struct LoadRows
{
	const TableMap *map;
	LoadColumn *columns; /* of the fields, in order */
	int column_count;
	int written; /* how many of them are written */
	LossTally *tally;
	TextDecoder *decoder; /* the owner's to set; NULL: rows are UTF-8 */
	Buffer plain;		  /* a field without its escapes */
	Buffer decoded;		  /* the same in UTF-8 */
	Buffer scratch;		  /* what conversion makes of it */
} LoadRows;

/*
 * For rows with these columns of the source.  map and tally have to live as long.
 * P_SCHEMA_DIFFERS if the map does not know one of them.
 */
bool load_rows_init(LoadRows *self, const TableMap *map, const char **columns,
					int count, LossTally *tally, Error *err) MUST_CHECK;
void load_rows_release(LoadRows *self); /* zeroed is fine */

/*
 * Append rows of data to out until that has enough bytes or data is used up: what
 * is used is taken off data.  *rows counts them.  P_VALUE with the row's key and
 * the value, P_COPY if it is not what COPY writes.
 */
bool load_rows_convert(LoadRows *self, Slice *data, size_t enough, Buffer *out,
					   int64_t *rows, Error *err) MUST_CHECK;

/*
 * "(id)=(5)": the row's key, or its first columns where the target has none.
 * written: the row is as load_rows_convert() has left it.
 */
void load_rows_name(const LoadRows *self, Slice row, bool written, Buffer *out);

/* A field's value, cut, or NULL: for people. */
void load_field_show(Buffer *out, Slice field);

/* The columns that are written, by number, from 0; NULL at the end. */
const LoadColumn *load_rows_written(const LoadRows *self, int number);

#endif /* PORTAGE_LOAD_ROWS_H */

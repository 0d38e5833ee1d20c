/*
 * row_sql.h
 *		One change of the source as one statement for MySQL or MariaDB, and the
 *		literals that all statements are made of.
 *
 * Columns are matched by their number on the source; what the target computes is
 * left out, and so is what the WAL does not carry (unchanged TOAST).  Rows are
 * found by the columns of the identity; without any, by the whole row as it was.
 * Each statement has to affect exactly one row.
 */
#ifndef PORTAGE_ROW_SQL_H
#define PORTAGE_ROW_SQL_H

#include "change.h"
#include "mysql/convert.h"

/* A column of a relation, and where its values go. */
typedef struct RowColumn
{
	const ColumnMap *map; /* NULL: its values never travel */
	Slice name;			  /* quoted */
	bool written;		  /* else the target computes it */
	bool key;			  /* of the identity */
	bool bytes;			  /* comes as its bytes, not as text */
	bool json;			  /* of a type JSON that is no text */
} RowColumn;

/* Where the rows of a relation go.  Points into the relation and the map. */
typedef struct RowTable
{
	const Relation *relation;
	const TableMap *map;
	Slice name;			/* quoted, with its database */
	RowColumn *columns; /* in the relation's order */
	int first_written;	/* the first of these, -1: none */
} RowTable;

/*
 * Allocated in arena.  P_SCHEMA_DIFFERS if the target has no column for one of
 * the relation's.
 */
bool row_table_init(RowTable *table, const Relation *relation,
					const TableMap *map, Arena *arena, Error *err) MUST_CHECK;

/* Its values come as bytes, whatever their types on the source are. */
void row_table_as_bytes(RowTable *table);

/* What statements are written with; of one thread at a time. */
typedef struct RowWriter RowWriter;

/*
 * encoding: of the values, TargetConfig.encoding.  Losses that are allowed are
 * added to the tally, which lives longer.  NULL: P_SERVER_SETUP.
 */
RowWriter *row_writer_new(const char *encoding, LossTally *losses, Error *err);
void row_writer_free(RowWriter *writer); /* NULL is fine */

/* How a value is used: only one that is written can lose something. */
typedef enum ValueUse
{
	VALUE_WRITTEN,
	VALUE_COMPARED
} ValueUse;

/*
 * Append the literal of the i-th column's value, which is PRESENT or NULL.  With
 * table and column, but not the row, in an error: P_VALUE.
 */
bool
row_literal(RowWriter *writer, const RowTable *table, int i, const Value *value,
			ValueUse use, Buffer *sql, Error *err) MUST_CHECK;

/* The same as a field of LOAD DATA, which is written. */
bool row_field(RowWriter *writer, const RowTable *table, int i,
			   const Value *value, Buffer *line, Error *err) MUST_CHECK;

/* Append " WHERE k = ... AND ...", by the identity's columns of a row. */
bool row_where_key(RowWriter *writer, const RowTable *table, const Value *row,
				   Buffer *sql, Error *err) MUST_CHECK;

/* Does the change say what this column becomes, for us to write? */
bool row_column_carried(const RowTable *table, const Change *change, int i);

/*
 * Append the statement for an INSERT, UPDATE, DELETE or maybe-delete, without a
 * ';'.  The error names the row.  (All others: row_change.h.)
 */
bool row_statement(RowWriter *writer, const RowTable *table, const Txn *txn,
				   const Change *change, Buffer *sql, Error *err) MUST_CHECK;

#endif /* PORTAGE_ROW_SQL_H */

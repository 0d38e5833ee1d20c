/*
 * shown_table.h
 *		A table as the server itself shows it: SHOW COLUMNS, INDEX, CREATE TABLE.
 */
#ifndef PORTAGE_SHOWN_TABLE_H
#define PORTAGE_SHOWN_TABLE_H

#include "base/arena.h"
#include "mysql/mysql_conn.h"

typedef struct ShownColumn
{
	const char *name;
	const char *type;
	const char *collation; /* "" if it has none */
	bool nullable;
	const char *default_sql; /* NULL: none */
	const char *extra;		 /* of what matters, "" if nothing does */
	bool auto_increment;
	bool generated;
} ShownColumn;

typedef struct ShownIndex
{
	const char *name;
	const char *columns; /* "a, b(10) DESC" */
	bool unique;
} ShownIndex;

typedef struct ShownTable
{
	ShownColumn *columns;
	int column_count;
	ShownIndex *indexes;
	int index_count;
	const char *create_sql;
} ShownTable;

/* table: quoted.  All of it is in the arena. */
bool shown_table_read(MyConn *conn, Arena *arena, const char *table,
					  ShownTable *shown, Error *err) MUST_CHECK;
/* Only the indexes. */
bool shown_indexes_read(MyConn *conn, Arena *arena, const char *table,
						ShownTable *shown, Error *err) MUST_CHECK;

/* By name; or NULL. */
const ShownColumn *shown_column(const ShownTable *table, const char *name);
const ShownIndex *shown_index(const ShownTable *table, const char *name);

/* The expression of a generated column, as the server prints it, or "". */
const char *
shown_generated(const ShownTable *table, const char *name, Arena *arena);

#endif /* PORTAGE_SHOWN_TABLE_H */

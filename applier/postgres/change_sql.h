/*
 * change_sql.h
 *		The SQL that carries out a single change, and the pieces that it is made
 *		of.
 *
 *		change_sql.c	INSERT, UPDATE and DELETE of one row
 *		tolerant_sql.c	what rules make of rows that may be there or not
 */
#ifndef PORTAGE_CHANGE_SQL_H
#define PORTAGE_CHANGE_SQL_H

#include "base/arena.h"
#include "postgres/statement_pg.h"

/* What is being built. */
typedef struct ChangeSql
{
	const Relation *relation;
	Buffer sql; /* the caller's to release */
	ParamRef *params;
	int *formats; /* 1 for bytea, else 0 */
	int count;
} ChangeSql;

/*
 * Build it; params and formats are in the arena.  keyed: the key's columns are
 * known to have an immediate unique index of their own (PlanTable.keyed).
 */
void change_sql(ChangeSql *b, Arena *arena, const Change *change, bool keyed);

/* ---- pieces */

/* Does the new tuple say what this column becomes? */
bool change_sql_carries(const Change *change, int column);

/* " = $1" and the like: the value of the old or new tuple. */
void change_sql_param(ChangeSql *b, bool old, int column);

/* "(a, b)" of the columns that the new tuple carries; "$1, $2" for them. */
void change_sql_columns(ChangeSql *b, const Change *change);
void change_sql_values(ChangeSql *b, const Change *change);

/* "column = $1", as the column's type compares. */
void change_sql_equals(ChangeSql *b, bool old, int column);

/* " WHERE " the key, or without one the image of the whole row. */
void change_sql_where(ChangeSql *b, bool old);

/*
 * "a = $1, b = $2" of the columns that wanted chooses among those of the new tuple.
 * If there are none "a = a": nothing to set, but the row is to be there.
 */
typedef bool (*ColumnChoice)(const Change *change, int column);
void change_sql_set(ChangeSql *b, const Change *change, ColumnChoice wanted);

/* That "a = a". */
void change_sql_no_change(ChangeSql *b);

/* ---- tolerant_sql.c: PUT, MAYBE_DELETE, MATCH, INSERT with a conflict rule */
void tolerant_sql(ChangeSql *b, const Change *change, bool keyed);

#endif /* PORTAGE_CHANGE_SQL_H */

/*
 * sql_columns.h
 *		Columns in texts of a source's catalog, where a table has them under other
 *		names or not at all.
 *
 * Expressions are never rewritten: one that speaks of such a column is said to,
 * and whoever asks leaves it out.  What is taken for a column may be a function of
 * the same name; then something is left out that need not have been, never the
 * other way round.
 */
#ifndef PORTAGE_SQL_COLUMNS_H
#define PORTAGE_SQL_COLUMNS_H

#include "base/arena.h"
#include "base/buffer.h"

typedef struct SqlColumns
{
	const char *table;	/* a whole row of it has all columns */
	const char **names; /* of the source's columns */
	const char **now; /* what each is called; NULL: it is not there any more */
	int count;
} SqlColumns;

/* Append a name as PostgreSQL reads it, whatever is in it. */
void sql_put_name(Buffer *out, const char *name);
void sql_put_table(Buffer *out, const char *schema, const char *name);

/* What a column is called now; NULL: it is not there, or never was. */
const char *sql_column_now(const SqlColumns *columns, const char *name);

/*
 * A word in the expression that means something else now, or nothing; NULL: it
 * holds as it is.
 */
const char *sql_first_changed(const SqlColumns *columns, const char *sql);

/*
 * The lists of columns in pg_get_indexdef() or pg_get_constraintdef() with the
 * names of now, from "USING" or the constraint's first word on; expressions among
 * them must hold as they are.  NULL with *gone if one is not there any more.
 */
const char *sql_index_columns(const SqlColumns *columns, const char *definition,
							  Arena *arena, const char **gone);

#endif /* PORTAGE_SQL_COLUMNS_H */

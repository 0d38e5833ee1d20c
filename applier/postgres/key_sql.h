/*
 * key_sql.h
 *		How SQL finds a row by a column of its key.
 */
#ifndef PORTAGE_KEY_SQL_H
#define PORTAGE_KEY_SQL_H

#include "base/buffer.h"
#include "change.h"

/* The type that columns of the key are compared as: domains unwrapped. */
void key_sql_type(Buffer *sql, const Column *column);

/*
 * Append "left = right" for that column of the relation; left is how the
 * statement names the column, right a parameter or an expression.
 */
void key_sql_equals(Buffer *sql, const Relation *relation, int column,
					const char *left, const char *right);

/*
 * An operator of the column's type, blanks around it: the session's search_path is
 * pg_catalog.
 */
void key_sql_operator(Buffer *sql, const Column *column, const char *name);

/*
 * " ON CONFLICT (key) DO UPDATE SET ..." of an INSERT INTO ... AS t: what is there
 * becomes what was to be inserted, in these columns (a bit each) but for the key;
 * columns NULL: " ... DO NOTHING".
 */
void
key_sql_conflict(Buffer *sql, const Relation *relation, const uint8_t *columns);

#endif /* PORTAGE_KEY_SQL_H */

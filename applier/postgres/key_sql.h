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

#endif /* PORTAGE_KEY_SQL_H */

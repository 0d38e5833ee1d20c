/*
 * translate_expr.h
 *		An expression of PostgreSQL as one of MySQL or MariaDB that means the same
 *		for every row, or none at all.
 *
 * Equality of text is byte by byte on both sides, its order only where the
 * source's collation is C; what differs between the servers in any value is
 * refused: division of decimals, regular expressions, casts that round, times
 * with a zone.  Case mapping outside of ASCII may differ, and is said so.
 */
#ifndef PORTAGE_TRANSLATE_EXPR_H
#define PORTAGE_TRANSLATE_EXPR_H

#include "mysql/pg_expr.h"
#include "mysql/translate_parts.h"

/* What the names in it mean. */
typedef struct ExprScope
{
	const WorkTable *table;
	const WorkColumn *value; /* VALUE of a domain's CHECK; or NULL */
	bool utf8;				 /* the source's bytes are the target's */
	bool md5;				 /* the target has it built in */
	Arena *arena;
} ExprScope;

typedef struct ExprSql
{
	const char *sql;
	Family family;
	int precision; /* of DECIMAL */
	int scale;
	int64_t length;				/* of TEXT: characters at most; -1 unknown */
	bool approximate;			/* lower(), upper(): as the server folds case */
	const WorkColumn *uses[16]; /* columns that it speaks of */
	int use_count;
	const char *why; /* it cannot be translated */
} ExprSql;

/* False with .why set. */
bool expr_translate(const ExprScope *scope, const char *expression,
					ExprSql *out) MUST_CHECK;

/* The same, of a condition: its family is BOOLEAN. */
bool expr_translate_condition(const ExprScope *scope, const char *expression,
							  ExprSql *out) MUST_CHECK;

/* The column in an expression. */
const char *column_expr(const WorkColumn *column, Arena *arena);

bool expr_sql_uses(const ExprSql *expr, const WorkColumn *column);

/* Does it speak of a column that AUTO_INCREMENT fills? */
bool expr_uses_auto_increment(const ExprSql *expr);

#endif /* PORTAGE_TRANSLATE_EXPR_H */

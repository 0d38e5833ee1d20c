/*
 * pg_expr.h
 *		Expressions as PostgreSQL's catalog prints them, as trees.
 *
 * What pg_get_expr() and its kin say of defaults, CHECKs, generated columns and
 * predicates: a language that is known, and of which this reads the part that
 * another server could have a word for.  Anything else is "cannot", never a
 * guess.  Pure; whatever the text is, depth and size are bounded.
 */
#ifndef PORTAGE_PG_EXPR_H
#define PORTAGE_PG_EXPR_H

#include <stdbool.h>

#include "base/arena.h"

typedef enum PgExprKind
{
	PG_EXPR_TEXT,	  /* text: a string constant, unescaped */
	PG_EXPR_BITS,	  /* text: of B'0101' */
	PG_EXPR_NUMBER,	  /* text: as it is written */
	PG_EXPR_NULL,	  /* NULL */
	PG_EXPR_BOOLEAN,  /* value */
	PG_EXPR_NAME,	  /* text: a column, or VALUE of a domain */
	PG_EXPR_CALL,	  /* text: a function's name, with its schema unless
					   * that is pg_catalog; args */
	PG_EXPR_WORD,	  /* text: CURRENT_DATE and the like, in capitals */
	PG_EXPR_OPERATOR, /* text: of one or two args */
	PG_EXPR_ANY,   /* text: an operator; args[0] op ANY (args[1]); value: ALL */
	PG_EXPR_ARRAY, /* ARRAY[args] */
	PG_EXPR_AND,   /* two args */
	PG_EXPR_OR,	   /* two args */
	PG_EXPR_NOT,   /* one arg */
	PG_EXPR_IS,	   /* args[0] IS text; value: IS NOT.  NULL, TRUE, ... */
	PG_EXPR_DISTINCT, /* args[0] IS DISTINCT FROM args[1]; value: IS NOT */
	PG_EXPR_CAST,	  /* args[0]::text; a type's name with its modifiers */
	PG_EXPR_COLLATE,  /* args[0] COLLATE text */
	PG_EXPR_CASE	  /* WHEN, THEN in pairs, then ELSE or nothing; value: the
					   * first arg is what is compared */
} PgExprKind;

typedef struct PgExpr
{
	PgExprKind kind;
	const char *text;
	bool value;
	bool quoted; /* a name in quotes: no keyword */
	struct PgExpr **args;
	int arg_count;
} PgExpr;

/* NULL if it is not understood; *why says where, in a few words. */
const PgExpr *pg_expr_parse(const char *sql, Arena *arena, const char **why);

/* Below casts and COLLATE. */
const PgExpr *pg_expr_bare(const PgExpr *expr);

/* Is it a call of this function with so many arguments? */
bool pg_expr_is_call(const PgExpr *expr, const char *name, int arg_count);

#endif /* PORTAGE_PG_EXPR_H */

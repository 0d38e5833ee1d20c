/*
 * pg_expr_parse.h
 *		PostgreSQL's expressions while they are read: what the files share.
 *
 *		pg_expr_scan.c		words and signs
 *		pg_expr.c			a whole text; nodes of the tree
 *		pg_expr_operator.c	operators, by precedence
 *		pg_expr_operand.c	what they stand between: constants, columns, calls
 *		pg_expr_type.c		names of types, behind ::
 *
 * Whatever answers with NULL or false has been refused, and parser->why says why.
 */
#ifndef PORTAGE_PG_EXPR_PARSE_H
#define PORTAGE_PG_EXPR_PARSE_H

#include "mysql/pg_expr.h"
#include "mysql/pg_expr_scan.h"

typedef struct PgParser
{
	Scanner scan;
	Arena *arena;
	int depth;
	int nodes;
	const char *why; /* set once: it is over */
} PgParser;

/* ---- pg_expr.c */

/* Always NULL; the first reason counts. */
PgExpr *pg_parse_refuse(PgParser *self, const char *what);
bool pg_parse_sign(PgParser *self, const char *sign);

PgExpr *
pg_parse_node(PgParser *self, PgExprKind kind, const char *text, int arg_count);
/* Of one argument, or of two; NULL if there is no first one. */
PgExpr *pg_parse_node_of(PgParser *self, PgExprKind kind, const char *text,
						 PgExpr *first, PgExpr *second);
bool pg_parse_add(PgParser *self, PgExpr *expr, PgExpr *arg);

/* ---- pg_expr_operator.c: anything at all */
PgExpr *pg_parse_expr(PgParser *self);

/* ---- pg_expr_operand.c: with its casts and its COLLATE */
PgExpr *pg_parse_postfix(PgParser *self);

/* ---- pg_expr_type.c */
const char *pg_parse_type(PgParser *self);

#endif /* PORTAGE_PG_EXPR_PARSE_H */

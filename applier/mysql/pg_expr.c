/*
 * pg_expr.c
 *		See pg_expr.h: a whole text, and the nodes of its tree.
 */
#include "mysql/pg_expr.h"

#include <string.h>

#include "mysql/pg_expr_parse.h"

#define NODES_MAX 20000

PgExpr *
pg_parse_refuse(PgParser *self, const char *what)
{
	if (self->why == NULL)
		self->why = arena_printf(self->arena, "%s at \"%.30s\"", what,
								 self->scan.token.start);
	return NULL;
}

bool
pg_parse_sign(PgParser *self, const char *sign)
{
	if (scan_take_sign(&self->scan, sign))
		return true;
	pg_parse_refuse(self, "something else is expected");
	return false;
}

/* ---- nodes */

PgExpr *
pg_parse_node(PgParser *self, PgExprKind kind, const char *text, int arg_count)
{
	PgExpr *expr;

	if (++self->nodes > NODES_MAX)
		return pg_parse_refuse(self, "it is too long");
	expr = ARENA_NEW(self->arena, PgExpr);
	expr->kind = kind;
	expr->text = text;
	expr->arg_count = arg_count;
	expr->args = ARENA_ARRAY(self->arena, PgExpr *, (size_t) arg_count);
	return expr;
}

PgExpr *
pg_parse_node_of(PgParser *self, PgExprKind kind, const char *text,
				 PgExpr *first, PgExpr *second)
{
	PgExpr *expr;

	if (first == NULL || self->why != NULL)
		return NULL;
	expr = pg_parse_node(self, kind, text, second != NULL ? 2 : 1);
	if (expr == NULL)
		return NULL;
	expr->args[0] = first;
	if (second != NULL)
		expr->args[1] = second;
	return expr;
}

bool
pg_parse_add(PgParser *self, PgExpr *expr, PgExpr *arg)
{
	PgExpr **args;

	if (expr == NULL || arg == NULL)
		return false;
	/* powers of two: what was outgrown stays in the arena */
	if ((expr->arg_count & (expr->arg_count - 1)) == 0)
	{
		args = ARENA_ARRAY(self->arena, PgExpr *,
						   (size_t) expr->arg_count * 2 + 1);
		if (expr->arg_count > 0)
			memcpy(args, expr->args,
				   (size_t) expr->arg_count * sizeof(PgExpr *));
		expr->args = args;
	}
	expr->args[expr->arg_count++] = arg;
	return true;
}

const PgExpr *
pg_expr_parse(const char *sql, Arena *arena, const char **why)
{
	PgParser self = { .arena = arena, .scan = { .arena = arena, .next = sql } };
	const PgExpr *expr;

	scan_next(&self.scan);
	expr = pg_parse_expr(&self);
	if (expr != NULL && self.scan.token.kind != TOKEN_END)
		expr = pg_parse_refuse(&self, "it is not understood");
	*why = self.why;
	return self.why != NULL ? NULL : expr;
}

const PgExpr *
pg_expr_bare(const PgExpr *expr)
{
	while (expr->kind == PG_EXPR_CAST || expr->kind == PG_EXPR_COLLATE)
		expr = expr->args[0];
	return expr;
}

bool
pg_expr_is_call(const PgExpr *expr, const char *name, int arg_count)
{
	return expr->kind == PG_EXPR_CALL && strcmp(expr->text, name) == 0 &&
		   expr->arg_count == arg_count;
}

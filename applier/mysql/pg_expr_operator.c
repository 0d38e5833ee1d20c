/*
 * pg_expr_operator.c
 *		Operators: one function for each level of precedence (PostgreSQL's gram.y,
 *		from OR down to the sign of a number), the tightest first.
 *
 * The catalog puts parentheses nearly everywhere, but what people read back must
 * not depend on that.
 */
#include "mysql/pg_expr_parse.h"

#include <string.h>

#define DEPTH_MAX 200

static PgExpr *
parse_unary(PgParser *self)
{
	PgExpr *expr;

	if (++self->depth > DEPTH_MAX)
		expr = pg_parse_refuse(self, "it is nested too deeply");
	else if (scan_take_sign(&self->scan, "-"))
		expr = pg_parse_node_of(self, PG_EXPR_OPERATOR, "-", parse_unary(self),
								NULL);
	else if (scan_take_sign(&self->scan, "+"))
		expr = parse_unary(self);
	else
		expr = pg_parse_postfix(self);
	self->depth--;
	return expr;
}

static bool
is_one_of(const PgParser *self, const char *const *signs)
{
	for (; *signs != NULL; signs++)
	{
		if (scan_at_sign(&self->scan, *signs))
			return true;
	}
	return false;
}

static const char *const products[] = { "*", "/", "%", NULL };
static const char *const sums[] = { "+", "-", NULL };
static const char *const comparisons[] = { "=",	 "<>", "!=", "<",
										   "<=", ">",  ">=", NULL };

/* Operands between signs of one precedence, the first two taken together first. */
static PgExpr *
parse_left(PgParser *self, const char *const *signs,
		   PgExpr *(*operand)(PgParser *self))
{
	PgExpr *left = operand(self);

	while (left != NULL && is_one_of(self, signs))
	{
		const char *sign = self->scan.token.text;
		PgExpr *right;

		scan_next(&self->scan);
		right = operand(self);
		left = right == NULL ? NULL
							 : pg_parse_node_of(self, PG_EXPR_OPERATOR, sign,
												left, right);
	}
	return left;
}

static PgExpr *
parse_product(PgParser *self)
{
	return parse_left(self, products, parse_unary);
}

static PgExpr *
parse_sum(PgParser *self)
{
	return parse_left(self, sums, parse_product);
}

/* ANY (...) and ALL (...), behind the word. */
static PgExpr *
parse_any(PgParser *self, const char *sign, PgExpr *left, bool all)
{
	PgExpr *array;
	PgExpr *expr;

	if (!pg_parse_sign(self, "("))
		return NULL;
	array = pg_parse_expr(self);
	if (array == NULL || !pg_parse_sign(self, ")"))
		return NULL;
	expr = pg_parse_node_of(self, PG_EXPR_ANY, sign, left, array);
	if (expr != NULL)
		expr->value = all;
	return expr;
}

static PgExpr *
parse_right(PgParser *self, const char *sign, PgExpr *left,
			PgExpr *(*parse)(PgParser *) )
{
	PgExpr *right;

	if (scan_take_word(&self->scan, "ANY"))
		return parse_any(self, sign, left, false);
	if (scan_take_word(&self->scan, "ALL"))
		return parse_any(self, sign, left, true);
	right = parse(self);
	return right == NULL
			   ? NULL
			   : pg_parse_node_of(self, PG_EXPR_OPERATOR, sign, left, right);
}

/* || ~~ ->> and whatever else there is; AT TIME ZONE. */
static PgExpr *
parse_other(PgParser *self)
{
	PgExpr *left = parse_sum(self);

	while (left != NULL)
	{
		const char *sign = self->scan.token.text;

		if (scan_take_word(&self->scan, "AT"))
		{
			if (!scan_take_word(&self->scan, "TIME") ||
				!scan_take_word(&self->scan, "ZONE"))
				return pg_parse_refuse(self, "TIME ZONE is expected");
			sign = "AT TIME ZONE";
		}
		else if (scan_at_operator(&self->scan) && !is_one_of(self, comparisons))
			scan_next(&self->scan);
		else
			break;
		left = parse_right(self, sign, left, parse_sum);
	}
	return left;
}

static PgExpr *
parse_comparison(PgParser *self)
{
	PgExpr *left = parse_other(self);
	const char *sign = self->scan.token.text;

	if (left == NULL || !is_one_of(self, comparisons))
		return left;
	scan_next(&self->scan);
	return parse_right(self, strcmp(sign, "!=") == 0 ? "<>" : sign, left,
					   parse_other);
}

static PgExpr *
parse_is(PgParser *self)
{
	PgExpr *expr = parse_comparison(self);

	while (expr != NULL && scan_take_word(&self->scan, "IS"))
	{
		bool negated = scan_take_word(&self->scan, "NOT");
		const char *what = self->scan.token.text;

		if (scan_take_word(&self->scan, "DISTINCT"))
		{
			PgExpr *right;

			if (!scan_take_word(&self->scan, "FROM"))
				return pg_parse_refuse(self, "FROM is expected");
			right = parse_comparison(self);
			expr = right == NULL ? NULL
								 : pg_parse_node_of(self, PG_EXPR_DISTINCT, "",
													expr, right);
		}
		else if (scan_take_word(&self->scan, "NULL") ||
				 scan_take_word(&self->scan, "TRUE") ||
				 scan_take_word(&self->scan, "FALSE") ||
				 scan_take_word(&self->scan, "UNKNOWN"))
			expr = pg_parse_node_of(self, PG_EXPR_IS, what, expr, NULL);
		else
			return pg_parse_refuse(self, "it is not understood");
		if (expr != NULL)
			expr->value = negated;
	}
	return expr;
}

static PgExpr *
parse_not(PgParser *self)
{
	PgExpr *expr;

	if (++self->depth > DEPTH_MAX)
		expr = pg_parse_refuse(self, "it is nested too deeply");
	else if (scan_take_word(&self->scan, "NOT"))
		expr = pg_parse_node_of(self, PG_EXPR_NOT, "", parse_not(self), NULL);
	else
		expr = parse_is(self);
	self->depth--;
	return expr;
}

static PgExpr *
parse_and(PgParser *self)
{
	PgExpr *left = parse_not(self);

	while (left != NULL && scan_take_word(&self->scan, "AND"))
	{
		PgExpr *right = parse_not(self);

		left = right == NULL
				   ? NULL
				   : pg_parse_node_of(self, PG_EXPR_AND, "", left, right);
	}
	return left;
}

PgExpr *
pg_parse_expr(PgParser *self)
{
	PgExpr *left;

	if (++self->depth > DEPTH_MAX)
		left = pg_parse_refuse(self, "it is nested too deeply");
	else
		left = parse_and(self);
	while (left != NULL && scan_take_word(&self->scan, "OR"))
	{
		PgExpr *right = parse_and(self);

		left = right == NULL
				   ? NULL
				   : pg_parse_node_of(self, PG_EXPR_OR, "", left, right);
	}
	self->depth--;
	return left;
}

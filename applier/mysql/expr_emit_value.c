/*
 * expr_emit_value.c
 *		Arithmetic, text and casts: only what gives the same on both sides.
 */
#include "mysql/expr_emit.h"

/* Digits of the result, if the target has all of them. */
static bool
decimal_digits(Emitter *self, char sign, const Value *left, const Value *right,
			   Value *value)
{
	int whole = left->precision - left->scale;
	int other = right->precision - right->scale;

	if (sign == '*')
	{
		value->scale = left->scale + right->scale;
		value->precision = left->precision + right->precision;
	}
	else
	{
		value->scale = left->scale > right->scale ? left->scale : right->scale;
		value->precision = (whole > other ? whole : other) + 1 + value->scale;
	}
	return (value->scale <= EXPR_DECIMAL_SCALE_MAX &&
			value->precision <= EXPR_DECIMAL_DIGITS_MAX) ||
		   expr_cannot(self,
					   "its result may have more digits than the target's "
					   "decimal");
}

void
value_integer_digits(Value *value)
{
	if (value->family == FAMILY_INTEGER && value->column != NULL)
		value->precision = 19;
	else if (value->family == FAMILY_INTEGER && value->precision == 0)
		value->precision = 20;
}

bool
expr_emit_arithmetic(Emitter *self, const PgExpr *expr, Value *value)
{
	const char *sign = expr->text;
	Value left;
	Value right;
	Family family;

	if (!expr_emit_pair(self, expr->args[0], expr->args[1], &left, &right))
		return false;
	if (!family_is_number(left.family) || !family_is_number(right.family))
		return expr_cannot(self, "arithmetic of times is not known");
	family = left.family == FAMILY_DOUBLE || right.family == FAMILY_DOUBLE
				 ? FAMILY_DOUBLE
			 : left.family == FAMILY_DECIMAL || right.family == FAMILY_DECIMAL
				 ? FAMILY_DECIMAL
				 : FAMILY_INTEGER;
	if (family != FAMILY_INTEGER && (sign[0] == '%' || sign[0] == '/') &&
		(family == FAMILY_DECIMAL || sign[0] == '%'))
		return expr_cannot(self, "division of decimals has other digits there");
	if (sign[0] == '/' && family == FAMILY_INTEGER)
		sign = "DIV";
	value_set(value, family,
			  arena_printf(self->scope->arena, "(%s %s %s)", left.sql, sign,
						   right.sql));
	value_integer_digits(&left);
	value_integer_digits(&right);
	return family != FAMILY_DECIMAL ||
		   decimal_digits(self, sign[0], &left, &right, value);
}

bool
expr_emit_minus(Emitter *self, const PgExpr *expr, Value *value)
{
	Value arg;

	if (!expr_emit(self, expr->args[0], &arg) ||
		!value_settle(self, &arg, NULL))
		return false;
	if (!family_is_number(arg.family))
		return expr_cannot(self, "- of something else than a number");
	*value = arg;
	value->column = NULL;
	value->constant = NULL;
	value->sql = arena_printf(self->scope->arena, "(- %s)", arg.sql);
	return true;
}

static bool
text_only(Emitter *self, Value *value)
{
	if (!value_settle(self, value, NULL))
		return false;
	return value->family == FAMILY_TEXT ||
		   expr_cannot(self, "it takes something for text that is none there");
}

bool
expr_emit_concat(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!expr_emit(self, expr->args[0], &left) ||
		!expr_emit(self, expr->args[1], &right) || !text_only(self, &left) ||
		!text_only(self, &right))
		return false;
	value_set(value, FAMILY_TEXT,
			  arena_printf(self->scope->arena, "CONCAT(%s, %s)", left.sql,
						   right.sql));
	value->ordered = left.ordered && right.ordered;
	if (left.length >= 0 && right.length >= 0)
		value->length = left.length + right.length;
	return true;
}

/* Byte by byte on both sides; the escape is a backslash on both. */
bool
expr_emit_like(Emitter *self, const PgExpr *expr, bool negated, Value *value)
{
	Value left;
	Value right;

	if (!expr_emit(self, expr->args[0], &left) ||
		!expr_emit(self, expr->args[1], &right) || !text_only(self, &left) ||
		!text_only(self, &right))
		return false;
	if (right.constant == NULL)
		return expr_cannot(self, "LIKE of something else than a constant");
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena, "(%s %sLIKE %s)", left.sql,
						   negated ? "NOT " : "", right.sql));
	return true;
}

/* ---- casts */

static Family
cast_family(const char *type)
{
	if (strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 ||
		strcmp(type, "bigint") == 0)
		return FAMILY_INTEGER;
	if (strcmp(type, "numeric") == 0)
		return FAMILY_DECIMAL;
	if (strcmp(type, "double precision") == 0)
		return FAMILY_DOUBLE;
	if (strcmp(type, "text") == 0 || strcmp(type, "character varying") == 0)
		return FAMILY_TEXT;
	return strcmp(type, "date") == 0 ? FAMILY_DATE : FAMILY_OPAQUE;
}

/* Those that change nothing, and the day of a time. */
bool
expr_emit_cast(Emitter *self, const PgExpr *expr, Value *value)
{
	Family to = cast_family(expr->text);

	if (!expr_emit(self, expr->args[0], value))
		return false;
	if (value->sql == NULL)
	{
		if (value->type == NULL)
			value->type = expr->text;
		return true;
	}
	if ((value->family == to && to != FAMILY_OPAQUE) ||
		strcmp(value->sql, "NULL") == 0)
		return true;
	if (to == FAMILY_TEXT &&
		(value->family == FAMILY_ENUM || value->family == FAMILY_WORD))
	{
		value->family = FAMILY_TEXT;
		value->column = NULL;
		value->ordered = false;
		return true;
	}
	if (value->family == FAMILY_INTEGER &&
		(to == FAMILY_DECIMAL || to == FAMILY_DOUBLE))
	{
		value_integer_digits(value);
		value->column = NULL;
		if (to == FAMILY_DOUBLE && !value->literal)
			return expr_cannot(self,
							   "a cast of integers to doubles is not known");
		value->family = to;
		return true;
	}
	if (value->family == FAMILY_DATETIME && to == FAMILY_DATE)
	{
		value_set(value, FAMILY_DATE,
				  arena_printf(self->scope->arena, "DATE(%s)", value->sql));
		return true;
	}
	return expr_cannot(self, "the cast to %.60s is not known", expr->text);
}

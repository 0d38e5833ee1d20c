/*
 * translate_expr.c
 *		See translate_expr.h, and expr_emit.h for how it is done.
 */
#include "mysql/expr_emit.h"

#include <strings.h>

#define DEPTH_MAX 300
#define USES_MAX ((int) (sizeof(((ExprSql *) NULL)->uses) / sizeof(void *)))

/* ---- names */

/*
 * A char without its spaces: what the server adds or not depends on sql_mode, so
 * that MariaDB takes no stored column that depends on it.
 */
const char *
column_expr(const WorkColumn *column, Arena *arena)
{
	const char *name = sql_name(arena, column->map.target);

	return strncmp(column->map.type, "char(", 5) == 0
			   ? arena_printf(arena, "RTRIM(%s)", name)
			   : name;
}

static void
note_use(Emitter *self, const WorkColumn *column)
{
	if (expr_sql_uses(self->out, column))
		return;
	if (self->out->use_count == USES_MAX)
		expr_cannot(self, "it speaks of more than %d columns", USES_MAX);
	else
		self->out->uses[self->out->use_count++] = column;
}

static bool
emit_name(Emitter *self, const PgExpr *expr, Value *value)
{
	const ExprScope *scope = self->scope;
	const WorkColumn *column = work_table_column(scope->table, expr->text);

	if (scope->value != NULL)
		column = !expr->quoted && strcmp(expr->text, "VALUE") == 0
					 ? scope->value
					 : NULL;
	if (column == NULL || column->left_out)
		return expr_cannot(self, "there is no column %s on the target",
						   expr->text);
	value_set(value, column->family, column_expr(column, scope->arena));
	value->column = column;
	value->precision = column->map.precision;
	value->scale = column->map.scale;
	value->ordered = column->source->collation_bytes;
	value->length = column->char_bytes > 0 ? column->length : -1;
	if (column->source->collation_nondeterministic)
		value->family = FAMILY_OPAQUE;
	note_use(self, column);
	return self->out->why == NULL;
}

/* ---- comparisons */

static bool
comparable(Emitter *self, const Value *left, const Value *right, bool order)
{
	bool text = left->family == FAMILY_TEXT || left->family == FAMILY_PADDED;

	if (left->family == FAMILY_OPAQUE || right->family == FAMILY_OPAQUE)
		return expr_cannot(self, "what it compares is only text on the target");
	if (family_is_number(left->family) && family_is_number(right->family))
		return true;
	if (family_is_time(left->family) && family_is_time(right->family))
		return true;
	if (left->family != right->family)
		return expr_cannot(self, "it compares values of different kinds");
	if (!order)
		return true;
	if (left->family == FAMILY_ENUM || left->family == FAMILY_WORD)
		return expr_cannot(self,
						   "such values sort in another order on the target");
	if (text && !(left->ordered && right->ordered) && !left->explicit_bytes &&
		!right->explicit_bytes)
		return expr_cannot(self,
						   "text sorts byte by byte on the target, and by its "
						   "language on the source");
	return true;
}

static bool
is_order(const char *sign)
{
	return sign[0] == '<' ? sign[1] != '>' : sign[0] == '>';
}

bool
expr_emit_pair(Emitter *self, const PgExpr *left_expr, const PgExpr *right_expr,
			   Value *left, Value *right)
{
	return expr_emit(self, left_expr, left) &&
		   expr_emit(self, right_expr, right) &&
		   value_settle(self, left, right) && value_settle(self, right, left);
}

static bool
emit_comparison(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!expr_emit_pair(self, expr->args[0], expr->args[1], &left, &right) ||
		!comparable(self, &left, &right, is_order(expr->text)))
		return false;
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena, "(%s %s %s)", left.sql,
						   expr->text, right.sql));
	return true;
}

/* "(a <=> b)" knows NULL. */
static bool
emit_distinct(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!expr_emit_pair(self, expr->args[0], expr->args[1], &left, &right) ||
		!comparable(self, &left, &right, false))
		return false;
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena,
						   expr->value ? "(%s <=> %s)" : "(NOT (%s <=> %s))",
						   left.sql, right.sql));
	return true;
}

/* = ANY (ARRAY[...]), <> ALL (ARRAY[...]) */
static bool
emit_any(Emitter *self, const PgExpr *expr, Value *value)
{
	const PgExpr *array = pg_expr_bare(expr->args[1]);
	bool in = strcmp(expr->text, "=") == 0 && !expr->value;
	bool not_in = strcmp(expr->text, "<>") == 0 && expr->value;
	Value left;
	Buffer sql;
	bool ok;

	if (array->kind != PG_EXPR_ARRAY || array->arg_count == 0 ||
		(!in && !not_in))
		return expr_cannot(self,
						   "%s %s of something else than a list is not known",
						   expr->text, expr->value ? "ALL" : "ANY");
	if (!expr_emit(self, expr->args[0], &left) ||
		!value_settle(self, &left, NULL))
		return false;
	ok = true;
	buffer_init(&sql);
	buffer_printf(&sql, "(%s %s (", left.sql, in ? "IN" : "NOT IN");
	for (int i = 0; ok && i < array->arg_count; i++)
	{
		Value item;

		ok = expr_emit(self, array->args[i], &item) &&
			 value_settle(self, &item, &left) &&
			 comparable(self, &left, &item, false);
		if (ok)
			buffer_printf(&sql, "%s%s", i > 0 ? ", " : "", item.sql);
	}
	buffer_puts(&sql, "))");
	value_set(value, FAMILY_BOOLEAN,
			  arena_strndup(self->scope->arena, sql.data, sql.len));
	buffer_release(&sql);
	return ok;
}

/* ---- conditions */

static bool
emit_condition(Emitter *self, const PgExpr *expr, Value *value)
{
	if (!expr_emit(self, expr, value) || !value_settle(self, value, NULL))
		return false;
	return value->family == FAMILY_BOOLEAN ||
		   expr_cannot(self, "a condition is expected");
}

static bool
emit_logic(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!emit_condition(self, expr->args[0], &left) ||
		!emit_condition(self, expr->args[1], &right))
		return false;
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena, "(%s %s %s)", left.sql,
						   expr->kind == PG_EXPR_AND ? "AND" : "OR",
						   right.sql));
	return true;
}

static bool
emit_not(Emitter *self, const PgExpr *expr, Value *value)
{
	Value arg;

	if (!emit_condition(self, expr->args[0], &arg))
		return false;
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena, "(NOT %s)", arg.sql));
	return true;
}

/* A composite value of NULLs is NULL, which text is not. */
static bool
emit_is(Emitter *self, const PgExpr *expr, Value *value)
{
	bool null = strcasecmp(expr->text, "NULL") == 0;
	Value arg;

	if (null ? !expr_emit(self, expr->args[0], &arg) ||
				   !value_settle(self, &arg, NULL)
			 : !emit_condition(self, expr->args[0], &arg))
		return false;
	if (arg.column != NULL && arg.column->source->type.kind == 'c')
		return expr_cannot(self, "IS NULL of a composite value is not known");
	value_set(value, FAMILY_BOOLEAN,
			  arena_printf(self->scope->arena, "(%s IS %s%s)", arg.sql,
						   expr->value ? "NOT " : "", expr->text));
	return true;
}

static bool
is_null(const Value *value)
{
	return value->sql != NULL && strcmp(value->sql, "NULL") == 0;
}

/* As long as the longest of them. */
static int64_t
longest(const Value *values, int count)
{
	int64_t length = 0;

	for (int i = 0; i < count; i++)
	{
		if (is_null(&values[i]))
			continue;
		if (values[i].length < 0)
			return -1;
		if (values[i].length > length)
			length = values[i].length;
	}
	return length;
}

bool
expr_same_kind(Emitter *self, Value *values, int count, Value *result)
{
	const Value *known = NULL;

	for (int i = 0; i < count && known == NULL; i++)
	{
		if (values[i].sql != NULL && !is_null(&values[i]))
			known = &values[i];
	}
	for (int i = 0; i < count; i++)
	{
		if (!value_settle(self, &values[i], known))
			return false;
		if (is_null(&values[i]))
			continue;
		if (known == NULL)
			known = &values[i];
		if (values[i].family != known->family)
			return expr_cannot(self, "its results are of different kinds");
		if (values[i].family == FAMILY_DECIMAL &&
			(values[i].scale != known->scale ||
			 values[i].precision != known->precision))
			return expr_cannot(self,
							   "its results have different numbers of digits");
	}
	if (known == NULL)
		return expr_cannot(self, "it has no results but NULL");
	value_set(result, known->family, NULL);
	result->precision = known->precision;
	result->scale = known->scale;
	result->length = longest(values, count);
	return true;
}

static bool
emit_case(Emitter *self, const PgExpr *expr, Value *value)
{
	int pairs = expr->arg_count / 2;
	int results = (expr->arg_count + 1) / 2;
	Value *values = ARENA_ARRAY(self->scope->arena, Value, (size_t) results);
	const char *sql = "(CASE";

	if (expr->value || pairs == 0)
		return expr_cannot(self, "CASE of a value is not known");
	for (int i = 0; i < results; i++)
	{
		if (!expr_emit(self, expr->args[i < pairs ? i * 2 + 1 : i * 2],
					   &values[i]))
			return false;
	}
	if (!expr_same_kind(self, values, results, value))
		return false;
	for (int i = 0; i < pairs; i++)
	{
		Value when;

		if (!emit_condition(self, expr->args[i * 2], &when))
			return false;
		sql = arena_printf(self->scope->arena, "%s WHEN %s THEN %s", sql,
						   when.sql, values[i].sql);
	}
	if (results > pairs)
		sql = arena_printf(self->scope->arena, "%s ELSE %s", sql,
						   values[pairs].sql);
	value->sql = arena_printf(self->scope->arena, "%s END)", sql);
	return true;
}

/* ---- all of it */

static bool
emit_operator(Emitter *self, const PgExpr *expr, Value *value)
{
	const char *sign = expr->text;

	if (expr->arg_count == 1)
		return expr_emit_minus(self, expr, value);
	if (strcmp(sign, "=") == 0 || strcmp(sign, "<>") == 0 ||
		strcmp(sign, "<") == 0 || strcmp(sign, "<=") == 0 ||
		strcmp(sign, ">") == 0 || strcmp(sign, ">=") == 0)
		return emit_comparison(self, expr, value);
	if (strlen(sign) == 1 && strchr("+-*/%", sign[0]) != NULL)
		return expr_emit_arithmetic(self, expr, value);
	if (strcmp(sign, "||") == 0)
		return expr_emit_concat(self, expr, value);
	if (strcmp(sign, "~~") == 0 || strcmp(sign, "!~~") == 0)
		return expr_emit_like(self, expr, sign[0] == '!', value);
	return expr_cannot(self, "the operator %.20s is not known", sign);
}

/* An explicit collation is that of the whole comparison. */
static bool
emit_collate(Emitter *self, const PgExpr *expr, Value *value)
{
	if (!expr_emit(self, expr->args[0], value))
		return false;
	if (strcmp(expr->text, "C") != 0 && strcmp(expr->text, "POSIX") != 0 &&
		strcmp(expr->text, "pg_catalog.C") != 0 &&
		strcmp(expr->text, "pg_catalog.POSIX") != 0)
		return expr_cannot(self, "the collation %.60s is not known",
						   expr->text);
	value->explicit_bytes = true;
	return true;
}


static bool
emit_kind(Emitter *self, const PgExpr *expr, Value *value)
{
	value_set(value, FAMILY_OPAQUE, NULL);
	switch (expr->kind)
	{
		case PG_EXPR_TEXT:
		case PG_EXPR_NUMBER:
			value->constant = expr;
			value->literal = true;
			return true;
		case PG_EXPR_NULL:
			value->sql = "NULL";
			return true;
		case PG_EXPR_BOOLEAN:
			value_set(value, FAMILY_BOOLEAN, expr->value ? "TRUE" : "FALSE");
			return true;
		case PG_EXPR_NAME:
			return emit_name(self, expr, value);
		case PG_EXPR_CALL:
			return expr_emit_call(self, expr, value);
		case PG_EXPR_OPERATOR:
			return emit_operator(self, expr, value);
		case PG_EXPR_ANY:
			return emit_any(self, expr, value);
		case PG_EXPR_AND:
		case PG_EXPR_OR:
			return emit_logic(self, expr, value);
		case PG_EXPR_NOT:
			return emit_not(self, expr, value);
		case PG_EXPR_IS:
			return emit_is(self, expr, value);
		case PG_EXPR_DISTINCT:
			return emit_distinct(self, expr, value);
		case PG_EXPR_CAST:
			return expr_emit_cast(self, expr, value);
		case PG_EXPR_CASE:
			return emit_case(self, expr, value);
		case PG_EXPR_COLLATE:
			return emit_collate(self, expr, value);
		case PG_EXPR_BITS:
		case PG_EXPR_WORD:
		case PG_EXPR_ARRAY:
			break;
	}
	return expr_cannot(self, "%.40s is not known",
					   expr->text[0] != '\0' ? expr->text : "an array");
}

bool
expr_emit(Emitter *self, const PgExpr *expr, Value *value)
{
	bool ok;

	if (++self->depth > DEPTH_MAX)
		ok = expr_cannot(self, "it is nested too deeply");
	else
		ok = emit_kind(self, expr, value);
	self->depth--;
	return ok;
}

bool
expr_translate(const ExprScope *scope, const char *expression, ExprSql *out)
{
	Emitter self = { .scope = scope, .out = out };
	const PgExpr *expr;
	Value value;

	memset(out, 0, sizeof(*out));
	expr = pg_expr_parse(expression, scope->arena, &out->why);
	if (expr == NULL || !expr_emit(&self, expr, &value) ||
		!value_settle(&self, &value, NULL))
		return false;
	out->sql = value.sql;
	out->family = value.family;
	out->precision = value.precision;
	out->scale = value.scale;
	out->length = value.length;
	return true;
}

bool
expr_translate_condition(const ExprScope *scope, const char *expression,
						 ExprSql *out)
{
	if (!expr_translate(scope, expression, out))
		return false;
	if (out->family == FAMILY_BOOLEAN)
		return true;
	out->why = "it is no condition there";
	return false;
}

bool
expr_sql_uses(const ExprSql *expr, const WorkColumn *column)
{
	for (int i = 0; i < expr->use_count; i++)
	{
		if (expr->uses[i] == column)
			return true;
	}
	return false;
}

bool
expr_uses_auto_increment(const ExprSql *expr)
{
	for (int i = 0; i < expr->use_count; i++)
	{
		if (expr->uses[i]->auto_increment)
			return true;
	}
	return false;
}

/*
 * translate_expr.c
 *		See translate_expr.h.
 *
 * Each node says what it is (Value); a constant becomes SQL only when it is
 * known what it is compared with.  SQL is put into parentheses everywhere.
 */
#include "mysql/translate_expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>


#define DEPTH_MAX 300
#define DECIMAL_DIGITS_MAX 65
#define DECIMAL_SCALE_MAX 30
#define USES_MAX ((int) (sizeof(((ExprSql *) NULL)->uses) / sizeof(void *)))

typedef struct Value
{
	const char *sql; /* NULL: a constant that is not settled */
	Family family;
	const WorkColumn *column; /* it is that column, or NULL */
	const PgExpr *constant;	  /* text or a number, below casts */
	bool literal;			  /* made of constants alone */
	const char *type;		  /* that the constant was cast to, or NULL */
	int precision;
	int scale;
	int64_t length;
	bool ordered;		 /* text whose order is that of its bytes */
	bool explicit_bytes; /* COLLATE "C" */
} Value;

typedef struct Emitter
{
	const ExprScope *scope;
	ExprSql *out;
	int depth;
} Emitter;

static bool emit(Emitter *self, const PgExpr *expr, Value *value);

static bool cannot(Emitter *self, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool
cannot(Emitter *self, const char *fmt, ...)
{
	char why[256];
	va_list args;

	if (self->out->why != NULL)
		return false;
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	self->out->why = arena_strdup(self->scope->arena, why);
	return false;
}

static void
set(Value *value, Family family, const char *sql)
{
	memset(value, 0, sizeof(*value));
	value->family = family;
	value->sql = sql;
	value->length = -1;
}

static bool
is_number(Family family)
{
	return family == FAMILY_INTEGER || family == FAMILY_DECIMAL ||
		   family == FAMILY_DOUBLE;
}

static bool
is_time(Family family)
{
	return family == FAMILY_DATE || family == FAMILY_DATETIME;
}

/* ---- constants */

static const char *
quoted(Emitter *self, const char *text)
{
	Buffer sql;
	const char *result;

	buffer_init(&sql);
	my_quote_text(&sql, slice_of(text));
	result = arena_strndup(self->scope->arena, sql.data, sql.len);
	buffer_release(&sql);
	return result;
}

/* "-12.50": its digits; false if it is no plain number. */
static bool
number_digits(const char *text, int *precision, int *scale)
{
	const char *p = text + (*text == '-' || *text == '+');
	const char *point = strchr(p, '.');
	size_t digits = strspn(p, "0123456789.");

	if (digits == 0 || p[digits] != '\0' || strrchr(p, '.') != point ||
		digits > DECIMAL_DIGITS_MAX)
		return false;
	*scale = point != NULL ? (int) strlen(point + 1) : 0;
	*precision = (int) digits - (point != NULL);
	return true;
}

static bool
settle_number(Emitter *self, Value *value, Family peer)
{
	int precision;
	int scale;

	if (!number_digits(value->constant->text, &precision, &scale))
		return cannot(self, "the constant %.40s is no plain number",
					  value->constant->text);
	value->precision = precision;
	value->scale = scale;
	value->family = peer == FAMILY_DOUBLE ? FAMILY_DOUBLE
					: scale > 0			  ? FAMILY_DECIMAL
										  : FAMILY_INTEGER;
	value->sql = value->constant->text;
	return true;
}

/* "2020-01-31", "2020-01-31 10:00:00.5" */
static bool
is_time_text(const char *text, Family family)
{
	static const char form[] = "dddd-dd-dd dd:dd:dd";
	size_t len = family == FAMILY_DATE ? 10 : sizeof(form) - 1;

	for (size_t i = 0; i < len; i++)
	{
		if (form[i] == 'd' ? !isdigit((unsigned char) text[i])
						   : text[i] != form[i])
			return false;
	}
	return text[len] == '\0' ||
		   (family == FAMILY_DATETIME && text[len] == '.' &&
			strspn(text + len + 1, "0123456789") == strlen(text + len + 1));
}

static bool
settle_text(Emitter *self, Value *value, Family family)
{
	value->sql = quoted(self, value->constant->text);
	value->family = family;
	value->length = (int64_t) strlen(value->constant->text);
	value->ordered = true;
	return true;
}

/* What the constant alone says that it is. */
static Family
own_family(const Value *value)
{
	if (value->constant->kind == PG_EXPR_NUMBER)
		return FAMILY_INTEGER;
	if (value->type == NULL || strcmp(value->type, "text") == 0 ||
		strncmp(value->type, "character varying", 17) == 0)
		return FAMILY_TEXT;
	if (strcmp(value->type, "integer") == 0 ||
		strcmp(value->type, "bigint") == 0 ||
		strcmp(value->type, "smallint") == 0 ||
		strncmp(value->type, "numeric", 7) == 0)
		return FAMILY_INTEGER;
	if (strcmp(value->type, "double precision") == 0)
		return FAMILY_DOUBLE;
	if (strcmp(value->type, "date") == 0)
		return FAMILY_DATE;
	if (strcmp(value->type, "boolean") == 0)
		return FAMILY_BOOLEAN;
	return strncmp(value->type, "timestamp", 9) == 0 &&
				   strstr(value->type, "with time zone") == NULL
			   ? FAMILY_DATETIME
			   : FAMILY_OPAQUE;
}

/* Make SQL of a constant that stands beside a value of that family. */
static bool
settle_as(Emitter *self, Value *value, Family family)
{
	const char *text = value->constant->text;

	if (is_number(family))
		return settle_number(self, value, family);
	if (family == FAMILY_TEXT || family == FAMILY_PADDED)
		return settle_text(self, value, family);
	if (family == FAMILY_BOOLEAN && (text[0] == 't' || text[0] == 'f'))
	{
		value->sql = text[0] == 't' ? "TRUE" : "FALSE";
		value->family = family;
		return true;
	}
	if (is_time(family) && is_time_text(text, own_family(value)))
	{
		settle_text(self, value, own_family(value));
		return true;
	}
	return cannot(self, "the constant %.40s is not known here", text);
}

static bool
settle(Emitter *self, Value *value, const Value *peer)
{
	const WorkColumn *column = peer != NULL ? peer->column : NULL;

	if (value->sql != NULL)
		return true;
	if (peer == NULL || peer->sql == NULL)
		return settle_as(self, value, own_family(value));
	if (column == NULL || is_number(peer->family) ||
		peer->family == FAMILY_TEXT || peer->family == FAMILY_PADDED)
		return settle_as(self, value, peer->family);
	if (peer->family == FAMILY_OPAQUE)
		return cannot(self, "column %s is no such value on the target",
					  column->map.name);
	value->sql = column_literal(column, value->constant->text,
								self->scope->arena);
	value->family = peer->family;
	return value->sql != NULL ||
		   cannot(self, "the target cannot hold %.40s", value->constant->text);
}

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
	if (expr_uses(self->out, column))
		return;
	if (self->out->use_count == USES_MAX)
		cannot(self, "it speaks of more than %d columns", USES_MAX);
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
		return cannot(self, "there is no column %s on the target", expr->text);
	set(value, column->family, column_expr(column, scope->arena));
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
		return cannot(self, "what it compares is only text on the target");
	if (is_number(left->family) && is_number(right->family))
		return true;
	if (is_time(left->family) && is_time(right->family))
		return true;
	if (left->family != right->family)
		return cannot(self, "it compares values of different kinds");
	if (!order)
		return true;
	if (left->family == FAMILY_ENUM || left->family == FAMILY_WORD)
		return cannot(self, "such values sort in another order on the target");
	if (text && !(left->ordered && right->ordered) && !left->explicit_bytes &&
		!right->explicit_bytes)
		return cannot(self, "text sorts byte by byte on the target, and by its "
							"language on the source");
	return true;
}

static bool
is_order(const char *sign)
{
	return sign[0] == '<' ? sign[1] != '>' : sign[0] == '>';
}

static bool
emit_pair(Emitter *self, const PgExpr *left_expr, const PgExpr *right_expr,
		  Value *left, Value *right)
{
	return emit(self, left_expr, left) && emit(self, right_expr, right) &&
		   settle(self, left, right) && settle(self, right, left);
}

static bool
emit_comparison(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!emit_pair(self, expr->args[0], expr->args[1], &left, &right) ||
		!comparable(self, &left, &right, is_order(expr->text)))
		return false;
	set(value, FAMILY_BOOLEAN,
		arena_printf(self->scope->arena, "(%s %s %s)", left.sql, expr->text,
					 right.sql));
	return true;
}

/* "(a <=> b)" knows NULL. */
static bool
emit_distinct(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!emit_pair(self, expr->args[0], expr->args[1], &left, &right) ||
		!comparable(self, &left, &right, false))
		return false;
	set(value, FAMILY_BOOLEAN,
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
		return cannot(self, "%s %s of something else than a list is not known",
					  expr->text, expr->value ? "ALL" : "ANY");
	if (!emit(self, expr->args[0], &left) || !settle(self, &left, NULL))
		return false;
	ok = true;
	buffer_init(&sql);
	buffer_printf(&sql, "(%s %s (", left.sql, in ? "IN" : "NOT IN");
	for (int i = 0; ok && i < array->arg_count; i++)
	{
		Value item;

		ok = emit(self, array->args[i], &item) && settle(self, &item, &left) &&
			 comparable(self, &left, &item, false);
		if (ok)
			buffer_printf(&sql, "%s%s", i > 0 ? ", " : "", item.sql);
	}
	buffer_puts(&sql, "))");
	set(value, FAMILY_BOOLEAN,
		arena_strndup(self->scope->arena, sql.data, sql.len));
	buffer_release(&sql);
	return ok;
}

/* ---- conditions */

static bool
emit_condition(Emitter *self, const PgExpr *expr, Value *value)
{
	if (!emit(self, expr, value) || !settle(self, value, NULL))
		return false;
	return value->family == FAMILY_BOOLEAN ||
		   cannot(self, "a condition is expected");
}

static bool
emit_logic(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!emit_condition(self, expr->args[0], &left) ||
		!emit_condition(self, expr->args[1], &right))
		return false;
	set(value, FAMILY_BOOLEAN,
		arena_printf(self->scope->arena, "(%s %s %s)", left.sql,
					 expr->kind == PG_EXPR_AND ? "AND" : "OR", right.sql));
	return true;
}

static bool
emit_not(Emitter *self, const PgExpr *expr, Value *value)
{
	Value arg;

	if (!emit_condition(self, expr->args[0], &arg))
		return false;
	set(value, FAMILY_BOOLEAN,
		arena_printf(self->scope->arena, "(NOT %s)", arg.sql));
	return true;
}

/* A composite value of NULLs is NULL, which text is not. */
static bool
emit_is(Emitter *self, const PgExpr *expr, Value *value)
{
	bool null = strcasecmp(expr->text, "NULL") == 0;
	Value arg;

	if (null ? !emit(self, expr->args[0], &arg) || !settle(self, &arg, NULL)
			 : !emit_condition(self, expr->args[0], &arg))
		return false;
	if (arg.column != NULL && arg.column->source->type.kind == 'c')
		return cannot(self, "IS NULL of a composite value is not known");
	set(value, FAMILY_BOOLEAN,
		arena_printf(self->scope->arena, "(%s IS %s%s)", arg.sql,
					 expr->value ? "NOT " : "", expr->text));
	return true;
}

/* All results are of one kind; the first that is no constant says which. */
static bool
same_kind(Emitter *self, Value *values, int count, Value *result)
{
	const Value *known = NULL;

	for (int i = 0; i < count && known == NULL; i++)
	{
		if (values[i].sql != NULL && strcmp(values[i].sql, "NULL") != 0)
			known = &values[i];
	}
	for (int i = 0; i < count; i++)
	{
		if (!settle(self, &values[i], known))
			return false;
		if (known == NULL)
			known = &values[i];
		if (strcmp(values[i].sql, "NULL") == 0)
			continue;
		if (values[i].family != known->family)
			return cannot(self, "its results are of different kinds");
		if (values[i].family == FAMILY_DECIMAL &&
			(values[i].scale != known->scale ||
			 values[i].precision != known->precision))
			return cannot(self, "its results have different numbers of digits");
	}
	set(result, known->family, NULL);
	result->precision = known->precision;
	result->scale = known->scale;
	for (int i = 0; i < count; i++)
	{
		if (i == 0 ||
			(result->length >= 0 &&
			 (values[i].length < 0 || values[i].length > result->length)))
			result->length = values[i].length;
	}
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
		return cannot(self, "CASE of a value is not known");
	for (int i = 0; i < results; i++)
	{
		if (!emit(self, expr->args[i < pairs ? i * 2 + 1 : i * 2], &values[i]))
			return false;
	}
	if (!same_kind(self, values, results, value))
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

/* ---- arithmetic, text */

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
	return (value->scale <= DECIMAL_SCALE_MAX &&
			value->precision <= DECIMAL_DIGITS_MAX) ||
		   cannot(self, "its result may have more digits than the target's "
						"decimal");
}

/* An integer as a decimal: as many digits as it may have. */
static void
integer_digits(Value *value)
{
	if (value->family == FAMILY_INTEGER && value->column != NULL)
		value->precision = 19;
	else if (value->family == FAMILY_INTEGER && value->precision == 0)
		value->precision = 20;
}

static bool
emit_arithmetic(Emitter *self, const PgExpr *expr, Value *value)
{
	const char *sign = expr->text;
	Value left;
	Value right;
	Family family;

	if (!emit_pair(self, expr->args[0], expr->args[1], &left, &right))
		return false;
	if (!is_number(left.family) || !is_number(right.family))
		return cannot(self, "arithmetic of times is not known");
	family = left.family == FAMILY_DOUBLE || right.family == FAMILY_DOUBLE
				 ? FAMILY_DOUBLE
			 : left.family == FAMILY_DECIMAL || right.family == FAMILY_DECIMAL
				 ? FAMILY_DECIMAL
				 : FAMILY_INTEGER;
	if (family != FAMILY_INTEGER && (sign[0] == '%' || sign[0] == '/') &&
		(family == FAMILY_DECIMAL || sign[0] == '%'))
		return cannot(self, "division of decimals has other digits there");
	if (sign[0] == '/' && family == FAMILY_INTEGER)
		sign = "DIV";
	set(value, family,
		arena_printf(self->scope->arena, "(%s %s %s)", left.sql, sign,
					 right.sql));
	integer_digits(&left);
	integer_digits(&right);
	return family != FAMILY_DECIMAL ||
		   decimal_digits(self, sign[0], &left, &right, value);
}

static bool
emit_minus(Emitter *self, const PgExpr *expr, Value *value)
{
	Value arg;

	if (!emit(self, expr->args[0], &arg) || !settle(self, &arg, NULL))
		return false;
	if (!is_number(arg.family))
		return cannot(self, "- of something else than a number");
	*value = arg;
	value->column = NULL;
	value->constant = NULL;
	value->sql = arena_printf(self->scope->arena, "(- %s)", arg.sql);
	return true;
}

static bool
text_only(Emitter *self, Value *value)
{
	if (!settle(self, value, NULL))
		return false;
	return value->family == FAMILY_TEXT ||
		   cannot(self, "it takes something for text that is none there");
}

static bool
emit_concat(Emitter *self, const PgExpr *expr, Value *value)
{
	Value left;
	Value right;

	if (!emit(self, expr->args[0], &left) ||
		!emit(self, expr->args[1], &right) || !text_only(self, &left) ||
		!text_only(self, &right))
		return false;
	set(value, FAMILY_TEXT,
		arena_printf(self->scope->arena, "CONCAT(%s, %s)", left.sql,
					 right.sql));
	value->ordered = left.ordered && right.ordered;
	if (left.length >= 0 && right.length >= 0)
		value->length = left.length + right.length;
	return true;
}

/* Byte by byte on both sides; the escape is a backslash on both. */
static bool
emit_like(Emitter *self, const PgExpr *expr, bool negated, Value *value)
{
	Value left;
	Value right;

	if (!emit(self, expr->args[0], &left) ||
		!emit(self, expr->args[1], &right) || !text_only(self, &left) ||
		!text_only(self, &right))
		return false;
	if (right.constant == NULL)
		return cannot(self, "LIKE of something else than a constant");
	set(value, FAMILY_BOOLEAN,
		arena_printf(self->scope->arena, "(%s %sLIKE %s)", left.sql,
					 negated ? "NOT " : "", right.sql));
	return true;
}

static bool
emit_operator(Emitter *self, const PgExpr *expr, Value *value)
{
	const char *sign = expr->text;

	if (expr->arg_count == 1)
		return emit_minus(self, expr, value);
	if (strcmp(sign, "=") == 0 || strcmp(sign, "<>") == 0 ||
		strcmp(sign, "<") == 0 || strcmp(sign, "<=") == 0 ||
		strcmp(sign, ">") == 0 || strcmp(sign, ">=") == 0)
		return emit_comparison(self, expr, value);
	if (strlen(sign) == 1 && strchr("+-*/%", sign[0]) != NULL)
		return emit_arithmetic(self, expr, value);
	if (strcmp(sign, "||") == 0)
		return emit_concat(self, expr, value);
	if (strcmp(sign, "~~") == 0 || strcmp(sign, "!~~") == 0)
		return emit_like(self, expr, sign[0] == '!', value);
	return cannot(self, "the operator %.20s is not known", sign);
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
static bool
emit_cast(Emitter *self, const PgExpr *expr, Value *value)
{
	Family to = cast_family(expr->text);

	if (!emit(self, expr->args[0], value))
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
		integer_digits(value);
		value->column = NULL;
		if (to == FAMILY_DOUBLE && !value->literal)
			return cannot(self, "a cast of integers to doubles is not known");
		value->family = to;
		return true;
	}
	if (value->family == FAMILY_DATETIME && to == FAMILY_DATE)
	{
		set(value, FAMILY_DATE,
			arena_printf(self->scope->arena, "DATE(%s)", value->sql));
		return true;
	}
	return cannot(self, "the cast to %.60s is not known", expr->text);
}

/* An explicit collation is that of the whole comparison. */
static bool
emit_collate(Emitter *self, const PgExpr *expr, Value *value)
{
	if (!emit(self, expr->args[0], value))
		return false;
	if (strcmp(expr->text, "C") != 0 && strcmp(expr->text, "POSIX") != 0 &&
		strcmp(expr->text, "pg_catalog.C") != 0 &&
		strcmp(expr->text, "pg_catalog.POSIX") != 0)
		return cannot(self, "the collation %.60s is not known", expr->text);
	value->explicit_bytes = true;
	return true;
}

/* ---- functions */

typedef enum Rule
{
	RULE_LENGTH, /* of text: characters; of bytes: bytes */
	RULE_BYTES,	 /* octet_length */
	RULE_CASE,	 /* lower, upper */
	RULE_TEXT,	 /* text to text */
	RULE_MD5,	 /* the bytes must be the same */
	RULE_WHOLE,	 /* floor, ceil */
	RULE_ABS,
	RULE_MOD,
	RULE_SAME, /* coalesce, nullif: all of one kind */
	RULE_PART, /* left, substring: text and constants */
	RULE_REPLACE
} Rule;

typedef struct Function
{
	const char *name;
	const char *target;
	Rule rule;
	int args; /* 0: any number */
} Function;

static const Function functions[] = {
	{ "length", "CHAR_LENGTH", RULE_LENGTH, 1 },
	{ "char_length", "CHAR_LENGTH", RULE_LENGTH, 1 },
	{ "character_length", "CHAR_LENGTH", RULE_LENGTH, 1 },
	{ "octet_length", "LENGTH", RULE_BYTES, 1 },
	{ "lower", "LOWER", RULE_CASE, 1 },
	{ "upper", "UPPER", RULE_CASE, 1 },
	{ "btrim", "TRIM", RULE_TEXT, 1 },
	{ "trim", "TRIM", RULE_TEXT, 1 },
	{ "ltrim", "LTRIM", RULE_TEXT, 1 },
	{ "rtrim", "RTRIM", RULE_TEXT, 1 },
	{ "md5", "MD5", RULE_MD5, 1 },
	{ "floor", "FLOOR", RULE_WHOLE, 1 },
	{ "ceil", "CEILING", RULE_WHOLE, 1 },
	{ "ceiling", "CEILING", RULE_WHOLE, 1 },
	{ "abs", "ABS", RULE_ABS, 1 },
	{ "mod", "MOD", RULE_MOD, 2 },
	{ "coalesce", "COALESCE", RULE_SAME, 0 },
	{ "nullif", "NULLIF", RULE_SAME, 2 },
	{ "left", "LEFT", RULE_PART, 2 },
	{ "substring", "SUBSTRING", RULE_PART, 0 },
	{ "substr", "SUBSTRING", RULE_PART, 0 },
	{ "replace", "REPLACE", RULE_REPLACE, 3 },
};

static const Function *
find_function(const PgExpr *call)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
	{
		if (strcasecmp(functions[i].name, call->text) == 0 &&
			(functions[i].args == 0 || functions[i].args == call->arg_count))
			return &functions[i];
	}
	return NULL;
}

/* Of one argument. */
static bool
check_single(Emitter *self, Rule rule, const Value *arg, Value *value)
{
	Family family = arg->family;
	bool fits = family == FAMILY_TEXT;

	set(value, FAMILY_INTEGER, NULL);
	if (rule == RULE_LENGTH || rule == RULE_BYTES)
	{
		fits = fits || family == FAMILY_BYTES ||
			   (family == FAMILY_PADDED && rule == RULE_LENGTH);
		return (fits && (rule == RULE_LENGTH || family == FAMILY_BYTES ||
						 self->scope->utf8)) ||
			   cannot(self,
					  "a length of something else than text is not known");
	}
	if (rule == RULE_WHOLE || rule == RULE_ABS)
	{
		*value = *arg;
		value->column = NULL;
		return is_number(family) || cannot(self, "it takes only numbers");
	}
	value->family = FAMILY_TEXT;
	value->length = rule == RULE_MD5 ? 32 : arg->length;
	value->ordered = arg->ordered;
	if (rule == RULE_CASE)
		self->out->approximate = true;
	if (rule == RULE_MD5 && !self->scope->utf8)
		return cannot(self, "the bytes of text are others on the target");
	return fits || cannot(self, "it takes only text");
}

static bool
is_positive(const Value *value)
{
	return value->constant != NULL && value->constant->kind == PG_EXPR_NUMBER &&
		   strspn(value->constant->text, "0123456789") ==
			   strlen(value->constant->text) &&
		   value->constant->text[0] != '0';
}

static bool
check_several(Emitter *self, Rule rule, Value *args, int count, Value *value)
{
	if (rule == RULE_SAME)
		return same_kind(self, args, count, value);
	for (int i = 0; i < count; i++)
	{
		bool text = i == 0 || rule == RULE_REPLACE;

		if (!settle(self, &args[i], NULL))
			return false;
		if (rule == RULE_MOD ? args[i].family != FAMILY_INTEGER
			: text			 ? args[i].family != FAMILY_TEXT
							 : !is_positive(&args[i]))
			return cannot(self, "it takes other arguments there");
	}
	set(value, rule == RULE_MOD ? FAMILY_INTEGER : FAMILY_TEXT, NULL);
	value->length = rule == RULE_PART ? args[0].length : -1;
	value->ordered = args[0].ordered;
	return rule != RULE_PART || count <= 3 ||
		   cannot(self, "too many arguments");
}

static bool
emit_call(Emitter *self, const PgExpr *expr, Value *value)
{
	const Function *function = find_function(expr);
	Value *args = ARENA_ARRAY(self->scope->arena, Value,
							  (size_t) expr->arg_count);
	const char *sql = "";

	if (function == NULL || expr->arg_count == 0)
		return cannot(self, "the function %.60s is not known", expr->text);
	for (int i = 0; i < expr->arg_count; i++)
	{
		if (!emit(self, expr->args[i], &args[i]))
			return false;
	}
	if (function->args == 1
			? !settle(self, &args[0], NULL) ||
				  !check_single(self, function->rule, &args[0], value)
			: !check_several(self, function->rule, args, expr->arg_count,
							 value))
		return false;
	for (int i = 0; i < expr->arg_count; i++)
		sql = arena_printf(self->scope->arena, "%s%s%s", sql, i > 0 ? ", " : "",
						   args[i].sql);
	value->constant = NULL;
	value->literal = false;
	value->sql = arena_printf(
		self->scope->arena, "%s(%s)",
		args[0].family == FAMILY_BYTES ? "LENGTH" : function->target, sql);
	return true;
}

/* ---- all of it */

static bool
emit_kind(Emitter *self, const PgExpr *expr, Value *value)
{
	set(value, FAMILY_OPAQUE, NULL);
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
			set(value, FAMILY_BOOLEAN, expr->value ? "TRUE" : "FALSE");
			return true;
		case PG_EXPR_NAME:
			return emit_name(self, expr, value);
		case PG_EXPR_CALL:
			return emit_call(self, expr, value);
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
			return emit_cast(self, expr, value);
		case PG_EXPR_CASE:
			return emit_case(self, expr, value);
		case PG_EXPR_COLLATE:
			return emit_collate(self, expr, value);
		case PG_EXPR_BITS:
		case PG_EXPR_WORD:
		case PG_EXPR_ARRAY:
			break;
	}
	return cannot(self, "%.40s is not known",
				  expr->text[0] != '\0' ? expr->text : "an array");
}

static bool
emit(Emitter *self, const PgExpr *expr, Value *value)
{
	bool ok;

	if (++self->depth > DEPTH_MAX)
		ok = cannot(self, "it is nested too deeply");
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
	if (expr == NULL || !emit(&self, expr, &value) ||
		!settle(&self, &value, NULL))
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
expr_uses(const ExprSql *expr, const WorkColumn *column)
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

/*
 * expr_emit_call.c
 *		Functions that both sides have, and that mean the same.
 */
#include "mysql/expr_emit.h"

#include <strings.h>

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

	value_set(value, FAMILY_INTEGER, NULL);
	if (rule == RULE_LENGTH || rule == RULE_BYTES)
	{
		fits = fits || family == FAMILY_BYTES ||
			   (family == FAMILY_PADDED && rule == RULE_LENGTH);
		return (fits && (rule == RULE_LENGTH || family == FAMILY_BYTES ||
						 self->scope->utf8)) ||
			   expr_cannot(self,
						   "a length of something else than text is not known");
	}
	if (rule == RULE_WHOLE || rule == RULE_ABS)
	{
		*value = *arg;
		value->column = NULL;
		return family_is_number(family) ||
			   expr_cannot(self, "it takes only numbers");
	}
	value->family = FAMILY_TEXT;
	value->length = rule == RULE_MD5 ? 32 : arg->length;
	value->ordered = arg->ordered;
	if (rule == RULE_CASE)
		self->out->approximate = true;
	if (rule == RULE_MD5 && !self->scope->utf8)
		return expr_cannot(self, "the bytes of text are others on the target");
	/* MySQL 9.6 moved it to a component, and such a function may not be used. */
	if (rule == RULE_MD5 && !self->scope->md5)
		return expr_cannot(self, "MySQL refuses md5 in expressions of a table");
	return fits || expr_cannot(self, "it takes only text");
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
		return expr_same_kind(self, args, count, value);
	for (int i = 0; i < count; i++)
	{
		bool text = i == 0 || rule == RULE_REPLACE;

		if (!value_settle(self, &args[i], NULL))
			return false;
		if (rule == RULE_MOD ? args[i].family != FAMILY_INTEGER
			: text			 ? args[i].family != FAMILY_TEXT
							 : !is_positive(&args[i]))
			return expr_cannot(self, "it takes other arguments there");
	}
	value_set(value, rule == RULE_MOD ? FAMILY_INTEGER : FAMILY_TEXT, NULL);
	value->length = rule == RULE_PART ? args[0].length : -1;
	value->ordered = args[0].ordered;
	return rule != RULE_PART || count <= 3 ||
		   expr_cannot(self, "too many arguments");
}

bool
expr_emit_call(Emitter *self, const PgExpr *expr, Value *value)
{
	const Function *function = find_function(expr);
	Value *args = ARENA_ARRAY(self->scope->arena, Value,
							  (size_t) expr->arg_count);
	const char *sql = "";

	if (function == NULL || expr->arg_count == 0)
		return expr_cannot(self, "the function %.60s is not known", expr->text);
	for (int i = 0; i < expr->arg_count; i++)
	{
		if (!expr_emit(self, expr->args[i], &args[i]))
			return false;
	}
	if (function->args == 1
			? !value_settle(self, &args[0], NULL) ||
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

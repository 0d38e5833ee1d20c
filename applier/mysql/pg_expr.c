/*
 * pg_expr.c
 *		See pg_expr.h.
 *
 * One function for each level of precedence (PostgreSQL's
 * gram.y, from OR down to ::).  The catalog puts parentheses nearly everywhere,
 * but what people read back must not depend on that.
 */
#include "mysql/pg_expr.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "mysql/pg_expr_scan.h"

#define DEPTH_MAX 200
#define NODES_MAX 20000

typedef struct Parser
{
	Scanner scan;
	Arena *arena;
	int depth;
	int nodes;
	const char *why; /* set once: it is over */
} Parser;

static PgExpr *parse_expr(Parser *self);
static PgExpr *parse_unary(Parser *self);

static PgExpr *
refuse(Parser *self, const char *what)
{
	if (self->why == NULL)
		self->why = arena_printf(self->arena, "%s at \"%.30s\"", what,
								 self->scan.token.start);
	return NULL;
}

static bool
need_sign(Parser *self, const char *sign)
{
	if (scan_take_sign(&self->scan, sign))
		return true;
	refuse(self, "something else is expected");
	return false;
}

/* ---- nodes */

static PgExpr *
node(Parser *self, PgExprKind kind, const char *text, int arg_count)
{
	PgExpr *expr;

	if (++self->nodes > NODES_MAX)
		return refuse(self, "it is too long");
	expr = ARENA_NEW(self->arena, PgExpr);
	expr->kind = kind;
	expr->text = text;
	expr->arg_count = arg_count;
	expr->args = ARENA_ARRAY(self->arena, PgExpr *, (size_t) arg_count);
	return expr;
}

static PgExpr *
node_of(Parser *self, PgExprKind kind, const char *text, PgExpr *first,
		PgExpr *second)
{
	PgExpr *expr;

	if (first == NULL || self->why != NULL)
		return NULL;
	expr = node(self, kind, text, second != NULL ? 2 : 1);
	if (expr == NULL)
		return NULL;
	expr->args[0] = first;
	if (second != NULL)
		expr->args[1] = second;
	return expr;
}

static bool
add_arg(Parser *self, PgExpr *expr, PgExpr *arg)
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

/* Behind the opening sign, up to the closing one. */
static PgExpr *
parse_list(Parser *self, PgExpr *expr, const char *close)
{
	if (expr == NULL || scan_take_sign(&self->scan, close))
		return expr;
	do
	{
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	} while (scan_take_sign(&self->scan, ","));
	return need_sign(self, close) ? expr : NULL;
}

/* ---- types, behind :: */

/* Words that go on with a type's name: "double precision", "time with ...". */
static bool
type_goes_on(const Parser *self)
{
	static const char *const words[] = {
		"precision", "varying", "with", "without", "time",	 "zone",  "to",
		"year",		 "month",	"day",	"hour",	   "minute", "second"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (scan_at_word(&self->scan, words[i]))
			return true;
	}
	return false;
}

/* "(10,2)" and "[]" are kept, quotes are not. */
static bool
put_type_suffix(Parser *self, Buffer *type)
{
	if (scan_take_sign(&self->scan, "("))
	{
		buffer_putc(type, '(');
		while (self->scan.token.kind == TOKEN_NUMBER ||
			   scan_at_sign(&self->scan, ",") || scan_at_sign(&self->scan, "-"))
		{
			buffer_puts(type, self->scan.token.text);
			scan_next(&self->scan);
		}
		if (!need_sign(self, ")"))
			return false;
		buffer_putc(type, ')');
	}
	while (scan_take_sign(&self->scan, "["))
	{
		if (!need_sign(self, "]"))
			return false;
		buffer_puts(type, "[]");
	}
	return true;
}

static const char *
parse_type(Parser *self)
{
	Buffer type;
	const char *result = NULL;

	if (self->scan.token.kind != TOKEN_WORD &&
		self->scan.token.kind != TOKEN_NAME)
	{
		refuse(self, "a type is expected");
		return NULL;
	}
	buffer_init(&type);
	buffer_puts(&type, self->scan.token.text);
	scan_next(&self->scan);
	while (scan_take_sign(&self->scan, "."))
	{
		buffer_printf(&type, ".%s", self->scan.token.text);
		scan_next(&self->scan);
	}
	while (type_goes_on(self))
	{
		buffer_printf(&type, " %s", self->scan.token.text);
		scan_next(&self->scan);
	}
	if (put_type_suffix(self, &type))
	{
		/* "timestamp(3) without time zone" */
		while (type_goes_on(self))
		{
			buffer_printf(&type, " %s", self->scan.token.text);
			scan_next(&self->scan);
		}
		if (put_type_suffix(self, &type))
			result = arena_strdup(self->arena, type.data);
	}
	buffer_release(&type);
	return result;
}

/* ---- what has no operator in front */

static PgExpr *
parse_case(Parser *self)
{
	PgExpr *expr = node(self, PG_EXPR_CASE, "", 0);

	if (expr == NULL)
		return NULL;
	if (!scan_at_word(&self->scan, "WHEN"))
	{
		expr->value = true;
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	}
	while (scan_take_word(&self->scan, "WHEN"))
	{
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
		if (!scan_take_word(&self->scan, "THEN"))
			return refuse(self, "THEN is expected");
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	}
	if (scan_take_word(&self->scan, "ELSE") &&
		!add_arg(self, expr, parse_expr(self)))
		return NULL;
	return scan_take_word(&self->scan, "END") ? expr
											  : refuse(self, "END is expected");
}

/* Functions that are called without parentheses. */
static bool
is_bare_call(const char *word)
{
	static const char *const words[] = { "CURRENT_DATE",
										 "CURRENT_TIME",
										 "CURRENT_TIMESTAMP",
										 "LOCALTIME",
										 "LOCALTIMESTAMP",
										 "CURRENT_USER",
										 "SESSION_USER",
										 "CURRENT_ROLE",
										 "CURRENT_SCHEMA",
										 "CURRENT_CATALOG",
										 "USER" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strcasecmp(words[i], word) == 0)
			return true;
	}
	return false;
}

/* TRIM(BOTH FROM x) and SUBSTRING(x FROM 1 FOR 2), behind the parenthesis. */
static PgExpr *
parse_sql_call(Parser *self, const char *name)
{
	bool trim = strcasecmp(name, "trim") == 0;
	PgExpr *call;

	if (trim && scan_take_word(&self->scan, "LEADING"))
		name = "ltrim";
	else if (trim && scan_take_word(&self->scan, "TRAILING"))
		name = "rtrim";
	else if (trim && scan_take_word(&self->scan, "BOTH"))
		name = "btrim";
	else
		trim = false;
	if (trim && !scan_take_word(&self->scan, "FROM"))
		return refuse(self, "characters to trim are not known");
	call = node(self, PG_EXPR_CALL, name, 0);
	if (call == NULL || scan_take_sign(&self->scan, ")"))
		return call;
	do
	{
		if (!add_arg(self, call, parse_expr(self)))
			return NULL;
	} while (scan_take_sign(&self->scan, ",") ||
			 (strcasecmp(name, "substring") == 0 &&
			  (scan_take_word(&self->scan, "FROM") ||
			   scan_take_word(&self->scan, "FOR"))));
	return need_sign(self, ")") ? call : NULL;
}

/* A column, or a function, with its schema unless that is pg_catalog. */
static PgExpr *
parse_named(Parser *self, const char *name, bool quoted)
{
	PgExpr *expr;

	while (scan_take_sign(&self->scan, "."))
	{
		if (self->scan.token.kind != TOKEN_WORD &&
			self->scan.token.kind != TOKEN_NAME)
			return refuse(self, "a name is expected");
		name = strcmp(name, "pg_catalog") == 0
				   ? self->scan.token.text
				   : arena_printf(self->arena, "%s.%s", name,
								  self->scan.token.text);
		scan_next(&self->scan);
	}
	if (scan_take_sign(&self->scan, "("))
		return parse_sql_call(self, name);
	expr = node(self, PG_EXPR_NAME, name, 0);
	if (expr != NULL)
		expr->quoted = quoted;
	return expr;
}

static PgExpr *
parse_word(Parser *self)
{
	const char *word = self->scan.token.text;
	PgExpr *expr;

	scan_next(&self->scan);
	if (strcasecmp(word, "NULL") == 0)
		return node(self, PG_EXPR_NULL, "", 0);
	if (strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0)
	{
		expr = node(self, PG_EXPR_BOOLEAN, "", 0);
		if (expr != NULL)
			expr->value = word[0] == 't' || word[0] == 'T';
		return expr;
	}
	if (strcasecmp(word, "CASE") == 0)
		return parse_case(self);
	if (strcasecmp(word, "ARRAY") == 0 && scan_take_sign(&self->scan, "["))
		return parse_list(self, node(self, PG_EXPR_ARRAY, "", 0), "]");
	if (is_bare_call(word))
	{
		expr = node(self, PG_EXPR_WORD, word, 0);
		if (scan_take_sign(&self->scan, "("))
		{
			/* how many digits: the column knows */
			if (self->scan.token.kind == TOKEN_NUMBER)
				scan_next(&self->scan);
			if (!need_sign(self, ")"))
				return NULL;
		}
		return expr;
	}
	return parse_named(self, word, false);
}

static PgExpr *
parse_constant(Parser *self, PgExprKind kind)
{
	PgExpr *expr = node(self, kind, self->scan.token.text, 0);

	scan_next(&self->scan);
	return expr;
}

static PgExpr *
parse_primary(Parser *self)
{
	PgExpr *expr;

	switch (self->scan.token.kind)
	{
		case TOKEN_TEXT:
			return parse_constant(self, PG_EXPR_TEXT);
		case TOKEN_BITS:
			return parse_constant(self, PG_EXPR_BITS);
		case TOKEN_NUMBER:
			return parse_constant(self, PG_EXPR_NUMBER);
		case TOKEN_WORD:
			return parse_word(self);
		case TOKEN_NAME:
			expr = node(self, PG_EXPR_NAME, self->scan.token.text, 0);
			scan_next(&self->scan);
			return expr == NULL ? NULL : parse_named(self, expr->text, true);
		case TOKEN_SIGN:
			if (!scan_take_sign(&self->scan, "("))
				break;
			expr = parse_expr(self);
			return expr != NULL && need_sign(self, ")") ? expr : NULL;
		case TOKEN_END:
		case TOKEN_BAD:
			break;
	}
	return refuse(self, "it is not understood");
}

/* :: and COLLATE bind closest. */
static PgExpr *
parse_postfix(Parser *self)
{
	PgExpr *expr = parse_primary(self);

	while (expr != NULL)
	{
		const char *type;

		if (scan_take_sign(&self->scan, "::"))
		{
			type = parse_type(self);
			expr = type == NULL ? NULL
								: node_of(self, PG_EXPR_CAST, type, expr, NULL);
		}
		else if (scan_take_word(&self->scan, "COLLATE"))
		{
			type = parse_type(self);
			expr = type == NULL
					   ? NULL
					   : node_of(self, PG_EXPR_COLLATE, type, expr, NULL);
		}
		else if (scan_at_sign(&self->scan, "["))
			return refuse(self, "subscripts are not known");
		else
			break;
	}
	return expr;
}

/* ---- operators, the tightest first */

static PgExpr *
parse_unary(Parser *self)
{
	PgExpr *expr;

	if (++self->depth > DEPTH_MAX)
		expr = refuse(self, "it is nested too deeply");
	else if (scan_take_sign(&self->scan, "-"))
		expr = node_of(self, PG_EXPR_OPERATOR, "-", parse_unary(self), NULL);
	else if (scan_take_sign(&self->scan, "+"))
		expr = parse_unary(self);
	else
		expr = parse_postfix(self);
	self->depth--;
	return expr;
}

static bool
is_one_of(const Parser *self, const char *const *signs)
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

static PgExpr *
parse_product(Parser *self)
{
	PgExpr *left = parse_unary(self);

	while (left != NULL && is_one_of(self, products))
	{
		const char *sign = self->scan.token.text;
		PgExpr *right;

		scan_next(&self->scan);
		right = parse_unary(self);
		left = right == NULL
				   ? NULL
				   : node_of(self, PG_EXPR_OPERATOR, sign, left, right);
	}
	return left;
}

static PgExpr *
parse_sum(Parser *self)
{
	PgExpr *left = parse_product(self);

	while (left != NULL && is_one_of(self, sums))
	{
		const char *sign = self->scan.token.text;
		PgExpr *right;

		scan_next(&self->scan);
		right = parse_product(self);
		left = right == NULL
				   ? NULL
				   : node_of(self, PG_EXPR_OPERATOR, sign, left, right);
	}
	return left;
}

/* ANY (...) and ALL (...), behind the word. */
static PgExpr *
parse_any(Parser *self, const char *sign, PgExpr *left, bool all)
{
	PgExpr *array;
	PgExpr *expr;

	if (!need_sign(self, "("))
		return NULL;
	array = parse_expr(self);
	if (array == NULL || !need_sign(self, ")"))
		return NULL;
	expr = node_of(self, PG_EXPR_ANY, sign, left, array);
	if (expr != NULL)
		expr->value = all;
	return expr;
}

static PgExpr *
parse_right(Parser *self, const char *sign, PgExpr *left,
			PgExpr *(*parse)(Parser *) )
{
	PgExpr *right;

	if (scan_take_word(&self->scan, "ANY"))
		return parse_any(self, sign, left, false);
	if (scan_take_word(&self->scan, "ALL"))
		return parse_any(self, sign, left, true);
	right = parse(self);
	return right == NULL ? NULL
						 : node_of(self, PG_EXPR_OPERATOR, sign, left, right);
}

/* || ~~ ->> and whatever else there is; AT TIME ZONE. */
static PgExpr *
parse_other(Parser *self)
{
	PgExpr *left = parse_sum(self);

	while (left != NULL)
	{
		const char *sign = self->scan.token.text;

		if (scan_take_word(&self->scan, "AT"))
		{
			if (!scan_take_word(&self->scan, "TIME") ||
				!scan_take_word(&self->scan, "ZONE"))
				return refuse(self, "TIME ZONE is expected");
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
parse_comparison(Parser *self)
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
parse_is(Parser *self)
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
				return refuse(self, "FROM is expected");
			right = parse_comparison(self);
			expr = right == NULL
					   ? NULL
					   : node_of(self, PG_EXPR_DISTINCT, "", expr, right);
		}
		else if (scan_take_word(&self->scan, "NULL") ||
				 scan_take_word(&self->scan, "TRUE") ||
				 scan_take_word(&self->scan, "FALSE") ||
				 scan_take_word(&self->scan, "UNKNOWN"))
			expr = node_of(self, PG_EXPR_IS, what, expr, NULL);
		else
			return refuse(self, "it is not understood");
		if (expr != NULL)
			expr->value = negated;
	}
	return expr;
}

static PgExpr *
parse_not(Parser *self)
{
	PgExpr *expr;

	if (++self->depth > DEPTH_MAX)
		expr = refuse(self, "it is nested too deeply");
	else if (scan_take_word(&self->scan, "NOT"))
		expr = node_of(self, PG_EXPR_NOT, "", parse_not(self), NULL);
	else
		expr = parse_is(self);
	self->depth--;
	return expr;
}

static PgExpr *
parse_and(Parser *self)
{
	PgExpr *left = parse_not(self);

	while (left != NULL && scan_take_word(&self->scan, "AND"))
	{
		PgExpr *right = parse_not(self);

		left = right == NULL ? NULL
							 : node_of(self, PG_EXPR_AND, "", left, right);
	}
	return left;
}

static PgExpr *
parse_expr(Parser *self)
{
	PgExpr *left;

	if (++self->depth > DEPTH_MAX)
		left = refuse(self, "it is nested too deeply");
	else
		left = parse_and(self);
	while (left != NULL && scan_take_word(&self->scan, "OR"))
	{
		PgExpr *right = parse_and(self);

		left = right == NULL ? NULL
							 : node_of(self, PG_EXPR_OR, "", left, right);
	}
	self->depth--;
	return left;
}

const PgExpr *
pg_expr_parse(const char *sql, Arena *arena, const char **why)
{
	Parser self = { .arena = arena, .scan = { .arena = arena, .next = sql } };
	const PgExpr *expr;

	scan_next(&self.scan);
	expr = parse_expr(&self);
	if (expr != NULL && self.scan.token.kind != TOKEN_END)
		expr = refuse(&self, "it is not understood");
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

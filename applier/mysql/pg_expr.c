/*
 * pg_expr.c
 *		See pg_expr.h.
 *
 * A scanner, and one function for each level of precedence (PostgreSQL's
 * gram.y, from OR down to ::).  The catalog puts parentheses nearly everywhere,
 * but what people read back must not depend on that.
 */
#include "mysql/pg_expr.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"

#define DEPTH_MAX 200
#define NODES_MAX 20000

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_BAD,
	TOKEN_NAME, /* in quotes, unescaped */
	TOKEN_WORD, /* not in quotes */
	TOKEN_TEXT,
	TOKEN_BITS,
	TOKEN_NUMBER,
	TOKEN_SIGN /* an operator or punctuation */
} TokenKind;

typedef struct Token
{
	TokenKind kind;
	const char *text;
	const char *start; /* in the input */
} Token;

typedef struct Parser
{
	Arena *arena;
	const char *input;
	const char *next; /* what is not scanned */
	Token token;	  /* the one to look at */
	int depth;
	int nodes;
	const char *why; /* set once: it is over */
} Parser;

static PgExpr *parse_expr(Parser *self);
static PgExpr *parse_unary(Parser *self);

/* ---- tokens */

static PgExpr *
refuse(Parser *self, const char *what)
{
	if (self->why == NULL)
		self->why = arena_printf(self->arena, "%s at \"%.30s\"", what,
								 self->token.start);
	return NULL;
}

/* 'text' or "name": the quote doubled inside; with E, backslashes as well. */
static bool
scan_quoted(Parser *self, char quote, bool escapes)
{
	Buffer text;
	const char *p = self->next + 1;
	bool closed = false;
	bool escaped;

	buffer_init(&text);
	for (; *p != '\0' && !closed; p++)
	{
		if (*p == quote && p[1] != quote)
		{
			closed = true;
			continue;
		}
		escaped = escapes && *p == '\\';
		if (*p == quote || escaped)
			p++;
		/* \n and the like are never printed */
		if (*p == '\0' || (escaped && isalnum((unsigned char) *p)))
			break;
		buffer_putc(&text, *p);
	}
	self->next = p;
	self->token.text = arena_strndup(self->arena, text.data, text.len);
	buffer_release(&text);
	return closed;
}

static size_t
word_len(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char) p[len]) || p[len] == '_' || p[len] == '$' ||
		   (unsigned char) p[len] >= 0x80)
		len++;
	return len;
}

static size_t
number_len(const char *p)
{
	size_t len = strspn(p, "0123456789");

	if (p[len] == '.')
		len += 1 + strspn(p + len + 1, "0123456789");
	if ((p[len] == 'e' || p[len] == 'E') && len > 0)
	{
		size_t sign = p[len + 1] == '-' || p[len + 1] == '+' ? 1 : 0;
		size_t digits = strspn(p + len + 1 + sign, "0123456789");

		if (digits > 0)
			len += 1 + sign + digits;
	}
	return len;
}

/* "(", "::" ...: one character, or as many as make an operator. */
static size_t
sign_len(const char *p)
{
	static const char operators[] = "+-*/<>=~!@#%^&|`?";

	if (p[0] == ':' && p[1] == ':')
		return 2;
	return strspn(p, operators) > 0 ? strspn(p, operators)
									: strchr("()[],.:", *p) != NULL;
}

static void
take_token(Parser *self, TokenKind kind, size_t len)
{
	self->token.kind = len == 0 ? TOKEN_BAD : kind;
	self->token.text = arena_strndup(self->arena, self->next, len);
	self->next += len;
}

static void
advance(Parser *self)
{
	const char *p = self->next + strspn(self->next, " \t\r\n");
	bool escaped = (*p == 'E' || *p == 'e') && p[1] == '\'';
	bool bits = (*p == 'B' || *p == 'b') && p[1] == '\'';

	self->next = escaped || bits ? p + 1 : p;
	self->token.start = p;
	if (*p == '\0')
		self->token.kind = TOKEN_END;
	else if (*p == '\'' || escaped || bits)
		self->token.kind = !scan_quoted(self, '\'', escaped) ? TOKEN_BAD
						   : bits							 ? TOKEN_BITS
															 : TOKEN_TEXT;
	else if (*p == '"')
		self->token.kind = scan_quoted(self, '"', false) ? TOKEN_NAME
														 : TOKEN_BAD;
	else if (isdigit((unsigned char) *p) ||
			 (*p == '.' && isdigit((unsigned char) p[1])))
		take_token(self, TOKEN_NUMBER, number_len(p));
	else if (word_len(p) > 0)
		take_token(self, TOKEN_WORD, word_len(p));
	else
		take_token(self, TOKEN_SIGN, sign_len(p));
}

static bool
at_sign(const Parser *self, const char *sign)
{
	return self->token.kind == TOKEN_SIGN &&
		   strcmp(self->token.text, sign) == 0;
}

static bool
at_word(const Parser *self, const char *word)
{
	return self->token.kind == TOKEN_WORD &&
		   strcasecmp(self->token.text, word) == 0;
}

static bool
take_sign(Parser *self, const char *sign)
{
	if (!at_sign(self, sign))
		return false;
	advance(self);
	return true;
}

static bool
take_word(Parser *self, const char *word)
{
	if (!at_word(self, word))
		return false;
	advance(self);
	return true;
}

static bool
need_sign(Parser *self, const char *sign)
{
	if (take_sign(self, sign))
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
	if (expr == NULL || take_sign(self, close))
		return expr;
	do
	{
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	} while (take_sign(self, ","));
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
		if (at_word(self, words[i]))
			return true;
	}
	return false;
}

/* "(10,2)" and "[]" are kept, quotes are not. */
static bool
put_type_suffix(Parser *self, Buffer *type)
{
	if (take_sign(self, "("))
	{
		buffer_putc(type, '(');
		while (self->token.kind == TOKEN_NUMBER || at_sign(self, ",") ||
			   at_sign(self, "-"))
		{
			buffer_puts(type, self->token.text);
			advance(self);
		}
		if (!need_sign(self, ")"))
			return false;
		buffer_putc(type, ')');
	}
	while (take_sign(self, "["))
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

	if (self->token.kind != TOKEN_WORD && self->token.kind != TOKEN_NAME)
	{
		refuse(self, "a type is expected");
		return NULL;
	}
	buffer_init(&type);
	buffer_puts(&type, self->token.text);
	advance(self);
	while (take_sign(self, "."))
	{
		buffer_printf(&type, ".%s", self->token.text);
		advance(self);
	}
	while (type_goes_on(self))
	{
		buffer_printf(&type, " %s", self->token.text);
		advance(self);
	}
	if (put_type_suffix(self, &type))
	{
		/* "timestamp(3) without time zone" */
		while (type_goes_on(self))
		{
			buffer_printf(&type, " %s", self->token.text);
			advance(self);
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
	if (!at_word(self, "WHEN"))
	{
		expr->value = true;
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	}
	while (take_word(self, "WHEN"))
	{
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
		if (!take_word(self, "THEN"))
			return refuse(self, "THEN is expected");
		if (!add_arg(self, expr, parse_expr(self)))
			return NULL;
	}
	if (take_word(self, "ELSE") && !add_arg(self, expr, parse_expr(self)))
		return NULL;
	return take_word(self, "END") ? expr : refuse(self, "END is expected");
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

	if (trim && take_word(self, "LEADING"))
		name = "ltrim";
	else if (trim && take_word(self, "TRAILING"))
		name = "rtrim";
	else if (trim && take_word(self, "BOTH"))
		name = "btrim";
	else
		trim = false;
	if (trim && !take_word(self, "FROM"))
		return refuse(self, "characters to trim are not known");
	call = node(self, PG_EXPR_CALL, name, 0);
	if (call == NULL || take_sign(self, ")"))
		return call;
	do
	{
		if (!add_arg(self, call, parse_expr(self)))
			return NULL;
	} while (take_sign(self, ",") ||
			 (strcasecmp(name, "substring") == 0 &&
			  (take_word(self, "FROM") || take_word(self, "FOR"))));
	return need_sign(self, ")") ? call : NULL;
}

/* A column, or a function, with its schema unless that is pg_catalog. */
static PgExpr *
parse_named(Parser *self, const char *name, bool quoted)
{
	PgExpr *expr;

	while (take_sign(self, "."))
	{
		if (self->token.kind != TOKEN_WORD && self->token.kind != TOKEN_NAME)
			return refuse(self, "a name is expected");
		name = strcmp(name, "pg_catalog") == 0
				   ? self->token.text
				   : arena_printf(self->arena, "%s.%s", name, self->token.text);
		advance(self);
	}
	if (take_sign(self, "("))
		return parse_sql_call(self, name);
	expr = node(self, PG_EXPR_NAME, name, 0);
	if (expr != NULL)
		expr->quoted = quoted;
	return expr;
}

static PgExpr *
parse_word(Parser *self)
{
	const char *word = self->token.text;
	PgExpr *expr;

	advance(self);
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
	if (strcasecmp(word, "ARRAY") == 0 && take_sign(self, "["))
		return parse_list(self, node(self, PG_EXPR_ARRAY, "", 0), "]");
	if (is_bare_call(word))
	{
		expr = node(self, PG_EXPR_WORD, word, 0);
		if (take_sign(self, "("))
		{
			/* how many digits: the column knows */
			if (self->token.kind == TOKEN_NUMBER)
				advance(self);
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
	PgExpr *expr = node(self, kind, self->token.text, 0);

	advance(self);
	return expr;
}

static PgExpr *
parse_primary(Parser *self)
{
	PgExpr *expr;

	switch (self->token.kind)
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
			expr = node(self, PG_EXPR_NAME, self->token.text, 0);
			advance(self);
			return expr == NULL ? NULL : parse_named(self, expr->text, true);
		case TOKEN_SIGN:
			if (!take_sign(self, "("))
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

		if (take_sign(self, "::"))
		{
			type = parse_type(self);
			expr = type == NULL ? NULL
								: node_of(self, PG_EXPR_CAST, type, expr, NULL);
		}
		else if (take_word(self, "COLLATE"))
		{
			type = parse_type(self);
			expr = type == NULL
					   ? NULL
					   : node_of(self, PG_EXPR_COLLATE, type, expr, NULL);
		}
		else if (at_sign(self, "["))
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
	else if (take_sign(self, "-"))
		expr = node_of(self, PG_EXPR_OPERATOR, "-", parse_unary(self), NULL);
	else if (take_sign(self, "+"))
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
		if (at_sign(self, *signs))
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
		const char *sign = self->token.text;
		PgExpr *right;

		advance(self);
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
		const char *sign = self->token.text;
		PgExpr *right;

		advance(self);
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

	if (take_word(self, "ANY"))
		return parse_any(self, sign, left, false);
	if (take_word(self, "ALL"))
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
		const char *sign = self->token.text;

		if (take_word(self, "AT"))
		{
			if (!take_word(self, "TIME") || !take_word(self, "ZONE"))
				return refuse(self, "TIME ZONE is expected");
			sign = "AT TIME ZONE";
		}
		else if (self->token.kind == TOKEN_SIGN && sign_len(sign) > 0 &&
				 strchr("()[],.:", sign[0]) == NULL &&
				 !is_one_of(self, comparisons))
			advance(self);
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
	const char *sign = self->token.text;

	if (left == NULL || !is_one_of(self, comparisons))
		return left;
	advance(self);
	return parse_right(self, strcmp(sign, "!=") == 0 ? "<>" : sign, left,
					   parse_other);
}

static PgExpr *
parse_is(Parser *self)
{
	PgExpr *expr = parse_comparison(self);

	while (expr != NULL && take_word(self, "IS"))
	{
		bool negated = take_word(self, "NOT");
		const char *what = self->token.text;

		if (take_word(self, "DISTINCT"))
		{
			PgExpr *right;

			if (!take_word(self, "FROM"))
				return refuse(self, "FROM is expected");
			right = parse_comparison(self);
			expr = right == NULL
					   ? NULL
					   : node_of(self, PG_EXPR_DISTINCT, "", expr, right);
		}
		else if (take_word(self, "NULL") || take_word(self, "TRUE") ||
				 take_word(self, "FALSE") || take_word(self, "UNKNOWN"))
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
	else if (take_word(self, "NOT"))
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

	while (left != NULL && take_word(self, "AND"))
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
	while (left != NULL && take_word(self, "OR"))
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
	Parser self = { .arena = arena, .input = sql, .next = sql };
	const PgExpr *expr;

	advance(&self);
	expr = parse_expr(&self);
	if (expr != NULL && self.token.kind != TOKEN_END)
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

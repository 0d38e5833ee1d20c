/*
 * pg_expr_operand.c
 *		What operators stand between: constants, columns, calls, CASE, and all of
 *		that with casts behind it.
 */
#include "mysql/pg_expr_parse.h"

#include <string.h>
#include <strings.h>

/* Behind the opening sign, up to the closing one. */
static PgExpr *
parse_list(PgParser *self, PgExpr *expr, const char *close)
{
	if (expr == NULL || scan_take_sign(&self->scan, close))
		return expr;
	do
	{
		if (!pg_parse_add(self, expr, pg_parse_expr(self)))
			return NULL;
	} while (scan_take_sign(&self->scan, ","));
	return pg_parse_sign(self, close) ? expr : NULL;
}

static PgExpr *
parse_case(PgParser *self)
{
	PgExpr *expr = pg_parse_node(self, PG_EXPR_CASE, "", 0);

	if (expr == NULL)
		return NULL;
	if (!scan_at_word(&self->scan, "WHEN"))
	{
		expr->value = true;
		if (!pg_parse_add(self, expr, pg_parse_expr(self)))
			return NULL;
	}
	while (scan_take_word(&self->scan, "WHEN"))
	{
		if (!pg_parse_add(self, expr, pg_parse_expr(self)))
			return NULL;
		if (!scan_take_word(&self->scan, "THEN"))
			return pg_parse_refuse(self, "THEN is expected");
		if (!pg_parse_add(self, expr, pg_parse_expr(self)))
			return NULL;
	}
	if (scan_take_word(&self->scan, "ELSE") &&
		!pg_parse_add(self, expr, pg_parse_expr(self)))
		return NULL;
	return scan_take_word(&self->scan, "END")
			   ? expr
			   : pg_parse_refuse(self, "END is expected");
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
parse_sql_call(PgParser *self, const char *name)
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
		return pg_parse_refuse(self, "characters to trim are not known");
	call = pg_parse_node(self, PG_EXPR_CALL, name, 0);
	if (call == NULL || scan_take_sign(&self->scan, ")"))
		return call;
	do
	{
		if (!pg_parse_add(self, call, pg_parse_expr(self)))
			return NULL;
	} while (scan_take_sign(&self->scan, ",") ||
			 (strcasecmp(name, "substring") == 0 &&
			  (scan_take_word(&self->scan, "FROM") ||
			   scan_take_word(&self->scan, "FOR"))));
	return pg_parse_sign(self, ")") ? call : NULL;
}

/* A column, or a function, with its schema unless that is pg_catalog. */
static PgExpr *
parse_named(PgParser *self, const char *name, bool quoted)
{
	PgExpr *expr;

	while (scan_take_sign(&self->scan, "."))
	{
		if (self->scan.token.kind != TOKEN_WORD &&
			self->scan.token.kind != TOKEN_NAME)
			return pg_parse_refuse(self, "a name is expected");
		name = strcmp(name, "pg_catalog") == 0
				   ? self->scan.token.text
				   : arena_printf(self->arena, "%s.%s", name,
								  self->scan.token.text);
		scan_next(&self->scan);
	}
	if (scan_take_sign(&self->scan, "("))
		return parse_sql_call(self, name);
	expr = pg_parse_node(self, PG_EXPR_NAME, name, 0);
	if (expr != NULL)
		expr->quoted = quoted;
	return expr;
}

static PgExpr *
parse_word(PgParser *self)
{
	const char *word = self->scan.token.text;
	PgExpr *expr;

	scan_next(&self->scan);
	if (strcasecmp(word, "NULL") == 0)
		return pg_parse_node(self, PG_EXPR_NULL, "", 0);
	if (strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0)
	{
		expr = pg_parse_node(self, PG_EXPR_BOOLEAN, "", 0);
		if (expr != NULL)
			expr->value = word[0] == 't' || word[0] == 'T';
		return expr;
	}
	if (strcasecmp(word, "CASE") == 0)
		return parse_case(self);
	if (strcasecmp(word, "ARRAY") == 0 && scan_take_sign(&self->scan, "["))
		return parse_list(self, pg_parse_node(self, PG_EXPR_ARRAY, "", 0), "]");
	if (is_bare_call(word))
	{
		expr = pg_parse_node(self, PG_EXPR_WORD, word, 0);
		if (scan_take_sign(&self->scan, "("))
		{
			/* how many digits: the column knows */
			if (self->scan.token.kind == TOKEN_NUMBER)
				scan_next(&self->scan);
			if (!pg_parse_sign(self, ")"))
				return NULL;
		}
		return expr;
	}
	return parse_named(self, word, false);
}

static PgExpr *
parse_constant(PgParser *self, PgExprKind kind)
{
	PgExpr *expr = pg_parse_node(self, kind, self->scan.token.text, 0);

	scan_next(&self->scan);
	return expr;
}

static PgExpr *
parse_primary(PgParser *self)
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
			expr = pg_parse_node(self, PG_EXPR_NAME, self->scan.token.text, 0);
			scan_next(&self->scan);
			return expr == NULL ? NULL : parse_named(self, expr->text, true);
		case TOKEN_SIGN:
			if (!scan_take_sign(&self->scan, "("))
				break;
			expr = pg_parse_expr(self);
			return expr != NULL && pg_parse_sign(self, ")") ? expr : NULL;
		case TOKEN_END:
		case TOKEN_BAD:
			break;
	}
	return pg_parse_refuse(self, "it is not understood");
}

/* :: and COLLATE bind closest. */
PgExpr *
pg_parse_postfix(PgParser *self)
{
	PgExpr *expr = parse_primary(self);

	while (expr != NULL)
	{
		const char *type;

		if (scan_take_sign(&self->scan, "::"))
		{
			type = pg_parse_type(self);
			expr = type == NULL
					   ? NULL
					   : pg_parse_node_of(self, PG_EXPR_CAST, type, expr, NULL);
		}
		else if (scan_take_word(&self->scan, "COLLATE"))
		{
			type = pg_parse_type(self);
			expr = type == NULL ? NULL
								: pg_parse_node_of(self, PG_EXPR_COLLATE, type,
												   expr, NULL);
		}
		else if (scan_at_sign(&self->scan, "["))
			return pg_parse_refuse(self, "subscripts are not known");
		else
			break;
	}
	return expr;
}

/*
 * expr_check.c
 *		What an expression may not say although SQLite would take it.
 *
 * That is, what would have another value in the copy than in the stream (dates that
 * ask the clock), what SQLite would answer with something else than is meant, and
 * what nobody could say the value of.  Numerics have a rule of their own:
 * expr_check_numeric.c.
 */
#include "expr/expr_db.h"

typedef struct Check
{
	const ExprNames *names;
	const ExprTokens *tokens;
	Error *err;
} Check;

int
expr_find_column(const ExprColumn *columns, int count, const char *name)
{
	int found = -1;
	int i;

	for (i = 0; i < count; i++)
	{
		if (!expr_same_name(columns[i].name, name))
			continue;
		if (found >= 0)
			return -2;
		found = i;
	}
	return found;
}

bool
expr_is_old(const ExprTokens *tokens, int i)
{
	return expr_token_name(tokens, i, "old") &&
		   expr_token_sign(tokens, i + 1, ".") &&
		   expr_token_is_name(tokens, i + 2) &&
		   !expr_token_sign(tokens, i - 1, ".");
}

bool
expr_has_query(const ExprTokens *tokens)
{
	static const char *const words[] = { "SELECT", "VALUES", "WITH",
										 "OVER",   "IN",	 NULL };
	static const char *const aggregates[] = { "avg",
											  "count",
											  "group_concat",
											  "json_group_array",
											  "max",
											  "min",
											  "json_group_object",
											  "string_agg",
											  "total",
											  "sum",
											  NULL };
	int i;
	int a;

	for (i = 0; i < tokens->count; i++)
	{
		/* IN TABLE asks a table without SELECT */
		if (expr_token_word(tokens, i, "IN") &&
			expr_token_sign(tokens, i + 1, "("))
			continue;
		if (expr_token_one_of(tokens, i, words))
			return true;
		if (!expr_token_call(tokens, i))
			continue;
		for (a = 0; aggregates[a] != NULL; a++)
		{
			if (expr_token_name(tokens, i, aggregates[a]))
				return true;
		}
	}
	return false;
}

/* ---- dates */

static int
argument_index(const ExprTokens *tokens, int open, int token)
{
	int commas = 0;
	int i;

	for (i = open + 1; i < token; i++)
	{
		if (tokens->items[i].open == open && expr_token_sign(tokens, i, ","))
			commas++;
	}
	return commas;
}

static bool
check_date_argument(const Check *check, int call, int first_modifier, int i)
{
	static const char *const here[] = { "localtime", "utc", "now", NULL };
	const ExprTokens *tokens = check->tokens;
	const ExprToken *token = &tokens->items[i];
	int argument = argument_index(tokens, call + 1, i);
	int h;

	/* what is within another call there is that one's */
	if (argument < first_modifier && token->open != call + 1)
		return true;
	if (token->kind == EXPR_TOKEN_STRING)
	{
		for (h = 0; here[h] != NULL; h++)
		{
			if (expr_same_name(token->text, here[h]))
			{
				error_set(
					check->err, P_RULE,
					"'%s' at character %d is another time in the copy, in "
					"the stream or on another machine",
					token->text, token->start + 1);
				return error_hint(check->err,
								  "at_time_zone(ts, zone) converts, "
								  "portage_commit_time() is the time of the "
								  "change");
			}
		}
		return true;
	}
	if (expr_token_sign(tokens, i, ",") || argument < first_modifier)
		return true;
	return error_set(check->err, P_RULE,
					 "modifiers of %s must be written out: not so at character "
					 "%d",
					 tokens->items[call].text, token->start + 1);
}

static bool
check_dates(const Check *check)
{
	static const char *const dates[] = { "date",	  "time",	   "datetime",
										 "julianday", "unixepoch", "strftime",
										 NULL };
	const ExprTokens *tokens = check->tokens;
	int call;
	int i;
	int d;

	for (call = 0; call < tokens->count; call++)
	{
		int first = expr_token_name(tokens, call, "strftime") ? 2 : 1;

		for (d = 0; dates[d] != NULL; d++)
		{
			if (expr_token_call(tokens, call) &&
				expr_token_name(tokens, call, dates[d]))
				break;
		}
		if (dates[d] == NULL)
			continue;
		if (tokens->items[call + 1].match == call + 2)
			return error_set(check->err, P_RULE,
							 "%s() is the present time, which is another one "
							 "in the copy and in the stream",
							 tokens->items[call].text);
		for (i = call + 2; i < tokens->items[call + 1].match; i++)
		{
			if (!check_date_argument(check, call, first, i))
				return false;
		}
	}
	return true;
}

/* ---- names */

/* Within (SELECT ...), at whatever depth? */
static bool
in_query(const ExprTokens *tokens, int i)
{
	static const char *const words[] = { "SELECT", "VALUES", "WITH", NULL };
	int open;

	for (open = tokens->items[i].open; open >= 0;
		 open = tokens->items[open].open)
	{
		if (expr_token_one_of(tokens, open + 1, words))
			return true;
	}
	return false;
}

static bool
check_counter(const Check *check, int i)
{
	const ExprTokens *tokens = check->tokens;

	if (tokens->items[i + 1].match == i + 2)
		return error_set(check->err, P_RULE,
						 "portage_counter takes the key that it counts by");
	if (in_query(tokens, i))
		return error_set(check->err, P_RULE,
						 "portage_counter within a query: nobody could say "
						 "how often it counts");
	return true;
}

static bool
check_names(const Check *check)
{
	const ExprTokens *tokens = check->tokens;
	int i;

	for (i = 0; i < tokens->count; i++)
	{
		const ExprToken *token = &tokens->items[i];

		if (!expr_token_is_name(tokens, i))
			continue;
		if (token->kind == EXPR_TOKEN_NAME && expr_token_call(tokens, i) &&
			expr_function_allowed(token->text))
			return error_set(check->err, P_RULE,
							 "the function %s is to be called without quotes",
							 token->text);
		/* our modules; a column may be called so as well */
		if (sqlite3_strnicmp(token->text, "portage_", 8) == 0 &&
			!expr_token_call(tokens, i) &&
			expr_find_column(check->names->columns, check->names->column_count,
							 token->text) == -1)
			return error_set(check->err, P_RULE, "no such column: %s",
							 token->text);
		if (expr_token_name(tokens, i, "portage_counter") &&
			expr_token_call(tokens, i) && !check_counter(check, i))
			return false;
	}
	return true;
}

bool
expr_check(const ExprNames *names, const ExprTokens *tokens, Error *err)
{
	static const char *const queries[] = { "SELECT", "VALUES", "WITH", NULL };
	const Check check = { names, tokens, err };

	if (expr_token_one_of(tokens, 0, queries))
		return error_set(err, P_RULE,
						 "a query within an expression stands in parentheses");
	return check_names(&check) && expr_check_numeric(names, tokens, err) &&
		   check_dates(&check);
}

/*
 * expr_check.c
 *		What an expression may not say although SQLite would take it.
 *
 * The rule of numerics: SQLite has numeric values as text and compares them so:
 * amount > 100 would be true for '5'.  A numeric is therefore
 * good for four things only: an argument of a dec_ function, IS [NOT] NULL, the
 * whole expression, and, through a subquery, one of these again.  What a dec_
 * function returns may besides be passed on (coalesce, CASE, ||), but not compared
 * or computed with.
 *
 * Everything here errs on the side of refusing: a name is taken for a numeric
 * column if it may be one.
 */
#include "expr/expr_db.h"

#include <string.h>

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

static bool
is_one_of(const ExprTokens *tokens, int i, const char *const *words)
{
	for (; *words != NULL; words++)
	{
		if (expr_token_word(tokens, i, *words) ||
			expr_token_sign(tokens, i, *words))
			return true;
	}
	return false;
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
		if (is_one_of(tokens, i, words))
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

/* ---- which tokens are numeric columns */

static bool
has_numeric(const ExprColumn *columns, int count, const char *name)
{
	int i;

	for (i = 0; i < count; i++)
	{
		if (columns[i].bind == EXPR_BIND_NUMERIC &&
			expr_same_name(columns[i].name, name))
			return true;
	}
	return false;
}

/* A reference that the expression mentions has such a column. */
static bool
reference_has_numeric(const Check *check, const char *name)
{
	const Reference *reference = check->names->db->references;
	int i;

	for (; reference != NULL; reference = reference->next)
	{
		if (!has_numeric(reference->columns, reference->column_count, name))
			continue;
		for (i = 0; i < check->tokens->count; i++)
		{
			if (expr_token_name(check->tokens, i, reference->name))
				return true;
		}
	}
	return false;
}

/* Of what may stand before the dot: a table, or an alias of we know not what. */
static bool
is_numeric_name(const Check *check, const char *qualifier, const char *name)
{
	const ExprNames *names = check->names;
	bool of_row = has_numeric(names->columns, names->column_count, name);
	const Reference *reference;

	if (qualifier == NULL)
		return of_row || reference_has_numeric(check, name);
	if (expr_same_name(qualifier, "old"))
		return of_row;
	reference = expr_reference_find(names->db, qualifier);
	if (reference == NULL)
		return of_row || (!expr_same_name(qualifier, names->table) &&
						  reference_has_numeric(check, name));
	return has_numeric(reference->columns, reference->column_count, name) ||
		   (of_row && expr_same_name(qualifier, names->table));
}

/*
 * The column that begins at token i and may be numeric: *end is its last token.
 */
static bool
numeric_at(const Check *check, int i, int *end)
{
	const ExprTokens *tokens = check->tokens;
	const char *qualifier = NULL;

	if (!expr_token_is_name(tokens, i) || expr_token_sign(tokens, i - 1, "."))
		return false;
	*end = i;
	while (expr_token_sign(tokens, *end + 1, ".") &&
		   expr_token_is_name(tokens, *end + 2))
	{
		qualifier = tokens->items[*end].text;
		*end += 2;
	}
	if (expr_token_call(tokens, *end))
		return false;
	return is_numeric_name(check, qualifier, tokens->items[*end].text);
}

/* ---- where they may stand */

static bool
is_dec(const ExprTokens *tokens, int i)
{
	return i >= 0 && sqlite3_strnicmp(tokens->items[i].text, "dec_", 4) == 0 &&
		   expr_token_call(tokens, i);
}

/* Grouping parentheses around what goes from *begin to *end are no matter. */
static void
unwrap(const ExprTokens *tokens, int *begin, int *end)
{
	while (expr_token_sign(tokens, *begin - 1, "(") &&
		   expr_token_sign(tokens, *end + 1, ")") &&
		   expr_token_caller(tokens, *begin - 1) < 0)
	{
		(*begin)--;
		(*end)++;
	}
}

static bool
null_test_follows(const ExprTokens *tokens, int begin, int end)
{
	static const char *const before[] = { "(",	  ",",	  "AND",   "OR",
										  "NOT",  "WHEN", "THEN",  "ELSE",
										  "CASE", "ON",	  "WHERE", "SELECT",
										  NULL };
	int next = end + 1;

	if (begin > 0 && !is_one_of(tokens, begin - 1, before))
		return false;
	if (expr_token_word(tokens, next, "ISNULL") ||
		expr_token_word(tokens, next, "NOTNULL"))
		return true;
	if (expr_token_word(tokens, next, "IS"))
		next++;
	else if (!expr_token_word(tokens, next, "NOT"))
		return false;
	if (expr_token_word(tokens, next, "NOT"))
		next++;
	return expr_token_word(tokens, next, "NULL");
}

/* Sorted by the number of a column, which would be this one. */
static bool
is_ordered_by_number(const ExprTokens *tokens, int open)
{
	int i;

	for (i = open + 1; i < tokens->items[open].match; i++)
	{
		if (tokens->items[i].open == open && expr_token_word(tokens, i, "BY") &&
			tokens->items[i + 1].kind == EXPR_TOKEN_NUMBER)
			return true;
	}
	return false;
}

/* The subquery whose only column this is: from its ( to its ). */
static bool
is_query_column(const ExprTokens *tokens, int *begin, int *end)
{
	int open = tokens->items[*begin].open;
	int select = *begin - 1;

	if (expr_token_word(tokens, select, "DISTINCT") ||
		expr_token_word(tokens, select, "ALL"))
		select--;
	if (open < 0 || select != open + 1 ||
		!expr_token_word(tokens, select, "SELECT") ||
		!expr_token_word(tokens, *end + 1, "FROM"))
		return false;
	/* x IN (...) compares with it */
	if (expr_token_word(tokens, open - 1, "IN") ||
		is_ordered_by_number(tokens, open))
		return false;
	*begin = open;
	*end = tokens->items[open].match;
	return true;
}

static bool
stands_well(const Check *check, int begin, int end)
{
	const ExprTokens *tokens = check->tokens;
	int open;

	do
	{
		unwrap(tokens, &begin, &end);
		if (begin == 0 && end == tokens->count - 1)
			return true;
		if (null_test_follows(tokens, begin, end))
			return true;
		open = tokens->items[begin].open;
		if (open >= 0 && is_dec(tokens, expr_token_caller(tokens, open)) &&
			(expr_token_sign(tokens, begin - 1, "(") ||
			 expr_token_sign(tokens, begin - 1, ",")) &&
			(expr_token_sign(tokens, end + 1, ")") ||
			 expr_token_sign(tokens, end + 1, ",")))
			return true;
	} while (is_query_column(tokens, &begin, &end));
	return false;
}

static bool
check_numeric_columns(const Check *check)
{
	const ExprTokens *tokens = check->tokens;
	int i;
	int end;

	for (i = 0; i < tokens->count; i++)
	{
		if (!numeric_at(check, i, &end))
			continue;
		if (!stands_well(check, i, end))
		{
			error_set(
				check->err, P_RULE,
				"%.*s at character %d is numeric, which is text to SQLite: "
				"'5' would be greater than '100'",
				tokens->items[end].start + tokens->items[end].len -
					tokens->items[i].start,
				tokens->source + tokens->items[i].start,
				tokens->items[i].start + 1);
			return error_hint(check->err,
							  "use it within dec_add, dec_sub, dec_mul, "
							  "dec_div, dec_round or dec_cmp, as in "
							  "dec_cmp(%s, 100) > 0; with IS NULL; or as the "
							  "whole expression",
							  tokens->items[end].text);
		}
		i = end;
	}
	return true;
}

/* Is what begins and ends there computed or compared with? */
static bool
is_operand(const ExprTokens *tokens, int begin, int end)
{
	static const char *const signs[] = { "+",  "-",	 "*",		"/",  "%",
										 "<",  ">",	 "<=",		">=", "=",
										 "==", "!=", "<>",		"<<", ">>",
										 "&",  "|",	 "BETWEEN", "IN", NULL };
	static const char *const cases[] = { "CASE", "WHEN", NULL };
	/* they make a double of it, or compare */
	static const char *const functions[] = {
		"abs",	 "avg",	  "ceil", "ceiling", "exp",	  "floor",	"ln",  "log",
		"log2",	 "log10", "max",  "min",	 "mod",	  "nullif", "pow", "power",
		"round", "sign",  "sqrt", "sum",	 "total", "trunc",	NULL
	};
	int caller = expr_token_caller(tokens, tokens->items[begin].open);

	return is_one_of(tokens, begin - 1, signs) ||
		   is_one_of(tokens, begin - 1, cases) ||
		   is_one_of(tokens, end + 1, signs) ||
		   (expr_token_word(tokens, end + 1, "NOT") &&
			is_one_of(tokens, end + 2, signs)) ||
		   (caller >= 0 && is_one_of(tokens, caller, functions));
}

/* What a dec_ function but dec_cmp returns is text like that. */
static bool
check_results(const Check *check)
{
	const ExprTokens *tokens = check->tokens;
	int i;

	for (i = 0; i < tokens->count; i++)
	{
		int begin = i;
		int end;

		if (!is_dec(tokens, i) || expr_token_name(tokens, i, "dec_cmp"))
			continue;
		end = tokens->items[i + 1].match;
		unwrap(tokens, &begin, &end);
		if (!is_operand(tokens, begin, end))
			continue;
		error_set(
			check->err, P_RULE,
			"what %s at character %d returns is exact, and therefore text "
			"to SQLite: '5' would be greater than '100'",
			tokens->items[i].text, tokens->items[i].start + 1);
		return error_hint(
			check->err, "compare with dec_cmp(a, b) > 0, compute with dec_add, "
						"dec_sub, dec_mul, dec_div and dec_round");
	}
	return true;
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
		if (is_one_of(tokens, open + 1, words))
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

	if (is_one_of(tokens, 0, queries))
		return error_set(err, P_RULE,
						 "a query within an expression stands in parentheses");
	return check_names(&check) && check_numeric_columns(&check) &&
		   check_results(&check) && check_dates(&check);
}

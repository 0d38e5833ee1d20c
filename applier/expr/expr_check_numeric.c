/*
 * expr_check_numeric.c
 *		The rule of numerics: what an expression may do with one.
 *
 * SQLite has numeric values as text and compares them so: amount > 100 would be
 * true for '5'.  A numeric is therefore good for four things only: an argument of a
 * dec_ function, IS [NOT] NULL, the whole expression, and, through a subquery, one
 * of these again.  What a dec_ function returns may besides be passed on (coalesce,
 * CASE, ||), but not compared or computed with.
 *
 * Everything here errs on the side of refusing: a name is taken for a numeric
 * column if it may be one.
 */
#include "expr/expr_db.h"

typedef struct Check
{
	const ExprNames *names;
	const ExprTokens *tokens;
	Error *err;
} Check;

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

	if (begin > 0 && !expr_token_one_of(tokens, begin - 1, before))
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

	return expr_token_one_of(tokens, begin - 1, signs) ||
		   expr_token_one_of(tokens, begin - 1, cases) ||
		   expr_token_one_of(tokens, end + 1, signs) ||
		   (expr_token_word(tokens, end + 1, "NOT") &&
			expr_token_one_of(tokens, end + 2, signs)) ||
		   (caller >= 0 && expr_token_one_of(tokens, caller, functions));
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

bool
expr_check_numeric(const ExprNames *names, const ExprTokens *tokens, Error *err)
{
	const Check check = { names, tokens, err };

	return check_numeric_columns(&check) && check_results(&check);
}

/*
 * expr_numeric.c
 *		dec_ functions: PostgreSQL's numeric, computed exactly.
 *
 * By libpgtypes, which is PostgreSQL's code of numerics for clients.  Scales of
 * results are those of PostgreSQL's server; where the library's differ (division)
 * the quotient is worked out anew; see expr_quotient.h.
 *
 * The library computes digit by digit, in time that grows with the product of the
 * digits, so that is bounded (DIGIT_PRODUCT), and it knows no infinity, so NaN and
 * infinities can be compared, but not computed with.
 */
#include "expr/expr_db.h"
#include "expr/expr_decimal.h"
#include "expr/expr_quotient.h"

#include <pgtypes_error.h>
#include <pgtypes_numeric.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* PostgreSQL's limits of a numeric */
#define WHOLE_DIGITS 131072
#define SCALE_MAX 16383
/* that of round() */
#define ROUND_SCALE_MAX 2000
/* about a tenth of a second */
#define DIGIT_PRODUCT 50000000

typedef enum Special
{
	MINUS_INFINITY = -1,
	ORDINARY = 0,
	PLUS_INFINITY = 1,
	NOT_A_NUMBER = 2 /* in this order they are sorted */
} Special;

/* ---- reading */

static Special
special_value(Slice text)
{
	static const struct
	{
		const char *name;
		Special value;
	} names[] = { { "NaN", NOT_A_NUMBER },	 { "Infinity", PLUS_INFINITY },
				  { "inf", PLUS_INFINITY },	 { "+Infinity", PLUS_INFINITY },
				  { "+inf", PLUS_INFINITY }, { "-Infinity", MINUS_INFINITY },
				  { "-inf", MINUS_INFINITY } };
	size_t i;

	/* nearly all of them are digits */
	if (text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9')
		return ORDINARY;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
	{
		if (text.len == strlen(names[i].name) &&
			expr_same_name(text.data, names[i].name))
			return names[i].value;
	}
	return ORDINARY;
}

/* [+-]digits[.digits][e[+-]digits], and no more digits than PostgreSQL takes. */
static bool
is_number(Slice text)
{
	const char *p = text.data;
	size_t whole;
	size_t part = 0;
	long exponent = 0;

	p += *p == '+' || *p == '-';
	whole = strspn(p, "0123456789");
	p += whole;
	if (*p == '.')
	{
		part = strspn(p + 1, "0123456789");
		p += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*p == 'e' || *p == 'E')
	{
		char *end;

		if (strspn(p + 1, "+-") > 1 || strpbrk(p + 1, "0123456789") == NULL)
			return false;
		exponent = strtol(p + 1, &end, 10);
		if (end == p + 1 || exponent > WHOLE_DIGITS || exponent < -SCALE_MAX)
			return false;
		p = end;
	}
	return p == text.data + text.len &&
		   (long) whole + exponent <= WHOLE_DIGITS &&
		   (long) part - exponent <= SCALE_MAX;
}

/* A double is written with all its digits only if it has few of them. */
static bool
is_exact_real(double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.15g", value);
	return strtod(text, NULL) == value;
}

/* The argument's text; false if there is an error, which is the call's. */
static bool
argument(sqlite3_context *context, const char *function, sqlite3_value *value,
		 char real[32], Slice *text)
{
	switch (sqlite3_value_type(value))
	{
		case SQLITE_FLOAT:
			if (!is_exact_real(sqlite3_value_double(value)))
			{
				expr_fail(context,
						  "%s: %.17g is a double, whose digits are not exact: "
						  "put numbers like that in quotes",
						  function, sqlite3_value_double(value));
				return false;
			}
			text->len = (size_t) expr_print_real(sqlite3_value_double(value),
												 real);
			text->data = real;
			break;
		case SQLITE_BLOB:
			expr_fail(context, "%s: bytes are no number", function);
			return false;
		default:
			*text = expr_argument(value);
	}
	if (text->data == NULL)
	{
		sqlite3_result_error_nomem(context);
		return false;
	}
	if (special_value(*text) != ORDINARY || is_number(*text))
		return true;
	expr_fail(context, "%s: \"%.60s\" is not a number", function, text->data);
	return false;
}

/* ---- results */

/* The value of the call, if PostgreSQL could hold it. */
static void
give_decimal(sqlite3_context *context, const char *function, Decimal *exact)
{
	char *text;
	size_t len;

	if (exact->scale > SCALE_MAX)
		decimal_round(exact, SCALE_MAX);
	text = decimal_print(exact, &len);
	if (len > (size_t) (WHOLE_DIGITS + exact->scale + 2) ||
		strcspn(text + (*text == '-'), ".") > WHOLE_DIGITS)
		expr_fail(context, "%s: the result has more than %d digits", function,
				  WHOLE_DIGITS);
	else
		sqlite3_result_text64(context, text, len, SQLITE_TRANSIENT,
							  SQLITE_UTF8);
	mem_free(text);
}

/* ---- arguments */

typedef struct Operands
{
	const char *function;
	Slice texts[2];
	char reals[2][32];
	numeric *numbers[2];
} Operands;

/*
 * Read two arguments; false if the call has its value, or error, already: NULL
 * where one is NULL.
 */
static bool
read_texts(sqlite3_context *context, Operands *operands, sqlite3_value **values)
{
	int i;

	for (i = 0; i < 2; i++)
	{
		if (sqlite3_value_type(values[i]) == SQLITE_NULL)
			return false;
	}
	for (i = 0; i < 2; i++)
	{
		if (!argument(context, operands->function, values[i],
					  operands->reals[i], &operands->texts[i]))
			return false;
	}
	return true;
}

static void
free_numbers(Operands *operands)
{
	int i;

	for (i = 0; i < 2; i++)
	{
		if (operands->numbers[i] != NULL)
			PGTYPESnumeric_free(operands->numbers[i]);
		operands->numbers[i] = NULL;
	}
}

static bool
read_numbers(sqlite3_context *context, Operands *operands,
			 sqlite3_value **values)
{
	int i;

	if (!read_texts(context, operands, values))
		return false;
	for (i = 0; i < 2; i++)
	{
		if (special_value(operands->texts[i]) != ORDINARY)
		{
			expr_fail(context, "%s does not compute with %s",
					  operands->function, operands->texts[i].data);
			free_numbers(operands);
			return false;
		}
		operands->numbers[i] = numeric_parse(operands->texts[i].data);
		if (operands->numbers[i] == NULL)
		{
			expr_fail(context, "%s: libpgtypes does not take \"%.60s\"",
					  operands->function, operands->texts[i].data);
			free_numbers(operands);
			return false;
		}
	}
	return true;
}

static bool
affordable(sqlite3_context *context, const char *function, int64_t a, int64_t b)
{
	if (a * b <= DIGIT_PRODUCT)
		return true;
	expr_fail(context, "%s: numbers of %lld and %lld digits are too long",
			  function, (long long) a, (long long) b);
	return false;
}

typedef int (*Operation)(numeric *, numeric *, numeric *);

static void
compute(sqlite3_context *context, sqlite3_value **values, const char *function,
		Operation operation, bool product)
{
	Operands operands = { function, { { NULL, 0 } }, { { 0 } }, { NULL } };
	numeric *result;
	Decimal exact;

	if (!read_numbers(context, &operands, values))
		return;
	if (!product || affordable(context, function, operands.numbers[0]->ndigits,
							   operands.numbers[1]->ndigits))
	{
		result = PGTYPESnumeric_new();
		BUG_UNLESS(result != NULL);
		if (operation(operands.numbers[0], operands.numbers[1], result) == 0)
		{
			decimal_of_numeric(result, &exact);
			give_decimal(context, function, &exact);
			mem_free(exact.digits);
		}
		else
			expr_fail(context, "%s: libpgtypes refuses", function);
		PGTYPESnumeric_free(result);
	}
	free_numbers(&operands);
}

static void
call_add(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	compute(context, values, "dec_add", PGTYPESnumeric_add, false);
}

static void
call_sub(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	compute(context, values, "dec_sub", PGTYPESnumeric_sub, false);
}

static void
call_mul(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	compute(context, values, "dec_mul", PGTYPESnumeric_mul, true);
}

static void
call_cmp(sqlite3_context *context, int count, sqlite3_value **values)
{
	Operands operands = { "dec_cmp", { { NULL, 0 } }, { { 0 } }, { NULL } };
	int order;
	Special a;
	Special b;

	(void) count;
	if (!read_texts(context, &operands, values))
		return;
	a = special_value(operands.texts[0]);
	b = special_value(operands.texts[1]);
	if (a != ORDINARY || b != ORDINARY)
		order = a < b ? -1 : a > b ? 1 : 0;
	else
	{
		if (!read_numbers(context, &operands, values))
			return;
		order = PGTYPESnumeric_cmp(operands.numbers[0], operands.numbers[1]);
		free_numbers(&operands);
	}
	sqlite3_result_int(context, order < 0 ? -1 : order > 0 ? 1 : 0);
}

/* ---- division */

/* The scale that a call asks for; false with the call's error. */
static bool
asked_scale(sqlite3_context *context, const char *function,
			sqlite3_value *value, int least, int most, int *scale)
{
	sqlite3_int64 asked = sqlite3_value_int64(value);

	if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER && asked >= least &&
		asked <= most)
	{
		*scale = (int) asked;
		return true;
	}
	expr_fail(context, "%s: the scale must be a whole number from %d to %d",
			  function, least, most);
	return false;
}

static void
divide(sqlite3_context *context, numeric *a, numeric *b, int scale)
{
	Decimal quotient;

	if (!quotient_compute(a, b, scale, &quotient))
	{
		expr_fail(context, "dec_div: division by zero");
		return;
	}
	give_decimal(context, "dec_div", &quotient);
	mem_free(quotient.digits);
}

static void
call_div(sqlite3_context *context, int count, sqlite3_value **values)
{
	Operands operands = { "dec_div", { { NULL, 0 } }, { { 0 } }, { NULL } };
	numeric **numbers = operands.numbers;
	int scale = 0;
	int work;

	if (count == 3 && sqlite3_value_type(values[2]) == SQLITE_NULL)
		return;
	if (count == 3 && !asked_scale(context, "dec_div", values[2], 0,
								   QUOTIENT_SCALE_MAX, &scale))
		return;
	if (!read_numbers(context, &operands, values))
		return;
	if (count == 2)
		scale = quotient_scale(numbers[0], numbers[1]);
	work = abs(numbers[0]->weight - numbers[1]->weight) + scale + 24;
	if (work < numbers[0]->dscale)
		work = numbers[0]->dscale;
	if (affordable(context, "dec_div", work, numbers[1]->ndigits))
		divide(context, numbers[0], numbers[1], scale);
	free_numbers(&operands);
}

/* ---- rounding */

static void
call_round(sqlite3_context *context, int count, sqlite3_value **values)
{
	int scale = 0;
	char real[32];
	Slice text;
	Decimal exact;

	if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
		(count == 2 && sqlite3_value_type(values[1]) == SQLITE_NULL))
		return;
	if (!argument(context, "dec_round", values[0], real, &text) ||
		(count == 2 && !asked_scale(context, "dec_round", values[1],
									-ROUND_SCALE_MAX, ROUND_SCALE_MAX, &scale)))
		return;
	if (special_value(text) != ORDINARY)
	{
		expr_fail(context, "dec_round does not compute with %s", text.data);
		return;
	}
	if (strpbrk(text.data, "eE") != NULL)
	{
		numeric *number = numeric_parse(text.data);

		if (number == NULL)
		{
			expr_fail(context, "dec_round: libpgtypes does not take \"%.60s\"",
					  text.data);
			return;
		}
		decimal_of_numeric(number, &exact);
		PGTYPESnumeric_free(number);
	}
	else
		decimal_parse(text.data, text.len, &exact);
	decimal_round(&exact, scale);
	give_decimal(context, "dec_round", &exact);
	mem_free(exact.digits);
}

bool
expr_add_numeric(ExprDb *db, Error *err)
{
	static const ExprFunction functions[] = {
		{ "dec_add", 2, true, call_add },
		{ "dec_sub", 2, true, call_sub },
		{ "dec_mul", 2, true, call_mul },
		{ "dec_div", 2, true, call_div },
		{ "dec_div", 3, true, call_div },
		{ "dec_cmp", 2, true, call_cmp },
		{ "dec_round", 1, true, call_round },
		{ "dec_round", 2, true, call_round },
	};

	return expr_register(db, functions,
						 (int) (sizeof(functions) / sizeof(*functions)), err);
}

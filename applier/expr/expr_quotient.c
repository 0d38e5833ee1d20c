/*
 * expr_quotient.c
 *		See expr_quotient.h.
 *
 * The library says what the quotient is about, to as many digits as it is told;
 * multiplying back says how far that is off and which way to round.
 */
#include "expr/expr_quotient.h"

#include <string.h>

#include "base/mem.h"

/* as the server has them */
#define QUOTIENT_DIGITS 16

numeric *
numeric_parse(const char *text)
{
	char *copy = mem_strdup(text);
	numeric *number = PGTYPESnumeric_from_asc(copy, NULL);

	mem_free(copy);
	/* there is no -0, but the library compares as if there were */
	if (number != NULL && number->ndigits == 0)
		number->sign = NUMERIC_POS;
	return number;
}

/* Its digits, from the units on and up to dscale, if it has no more. */
static bool
take_digits(const numeric *number, Decimal *exact)
{
	int whole = number->weight < 0 ? 1 : number->weight + 1;
	int skip = whole - number->weight - 1; /* zeros in front */

	if (number->dscale < 0 || number->ndigits > whole + number->dscale - skip)
		return false;
	exact->count = whole + number->dscale;
	exact->digits = mem_alloc((size_t) exact->count + 2);
	exact->scale = number->dscale;
	exact->negative = number->sign == NUMERIC_NEG;
	memset(exact->digits, '0', (size_t) exact->count);
	for (int i = 0; i < number->ndigits; i++)
		exact->digits[skip + i] = (char) ('0' + number->digits[i]);
	exact->digits[exact->count] = '\0';
	return true;
}

/* What PGTYPESnumeric_to_asc() prints; it copies the number to round it. */
void
decimal_of_numeric(numeric *number, Decimal *exact)
{
	char *text;

	if (take_digits(number, exact))
		return;
	text = PGTYPESnumeric_to_asc(number, number->dscale);

	BUG_UNLESS(text != NULL);
	decimal_parse(text, strlen(text), exact);
	PGTYPESchar_free(text);
}

/* Weight in digits to the base of 10000, and the first of them. */
static void
first_digit(const numeric *number, int *weight, int *first)
{
	int i = 0;
	int ten;
	int digits;
	int d;

	while (i < number->ndigits && number->digits[i] == 0)
		i++;
	*weight = 0;
	*first = 0;
	if (i == number->ndigits)
		return;
	ten = number->weight - i;
	*weight = ten >= 0 ? ten / 4 : -((3 - ten) / 4);
	digits = ten - *weight * 4 + 1;
	for (d = 0; d < digits; d++)
	{
		*first *= 10;
		if (i + d < number->ndigits)
			*first += number->digits[i + d];
	}
}

/* The server's select_div_scale(): at least 16 digits that mean something. */
int
quotient_scale(const numeric *a, const numeric *b)
{
	int weights[2];
	int firsts[2];
	int quotient;
	int scale;

	first_digit(a, &weights[0], &firsts[0]);
	first_digit(b, &weights[1], &firsts[1]);
	quotient = weights[0] - weights[1] - (firsts[0] <= firsts[1]);
	scale = QUOTIENT_DIGITS - 4 * quotient;
	if (scale < a->dscale)
		scale = a->dscale;
	if (scale < b->dscale)
		scale = b->dscale;
	if (scale < 0)
		scale = 0;
	return scale > QUOTIENT_SCALE_MAX ? QUOTIENT_SCALE_MAX : scale;
}

/* |a| - |times * b|, as a new number; both signs are set to plus before. */
static numeric *
remainder_of(numeric *a, numeric *b, const Decimal *times)
{
	numeric *product = PGTYPESnumeric_new();
	numeric *rest = PGTYPESnumeric_new();
	numeric *factor;
	Decimal positive = *times;
	size_t len;
	char *text;

	positive.negative = false;
	text = decimal_print(&positive, &len);
	factor = numeric_parse(text);
	mem_free(text);
	BUG_UNLESS(factor != NULL && product != NULL && rest != NULL);
	BUG_UNLESS(PGTYPESnumeric_mul(factor, b, product) == 0 &&
			   PGTYPESnumeric_sub(a, product, rest) == 0);
	PGTYPESnumeric_free(factor);
	PGTYPESnumeric_free(product);
	return rest;
}

/*
 * The rest, or twice the rest, compared with b times one unit of the last digit
 * of a quotient of that scale.
 */
static int
compare_rest(numeric *rest, numeric *b, int scale, bool twice)
{
	numeric *unit = PGTYPESnumeric_new();
	numeric *doubled = PGTYPESnumeric_new();
	int order;

	BUG_UNLESS(unit != NULL && doubled != NULL &&
			   PGTYPESnumeric_copy(b, unit) == 0);
	unit->weight -= scale;
	unit->dscale += scale;
	unit->rscale += scale;
	if (twice)
	{
		BUG_UNLESS(PGTYPESnumeric_add(rest, rest, doubled) == 0);
		order = PGTYPESnumeric_cmp(doubled, unit);
	}
	else
		order = PGTYPESnumeric_cmp(rest, unit);
	PGTYPESnumeric_free(unit);
	PGTYPESnumeric_free(doubled);
	return order;
}

static bool
is_negative(const numeric *number)
{
	return number->sign == NUMERIC_NEG && number->ndigits > 0;
}

/*
 * The quotient is about what the library said; make it exact: a whole number of
 * units of the last digit that leaves a rest from 0 to below b, then round.
 */
static void
round_quotient(numeric *a, numeric *b, Decimal *quotient, int scale)
{
	numeric *rest;

	decimal_set_scale(quotient, scale);
	for (;;)
	{
		rest = remainder_of(a, b, quotient);
		if (is_negative(rest))
			decimal_decrement(quotient);
		else if (compare_rest(rest, b, scale, false) >= 0)
			decimal_increment(quotient);
		else
			break;
		PGTYPESnumeric_free(rest);
	}
	if (compare_rest(rest, b, scale, true) >= 0)
		decimal_increment(quotient);
	PGTYPESnumeric_free(rest);
}

bool
quotient_compute(numeric *a, numeric *b, int scale, Decimal *quotient)
{
	bool negative = is_negative(a) != is_negative(b);
	numeric *result = PGTYPESnumeric_new();
	bool defined;

	BUG_UNLESS(result != NULL);
	if (a->dscale < scale)
		a->dscale = scale; /* how many digits the library works out */
	a->sign = NUMERIC_POS;
	b->sign = NUMERIC_POS;
	defined = PGTYPESnumeric_div(a, b, result) == 0;
	if (defined)
	{
		decimal_of_numeric(result, quotient);
		round_quotient(a, b, quotient, scale);
		quotient->negative = negative;
	}
	PGTYPESnumeric_free(result);
	return defined;
}

/*
 * expr_real.c
 *		A double as PostgreSQL's float8 prints it with extra_float_digits at its
 *		default: the fewest digits that give the same double when read.
 */
#include "expr/expr_db.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* Digits that every double keeps, and that suffice for each. */
#define DIGITS_SURE 15
#define DIGITS_ENOUGH 17

/*
 * d.ddde+x with the fewest digits.  Below DIGITS_SURE nothing is to be found by
 * trying: what a decimal of fewer digits gives is that decimal with zeros behind.
 * That does not hold for subnormals, which have fewer bits.
 */
static void
shortest(double value, char *out, size_t size)
{
	int digits = fabs(value) < 2.2250738585072014e-308 ? 1 : DIGITS_SURE;

	for (; digits < DIGITS_ENOUGH; digits++)
	{
		snprintf(out, size, "%.*e", digits - 1, value);
		if (strtod(out, NULL) == value)
			return;
	}
	snprintf(out, size, "%.*e", DIGITS_ENOUGH - 1, value);
}

int
expr_print_real(double value, char out[32])
{
	char text[40];
	char digits[20];
	int count = 0;
	int exponent;
	int i;
	const char *p;

	if (isnan(value))
		return snprintf(out, 32, "NaN");
	if (isinf(value))
		return snprintf(out, 32, "%sInfinity", value < 0 ? "-" : "");
	if (value == 0)
		return snprintf(out, 32, "%s0", signbit(value) ? "-" : "");
	if (fabs(value) < 1e15 && value == (double) (long long) value)
		return snprintf(out, 32, "%lld", (long long) value);

	shortest(fabs(value), text, sizeof(text));
	for (p = text; *p != 'e'; p++)
	{
		if (*p != '.')
			digits[count++] = *p;
	}
	exponent = (int) strtol(p + 1, NULL, 10);
	while (count > 1 && digits[count - 1] == '0')
		count--;

	p = value < 0 ? "-" : "";
	if (exponent < -4 || exponent >= 15)
		return snprintf(out, 32, "%s%c%s%.*se%c%02d", p, digits[0],
						count > 1 ? "." : "", count - 1, digits + 1,
						exponent < 0 ? '-' : '+', abs(exponent));
	if (exponent < 0)
		return snprintf(out, 32, "%s0.%.*s%.*s", p, -exponent - 1, "000", count,
						digits);
	/* whole numbers have been printed: there are digits behind the point */
	i = exponent + 1;
	return snprintf(out, 32, "%s%.*s.%.*s", p, i, digits, count - i,
					digits + i);
}

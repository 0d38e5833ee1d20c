/*
 * expr_real.c
 *		A double as PostgreSQL's float8 prints it with extra_float_digits at its
 *		default: the fewest digits that give the same double when read.
 */
#include "expr/expr_db.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits that every double keeps, and that suffice for each. */
#define DIGITS_SURE 15
#define DIGITS_ENOUGH 17

/* A number as digits * 10^exponent. */
typedef struct Digits
{
	uint64_t digits;
	int exponent;
} Digits;

static Digits
rounded(double value, int count)
{
	char text[40];
	char plain[24];
	Digits result;
	int n = 0;
	const char *p;

	snprintf(text, sizeof(text), "%.*e", count - 1, value);
	for (p = text; *p != 'e'; p++)
	{
		if (*p != '.')
			plain[n++] = *p;
	}
	plain[n] = '\0';
	result.digits = strtoull(plain, NULL, 10);
	result.exponent = (int) strtol(p + 1, NULL, 10) - (count - 1);
	return result;
}

/* Take all factors out of a number, and say how many there were. */
static int
strip(uint64_t *number, unsigned factor)
{
	int count = 0;

	for (; *number != 0 && *number % factor == 0; *number /= factor)
		count++;
	return count;
}

/* digits * 10^exponent = number * 2^power ? */
static bool
is_equal(Digits decimal, uint64_t number, int power)
{
	int twos = decimal.exponent + strip(&decimal.digits, 2);
	int fives = decimal.exponent + strip(&decimal.digits, 5);

	power += strip(&number, 2);
	fives -= strip(&number, 5);
	return fives == 0 && twos == power && decimal.digits == number;
}

/*
 * Is it half way between the value and a neighbour?  Reading rounds such a decimal
 * to the value if that is even, but PostgreSQL does not rely on every reader.
 */
static bool
is_half_way(Digits decimal, double value)
{
	int power;
	uint64_t mantissa = (uint64_t) ldexp(frexp(value, &power), 53);

	power -= 53;
	if (power < -1074)
	{
		mantissa >>= -1074 - power;
		power = -1074;
	}
	/* below a power of two, neighbours are half as far */
	if (mantissa == UINT64_C(1) << 52 && power > -1074)
		return is_equal(decimal, 2 * mantissa + 1, power - 1) ||
			   is_equal(decimal, 4 * mantissa - 1, power - 2);
	return is_equal(decimal, 2 * mantissa + 1, power - 1) ||
		   is_equal(decimal, 2 * mantissa - 1, power - 1);
}

static bool
reads_as(Digits decimal, double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%" PRIu64 "e%d", decimal.digits,
			 decimal.exponent);
	return strtod(text, NULL) == value;
}

static bool
is_power_of_two(double value)
{
	int power;

	return frexp(value, &power) == 0.5;
}

/* Another one with as many digits, where the nearest will not do. */
static bool
find_other(Digits nearest, double value, Digits *other)
{
	int step;

	for (step = -1; step <= 1; step += 2)
	{
		other->digits = nearest.digits + (uint64_t) step;
		other->exponent = nearest.exponent;
		if (reads_as(*other, value) && !is_half_way(*other, value))
			return true;
	}
	return false;
}

/*
 * The fewest digits that stand for it.  Below DIGITS_SURE there is nothing to try:
 * a shorter decimal comes out there as itself with zeros behind.  That does not
 * hold for subnormals, which have fewer bits.  The nearest decimal need not be one
 * that stands for the value: half way it does not, and next to a power of two
 * neighbours are nearer below than above.
 */
static Digits
shortest(double value)
{
	int count = value < DBL_MIN ? 1 : DIGITS_SURE;

	for (; count < DIGITS_ENOUGH; count++)
	{
		Digits nearest = rounded(value, count);
		bool same = reads_as(nearest, value);
		bool half_way = same && is_half_way(nearest, value);
		Digits other;

		if (same && !half_way)
			return nearest;
		if ((half_way || is_power_of_two(value)) &&
			find_other(nearest, value, &other))
			return other;
	}
	return rounded(value, DIGITS_ENOUGH);
}

int
expr_print_real(double value, char out[32])
{
	char digits[24];
	Digits decimal;
	int count;
	int exponent;
	const char *sign = value < 0 ? "-" : "";

	if (isnan(value))
		return snprintf(out, 32, "NaN");
	if (isinf(value))
		return snprintf(out, 32, "%sInfinity", value < 0 ? "-" : "");
	if (value == 0)
		return snprintf(out, 32, "%s0", signbit(value) ? "-" : "");
	if (fabs(value) < 1e15 && value == (double) (long long) value)
		return snprintf(out, 32, "%lld", (long long) value);

	decimal = shortest(fabs(value));
	count = snprintf(digits, sizeof(digits), "%" PRIu64, decimal.digits);
	exponent = decimal.exponent + count - 1;
	while (count > 1 && digits[count - 1] == '0')
		count--;
	if (exponent < -4 || exponent >= 15)
		return snprintf(out, 32, "%s%c%s%.*se%c%02d", sign, digits[0],
						count > 1 ? "." : "", count - 1, digits + 1,
						exponent < 0 ? '-' : '+', abs(exponent));
	if (exponent < 0)
		return snprintf(out, 32, "%s0.%.*s%.*s", sign, -exponent - 1, "000",
						count, digits);
	/* whole numbers have been printed: there are digits behind the point */
	return snprintf(out, 32, "%s%.*s.%.*s", sign, exponent + 1, digits,
					count - exponent - 1, digits + exponent + 1);
}

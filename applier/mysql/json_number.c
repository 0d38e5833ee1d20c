/*
 * json_number.c
 *		Numbers as MySQL's JSON keeps them: integers of 64 bits, and doubles.
 *
 * A double comes back as the shortest text that is read as it.  So a number is
 * kept if it has at most 17 digits and is that text, and if the server reads it
 * as that double.  Servers before 9 do not always: they compute with doubles as
 * they read digits (rapidjson without full precision), and are off by a unit in
 * the last place for many a number of 16 or 17 digits (MySQL bugs 112904 and
 * 116160).  What they do is done here as well; where it goes wrong, there is mostly
 * another text nearby that servers of both kinds read as the right double.
 *
 * Seldom does it come to that: 15 digits and no exponent are exact anywhere.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "mysql/conversion.h"

#define MAX_DIGITS 17
/* so many are kept by any double, and read right by any server */
#define SAFE_DIGITS 15
/* how far around a double's 17 digits others are read as the same one */
#define NEIGHBOURS 24

/* A token taken apart. */
typedef struct JsonNumber
{
	bool negative;
	bool real; /* it has a point or an exponent */
	Slice whole;
	Slice fraction;
	int64_t exponent; /* as written, within what matters */

	/* D.DDD * 10^power, without zeros at either end; none: it is 0 */
	char digits[MAX_DIGITS + 2]; /* one more than can be kept */
	int digit_count;			 /* more than MAX_DIGITS: at least so many */
	int64_t power;
} JsonNumber;

/* ---- the token */

static Slice
take_digits(const char **at, const char *end)
{
	Slice digits = { *at, 0 };

	while (*at < end && is_digit(**at))
		(*at)++;
	digits.len = (size_t) (*at - digits.data);
	return digits;
}

static int64_t
read_exponent(const char *at, const char *end)
{
	bool negative = at < end && *at == '-';
	int64_t value = 0;

	for (; at < end; at++)
	{
		if (is_digit(*at) && value < 1000000000)
			value = value * 10 + (*at - '0');
	}
	return negative ? -value : value;
}

/* The i-th digit of whole and fraction together. */
static char
digit_at(const JsonNumber *n, size_t i)
{
	return i < n->whole.len ? n->whole.data[i]
							: n->fraction.data[i - n->whole.len];
}

static void
find_digits(JsonNumber *n)
{
	size_t count = n->whole.len + n->fraction.len;
	size_t first = 0;

	while (first < count && digit_at(n, first) == '0')
		first++;
	while (count > first && digit_at(n, count - 1) == '0')
		count--;
	n->digit_count = (int) (count - first > MAX_DIGITS ? MAX_DIGITS + 1
													   : count - first);
	for (int i = 0; i < n->digit_count; i++)
		n->digits[i] = digit_at(n, first + (size_t) i);
	n->digits[n->digit_count] = '\0';
	n->power = n->exponent + (int64_t) n->whole.len - (int64_t) first - 1;
}

static void
take_apart(Slice token, JsonNumber *n)
{
	const char *at = token.data;
	const char *end = at + token.len;

	n->negative = *at == '-';
	at += n->negative;
	n->whole = take_digits(&at, end);
	n->real = at < end;
	n->fraction.data = at;
	n->fraction.len = 0;
	n->exponent = 0;
	if (at < end && *at == '.')
	{
		at++;
		n->fraction = take_digits(&at, end);
	}
	if (at < end)
		n->exponent = read_exponent(at + 1, end);
	find_digits(n);
}

/* ---- how older servers read it */

/*
 * d * 10 + digit, rounded twice or once: that depends on what the server's
 * compiler made of it for its processor.
 */
static double
next_digit(double d, char digit, bool fused)
{
	volatile double product = d * 10.0; /* rounded here */

	return fused ? (double) ((long double) d * 10.0L + (digit - '0'))
				 : product + (digit - '0');
}

static double
power_of_ten(int power)
{
	static const double exact[] = { 1e0,  1e1,	1e2,  1e3,	1e4,  1e5,
									1e6,  1e7,	1e8,  1e9,	1e10, 1e11,
									1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
									1e18, 1e19, 1e20, 1e21, 1e22 };
	char text[16];

	if (power < (int) (sizeof(exact) / sizeof(exact[0])))
		return exact[power];
	snprintf(text, sizeof(text), "1e%d", power);
	return strtod(text, NULL);
}

static double
times_power(double d, int64_t power)
{
	if (power < -308)
		return 0;
	return power >= 0 ? d * power_of_ten((int) power)
					  : d / power_of_ten((int) -power);
}

/* What has been read of a number so far. */
typedef struct OldReading
{
	uint64_t integer; /* as long as it is one */
	double d;		  /* as soon as it is none */
	bool large;		  /* the digits before the point are too many for integer */
	int digits;		  /* counted as they count: but for the first one */
	int64_t power;
} OldReading;

/* Digits before the point: an integer, unless that has more than 64 bits. */
static void
old_whole(const JsonNumber *n, bool fused, OldReading *r)
{
	uint64_t limit = n->negative ? (uint64_t) INT64_MAX + 1 : UINT64_MAX;

	for (size_t i = 0; i < n->whole.len; i++)
	{
		char digit = n->whole.data[i];

		if (!r->large && r->integer > (limit - (uint64_t) (digit - '0')) / 10)
		{
			r->large = true;
			r->d = (double) r->integer;
		}
		if (r->large)
			r->d = next_digit(r->d, digit, fused);
		else
		{
			r->integer = r->integer * 10 + (uint64_t) (digit - '0');
			r->digits += i > 0;
		}
	}
}

/* Digits behind it: to the integer up to 53 bits, then to the double, up to the
 * 17th; the others are dropped. */
static void
old_fraction(const JsonNumber *n, bool fused, OldReading *r)
{
	size_t i = 0;

	for (; !r->large && i < n->fraction.len && r->integer >> 53 == 0; i++)
	{
		r->integer = r->integer * 10 + (uint64_t) (n->fraction.data[i] - '0');
		r->power--;
		r->digits += r->integer != 0;
	}
	if (!r->large)
		r->d = (double) r->integer;
	for (; i < n->fraction.len && r->digits < MAX_DIGITS; i++)
	{
		r->d = next_digit(r->d, n->fraction.data[i], fused);
		r->power--;
		r->digits += r->d > 0;
	}
}

/* Its absolute value as they read it; infinite if they refuse it. */
static double
old_value(const JsonNumber *n, bool fused)
{
	OldReading r = { 0 };

	old_whole(n, fused, &r);
	old_fraction(n, fused, &r);
	if (n->exponent > 0 && n->exponent > 308 - r.power)
		return HUGE_VAL;
	r.power += n->exponent;
	if (r.power < -308)
		return times_power(times_power(r.d, -308), r.power + 308);
	return r.power > 308 ? HUGE_VAL : times_power(r.d, r.power);
}

static bool
old_value_is(const JsonNumber *n, double d)
{
	return old_value(n, false) == d && old_value(n, true) == d;
}

/* ---- the double */

/* The double nearest to its digits, which are not more than fit. */
static double
right_value(const JsonNumber *n)
{
	char text[64];

	snprintf(text, sizeof(text), "%c.%se%" PRId64, n->digits[0],
			 n->digits[1] != '\0' ? n->digits + 1 : "0", n->power);
	return strtod(text, NULL);
}

/* D.DDDe+X of so many digits, taken apart. */
static void
print_double(double d, int digits, char text[JSON_NUMBER_SIZE], JsonNumber *n)
{
	int len = snprintf(text, JSON_NUMBER_SIZE, "%.*e", digits - 1, d);
	Slice token = { text, (size_t) len };

	take_apart(token, n);
}

/* Is it what is printed for the double: the shortest that is read as it? */
static bool
is_shortest(const JsonNumber *n, double d)
{
	char text[JSON_NUMBER_SIZE];
	JsonNumber printed;

	print_double(d, n->digit_count, text, &printed);
	if (printed.power != n->power || strcmp(printed.digits, n->digits) != 0)
		return false;
	if (n->digit_count == 1)
		return true;
	print_double(d, n->digit_count - 1, text, &printed);
	return strtod(text, NULL) != d;
}

/*
 * Another text that servers old and new read as the double: near its 17 digits,
 * and with so many zeros more, which is another power of ten to be wrong with.
 */
static bool
find_text(double d, bool negative, char text[JSON_NUMBER_SIZE])
{
	static const char *const zeros[] = { "", "0", "00" };
	JsonNumber n;
	long long middle = 0;
	int64_t last; /* the power of the 17th digit */

	print_double(d, MAX_DIGITS, text, &n);
	last = n.power - (MAX_DIGITS - 1);
	for (int i = 0; i < MAX_DIGITS; i++)
		middle = middle * 10 + (i < n.digit_count ? n.digits[i] - '0' : 0);
	for (int i = 0; i < 3 * (2 * NEIGHBOURS + 1); i++)
	{
		int more = i % 3;
		int step = i / 3 % 2 == 0 ? i / 6 : -(i / 6 + 1);
		Slice token = { text, 0 };

		token.len = (size_t) snprintf(text, JSON_NUMBER_SIZE,
									  "%s%lld%se%" PRId64, negative ? "-" : "",
									  middle + step, zeros[more], last - more);
		take_apart(token, &n);
		if (fabs(strtod(text, NULL)) == d && old_value_is(&n, d))
			return true;
	}
	return false;
}

/* ---- what becomes of it */

static JsonNumberFate
integer_fate(const JsonNumber *n)
{
	uint64_t value = 0;
	uint64_t limit = n->negative ? (uint64_t) INT64_MAX + 1 : UINT64_MAX;

	for (size_t i = 0; i < n->whole.len; i++)
	{
		uint64_t digit = (uint64_t) (n->whole.data[i] - '0');

		if (value > (limit - digit) / 10)
			return JSON_NUMBER_OTHER;
		value = value * 10 + digit;
	}
	/* an integer has no -0 */
	return n->negative && value == 0 ? JSON_NUMBER_SCALE : JSON_NUMBER_KEPT;
}

/* Zeros at the end that are not printed again: all but the one of 1.0. */
static bool
loses_zeros(const JsonNumber *n)
{
	Slice fraction = n->fraction;

	if (!n->real)
		return true; /* 1e20 */
	if (fraction.len == 0 || fraction.data[fraction.len - 1] != '0')
		return false;
	return fraction.len > 1 || n->whole.len > 15;
}

static JsonNumberFate
refused(const JsonNumber *n, char instead[JSON_NUMBER_SIZE])
{
	/* the largest that servers old and new accept */
	snprintf(instead, JSON_NUMBER_SIZE, "%s1.797693134862315e308",
			 n->negative ? "-" : "");
	return JSON_NUMBER_REFUSED;
}

static JsonNumberFate
real_fate(const JsonNumber *n, char instead[JSON_NUMBER_SIZE])
{
	double d = right_value(n);

	if (isinf(d))
		return refused(n, instead);
	if (n->digit_count <= MAX_DIGITS && is_shortest(n, d) &&
		(old_value_is(n, d) || find_text(d, n->negative, instead)))
		return loses_zeros(n) ? JSON_NUMBER_SCALE : JSON_NUMBER_KEPT;
	instead[0] = '\0';
	return isinf(old_value(n, false)) || isinf(old_value(n, true))
			   ? refused(n, instead)
			   : JSON_NUMBER_OTHER;
}

JsonNumberFate
json_number_fate(Slice token, char instead[JSON_NUMBER_SIZE])
{
	JsonNumberFate fate;
	JsonNumber n;

	instead[0] = '\0';
	take_apart(token, &n);
	if (!n.real)
	{
		fate = integer_fate(&n);
		if (fate != JSON_NUMBER_OTHER)
			return fate;
	}
	if (n.digit_count == 0 ||
		(n.exponent == 0 && n.whole.len + n.fraction.len <= SAFE_DIGITS))
		return loses_zeros(&n) ? JSON_NUMBER_SCALE : JSON_NUMBER_KEPT;
	return real_fate(&n, instead);
}

/*
 * convert_number.c
 *		Integers, decimals, money and doubles.
 *
 * Decimals are worked on as digits: no arithmetic of a machine has 131,072 of
 * them.  Zeros behind the last digit of a fraction are no digits that could be
 * lost, but a server warns if there are more than the column has.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "mysql/conversion.h"

bool
is_integer_text(Slice in)
{
	size_t i = in.len > 0 && in.data[0] == '-';

	if (i == in.len || (in.data[i] == '0' && in.len > 1))
		return false;
	for (; i < in.len; i++)
	{
		if (!is_digit(in.data[i]))
			return false;
	}
	return true;
}

/* It is written into SQL as it is. */
bool
convert_integer(Conversion *c)
{
	return is_integer_text(c->in) || conversion_unreadable(c, "an integer");
}

/* ---- decimals */

typedef struct Decimal
{
	bool negative;
	const char *whole; /* without zeros in front */
	size_t whole_len;
	const char *fraction; /* without zeros at the end */
	size_t fraction_len;
	size_t kept_len; /* of the text that has no more zeros than the scale */
} Decimal;

/* -?DIGITS(.DIGITS)?, without zeros in front but for one. */
static bool
decimal_parse(Slice in, int scale, Decimal *d)
{
	const char *p = in.data;
	const char *end = in.data + in.len;
	size_t zeros;

	d->negative = p < end && *p == '-';
	p += d->negative;
	d->whole = p;
	while (p < end && is_digit(*p))
		p++;
	d->whole_len = (size_t) (p - d->whole);
	if (d->whole_len == 0 || (d->whole_len > 1 && *d->whole == '0'))
		return false;
	if (*d->whole == '0')
		d->whole_len = 0;
	d->kept_len = in.len;
	d->fraction = end;
	d->fraction_len = 0;
	if (p == end)
		return true;
	if (*p++ != '.' || p == end)
		return false;
	d->fraction = p;
	while (p < end && is_digit(*p))
		p++;
	if (p != end)
		return false;
	d->fraction_len = (size_t) (end - d->fraction);
	zeros = 0;
	while (zeros < d->fraction_len && end[-1 - (ptrdiff_t) zeros] == '0')
		zeros++;
	if (d->fraction_len > (size_t) scale)
		d->kept_len = (size_t) (d->fraction - in.data) + (size_t) scale -
					  (scale == 0); /* nor the point */
	d->fraction_len -= zeros;
	return true;
}

/* The largest that decimal(precision,scale) holds. */
static Slice
decimal_limit(Conversion *c, bool negative)
{
	const ColumnMap *column = c->column;
	size_t start = c->scratch->len;

	if (negative)
		buffer_putc(c->scratch, '-');
	if (column->precision == column->scale)
		buffer_putc(c->scratch, '0');
	for (int i = 0; i < column->precision; i++)
	{
		if (i == column->precision - column->scale)
			buffer_putc(c->scratch, '.');
		buffer_putc(c->scratch, '9');
	}
	return conversion_scratch(c, start);
}

/* Add one to the last of the digits; false if it carries out of the first. */
static bool
digits_increment(char *digits, size_t len)
{
	while (len > 0)
	{
		char *digit = &digits[--len];

		if (*digit == '.')
			continue;
		if (*digit != '9')
		{
			(*digit)++;
			return true;
		}
		*digit = '0';
	}
	return false;
}

static bool
digits_zero(const char *digits, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (digits[i] != '0' && digits[i] != '.')
			return false;
	}
	return true;
}

/*
 * Append it with scale digits behind the point, half rounded away from zero as
 * servers do.  There is room for a carry: a zero in front, taken off if unused.
 */
static Slice
decimal_round(Conversion *c, const Decimal *d)
{
	size_t scale = (size_t) c->column->scale;
	size_t start = c->scratch->len;
	size_t digits; /* where they begin */
	bool up = d->fraction[scale] >= '5';
	Slice rounded;
	char *first;

	buffer_puts(c->scratch, "-0");
	digits = start + 1;
	buffer_append(c->scratch, d->whole, d->whole_len);
	if (scale > 0)
	{
		buffer_putc(c->scratch, '.');
		buffer_append(c->scratch, d->fraction, scale);
	}
	first = c->scratch->data + digits;
	if (up)
		(void) digits_increment(first, c->scratch->len - digits);
	rounded = conversion_scratch(c, digits);
	if (d->whole_len > 0 && *first == '0')
	{
		rounded.data++;
		rounded.len--;
	}
	if (d->negative && !digits_zero(rounded.data, rounded.len))
	{
		c->scratch->data[(size_t) (rounded.data - c->scratch->data) - 1] = '-';
		rounded.data--;
		rounded.len++;
	}
	return rounded;
}

/* Digits before the point of what decimal_round() made. */
static int
rounded_whole(Slice rounded)
{
	int len = 0;

	if (rounded.data[0] == '-')
	{
		rounded.data++;
		rounded.len--;
	}
	while ((size_t) len < rounded.len && is_digit(rounded.data[len]))
		len++;
	return len == 1 && rounded.data[0] == '0' ? 0 : len;
}

static bool
fit_decimal(Conversion *c, Slice text, const Decimal *d)
{
	const ColumnMap *column = c->column;
	int room = column->precision - column->scale;
	LossKind kind = LOSS_RANGE;
	Slice near;

	c->out->bytes.data = text.data;
	c->out->bytes.len = d->kept_len;
	if (d->whole_len <= (size_t) room &&
		d->fraction_len <= (size_t) column->scale)
		return true;
	if (d->whole_len <= (size_t) room)
	{
		near = decimal_round(c, d);
		kind = rounded_whole(near) > room ? LOSS_RANGE : LOSS_PRECISION;
	}
	if (kind == LOSS_RANGE)
		near = decimal_limit(c, d->negative);
	return conversion_lose(c, kind, NEAR_SAME, near, c->in);
}

/* NaN, Infinity, -Infinity: of numeric and of floating point numbers. */
static bool
is_word(Slice in, const char *word)
{
	return slice_equal(in, slice_of(word));
}

bool
convert_decimal(Conversion *c)
{
	static const Slice zero = { "0", 1 };
	Decimal d;

	if (decimal_parse(c->in, c->column->scale, &d))
		return fit_decimal(c, c->in, &d);
	if (is_word(c->in, "NaN"))
		return conversion_lose(c, LOSS_NAN, NEAR_NONE, zero, c->in);
	if (is_word(c->in, "Infinity") || is_word(c->in, "-Infinity"))
		return conversion_lose(c, LOSS_INFINITY, NEAR_FAR,
							   decimal_limit(c, c->in.data[0] == '-'), c->in);
	return conversion_unreadable(c, "a number");
}

/* ---- money */

/* DIGITS, perhaps in groups of three, and two behind the point. */
static bool
money_amount(Slice in, Buffer *out)
{
	size_t point = in.len - 3;
	bool grouped;

	if (in.len < 4 || in.data[point] != '.')
		return false;
	grouped = memchr(in.data, ',', in.len) != NULL;
	for (size_t i = 0; i < in.len; i++)
	{
		if (i == point)
			buffer_putc(out, '.');
		else if (is_digit(in.data[i]) &&
				 !(grouped && i < point && (point - i) % 4 == 0))
			buffer_putc(out, in.data[i]);
		else if (in.data[i] != ',' || i == 0 || i > point ||
				 (point - i) % 4 != 0)
			return false;
	}
	return true;
}

bool
money_digits(Slice in, Buffer *scratch)
{
	size_t start = scratch->len;
	bool negative = false;

	if (in.len > 2 && in.data[0] == '(' && in.data[in.len - 1] == ')')
	{
		negative = true;
		in.data++;
		in.len -= 2;
	}
	else if (in.len > 0 && in.data[0] == '-')
	{
		negative = true;
		in.data++;
		in.len--;
	}
	if (in.len > 0 && in.data[0] == '$')
	{
		in.data++;
		in.len--;
	}
	if (negative)
		buffer_putc(scratch, '-');
	if (money_amount(in, scratch))
		return true;
	scratch->len = start;
	return false;
}

/*
 * As locale C writes it, which is what the sessions ask for: "1.234,56" and an
 * amount without cents mean something else from one locale to the next.
 */
bool
convert_money(Conversion *c)
{
	size_t start = c->scratch->len;
	Decimal d;
	Slice text;

	if (!money_digits(c->in, c->scratch))
		return conversion_unreadable(c, "money as locale C writes it");
	/* what is rounded must not move under its digits */
	text = conversion_scratch(c, start);
	buffer_reserve(c->scratch, text.len + (size_t) c->column->precision + 8);
	text.data = c->scratch->data + start;
	if (!decimal_parse(text, c->column->scale, &d))
		return conversion_unreadable(c, "money as locale C writes it");
	return fit_decimal(c, text, &d);
}

/* ---- doubles */

typedef struct DoubleText
{
	bool zero;	 /* no digit but 0 */
	bool remote; /* its exponent may be too much */
} DoubleText;

/* Digits from i on; how many, and whether one is not 0. */
static size_t
scan_digits(Slice in, size_t *i, bool *zero)
{
	size_t start = *i;

	while (*i < in.len && is_digit(in.data[*i]))
		*zero &= in.data[(*i)++] == '0';
	return *i - start;
}

/* -?DIGITS(.DIGITS)?(e[+-]?DIGITS)?, without zeros in front but for one. */
static bool
double_scan(Slice in, DoubleText *d)
{
	size_t i = in.len > 0 && in.data[0] == '-';
	size_t start = i;
	size_t digits;
	bool ignored = true;

	d->zero = true;
	digits = scan_digits(in, &i, &d->zero);
	if (digits == 0 || (digits > 1 && in.data[start] == '0'))
		return false;
	if (i < in.len && in.data[i] == '.')
	{
		i++;
		if (scan_digits(in, &i, &d->zero) == 0)
			return false;
	}
	d->remote = i > 300;
	if (i == in.len)
		return true;
	if (in.data[i] != 'e' || ++i == in.len)
		return false;
	i += in.data[i] == '+' || in.data[i] == '-';
	digits = scan_digits(in, &i, &ignored);
	d->remote = d->remote || digits > 2;
	return i == in.len && digits > 0;
}

bool
is_number_text(Slice in)
{
	DoubleText d;

	return double_scan(in, &d);
}

/* Its value; the text is copied, as it has no NUL behind it. */
static double
double_value(Slice in)
{
	char small[64];
	char *text = in.len < sizeof(small) ? small : malloc(in.len + 1);
	double value;

	if (text == NULL)
		abort();
	memcpy(text, in.data, in.len);
	text[in.len] = '\0';
	value = strtod(text, NULL);
	if (text != small)
		free(text);
	return value;
}

/* It comes from a type with a larger range than DOUBLE's. */
static bool
convert_remote(Conversion *c)
{
	static const Slice zero = { "0", 1 };
	static const Slice most = { "1.7976931348623157e308", 22 };
	static const Slice least = { "-1.7976931348623157e308", 23 };
	double value = double_value(c->in);

	if (isinf(value))
		return conversion_lose(c, LOSS_RANGE, NEAR_SAME,
							   value < 0 ? least : most, c->in);
	if (value == 0)
		return conversion_lose(c, LOSS_PRECISION, NEAR_SAME, zero, c->in);
	return true;
}

bool
convert_double(Conversion *c)
{
	static const Slice zero = { "0", 1 };
	static const Slice most = { "1.7976931348623157e308", 22 };
	static const Slice least = { "-1.7976931348623157e308", 23 };
	DoubleText d;

	if (double_scan(c->in, &d))
	{
		if (d.zero && c->in.data[0] == '-')
		{
			/* -0 would be an integer, which has no sign either */
			if (c->column->keep_sign)
				return conversion_keep(c, "-0e0", 4);
			return conversion_lose(c, LOSS_ZERO_SIGN, NEAR_SAME, zero, c->in);
		}
		return d.zero || !d.remote || convert_remote(c);
	}
	if (is_word(c->in, "NaN"))
		return conversion_lose(c, LOSS_NAN, NEAR_NONE, zero, c->in);
	if (is_word(c->in, "Infinity") || is_word(c->in, "-Infinity"))
		return conversion_lose(c, LOSS_INFINITY, NEAR_FAR,
							   c->in.data[0] == '-' ? least : most, c->in);
	return conversion_unreadable(c, "a floating point number");
}

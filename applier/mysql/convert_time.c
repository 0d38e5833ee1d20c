/*
 * convert_time.c
 *		Dates and times, in the ISO style of the source.
 *
 * Servers take what is behind a date that they can read for nothing: "0044-03-15
 * BC" becomes the year 44.  So every byte has to be accounted for here.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/calendar.h"
#include "mysql/conversion.h"

#define MAX_YEAR 9999

typedef struct Moment
{
	int64_t year; /* of more digits than fit: INT64_MAX */
	int month;
	int day;
	int hour;
	int minute;
	int second;
	const char *fraction; /* behind the point */
	size_t fraction_len;  /* with zeros at the end */
	bool before_christ;
} Moment;

/* A position in a text; every step that reads nothing it likes says false. */
typedef struct Reader
{
	const char *at;
	const char *end;
} Reader;

static bool
read_char(Reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool
read_pair(Reader *r, int max, int *value)
{
	if (r->end - r->at < 2 || !is_digit(r->at[0]) || !is_digit(r->at[1]))
		return false;
	*value = (r->at[0] - '0') * 10 + (r->at[1] - '0');
	r->at += 2;
	return *value <= max;
}

/* Four digits, or more of them without zeros in front. */
static bool
read_year(Reader *r, int64_t *year)
{
	const char *start = r->at;

	*year = 0;
	while (r->at < r->end && is_digit(*r->at))
	{
		if (__builtin_mul_overflow(*year, 10, year) ||
			__builtin_add_overflow(*year, *r->at - '0', year))
			*year = INT64_MAX / 16; /* and stays large */
		r->at++;
	}
	return r->at - start == 4 || (r->at - start > 4 && *start != '0');
}

/* Leap years before Christ are the source's business. */
static bool
read_date(Reader *r, Moment *m)
{
	return read_year(r, &m->year) && read_char(r, '-') &&
		   read_pair(r, 12, &m->month) && m->month > 0 && read_char(r, '-') &&
		   read_pair(r, 31, &m->day) && m->day > 0;
}

static bool
read_clock(Reader *r, int max_hour, Moment *m)
{
	if (!read_pair(r, max_hour, &m->hour) || !read_char(r, ':') ||
		!read_pair(r, 59, &m->minute) || !read_char(r, ':') ||
		!read_pair(r, 59, &m->second))
		return false;
	m->fraction = r->at;
	m->fraction_len = 0;
	if (!read_char(r, '.'))
		return true;
	m->fraction = r->at;
	while (r->at < r->end && is_digit(*r->at))
		r->at++;
	m->fraction_len = (size_t) (r->at - m->fraction);
	return m->fraction_len > 0;
}

/* The era, and the end. */
static bool
read_era(Reader *r, Moment *m)
{
	m->before_christ = r->end - r->at == 3 && memcmp(r->at, " BC", 3) == 0;
	if (m->before_christ)
		r->at = r->end;
	return r->at == r->end &&
		   (m->before_christ ||
			m->day <= calendar_month_days(m->year, m->month));
}

static bool
in_era(const Moment *m)
{
	return !m->before_christ && m->year >= 1 && m->year <= MAX_YEAR;
}

/* ---- where a column ends */

static Slice
put_fraction(Conversion *c, size_t start, const char *digits, int count)
{
	if (count > 0)
	{
		buffer_putc(c->scratch, '.');
		buffer_append(c->scratch, digits, (size_t) count);
	}
	return conversion_scratch(c, start);
}

/* Its last moment, or its first. */
static Slice
date_limit(Conversion *c, bool last)
{
	size_t start = c->scratch->len;

	buffer_puts(c->scratch, last ? "9999-12-31" : "0001-01-01");
	if (c->column->convert == CONVERT_DATE)
		return conversion_scratch(c, start);
	buffer_puts(c->scratch, last ? " 23:59:59" : " 00:00:00");
	return put_fraction(c, start, "999999999",
						last && c->column->precision <= 9 ? c->column->precision
														  : 0);
}

/* infinity, -infinity; unreadable if it is neither. */
static bool
convert_infinity(Conversion *c, const char *what)
{
	bool positive = slice_equal(c->in, slice_of("infinity"));

	if (!positive && !slice_equal(c->in, slice_of("-infinity")))
		return conversion_unreadable(c, what);
	return conversion_lose(c, LOSS_INFINITY, NEAR_FAR, date_limit(c, positive),
						   c->in);
}

static bool
lose_era(Conversion *c, const Moment *m)
{
	return conversion_lose(c, LOSS_ERA, NEAR_FAR,
						   date_limit(c, !m->before_christ && m->year > 0),
						   c->in);
}

bool
convert_date(Conversion *c)
{
	Reader r = { c->in.data, c->in.data + c->in.len };
	Moment m;

	if (!read_date(&r, &m) || !read_era(&r, &m))
		return convert_infinity(c, "a date in ISO style");
	return in_era(&m) || lose_era(c, &m);
}

/* ---- fractions */

static size_t
without_zeros(const Moment *m)
{
	size_t len = m->fraction_len;

	while (len > 0 && m->fraction[len - 1] == '0')
		len--;
	return len;
}

/* Add one to a fraction of digits; false if that is a second. */
static bool
fraction_increment(char *digits, int len)
{
	while (len > 0)
	{
		if (digits[--len] != '9')
		{
			digits[len]++;
			return true;
		}
		digits[len] = '0';
	}
	return false;
}

/* A second later.  False if there is none: the year 10000. */
static bool
moment_increment(Moment *m, bool date)
{
	if (++m->second < 60)
		return true;
	m->second = 0;
	if (++m->minute < 60)
		return true;
	m->minute = 0;
	if (++m->hour < 24 || !date)
		return true;
	m->hour = 0;
	if (++m->day <= calendar_month_days(m->year, m->month))
		return true;
	m->day = 1;
	if (++m->month <= 12)
		return true;
	m->month = 1;
	return ++m->year <= MAX_YEAR;
}

/* Half of the last digit and more is rounded up, as MySQL does it. */
static Slice
moment_round(Conversion *c, const Moment *m, bool date)
{
	size_t start = c->scratch->len;
	int digits = c->column->precision;
	Moment rounded = *m;
	char fraction[16];

	if (digits > 9)
		digits = 9;
	memcpy(fraction, m->fraction, (size_t) digits);
	if (m->fraction[digits] >= '5' && !fraction_increment(fraction, digits) &&
		!moment_increment(&rounded, date))
		return date_limit(c, true);
	if (date)
		buffer_printf(c->scratch, "%04" PRId64 "-%02d-%02d ", rounded.year,
					  rounded.month, rounded.day);
	buffer_printf(c->scratch, "%02d:%02d:%02d", rounded.hour, rounded.minute,
				  rounded.second);
	return put_fraction(c, start, fraction, digits);
}

/* Up to the last digit that the column has. */
static Slice
moment_text(const Conversion *c, const Moment *m)
{
	size_t digits = (size_t) c->column->precision;
	Slice text = { c->in.data, (size_t) (m->fraction - c->in.data) };

	if (m->fraction_len == 0)
		return text;
	if (digits == 0)
		text.len--; /* the point */
	text.len += m->fraction_len < digits ? m->fraction_len : digits;
	return text;
}

static bool
fit_datetime(Conversion *c, const Moment *m)
{
	if (!in_era(m))
		return lose_era(c, m);
	c->out->bytes = moment_text(c, m);
	return m->fraction_len <= (size_t) c->column->precision ||
		   without_zeros(m) <= (size_t) c->column->precision ||
		   conversion_lose(c, LOSS_PRECISION, NEAR_SAME,
						   moment_round(c, m, true), c->in);
}

bool
convert_datetime(Conversion *c)
{
	Reader r = { c->in.data, c->in.data + c->in.len };
	Moment m;

	if (!read_date(&r, &m) || !read_char(&r, ' ') || !read_clock(&r, 23, &m) ||
		!read_era(&r, &m))
		return convert_infinity(c, "a timestamp in ISO style");
	return fit_datetime(c, &m);
}

/* Any offset but this one would be another moment than the one stored. */
bool
convert_utc(Conversion *c)
{
	Reader r = { c->in.data, c->in.data + c->in.len };
	Moment m;

	if (!read_date(&r, &m) || !read_char(&r, ' ') || !read_clock(&r, 23, &m) ||
		!read_char(&r, '+') || !read_char(&r, '0') || !read_char(&r, '0') ||
		!read_era(&r, &m))
		return convert_infinity(c, "a timestamp in ISO style and UTC");
	return fit_datetime(c, &m);
}

/* [+-]HH[:MM[:SS]], up to the end */
static bool
read_offset(Reader *r)
{
	int ignored;

	if (!read_char(r, '+') && !read_char(r, '-'))
		return false;
	if (!read_pair(r, 99, &ignored))
		return false;
	while (read_char(r, ':'))
	{
		if (!read_pair(r, 59, &ignored))
			return false;
	}
	return r->at == r->end;
}

bool
convert_time(Conversion *c)
{
	Reader r = { c->in.data, c->in.data + c->in.len };
	Moment m = { 0 };
	Slice text;
	LossKind loss = LOSS_NONE;

	if (!read_clock(&r, 24, &m) ||
		(m.hour == 24 &&
		 (m.minute > 0 || m.second > 0 || without_zeros(&m) > 0)))
		return conversion_unreadable(c, "a time in ISO style");
	if (r.at != r.end)
	{
		loss = LOSS_ZONE;
		if (!read_offset(&r))
			return conversion_unreadable(c, "a time in ISO style");
	}
	text = moment_text(c, &m);
	if (without_zeros(&m) > (size_t) c->column->precision)
	{
		text = moment_round(c, &m, false);
		loss = loss == LOSS_NONE ? LOSS_PRECISION : loss;
	}
	c->out->bytes = text;
	return loss == LOSS_NONE ||
		   conversion_lose(c, loss, NEAR_SAME, text, c->in);
}

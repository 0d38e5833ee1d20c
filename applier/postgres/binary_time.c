/*
 * binary_time.c
 *		See binary_time.h.
 *
 * Infinity is the largest and the smallest number (DATEVAL_NOEND and DT_NOEND,
 * src/include/utils/date.h and timestamp.h).  What is before our era, or has a
 * time zone, is for the server to read.
 */
#include "postgres/binary_time.h"

#include <string.h>

#include "base/calendar.h"

/* days from 0000-03-01, in the calendar without a gap, to 2000-01-01 */
#define DAYS_TO_2000 730425

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_SECOND)

/* The year's digits at most; dates of seven are for the server to read. */
#define MAX_YEAR_DIGITS 6

static bool
slice_is(Slice text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* min to max digits off the front. */
static bool
take_number(Slice *text, size_t min, size_t max, int *value, size_t *digits)
{
	size_t i = 0;

	*value = 0;
	for (; i < max && i < text->len && text->data[i] >= '0' &&
		   text->data[i] <= '9';
		 i++)
		*value = *value * 10 + (text->data[i] - '0');
	text->data += i;
	text->len -= i;
	*digits = i;
	return i >= min;
}

/* Two digits of at most max, behind this character (0: none). */
static bool
take_part(Slice *text, char before, int max, int *value)
{
	size_t digits;

	if (before != 0)
	{
		if (text->len == 0 || text->data[0] != before)
			return false;
		text->data++;
		text->len--;
	}
	return take_number(text, 2, 2, value, &digits) && *value <= max;
}

/*
 * Days of the years before, counted from March on, so that the day that not
 * every year has is the last one.
 */
static int32_t
days_since_2000(int year, int month, int day)
{
	int shifted = month < 3 ? month + 9 : month - 3;
	int years = month < 3 ? year - 1 : year;

	return years * 365 + years / 4 - years / 100 + years / 400 +
		   (153 * shifted + 2) / 5 + day - 1 - DAYS_TO_2000;
}

static bool
take_date(Slice *text, int32_t *days)
{
	int year;
	int month;
	int day;
	size_t digits;

	if (!take_number(text, 4, MAX_YEAR_DIGITS, &year, &digits) || year < 1 ||
		!take_part(text, '-', 12, &month) || month < 1 ||
		!take_part(text, '-', 31, &day) || day < 1 ||
		day > calendar_month_days(year, month))
		return false;
	*days = days_since_2000(year, month, day);
	return true;
}

bool
binary_date(Slice text, int32_t *days)
{
	if (slice_is(text, "infinity"))
	{
		*days = INT32_MAX;
		return true;
	}
	if (slice_is(text, "-infinity"))
	{
		*days = INT32_MIN;
		return true;
	}
	return take_date(&text, days) && text.len == 0;
}

/* What is behind the point, if there is one, as microseconds. */
static bool
take_fraction(Slice *text, int *us)
{
	size_t digits;

	*us = 0;
	if (text->len == 0 || text->data[0] != '.')
		return true;
	text->data++;
	text->len--;
	if (!take_number(text, 1, 6, us, &digits))
		return false;
	for (; digits < 6; digits++)
		*us *= 10;
	return true;
}

bool
binary_timestamp(Slice text, bool with_zone, int64_t *us)
{
	int32_t days;
	int hour;
	int minute;
	int second;
	int fraction;

	if (slice_is(text, "infinity"))
	{
		*us = INT64_MAX;
		return true;
	}
	if (slice_is(text, "-infinity"))
	{
		*us = INT64_MIN;
		return true;
	}
	if (!take_date(&text, &days) || !take_part(&text, ' ', 23, &hour) ||
		!take_part(&text, ':', 59, &minute) ||
		!take_part(&text, ':', 59, &second) || !take_fraction(&text, &fraction))
		return false;
	if (with_zone ? !slice_is(text, "+00") : text.len != 0)
		return false;
	return !__builtin_mul_overflow((int64_t) days, US_PER_DAY, us) &&
		   !__builtin_add_overflow(
			   *us,
			   ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction,
			   us);
}

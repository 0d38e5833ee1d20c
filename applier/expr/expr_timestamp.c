/*
 * expr_timestamp.c
 *		See expr_timestamp.h.
 */
#include "expr/expr_timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/calendar.h"

/* what PostgreSQL can hold: from 4714-11-24 BC to before 294277 */
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_END INT64_C(9223371331200000000)

/* ---- dates: days since 1970-01-01 */

static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t era;
	int64_t of_era;
	int64_t of_year;

	year -= month <= 2; /* years from March on, so that leap days come last */
	era = expr_floor_div(year, 400);
	of_era = year - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
		   719468;
}

static void
date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era = expr_floor_div(days + 719468, 146097);
	int64_t of_era = days + 719468 - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
				365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int m = (int) ((5 * of_year + 2) / 153);

	*day = (int) (of_year - (153 * m + 2) / 5) + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

/* ---- text */

/* Exactly so many digits, or from least on. */
static bool
parse_digits(const char **p, int least, int most, int64_t *number)
{
	int count = 0;

	*number = 0;
	while (count < most && **p >= '0' && **p <= '9')
	{
		*number = *number * 10 + (*(*p)++ - '0');
		count++;
	}
	return count >= least;
}

static bool
parse_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* .123456 */
static bool
parse_fraction(const char **p, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (!parse_char(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++)
	{
		if (unit == 0)
			return false;
		*us += (**p - '0') * unit;
		unit /= 10;
	}
	return true;
}

/* +01, -03:30, +00:19:32; or nothing. */
static bool
parse_offset(const char **p, bool *has_offset, int64_t *offset)
{
	int sign = **p == '-' ? -1 : 1;
	int64_t parts[3] = { 0, 0, 0 };
	int i;

	*offset = 0;
	*has_offset = **p == '+' || **p == '-';
	if (!*has_offset)
		return true;
	(*p)++;
	for (i = 0; i < 3; i++)
	{
		if (i > 0 && !parse_char(p, ':'))
			break;
		if (!parse_digits(p, 2, 2, &parts[i]) || (i > 0 && parts[i] > 59))
			return false;
	}
	*offset = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]) *
			  USECS_PER_SEC;
	return parts[0] <= 15;
}

bool
expr_timestamp_in_range(int64_t us)
{
	return us >= TIMESTAMP_MIN && us < TIMESTAMP_END;
}

bool
expr_parse_timestamp(const char *p, bool *with_zone, int64_t *us)
{
	int64_t year;
	int64_t month;
	int64_t day;
	int64_t hour;
	int64_t minute;
	int64_t second;
	int64_t fraction;
	int64_t offset;
	int64_t days;

	if (!parse_digits(&p, 4, 6, &year) || !parse_char(&p, '-') ||
		!parse_digits(&p, 2, 2, &month) || !parse_char(&p, '-') ||
		!parse_digits(&p, 2, 2, &day) ||
		(!parse_char(&p, ' ') && !parse_char(&p, 'T')) ||
		!parse_digits(&p, 2, 2, &hour) || !parse_char(&p, ':') ||
		!parse_digits(&p, 2, 2, &minute) || !parse_char(&p, ':') ||
		!parse_digits(&p, 2, 2, &second) || !parse_fraction(&p, &fraction) ||
		!parse_offset(&p, with_zone, &offset))
		return false;
	if (strcmp(p, " BC") == 0)
		year = 1 - year;
	else if (*p != '\0' || year == 0)
		return false;
	if (month < 1 || month > 12 || day < 1 ||
		day > calendar_month_days(year, (int) month) || hour > 23 ||
		minute > 59 || second > 59)
		return false;
	days = days_from_date(year, (int) month, (int) day) - EPOCH_DAYS;
	if (days < TIMESTAMP_MIN / USECS_PER_DAY - 1 ||
		days > TIMESTAMP_END / USECS_PER_DAY)
		return false;
	if (__builtin_add_overflow(days * USECS_PER_DAY,
							   ((hour * 60 + minute) * 60 + second) *
									   USECS_PER_SEC +
								   fraction - offset,
							   us))
		return false;
	return expr_timestamp_in_range(*us);
}

int
expr_print_timestamp(int64_t us, bool with_zone, char out[48])
{
	int64_t days = expr_floor_div(us, USECS_PER_DAY);
	int64_t rest = us - days * USECS_PER_DAY;
	int64_t seconds = rest / USECS_PER_SEC;
	char fraction[16] = "";
	int64_t year;
	int month;
	int day;
	int len;

	date_from_days(days + EPOCH_DAYS, &year, &month, &day);
	if (rest % USECS_PER_SEC != 0)
	{
		len = snprintf(fraction, sizeof(fraction), ".%06d",
					   (int) (rest % USECS_PER_SEC));
		while (fraction[len - 1] == '0')
			fraction[--len] = '\0';
	}
	return snprintf(out, 48, "%04" PRId64 "-%02d-%02d %02d:%02d:%02d%s%s%s",
					year > 0 ? year : 1 - year, month, day,
					(int) (seconds / 3600), (int) (seconds / 60 % 60),
					(int) (seconds % 60), fraction, with_zone ? "+00" : "",
					year > 0 ? "" : " BC");
}

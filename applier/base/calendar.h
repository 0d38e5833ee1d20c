/*
 * calendar.h
 *		The proleptic Gregorian calendar, which is PostgreSQL's.
 */
#ifndef PORTAGE_CALENDAR_H
#define PORTAGE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* Days of a month from 1 to 12; year 0 is 1 BC. */
static inline int
calendar_month_days(int64_t year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

#endif /* PORTAGE_CALENDAR_H */

/*
 * expr_time.c
 *		at_time_zone(): AT TIME ZONE of PostgreSQL, by ICU.
 *
 * A text with an offset is a timestamptz and becomes the time that clocks of the
 * zone show; one without is such a time and becomes a timestamptz, in UTC.  Of
 * times that clocks skip or show twice PostgreSQL takes the offset from before a
 * skip and from after a repetition; so does this.
 *
 * ICU says what the offset of a zone is at an instant; dates are computed here, to
 * the microsecond, by the proleptic Gregorian calendar of PostgreSQL.
 *
 * Only names of zones are taken.  Abbreviations mean something else to
 * PostgreSQL (CET is +01 in summer, too), to ICU, and to people.
 */
#include "expr/expr_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "base/suggest.h"

#define USECS_PER_SEC INT64_C(1000000)
#define USECS_PER_DAY (INT64_C(86400) * USECS_PER_SEC)
/* 2000-01-01, in days since 1970-01-01 */
#define EPOCH_DAYS 10957
/* what PostgreSQL can hold: from 4714-11-24 BC to before 294277 */
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_END INT64_C(9223371331200000000)

#define ZONES_OPEN 16
#define ZONE_NAME_MAX 64

typedef struct Zone
{
	char name[ZONE_NAME_MAX]; /* as it was asked for */
	UCalendar *calendar;
	uint64_t used;
} Zone;

struct ExprZones
{
	Zone open[ZONES_OPEN];
	Zone *last;
	uint64_t clock;
	char **names; /* NULL at the end */
	Arena arena;
};

/* ---- zones */

/* A place's name, and not an abbreviation. */
static bool
is_place(const char *name)
{
	static const char *const others[] = { "UTC", "GMT", "UCT", "NZ",
										  "GB",	 "PRC", "ROC", "ROK" };
	size_t i;

	if (strchr(name, '/') != NULL)
		return true;
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
	{
		if (strcmp(name, others[i]) == 0)
			return true;
	}
	/* Japan, Cuba, Zulu */
	return name[0] != '\0' &&
		   strpbrk(name, "abcdefghijklmnopqrstuvwxyz") != NULL;
}

static bool
read_names(struct ExprZones *zones)
{
	UErrorCode status = U_ZERO_ERROR;
	UEnumeration *all = ucal_openTimeZones(&status);
	int count = U_SUCCESS(status) ? uenum_count(all, &status) : 0;
	int i = 0;
	const char *name;

	if (U_FAILURE(status))
		return false;
	zones->names = ARENA_ARRAY(&zones->arena, char *, count + 1);
	while ((name = uenum_next(all, NULL, &status)) != NULL && i < count)
	{
		if (is_place(name))
			zones->names[i++] = arena_strdup(&zones->arena, name);
	}
	uenum_close(all);
	return U_SUCCESS(status) && i > 0;
}

/* The zone's name as ICU spells it; PostgreSQL does not care about case. */
static const char *
find_name(const struct ExprZones *zones, const char *name)
{
	char *const *known;

	for (known = zones->names; *known != NULL; known++)
	{
		if (expr_same_name(*known, name))
			return *known;
	}
	return NULL;
}

static UCalendar *
open_calendar(const char *name)
{
	UErrorCode status = U_ZERO_ERROR;
	UChar id[ZONE_NAME_MAX];
	UCalendar *calendar;

	u_uastrncpy(id, name, ZONE_NAME_MAX);
	calendar = ucal_open(id, -1, "en_US", UCAL_GREGORIAN, &status);
	return U_SUCCESS(status) ? calendar : NULL;
}

static void
unknown_zone(sqlite3_context *context, const struct ExprZones *zones,
			 const char *name)
{
	const char *near = suggest(name, (const char *const *) zones->names);

	if (near != NULL)
		expr_fail(context,
				  "at_time_zone: there is no zone \"%.60s\"; did you "
				  "mean %s?",
				  name, near);
	else
		expr_fail(context,
				  "at_time_zone: there is no zone \"%.60s\"; give a name like "
				  "Europe/Paris, not an abbreviation or an offset",
				  name);
}

static struct ExprZones *
zones_of(ExprDb *db)
{
	if (db->zones != NULL)
		return db->zones;
	db->zones = mem_zalloc(sizeof(struct ExprZones));
	arena_init(&db->zones->arena);
	if (read_names(db->zones))
		return db->zones;
	expr_zones_free(db->zones);
	db->zones = NULL;
	return NULL;
}

/* NULL with the call's error. */
static UCalendar *
zone_calendar(sqlite3_context *context, const char *name)
{
	struct ExprZones *zones = zones_of(sqlite3_user_data(context));
	Zone *zone;
	const char *known;
	int i;

	if (zones == NULL)
	{
		expr_fail(context, "at_time_zone: ICU has no time zones here");
		return NULL;
	}
	if (zones->last != NULL && strcmp(zones->last->name, name) == 0)
		return zones->last->calendar;
	zone = &zones->open[0];
	for (i = 0; i < ZONES_OPEN; i++)
	{
		if (zones->open[i].used < zone->used)
			zone = &zones->open[i];
		if (zones->open[i].calendar == NULL ||
			strcmp(zones->open[i].name, name) != 0)
			continue;
		zones->last = &zones->open[i];
		zones->last->used = ++zones->clock;
		return zones->last->calendar;
	}
	known = strlen(name) < ZONE_NAME_MAX ? find_name(zones, name) : NULL;
	if (known == NULL)
	{
		unknown_zone(context, zones, name);
		return NULL;
	}
	if (zone->calendar != NULL)
		ucal_close(zone->calendar);
	zones->last = NULL;
	zone->used = 0;
	zone->calendar = open_calendar(known);
	if (zone->calendar == NULL)
	{
		expr_fail(context, "at_time_zone: ICU does not open %s", known);
		return NULL;
	}
	snprintf(zone->name, sizeof(zone->name), "%s", name);
	zone->used = ++zones->clock;
	zones->last = zone;
	return zone->calendar;
}

void
expr_zones_free(struct ExprZones *zones)
{
	int i;

	if (zones == NULL)
		return;
	for (i = 0; i < ZONES_OPEN; i++)
	{
		if (zones->open[i].calendar != NULL)
			ucal_close(zones->open[i].calendar);
	}
	arena_release(&zones->arena);
	mem_free(zones);
}

/* Rounded down, also below zero. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* What the zone is ahead of UTC at an instant. */
static int64_t
offset_at(UCalendar *calendar, int64_t us)
{
	UErrorCode status = U_ZERO_ERROR;
	int64_t ms = floor_div(us, 1000) + EPOCH_DAYS * INT64_C(86400000);
	int64_t offset;

	ucal_setMillis(calendar, (double) ms, &status);
	offset = ucal_get(calendar, UCAL_ZONE_OFFSET, &status);
	offset += ucal_get(calendar, UCAL_DST_OFFSET, &status);
	return U_SUCCESS(status) ? offset * 1000 : 0;
}

/* What it is ahead where its clocks show local. */
static int64_t
offset_of_local(UCalendar *calendar, int64_t local)
{
	int64_t before = offset_at(calendar, local - USECS_PER_DAY);
	int64_t after = offset_at(calendar, local + USECS_PER_DAY);

	if (before == after)
		return before;
	/* shown twice: both are right, and the later one is taken */
	if (offset_at(calendar, local - after) == after)
		return after;
	return before;
}

/* ---- dates: days since 1970-01-01 */

static int64_t
days_from_date(int64_t year, int month, int day)
{
	int64_t era;
	int64_t of_era;
	int64_t of_year;

	year -= month <= 2; /* years from March on, so that leap days come last */
	era = floor_div(year, 400);
	of_era = year - era * 400;
	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
		   719468;
}

static void
date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era = floor_div(days + 719468, 146097);
	int64_t of_era = days + 719468 - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
				365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int m = (int) ((5 * of_year + 2) / 153);

	*day = (int) (of_year - (153 * m + 2) / 5) + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

static int
days_of_month(int64_t year, int month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
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

static bool
in_range(int64_t us)
{
	return us >= TIMESTAMP_MIN && us < TIMESTAMP_END;
}

/* As PostgreSQL prints it in ISO; us since 2000-01-01, an offset applied. */
static bool
parse_timestamp(const char *p, bool *with_zone, int64_t *us)
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
		day > days_of_month(year, (int) month) || hour > 23 || minute > 59 ||
		second > 59)
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
	return in_range(*us);
}

int
expr_print_timestamp(int64_t us, bool with_zone, char out[48])
{
	int64_t days = floor_div(us, USECS_PER_DAY);
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

/* ---- the function */

static void
call_at_time_zone(sqlite3_context *context, int count, sqlite3_value **values)
{
	UCalendar *calendar;
	Slice zone;
	Slice time;
	bool with_zone;
	char text[48];
	int64_t us;

	(void) count;
	if (sqlite3_value_type(values[0]) == SQLITE_NULL ||
		sqlite3_value_type(values[1]) == SQLITE_NULL)
		return;
	time = expr_argument(values[0]);
	zone = expr_argument(values[1]);
	if (time.data == NULL || zone.data == NULL)
	{
		sqlite3_result_error_nomem(context);
		return;
	}
	calendar = zone_calendar(context, zone.data);
	if (calendar == NULL)
		return;
	if (strcmp(time.data, "infinity") == 0 ||
		strcmp(time.data, "-infinity") == 0)
	{
		sqlite3_result_value(context, values[0]);
		return;
	}
	if (!parse_timestamp(time.data, &with_zone, &us))
	{
		expr_fail(context,
				  "at_time_zone: \"%.60s\" is not a timestamp as PostgreSQL "
				  "prints it",
				  time.data);
		return;
	}
	us += with_zone ? offset_at(calendar, us) : -offset_of_local(calendar, us);
	if (!in_range(us))
	{
		expr_fail(context, "at_time_zone: \"%.60s\" is out of range there",
				  time.data);
		return;
	}
	sqlite3_result_text(context, text,
						expr_print_timestamp(us, !with_zone, text),
						SQLITE_TRANSIENT);
}

bool
expr_add_time(ExprDb *db, Error *err)
{
	static const ExprFunction functions[] = { { "at_time_zone", 2, true,
												call_at_time_zone } };

	return expr_register(db, functions, 1, err);
}

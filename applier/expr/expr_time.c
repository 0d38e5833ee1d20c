/*
 * expr_time.c
 *		at_time_zone(): AT TIME ZONE of PostgreSQL, by ICU.
 *
 * A text with an offset is a timestamptz and becomes the time that clocks of the
 * zone show; one without is such a time and becomes a timestamptz, in UTC.  Of
 * times that clocks skip or show twice PostgreSQL takes the offset from before a
 * skip and from after a repetition; so does this.
 *
 * ICU says what the offset of a zone is at an instant; dates are computed without it,
 * see expr_timestamp.h.
 *
 * Only names of zones are taken.  Abbreviations mean something else to
 * PostgreSQL (CET is +01 in summer, too), to ICU, and to people.
 */
#include "expr/expr_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/ustring.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "expr/expr_timestamp.h"

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

/* What the zone is ahead of UTC at an instant. */
static int64_t
offset_at(UCalendar *calendar, int64_t us)
{
	UErrorCode status = U_ZERO_ERROR;
	int64_t ms = expr_floor_div(us, 1000) + EPOCH_DAYS * INT64_C(86400000);
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
	if (!expr_parse_timestamp(time.data, &with_zone, &us))
	{
		expr_fail(context,
				  "at_time_zone: \"%.60s\" is not a timestamp as PostgreSQL "
				  "prints it",
				  time.data);
		return;
	}
	us += with_zone ? offset_at(calendar, us) : -offset_of_local(calendar, us);
	if (!expr_timestamp_in_range(us))
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

/*
 * settings.c
 *		The settings that shape text output: one table.
 *
 * ALTER DATABASE ... SET and ALTER ROLE ... SET reach a walsender too, and
 * would change what output functions emit without anybody noticing: with
 * extra_float_digits = 0 floats lose digits.  So the binary format insists.  It
 * compares meanings: 'ISO, MDY' is ISO, and any zone that never leaves UTC is
 * UTC.
 */
#include "postgres.h"

#include "compat.h"

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "settings.h"

typedef struct SettingSpec
{
	const char *name;
	const char *wanted;
	bool (*good)(void);
} SettingSpec;

static bool
good_datestyle(void)
{
	return DateStyle == USE_ISO_DATES;
}

static bool
good_intervalstyle(void)
{
	return IntervalStyle == INTSTYLE_POSTGRES;
}

/* From 1 on the digits are the shortest that are exact; 3 says no more. */
static bool
good_float_digits(void)
{
	return extra_float_digits >= 1;
}

static bool
good_bytea_output(void)
{
	return bytea_output == BYTEA_OUTPUT_HEX;
}

static bool
good_timezone(void)
{
	long int offset;

	return pg_get_timezone_offset(session_timezone, &offset) && offset == 0;
}

/* Asked by name: the server's header of locales needs the headers of ICU. */
static bool
good_monetary(void)
{
	const char *locale = GetConfigOption("lc_monetary", false, false);

	return strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

/*
 * Decides when regclass and the like print a schema.  An empty path, which
 * client programs set as well, means the same: pg_catalog is always there.
 */
static bool
good_search_path(void)
{
	static const char *const good[] = { "pg_catalog", "\"pg_catalog\"", "",
										"\"\"" };
	const char *path = GetConfigOption("search_path", false, false);
	int i;

	for (i = 0; i < lengthof(good); i++)
	{
		if (strcmp(path, good[i]) == 0)
			return true;
	}
	return false;
}

static const SettingSpec setting_specs[SETTING_COUNT] = {
	{ "DateStyle", "ISO", good_datestyle },
	{ "IntervalStyle", "postgres", good_intervalstyle },
	{ "extra_float_digits", "3", good_float_digits },
	{ "bytea_output", "hex", good_bytea_output },
	{ "TimeZone", "UTC", good_timezone },
	{ "lc_monetary", "C", good_monetary },
	{ "search_path", "pg_catalog", good_search_path }
};

void
settings_check(void)
{
	int i;
	int n;
	StringInfoData all;

	for (i = 0; i < SETTING_COUNT; i++)
	{
		if (setting_specs[i].good())
			continue;
		initStringInfo(&all);
		for (n = 0; n < SETTING_COUNT; n++)
			appendStringInfo(&all, "%s-c %s=%s", n > 0 ? " " : "",
							 setting_specs[n].name, setting_specs[n].wanted);
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg(
				 "setting \"%s\" is \"%s\", but format \"binary\" needs \"%s\"",
				 setting_specs[i].name, setting_value(i),
				 setting_specs[i].wanted),
			 errhint("Connect with options='%s'.", all.data)));
	}
}

TextStyle
settings_text_style(void)
{
	TextStyle style;

	style.iso_dates = good_datestyle();
	style.utc = style.iso_dates && good_timezone();
	style.exact_floats = good_float_digits();
	return style;
}

const char *
setting_name(int i)
{
	return setting_specs[i].name;
}

const char *
setting_value(int i)
{
	return GetConfigOptionByName(setting_specs[i].name, NULL, false);
}

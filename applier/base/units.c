/*
 * units.c
 *		See units.h.
 */
#include "base/units.h"

#include <stdio.h>
#include <string.h>

const char *
units_bytes(double bytes, char out[UNITS_SIZE])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	double value = bytes / 1024;
	int unit = 0;

	if (bytes < 1024)
	{
		snprintf(out, UNITS_SIZE, "%.0f bytes", bytes);
		return out;
	}
	/* 1023.95 would be printed as 1024.0 */
	while (value >= 1023.95 && unit < 4)
	{
		value /= 1024;
		unit++;
	}
	snprintf(out, UNITS_SIZE, "%.1f %s", value, units[unit]);
	return out;
}

const char *
units_duration(double seconds, char out[UNITS_SIZE])
{
	int64_t s = (int64_t) (seconds + 0.5);

	if (seconds < 0)
		snprintf(out, UNITS_SIZE, "never");
	else if (s < 60)
		snprintf(out, UNITS_SIZE, "%d s", (int) s);
	else if (s < 3600)
		snprintf(out, UNITS_SIZE, "%d min %02d s", (int) (s / 60),
				 (int) (s % 60));
	else if (s < 86400)
		snprintf(out, UNITS_SIZE, "%d h %02d min", (int) (s / 3600),
				 (int) (s % 3600 / 60));
	else
		snprintf(out, UNITS_SIZE, "%lld d %02d h", (long long) (s / 86400),
				 (int) (s % 86400 / 3600));
	return out;
}

const char *
units_count(double count, char out[UNITS_SIZE])
{
	static const char *const units[] = { "k", "M", "G", "T" };
	double value = count / 1000;
	int unit = 0;

	if (count < 10000)
	{
		snprintf(out, UNITS_SIZE, "%.0f", count);
		return out;
	}
	while (value >= 999.95 && unit < 3)
	{
		value /= 1000;
		unit++;
	}
	snprintf(out, UNITS_SIZE, "%.1f %s", value, units[unit]);
	return out;
}

typedef struct Unit
{
	const char *name;
	int64_t factor;
} Unit;

/* Up to nine digits, directly followed by one of the units. */
static bool
quantity_parse(const char *text, const Unit *units, int count, int64_t *out)
{
	int64_t number = 0;
	int digits = 0;

	for (; *text >= '0' && *text <= '9'; text++)
	{
		number = number * 10 + (*text - '0');
		if (++digits > 9)
			return false;
	}
	for (int i = 0; digits > 0 && i < count; i++)
	{
		if (strcmp(text, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].factor, out);
	}
	return false;
}

bool
duration_parse(const char *text, int64_t *ms)
{
	static const Unit units[] = { { "ms", 1 },
								  { "s", 1000 },
								  { "min", 60000 },
								  { "h", 3600000 },
								  { "d", 86400000 } };

	if (quantity_parse(text, units, (int) (sizeof(units) / sizeof(units[0])),
					   ms))
		return true;
	/* nothing has no unit */
	*ms = 0;
	return text[0] != '\0' && strlen(text) <= 9 &&
		   strspn(text, "0") == strlen(text);
}

bool
size_parse(const char *text, int64_t *bytes)
{
	static const Unit units[] = { { "B", 1 },
								  { "kB", INT64_C(1) << 10 },
								  { "MB", INT64_C(1) << 20 },
								  { "GB", INT64_C(1) << 30 },
								  { "TB", INT64_C(1) << 40 } };

	return quantity_parse(text, units, (int) (sizeof(units) / sizeof(units[0])),
						  bytes) &&
		   *bytes > 0 && *bytes <= INT64_C(1) << 50;
}

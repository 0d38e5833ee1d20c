/*
 * source.c
 *		Which source drivers there are; the only place that knows.
 */
#include "source/source.h"

#include <stddef.h>
#include <string.h>

#include "postgres/pg_url.h"
#include "postgres/source_pg.h"

typedef struct SourceDriver
{
	bool (*matches)(const char *url);
	bool (*check)(const char *url, const char *side, Error *err);
	Source *(*open)(const SourceConfig *config, Error *err);
} SourceDriver;

static const SourceDriver drivers[] = {
	{ pg_url_matches, pg_url_check, source_pg_open },
};

static const SourceDriver *
driver_of(const char *url)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
	{
		if (drivers[i].matches(url))
			return &drivers[i];
	}
	return NULL;
}

bool
source_url_check(const char *url, const char *side, Error *err)
{
	const SourceDriver *driver = driver_of(url);
	const char *scheme_end = strstr(url, "://");

	if (driver != NULL)
		return driver->check(url, side, err);
	if (scheme_end == NULL)
		return error_set(err, P_URL, "the %s URL has no scheme", side);
	return error_set(err, P_URL, "there is no driver for a %s URL of %.*s://",
					 side, (int) (scheme_end - url), url);
}

Source *
source_open(const SourceConfig *config, Error *err)
{
	const SourceDriver *driver = driver_of(config->url);

	if (driver != NULL)
		return driver->open(config, err);
	error_set(err, P_URL, "there is no driver for the source URL");
	return NULL;
}

void
source_close(Source *source)
{
	if (source != NULL)
		source->ops->free(source);
}

bool
source_slot_check(Source *source, SlotInfo *info, Error *err)
{
	const char *slot = source->config->slot;

	if (!source->ops->slot_inspect(source, info, err))
		return false;
	if (!info->exists)
		return error_set(err, P_SLOT_MISSING,
						 "the slot %s is gone from the source", slot);
	if (!info->ours)
		return error_set(err, P_SLOT_FOREIGN,
						 "the slot %s is not a slot of pg_portage in this "
						 "database",
						 slot);
	if (info->invalid)
		return error_set(err, P_SLOT_INVALID,
						 "the server has invalidated the slot %s: %s", slot,
						 info->why_invalid);
	return true;
}

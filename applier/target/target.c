/*
 * target.c
 *		Which target drivers there are; the only place that knows.
 */
#include "target/target.h"

#include <stddef.h>

#include "postgres/pg_url.h"
#include "postgres/target_pg.h"

typedef struct TargetDriver
{
	bool (*matches)(const char *url);
	Target *(*open)(const TargetConfig *config, Error *err);
} TargetDriver;

static const TargetDriver drivers[] = {
	{ pg_url_matches, target_pg_open },
};

Target *
target_open(const TargetConfig *config, Error *err)
{
	size_t i;

	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
	{
		if (drivers[i].matches(config->url))
			return drivers[i].open(config, err);
	}
	error_set(err, P_URL, "there is no driver for the target URL");
	return NULL;
}

void
target_close(Target *target)
{
	if (target != NULL)
		target->ops->free(target);
}

/*
 * target.c
 *		Which target drivers there are; the only place that knows.
 */
#include "target/target.h"

#include <stddef.h>
#include <string.h>

#include "mysql/mysql_url.h"
#include "mysql/target_mysql.h"
#include "postgres/pg_url.h"
#include "postgres/target_pg.h"

typedef struct TargetDriver
{
	bool (*matches)(const char *url);
	bool (*check)(const char *url, const char *side, Error *err);
	Target *(*open)(const TargetConfig *config, Error *err);
} TargetDriver;

static const TargetDriver drivers[] = {
	{ pg_url_matches, pg_url_check, target_pg_open },
	{ mysql_url_matches, mysql_url_check, target_mysql_open },
};

static ChangeVerdict
apply_all(const ChangeFilter *self, const Txn *txn, const Change *change,
		  const Relation *relation)
{
	(void) self;
	(void) txn;
	(void) change;
	(void) relation;
	return VERDICT_APPLY;
}

const ChangeFilter change_filter_none = { .verdict = apply_all };

static const TargetDriver *
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
target_url_check(const char *url, Error *err)
{
	const TargetDriver *driver = driver_of(url);
	const char *scheme_end = strstr(url, "://");

	if (driver != NULL)
		return driver->check(url, "target", err);
	if (scheme_end == NULL)
		return error_set(err, P_URL, "the target URL has no scheme");
	return error_set(err, P_URL,
					 "there is no driver for a target URL of %.*s://",
					 (int) (scheme_end - url), url);
}

void
target_url_hide_secrets(char *url)
{
	/* what belongs to nobody may be a misspelt URL of either */
	mysql_url_hide_secrets(url);
	pg_url_hide_secrets(url);
}

Target *
target_open(const TargetConfig *config, Error *err)
{
	const TargetDriver *driver = driver_of(config->url);

	if (driver != NULL)
		return driver->open(config, err);
	error_set(err, P_URL, "there is no driver for the target URL");
	return NULL;
}

void
target_close(Target *target)
{
	if (target != NULL)
		target->ops->free(target);
}

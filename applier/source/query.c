/*
 * query.c
 *		See query.h.
 */
#include "source/query.h"

#include <string.h>

#include "source/query_driver.h"

static const QueryDriver *const drivers[] = {
	&query_driver_pg,
	&query_driver_mysql,
};

static const QueryDriver *
driver_of(const char *url)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
	{
		if (drivers[i]->matches(url))
			return drivers[i];
	}
	return NULL;
}

bool
query_url_check(const char *url, Error *err)
{
	const QueryDriver *driver = driver_of(url);
	const char *scheme_end = strstr(url, "://");

	if (driver != NULL)
		return driver->check(url, "reference's", err);
	if (scheme_end == NULL)
		return error_set(err, P_URL, "the reference's URL has no scheme");
	return error_set(err, P_URL,
					 "there is no driver for a reference's URL of %.*s://",
					 (int) (scheme_end - url), url);
}

static const QueryDriver *
driver_for(const Query *query, Error *err)
{
	const QueryDriver *driver = driver_of(query->url);

	if (driver == NULL)
		error_set(err, P_REFERENCE, "there is no driver for its url");
	return driver;
}

/*
 * The server's words under our code, unless it is worth another try.  A query that
 * writes will not write the next time either.
 */
static bool
failed(Error *err)
{
	Error was = *err;

	if (was.code == P_CONNECT || was.code == P_STOPPED ||
		(error_is_transient(&was) && strcmp(was.sqlstate, "25006") != 0))
		return false;
	error_set(err, P_REFERENCE, "%s", was.message);
	memcpy(err->sqlstate, was.sqlstate, sizeof(err->sqlstate));
	memcpy(err->detail, was.detail, sizeof(err->detail));
	memcpy(err->hint, was.hint, sizeof(err->hint));
	return false;
}

bool
query_describe(const Query *query, Arena *arena, QueryColumns *columns,
			   Error *err)
{
	const QueryDriver *driver = driver_for(query, err);

	columns->columns = NULL;
	columns->count = 0;
	if (driver == NULL)
		return false;
	if (!driver->describe(query, arena, columns, err))
		return failed(err);
	return columns->count > 0 ||
		   error_set(err, P_REFERENCE, "its query is none that gives rows");
}

bool
query_visit(const Query *query, const QueryColumns *columns,
			QueryVisitor visitor, void *arg, Error *err)
{
	const QueryDriver *driver = driver_for(query, err);

	return driver != NULL &&
		   (driver->visit(query, columns, visitor, arg, err) || failed(err));
}

static bool
other_columns(Error *err)
{
	error_set(err, P_REFERENCE, "its query gives other columns than before");
	return error_hint(err, "Start again to use it as it is now.");
}

bool
query_same_column(const QueryColumns *columns, int i, const char *name,
				  ExprBind bind, Error *err)
{
	return (strcmp(columns->columns[i].name, name) == 0 &&
			columns->columns[i].bind == bind) ||
		   other_columns(err);
}

bool
query_same_count(const QueryColumns *columns, int count, Error *err)
{
	return columns->count == count || other_columns(err);
}

/*
 * query_driver.h
 *		How a server is asked; for query.c and the drivers.
 */
#ifndef PORTAGE_QUERY_DRIVER_H
#define PORTAGE_QUERY_DRIVER_H

#include "source/query.h"

/* what a query may take, before its server is asked to end it */
#define QUERY_TIMEOUT_MS 300000
/* and before we do not wait for that any more */
#define QUERY_SILENCE_MS (QUERY_TIMEOUT_MS + 30000)

typedef struct QueryDriver
{
	bool (*matches)(const char *url);
	bool (*check)(const char *url, const char *side, Error *err);
	bool (*describe)(const Query *query, Arena *arena, QueryColumns *columns,
					 Error *err);
	bool (*visit)(const Query *query, const QueryColumns *columns,
				  QueryVisitor visitor, void *arg, Error *err);
} QueryDriver;

extern const QueryDriver query_driver_pg;
extern const QueryDriver query_driver_mysql;

/* Column i is to be of this name and form: P_REFERENCE if it is another one. */
bool query_same_column(const QueryColumns *columns, int i, const char *name,
					   ExprBind bind, Error *err) MUST_CHECK;
bool
query_same_count(const QueryColumns *columns, int count, Error *err) MUST_CHECK;

#endif /* PORTAGE_QUERY_DRIVER_H */

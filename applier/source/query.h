/*
 * query.h
 *		One query on some server, and its rows: what references are read by.
 *
 * Each call is a connection of its own, read only, with a time-out; rows are
 * handed over as they come and never kept.  Whether the server is PostgreSQL or
 * MySQL is said by the URL, and known to query.c only.
 */
#ifndef PORTAGE_QUERY_H
#define PORTAGE_QUERY_H

#include "base/arena.h"
#include "base/error.h"
#include "change.h"
#include "expr/expr.h"

typedef struct QueryColumns
{
	ExprColumn *columns;
	int count;
} QueryColumns;

/* Called for each row; values are valid for the call.  False ends it. */
typedef bool (*QueryVisitor)(void *arg, const Value *values, Error *err);

typedef struct Query
{
	const char *url;
	const char *sql;
} Query;

/* Can the URL be read, without connecting?  P_URL. */
bool query_url_check(const char *url, Error *err) MUST_CHECK;

/*
 * The columns that it gives, without running it; in the arena.  What passes is
 * P_CONNECT, or transient; the rest is P_REFERENCE.
 */
bool query_describe(const Query *query, Arena *arena, QueryColumns *columns,
					Error *err) MUST_CHECK;

/* Run it.  P_REFERENCE if it has other columns by now. */
bool query_visit(const Query *query, const QueryColumns *columns,
				 QueryVisitor visitor, void *arg, Error *err) MUST_CHECK;

#endif /* PORTAGE_QUERY_H */

/*
 * copy_in.c
 *		See copy_in.h.
 */
#include "postgres/copy_in.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* a server that takes nothing for so long is given up */
#define SILENCE_MS 600000

/* Out with what libpq holds, so that it never holds more than one piece. */
static bool
flush(PgConn *conn, Error *err)
{
	int64_t deadline_ms = clock_ms() + SILENCE_MS;
	int rc;

	while ((rc = PQflush(conn->pq)) > 0)
	{
		if (!pg_wait_socket(conn, true, deadline_ms, err))
			return false;
		if (PQconsumeInput(conn->pq) == 0)
			break;
	}
	return rc == 0 || pg_error(conn, NULL, P_CONNECTION_LOST, err);
}

bool
copy_in_data(PgConn *conn, Slice data, Error *err)
{
	int rc;

	BUG_UNLESS(data.len <= INT32_MAX);
	while ((rc = PQputCopyData(conn->pq, data.data, (int) data.len)) == 0)
	{
		if (!flush(conn, err))
			return false;
	}
	if (rc < 0)
		return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	return flush(conn, err);
}

bool
copy_in_end(PgConn *conn, const char *reason, Error *err)
{
	int rc;

	while ((rc = PQputCopyEnd(conn->pq, reason)) == 0)
	{
		if (!flush(conn, err))
			return false;
	}
	return rc > 0 || pg_error(conn, NULL, P_CONNECTION_LOST, err);
}

bool
copy_in_result(PgConn *conn, int64_t *rows, Error *err)
{
	bool good = true;
	PGresult *res;

	*rows = -1;
	for (;;)
	{
		if (!pg_next_result(conn, &res, err))
			return false;
		if (res == NULL)
			return good;
		if (PQresultStatus(res) == PGRES_COMMAND_OK)
			*rows = strtoll(PQcmdTuples(res), NULL, 10);
		else if (good)
			good = pg_error(conn, res, P_COPY, err);
		PQclear(res);
	}
}

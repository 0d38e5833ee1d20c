/*
 * advisory_lock.c
 *		See advisory_lock.h.
 */
#include "postgres/advisory_lock.h"

#include <stdio.h>

bool
advisory_lock_holder(PgConn *conn, const char *kind, const char *name, int *pid,
					 char *owner, size_t owner_size, Error *err)
{
	const char *params[] = { kind, name };
	PGresult *res = pg_query_params(
		conn, err,
		"WITH k AS (SELECT hashtextextended($1::text || $2, 0) AS key)"
		" SELECT l.pid, coalesce(a.application_name, ''),"
		"  coalesce(host(a.client_addr), 'local socket'),"
		"  coalesce(a.backend_start::text, '')"
		" FROM k, pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
		" WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
		"  AND l.database = (SELECT oid FROM pg_database"
		"   WHERE datname = current_database())"
		"  AND l.classid = ((k.key >> 32) & 4294967295)::oid"
		"  AND l.objid = (k.key & 4294967295)::oid",
		2, params);

	if (res == NULL)
		return false;
	*pid = 0;
	snprintf(owner, owner_size, "a session that has just ended");
	if (PQntuples(res) > 0)
	{
		*pid = (int) pg_value_int(res, 0, 0);
		snprintf(owner, owner_size, "process %d (%s) from %s since %s", *pid,
				 pg_value(res, 0, 1), pg_value(res, 0, 2), pg_value(res, 0, 3));
	}
	PQclear(res);
	return true;
}

bool
advisory_lock_end(PgConn *conn, int pid, Error *err)
{
	char pid_text[16];
	const char *params[] = { pid_text };

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	return pg_exec_params(conn, err, "SELECT pg_terminate_backend($1::integer)",
						  1, params);
}

/*
 * pg_check.c
 *		See pg_check.h.
 */
#include "postgres/pg_check.h"

#include <stdio.h>
#include <string.h>

/* What the database's locale is depends on the version. */
#define LOCALE_13 "'libc', datcollate, datctype, ''"
#define LOCALE_15                                                          \
	"CASE datlocprovider WHEN 'i' THEN 'icu' ELSE 'libc' END,"             \
	" CASE datlocprovider WHEN 'i' THEN daticulocale ELSE datcollate END," \
	" datctype, coalesce(datcollversion, '')"
#define LOCALE_17                                                     \
	"CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'" \
	"  ELSE 'libc' END, CASE datlocprovider WHEN 'c' THEN datcollate" \
	"  ELSE datlocale END, datctype, coalesce(datcollversion, '')"

/*
 * Free connections of the server, of the database and of the role, ours counted
 * as free; NULL where there is no limit.  Walsenders and autovacuum workers have
 * places of their own on the server (InitProcess() in
 * src/backend/storage/lmgr/proc.c), but count for database and role.  Who may not
 * see what a process is sees all the same which of them are walsenders, and takes
 * the others for clients.
 */
static const char connections_query[] =
	"WITH used AS (SELECT datname, usename,"
	"  coalesce(backend_type, 'client backend') = 'client backend'"
	"  AND pid NOT IN (SELECT pid FROM pg_stat_replication) AS client"
	"  FROM pg_stat_activity"
	"  WHERE datid IS NOT NULL AND pid <> pg_backend_pid())"
	" SELECT 'connections', current_setting('max_connections')::int"
	"  - current_setting('superuser_reserved_connections')::int"
	"  - coalesce(current_setting('reserved_connections', true)::int, 0)"
	"  - (SELECT count(*) FROM used WHERE client), 'max_connections'"
	" UNION ALL SELECT 'database ' || d.datname, d.datconnlimit"
	"  - (SELECT count(*) FROM used u WHERE u.datname = d.datname),"
	"  'the CONNECTION LIMIT of the database'"
	"  FROM pg_database d WHERE d.datname = current_database()"
	"  AND d.datconnlimit >= 0"
	" UNION ALL SELECT 'role ' || r.rolname, r.rolconnlimit"
	"  - (SELECT count(*) FROM used u WHERE u.usename = r.rolname),"
	"  'the CONNECTION LIMIT of the role'"
	"  FROM pg_roles r WHERE r.rolname = current_user"
	"  AND r.rolconnlimit >= 0";

void
pg_check_pooler(const PgConn *conn, const char *pid, Findings *findings)
{
	char greeted[16];

	snprintf(greeted, sizeof(greeted), "%d", conn->backend_pid);
	if (strcmp(greeted, pid) == 0)
		return;
	finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, conn->side,
				"connect to the server itself",
				"there is a connection pooler in between: process %s answers, "
				"process %s has greeted us",
				pid, greeted);
}

bool
pg_check_connections(PgConn *conn, int jobs, int beside, Findings *findings,
					 Error *err)
{
	PGresult *res = pg_query(conn, err, connections_query);
	int needed = jobs + beside;

	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
	{
		if (pg_value_int(res, i, 1) >= needed)
			continue;
		finding_add(
			findings, SEVERITY_WARNING, P_SERVER_BUSY, pg_value(res, i, 0),
			arena_printf(findings->arena, "raise %s, or pass fewer --jobs",
						 pg_value(res, i, 2)),
			"%s are free, run with --jobs %d opens %d", pg_value(res, i, 1),
			jobs, needed);
	}
	PQclear(res);
	return true;
}

bool
pg_locale_read(PgConn *conn, Arena *arena, Needs *needs, Error *err)
{
	const char *locale = conn->server_version >= 170000	  ? LOCALE_17
						 : conn->server_version >= 150000 ? LOCALE_15
														  : LOCALE_13;
	Buffer sql;
	PGresult *res;

	memset(needs, 0, sizeof(*needs));
	needs->server_version = conn->server_version;
	buffer_init(&sql);
	buffer_printf(&sql,
				  "SELECT %s, pg_encoding_to_char(encoding) FROM pg_database"
				  " WHERE datname = current_database()",
				  locale);
	res = pg_query(conn, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	needs->provider = arena_strdup(arena, pg_value(res, 0, 0));
	needs->locale = arena_strdup(arena, pg_value(res, 0, 1));
	needs->ctype = arena_strdup(arena, pg_value(res, 0, 2));
	needs->locale_version = arena_strdup(arena, pg_value(res, 0, 3));
	needs->encoding = arena_strdup(arena, pg_value(res, 0, 4));
	PQclear(res);
	return true;
}

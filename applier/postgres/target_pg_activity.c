/*
 * target_pg_activity.c
 *		What a copy is loading at this moment, as the server itself sees it.
 *
 * Rows that are not committed are in no table that anybody else could read;
 * pg_stat_progress_copy (14 and newer) counts them.  Only sessions of our own
 * role are shown, and those of the loaders are.
 */
#include "postgres/target_pg.h"

#define FIRST_VERSION 140000

#define ACTIVITY_SQL                                                \
	"SELECT n.nspname, c.relname, sum(p.tuples_processed)::bigint," \
	" sum(p.bytes_processed)::bigint FROM pg_stat_progress_copy p"  \
	" JOIN pg_stat_activity a ON a.pid = p.pid"                     \
	" JOIN pg_class c ON c.oid = p.relid"                           \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                \
	" WHERE p.datname = current_database()"                         \
	" AND a.application_name = 'pg_portage ' || $1 || ' loader'"    \
	" GROUP BY n.nspname, c.relname ORDER BY n.nspname, c.relname"

bool
target_pg_load_activity(Target *target, Arena *arena, LoadActivity **activity,
						int *count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[1] = { target->config->stream };
	PGresult *res;

	*count = 0;
	if (conn->server_version < FIRST_VERSION)
		return true;
	res = pg_query_params(conn, err, ACTIVITY_SQL, 1, params);
	if (res == NULL)
		return false;
	*count = PQntuples(res);
	*activity = ARENA_ARRAY(arena, LoadActivity, (size_t) *count);
	for (int i = 0; i < *count; i++)
	{
		(*activity)[i].schema = arena_strdup(arena, pg_value(res, i, 0));
		(*activity)[i].name = arena_strdup(arena, pg_value(res, i, 1));
		(*activity)[i].rows = pg_value_int(res, i, 2);
		(*activity)[i].bytes = pg_value_int(res, i, 3);
	}
	PQclear(res);
	return true;
}

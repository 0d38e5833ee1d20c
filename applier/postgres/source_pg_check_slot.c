/*
 * source_pg_check_slot.c
 *		Preflight of a PostgreSQL source: what the creation of a slot will meet.
 *
 * Whether the role may replicate, pg_hba.conf lets it in, a slot and a walsender
 * are free, and the server finds and allows the plugin, is proven by doing it:
 * with a temporary slot, which vanishes with its session.
 */
#include "postgres/source_pg_check.h"

#include <stdio.h>
#include <string.h>

/* for a slot that waits for running transactions */
#define PROBE_TIMEOUT_MS 5000

/*
 * Transactions that have changed something and still run.  An ordinary role is
 * not told when those of others began.
 */
static bool
running_transactions(SourcePg *self, const char *condition, Findings *findings,
					 Error *err)
{
	Buffer sql;
	PGresult *res;

	buffer_init(&sql);
	buffer_printf(&sql,
				  "SELECT l.pid, a.usename, coalesce(a.datname, ''),"
				  " coalesce('for ' || extract(epoch FROM"
				  "  now() - a.xact_start)::bigint || ' s', 'for some time'),"
				  " age(l.transactionid), coalesce(', ' || a.state, '')"
				  " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
				  " WHERE l.locktype = 'transactionid'"
				  " AND l.mode = 'ExclusiveLock' AND l.granted"
				  " AND l.pid <> pg_backend_pid() AND %s"
				  " ORDER BY age(l.transactionid) DESC LIMIT 20",
				  condition);
	res = pg_query(self->sql, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
		finding_add(
			findings, SEVERITY_WARNING, 0,
			arena_printf(findings->arena, "process %s", pg_value(res, i, 0)),
			"let it end, or end it, before the migration begins",
			"it (user %s, database %s%s) has been in a transaction "
			"%s, %s transactions have begun since: it delays the "
			"creation of the slot",
			pg_value(res, i, 1), pg_value(res, i, 2), pg_value(res, i, 5),
			pg_value(res, i, 3), pg_value(res, i, 4));
	PQclear(res);
	return true;
}

bool
source_pg_check_transactions(SourcePg *self, SourceState *state,
							 Findings *findings, Error *err)
{
	PGresult *res;

	if (state->slot_exists)
		return true; /* it has been created */
	res = pg_query(self->sql, err,
				   "SELECT gid, database, age(transaction),"
				   " extract(epoch FROM now() - prepared)::bigint"
				   " FROM pg_prepared_xacts ORDER BY prepared LIMIT 20");
	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
		finding_add(findings, SEVERITY_WARNING, 0,
					arena_printf(findings->arena, "prepared transaction %s",
								 pg_value(res, i, 0)),
					"COMMIT PREPARED or ROLLBACK PREPARED it",
					"it has been open for %s s in database %s and delays the "
					"creation of the slot until it ends",
					pg_value(res, i, 3), pg_value(res, i, 1));
	PQclear(res);
	return running_transactions(
		self, "a.xact_start < now() - interval '1 minute'", findings, err);
}

/*
 * The server looks for the plugin before it waits for running transactions, so
 * a wait means that all is well.  The session is ended, not left to notice.
 */
static bool
probe_waits(SourcePg *self, const PgConn *conn, Findings *findings, Error *err)
{
	char pid[16];
	const char *params[] = { pid };

	finding_add(findings, SEVERITY_WARNING, 0, "output plugin",
				"let transactions end before the migration begins",
				"it is allowed and loaded; running transactions delay the "
				"creation of a slot");
	snprintf(pid, sizeof(pid), "%d", conn->backend_pid);
	return running_transactions(
			   self, "(a.xact_start < now() - interval '1 minute') IS NOT TRUE",
			   findings, err) &&
		   pg_exec_params(self->sql, err,
						  "SELECT pg_terminate_backend($1::integer)", 1,
						  params);
}

static void
probe_failed(Error *why, Findings *findings)
{
	if (why->code == P_PLUGIN_REFUSED)
		error_hint(why, "add pg_portage to output_plugin_libraries and reload");
	else if (why->code == P_PLUGIN_MISSING)
		error_hint(why, "install pg_portage.so into the server's library "
						"directory");
	else if (why->code == P_LOGIN)
		error_hint(why, "let the role in by a line of pg_hba.conf for its "
						"database");
	finding_add_error(findings, SEVERITY_ERROR, "output plugin", why);
}

/* Is there what a slot needs, so that a failure is the plugin's? */
static bool
may_probe(const SourceState *state)
{
	return state->logical && !state->standby && state->may_replicate &&
		   state->slots_free > 0 && state->walsenders_free > 0;
}

bool
source_pg_check_plugin(SourcePg *self, SourceState *state, Findings *findings,
					   Error *err)
{
	Error why = ERROR_INIT;
	PgConn *conn;
	char sql[160];
	PGresult *res = NULL;
	bool ok = true;

	if (!may_probe(state))
	{
		finding_add(
			findings, SEVERITY_NOTE, 0, "output plugin",
			"mend what keeps a slot from being created, and check again",
			"whether it is installed and allowed is not known: that "
			"takes a replication slot");
		return true;
	}
	conn = source_pg_session(self, "check", true, &why);
	if (conn != NULL)
	{
		snprintf(sql, sizeof(sql),
				 "CREATE_REPLICATION_SLOT \"portage_check_%d\" TEMPORARY"
				 " LOGICAL " PLUGIN_NAME " NOEXPORT_SNAPSHOT",
				 conn->backend_pid);
		conn->interruptible = true;
		conn->statement_timeout_ms = PROBE_TIMEOUT_MS;
		res = pg_query(conn, &why, sql);
	}
	if (res != NULL)
		finding_add(findings, SEVERITY_OK, 0, "output plugin", "",
					"it is allowed and loaded, the role may replicate");
	else if (why.kind == ERROR_STOPPED)
	{
		*err = why;
		ok = false;
	}
	else if (conn != NULL && why.code == P_CONNECTION_LOST &&
			 pg_conn_alive(conn))
		ok = probe_waits(self, conn, findings, err);
	else
		probe_failed(&why, findings);
	PQclear(res);
	pg_conn_close(conn);
	return ok;
}

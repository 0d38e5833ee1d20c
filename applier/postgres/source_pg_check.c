/*
 * source_pg_check.c
 *		Preflight of a PostgreSQL source: the server and our role on it.
 *
 * Whatever an ordinary role may ask is asked; what it may not see is proven by
 * doing it: a temporary slot shows that the role may replicate, that
 * pg_hba.conf lets it in, that a slot and a walsender are free, and that the
 * server finds and allows the plugin.
 */
#include "postgres/source_pg_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postgres/pg_program.h"

#define VERSION_MIN 130000

/* the stream and the holder of the slot's snapshot */
#define WALSENDERS_NEEDED 2

/* for a slot that waits for running transactions */
#define PROBE_TIMEOUT_MS 5000

typedef struct ServerState
{
	int version;
	bool standby;
	bool logical;
	bool may_replicate;
	int slots_free;
	int walsenders_free;
	bool slot_exists; /* ours: the migration has begun */
} ServerState;

static const char server_query[] =
	"SELECT pg_is_in_recovery(), current_setting('wal_level'),"
	" (SELECT rolreplication OR rolsuper FROM pg_roles"
	"  WHERE rolname = current_user),"
	" current_setting('max_replication_slots')::int"
	"  - (SELECT count(*) FROM pg_replication_slots)::int,"
	" current_setting('max_wal_senders')::int"
	"  - (SELECT count(*) FROM pg_stat_replication)::int,"
	" EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1),"
	" current_user, current_setting('synchronous_standby_names'),"
	" current_setting('max_slot_wal_keep_size'),"
	" coalesce(current_setting('idle_replication_slot_timeout', true), '0'),"
	" EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_portage'),"
	" current_setting('server_encoding'), current_setting('server_version'),"
	" current_setting('wal_sender_timeout')";

static bool
token_end(char c)
{
	return c == '\0' || c == ',' || c == '(' || c == ')' ||
		   isspace((unsigned char) c);
}

bool
synchronous_names_match(const char *setting, const char *name)
{
	const char *p = setting;

	while (*p != '\0')
	{
		char token[128];
		size_t len = 0;
		bool quoted = *p == '"';

		if (!quoted && token_end(*p))
		{
			p++;
			continue;
		}
		if (quoted)
			p++;
		while (*p != '\0' &&
			   (quoted ? *p != '"' || p[1] == '"' : !token_end(*p)))
		{
			if (quoted && *p == '"')
				p++;
			if (len < sizeof(token) - 1)
				token[len++] = *p;
			p++;
		}
		token[len] = '\0';
		if (quoted && *p == '"')
			p++;
		if (strcmp(token, "*") == 0 || strcasecmp(token, name) == 0)
			return true;
	}
	return false;
}

static void
check_server(const SourcePg *self, const PGresult *res, ServerState *state,
			 Findings *findings)
{
	const char *version = pg_value(res, 0, 12);

	if (state->version < VERSION_MIN)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "source",
					"use PostgreSQL 13 or newer", "the server's version is %s",
					version);
	else
		finding_add(findings, SEVERITY_OK, 0, "source", "",
					"the server's version is %s", version);
	state->standby = pg_value_bool(res, 0, 0);
	if (state->standby)
		finding_add(findings, SEVERITY_ERROR, P_STANDBY, "source",
					"connect to the primary", "the server is a standby");
	state->logical = strcmp(pg_value(res, 0, 1), "logical") == 0;
	if (self->base.config->copy_only)
		return;
	if (state->logical)
		finding_add(findings, SEVERITY_OK, 0, "source", "",
					"wal_level is logical");
	else
		finding_add(findings, SEVERITY_ERROR, P_WAL_LEVEL, "source",
					"set wal_level = logical and restart the server",
					"wal_level is %s", pg_value(res, 0, 1));
	if (strcmp(pg_value(res, 0, 11), "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"use a target with the encoding SQL_ASCII, too",
					"the encoding is SQL_ASCII: a target with another one "
					"refuses text that is not valid in it");
	if (!pg_value_bool(res, 0, 10))
		finding_add(findings, SEVERITY_NOTE, 0, "source",
					"CREATE EXTENSION pg_portage, if you want them",
					"the extension is not installed: its SQL functions are "
					"not there, the migration does without");
}

static void
check_capacity(const PGresult *res, ServerState *state, Findings *findings)
{
	state->may_replicate = pg_value_bool(res, 0, 2);
	if (!state->may_replicate)
	{
		Buffer remedy;

		buffer_init(&remedy);
		buffer_puts(&remedy, "ALTER ROLE ");
		pg_quote_ident(&remedy, pg_value(res, 0, 6));
		buffer_puts(&remedy, " REPLICATION");
		finding_add(findings, SEVERITY_ERROR, P_REPLICATION_ROLE, "source",
					remedy.data, "the role %s may not replicate",
					pg_value(res, 0, 6));
		buffer_release(&remedy);
	}
	state->slots_free = (int) pg_value_int(res, 0, 3);
	state->walsenders_free = (int) pg_value_int(res, 0, 4);
	state->slot_exists = pg_value_bool(res, 0, 5);
	if (state->slots_free < 1 && !state->slot_exists)
		finding_add(findings, SEVERITY_ERROR, P_SLOTS, "source",
					"raise max_replication_slots and restart, or drop a slot "
					"that nobody reads",
					"no replication slot is free");
	if (state->walsenders_free < WALSENDERS_NEEDED && !state->slot_exists)
		finding_add(findings, SEVERITY_ERROR, P_WALSENDERS, "source",
					"raise max_wal_senders and restart",
					"%d walsenders are free, %d are needed",
					state->walsenders_free, WALSENDERS_NEEDED);
}

static void
check_settings(const SourcePg *self, const PGresult *res, Findings *findings)
{
	const char *names = pg_value(res, 0, 7);
	const char *keep = pg_value(res, 0, 8);
	const char *idle = pg_value(res, 0, 9);
	char label[LABEL_SIZE];

	snprintf(label, sizeof(label), LABEL_FORMAT, self->base.config->stream,
			 "stream");
	if (synchronous_names_match(names, label))
		finding_add(findings, SEVERITY_ERROR, P_SYNCHRONOUS, "source",
					"name real standbys in synchronous_standby_names",
					"synchronous_standby_names = '%s' would make every commit "
					"wait for the applier",
					names);
	if (strcmp(keep, "-1") != 0)
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"set max_slot_wal_keep_size = -1, or watch the slot",
					"max_slot_wal_keep_size is %s: the slot is invalidated "
					"when it keeps more, and the copy has to begin again",
					keep);
	if (strcmp(idle, "0") != 0)
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"set idle_replication_slot_timeout = 0",
					"idle_replication_slot_timeout is %s: the slot is "
					"invalidated when the applier is stopped for longer",
					idle);
}

/* What would make the creation of the slot wait. */
static bool
check_transactions(SourcePg *self, Findings *findings, Error *err)
{
	PGresult *res;
	int i;

	res = pg_query(self->sql, err,
				   "SELECT gid, database, age(transaction)"
				   " FROM pg_prepared_xacts ORDER BY prepared LIMIT 20");
	if (res == NULL)
		return false;
	for (i = 0; i < PQntuples(res); i++)
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"COMMIT PREPARED or ROLLBACK PREPARED it",
					"the prepared transaction '%s' in database %s delays the "
					"creation of the slot until it ends",
					pg_value(res, i, 0), pg_value(res, i, 1));
	PQclear(res);
	res = pg_query(self->sql, err,
				   "SELECT l.pid, a.usename, coalesce(a.datname, ''),"
				   " extract(epoch FROM now() - a.xact_start)::bigint"
				   " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
				   " WHERE l.locktype = 'transactionid'"
				   " AND l.mode = 'ExclusiveLock' AND l.granted"
				   " AND a.xact_start < now() - interval '1 minute'"
				   " ORDER BY a.xact_start LIMIT 20");
	if (res == NULL)
		return false;
	for (i = 0; i < PQntuples(res); i++)
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"let it end, or end it, before the migration begins",
					"process %s (%s, database %s) has been in a transaction "
					"for %s s and delays the creation of the slot",
					pg_value(res, i, 0), pg_value(res, i, 1),
					pg_value(res, i, 2), pg_value(res, i, 3));
	PQclear(res);
	return true;
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

	finding_add(findings, SEVERITY_WARNING, 0, "source",
				"let transactions end before the migration begins",
				"running transactions delay the creation of a slot; the "
				"plugin is allowed and loaded");
	snprintf(pid, sizeof(pid), "%d", conn->backend_pid);
	return pg_exec_params(
		self->sql, err, "SELECT pg_terminate_backend($1::integer)", 1, params);
}

static void
probe_failed(const Error *why, Findings *findings)
{
	const char *remedy = why->hint;
	const char *message = why->message;

	if (strncmp(message, "source: ", 8) == 0)
		message += 8; /* the finding's object says so already */
	if (why->code == P_PLUGIN_REFUSED)
		remedy = "add pg_portage to output_plugin_libraries and reload";
	else if (why->code == P_PLUGIN_MISSING)
		remedy = "install pg_portage.so into the server's library directory";
	else if (why->code == P_LOGIN)
		remedy = "let the role in by a line of pg_hba.conf for its database";
	finding_add(findings, SEVERITY_ERROR, why->code, "source", remedy, "%s",
				message);
}

static bool
check_plugin(SourcePg *self, Findings *findings, Error *err)
{
	Error why = ERROR_INIT;
	PgConn *conn = source_pg_session(self, "check", true, &why);
	char sql[160];
	PGresult *res = NULL;
	bool ok = true;

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
		finding_add(findings, SEVERITY_OK, 0, "source", "",
					"the plugin is allowed and loaded, the role may "
					"replicate");
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

static void
check_programs(const SourcePg *self, const ServerState *state,
			   Findings *findings)
{
	Error why = ERROR_INIT;
	PgPrograms programs;

	if (pg_programs_find(self->base.config->pg_bindir, state->version / 10000,
						 findings->arena, &programs, &why))
		finding_add(findings, SEVERITY_OK, 0, "pg_dump", "",
					"%s is of version %d", programs.pg_dump, programs.major);
	else
		finding_add(
			findings, SEVERITY_ERROR, why.code, "pg_dump",
			why.hint[0] != '\0'
				? why.hint
				: "install the client programs of the source's version or "
				  "newer, or pass --pg-bindir",
			"%s", why.message);
}

bool
source_pg_check(Source *source, Findings *findings, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	const char *params[] = { source->config->slot };
	ServerState state = { .version = self->sql->server_version };
	PGresult *res = pg_query_params(self->sql, err, server_query, 1, params);

	if (res == NULL)
		return error_wrap(err, "cannot look at the source");
	check_server(self, res, &state, findings);
	if (!source->config->copy_only)
	{
		check_capacity(res, &state, findings);
		check_settings(self, res, findings);
	}
	PQclear(res);
	if (!source->config->copy_only && !check_transactions(self, findings, err))
		return false;
	if (!source->config->copy_only && state.logical && !state.standby &&
		state.may_replicate && state.slots_free > 0 &&
		state.walsenders_free > 0 && !check_plugin(self, findings, err))
		return false;
	check_programs(self, &state, findings);
	return source_pg_check_tables(self, findings, err);
}

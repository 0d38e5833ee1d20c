/*
 * source_pg_check.c
 *		Preflight of a PostgreSQL source: the server and our role on it; and the
 *		list of all the parts of the preflight.
 *
 * Whatever an ordinary role may ask is asked; what it may not see is proven by
 * doing it (source_pg_check_slot.c).  A part that fails does not keep the
 * others from being looked at.
 */
#include "postgres/source_pg_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "postgres/pg_check.h"
#include "postgres/pg_program.h"

#define VERSION_MIN 130000

/* the stream and the holder of the slot's snapshot */
#define WALSENDERS_NEEDED 2

/* what run opens beside one connection for each job */
#define CONNECTIONS_BESIDE_JOBS 3

/* the stream says that it lives four times in it */
#define SENDER_TIMEOUT_MIN_MS 10000

static const char server_query[] =
	"SELECT pg_is_in_recovery(), current_setting('wal_level'),"
	" current_setting('server_encoding'), current_setting('server_version'),"
	" pg_backend_pid()";

static const char capacity_query[] =
	"SELECT (SELECT rolreplication OR rolsuper FROM pg_roles"
	"  WHERE rolname = current_user),"
	" current_setting('max_replication_slots')::int"
	"  - (SELECT count(*) FROM pg_replication_slots)::int,"
	" current_setting('max_wal_senders')::int"
	"  - (SELECT count(*) FROM pg_stat_replication)::int,"
	" EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1),"
	" current_user";

static const char settings_query[] =
	"SELECT current_setting('synchronous_standby_names'),"
	" current_setting('max_slot_wal_keep_size'),"
	" coalesce(current_setting('idle_replication_slot_timeout', true), '0'),"
	" (SELECT setting::int FROM pg_settings"
	"  WHERE name = 'wal_sender_timeout'),"
	" current_setting('wal_sender_timeout')";

/* pg_dump locks every table for as long as it reads the schema. */
static const char locks_query[] =
	"SELECT count(*), current_setting('max_locks_per_transaction')::bigint"
	" * (current_setting('max_connections')::bigint"
	"  + current_setting('max_prepared_transactions')::bigint)"
	" FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384";

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

static bool
check_server(SourcePg *self, SourceState *state, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->sql, err, server_query);

	if (res == NULL)
		return false;
	if (state->version < VERSION_MIN)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "source",
					"use PostgreSQL 13 or newer", "the server's version is %s",
					pg_value(res, 0, 3));
	else
		finding_add(findings, SEVERITY_OK, 0, "source", "",
					"the server's version is %s", pg_value(res, 0, 3));
	state->standby = pg_value_bool(res, 0, 0);
	if (state->standby)
		finding_add(findings, SEVERITY_ERROR, P_STANDBY, "source",
					"connect to the primary", "the server is a standby");
	state->logical = strcmp(pg_value(res, 0, 1), "logical") == 0;
	if (state->logical)
		finding_add(findings, SEVERITY_OK, 0, "source", "",
					"wal_level is logical");
	else if (!self->base.config->copy_only)
		finding_add(findings, SEVERITY_ERROR, P_WAL_LEVEL, "source",
					"set wal_level = logical and restart the server, or run "
					"with --copy-only",
					"wal_level is %s", pg_value(res, 0, 1));
	if (strcmp(pg_value(res, 0, 2), "SQL_ASCII") == 0 &&
		self->base.config->translated)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "source",
					"say with --on-loss what becomes of it",
					"the encoding is SQL_ASCII: text that is not UTF-8 has no "
					"meaning on the target");
	else if (strcmp(pg_value(res, 0, 2), "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "source",
					"use a target with the encoding SQL_ASCII, too",
					"the encoding is SQL_ASCII: a target with another one "
					"refuses text that is not valid in it");
	pg_check_pooler(self->sql, pg_value(res, 0, 4), findings);
	PQclear(res);
	return true;
}

static void
check_replication_role(bool may, const char *role, Findings *findings)
{
	Buffer remedy;

	if (may)
		return;
	buffer_init(&remedy);
	buffer_puts(&remedy, "ALTER ROLE ");
	pg_quote_ident(&remedy, role);
	buffer_puts(&remedy, " REPLICATION, or run with --copy-only");
	finding_add(findings, SEVERITY_ERROR, P_REPLICATION_ROLE, "source",
				remedy.data, "the role %s may not replicate", role);
	buffer_release(&remedy);
}

static bool
check_capacity(SourcePg *self, SourceState *state, Findings *findings,
			   Error *err)
{
	const char *params[] = { self->base.config->slot };
	PGresult *res = pg_query_params(self->sql, err, capacity_query, 1, params);

	if (res == NULL)
		return false;
	state->may_replicate = pg_value_bool(res, 0, 0);
	state->slots_free = (int) pg_value_int(res, 0, 1);
	state->walsenders_free = (int) pg_value_int(res, 0, 2);
	state->slot_exists = pg_value_bool(res, 0, 3);
	check_replication_role(state->may_replicate, pg_value(res, 0, 4), findings);
	PQclear(res);
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
	return true;
}

static void
check_timeouts(const PGresult *res, Findings *findings)
{
	int64_t sender_ms = pg_value_int(res, 0, 3);
	const char *idle_slot = pg_value(res, 0, 2);

	if (strcmp(idle_slot, "0") != 0)
		finding_add(findings, SEVERITY_WARNING, P_SLOT_INVALID, "source",
					"set idle_replication_slot_timeout = 0",
					"idle_replication_slot_timeout is %s: the slot is "
					"invalidated when the applier is stopped for longer",
					idle_slot);
	if (sender_ms == 0)
		finding_add(findings, SEVERITY_NOTE, 0, "source",
					"set wal_sender_timeout = 60s",
					"wal_sender_timeout is off: the server notices late that "
					"an applier has vanished");
	else if (sender_ms < SENDER_TIMEOUT_MIN_MS)
		finding_add(findings, SEVERITY_WARNING, P_CONNECTION_LOST, "source",
					"set wal_sender_timeout = 60s",
					"wal_sender_timeout is %s: the stream is cut when an "
					"answer takes longer",
					pg_value(res, 0, 4));
}

static bool
check_settings(SourcePg *self, SourceState *state, Findings *findings,
			   Error *err)
{
	PGresult *res = pg_query(self->sql, err, settings_query);
	char label[LABEL_SIZE];

	(void) state;
	if (res == NULL)
		return false;
	snprintf(label, sizeof(label), LABEL_FORMAT, self->base.config->stream,
			 "stream");
	if (synchronous_names_match(pg_value(res, 0, 0), label))
		finding_add(findings, SEVERITY_ERROR, P_SYNCHRONOUS, "source",
					"name real standbys in synchronous_standby_names",
					"synchronous_standby_names = '%s' would make every commit "
					"wait for the applier",
					pg_value(res, 0, 0));
	if (strcmp(pg_value(res, 0, 1), "-1") != 0)
		finding_add(findings, SEVERITY_WARNING, P_SLOT_INVALID, "source",
					"set max_slot_wal_keep_size = -1, or watch the slot",
					"max_slot_wal_keep_size is %s: the slot is invalidated "
					"when it keeps more, and the copy has to begin again",
					pg_value(res, 0, 1));
	check_timeouts(res, findings);
	PQclear(res);
	return true;
}

static bool
check_connections(SourcePg *self, SourceState *state, Findings *findings,
				  Error *err)
{
	(void) state;
	return pg_check_connections(self->sql, self->base.config->jobs,
								CONNECTIONS_BESIDE_JOBS, findings, err);
}

static bool
check_locks(SourcePg *self, SourceState *state, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->sql, err, locks_query);

	(void) state;
	if (res == NULL)
		return false;
	if (pg_value_int(res, 0, 0) > pg_value_int(res, 0, 1))
		finding_add(findings, SEVERITY_WARNING, P_PG_DUMP, "source",
					"raise max_locks_per_transaction and restart",
					"pg_dump locks all of the %s tables, the server has room "
					"for %s locks",
					pg_value(res, 0, 0), pg_value(res, 0, 1));
	PQclear(res);
	return true;
}

static bool
check_programs(SourcePg *self, SourceState *state, Findings *findings,
			   Error *err)
{
	Error why = ERROR_INIT;
	PgPrograms programs;

	(void) err;
	findings->side = FINDING_HERE;
	if (pg_programs_find(self->base.config->pg_bindir, state->version / 10000,
						 findings->arena, &programs, &why))
		finding_add(findings, SEVERITY_OK, 0, "pg_dump", "",
					"%s is of version %d", programs.pg_dump, programs.major);
	else
		finding_add_error(findings, SEVERITY_ERROR, "pg_dump", &why);
	findings->side = FINDING_SOURCE;
	return true;
}

static const SourcePart server_parts[] = {
	{ "source", false, false, SEVERITY_ERROR, check_server },
	{ "source", true, false, SEVERITY_ERROR, check_capacity },
	{ "source", true, false, SEVERITY_ERROR, check_settings },
	{ "connections", false, false, SEVERITY_WARNING, check_connections },
	{ "source", false, true, SEVERITY_WARNING, check_locks },
	{ "transactions", true, false, SEVERITY_WARNING,
	  source_pg_check_transactions },
	{ "output plugin", true, false, SEVERITY_ERROR, source_pg_check_plugin },
	{ "pg_dump", false, true, SEVERITY_ERROR, check_programs },
};

static const SourcePart object_parts[] = {
	{ "tables", false, false, SEVERITY_ERROR, source_pg_check_relations },
	{ "objects", false, false, SEVERITY_WARNING, source_pg_check_catalog },
	{ "types of columns", false, true, SEVERITY_WARNING,
	  source_pg_check_types },
	{ "collations", false, false, SEVERITY_WARNING,
	  source_pg_check_collations },
	{ "sizes of rows", false, false, SEVERITY_WARNING, source_pg_check_sizes },
};

bool
source_pg_check_parts(SourcePg *self, const SourcePart *parts, int count,
					  Findings *findings, Error *err)
{
	SourceState state = { .version = self->sql->server_version };

	findings->side = FINDING_SOURCE;
	for (int i = 0; i < count; i++)
	{
		Error why = ERROR_INIT;

		if ((parts[i].for_stream && self->base.config->copy_only) ||
			(parts[i].for_dump && self->base.config->translated) ||
			parts[i].look(self, &state, findings, &why))
			continue;
		findings->side = FINDING_SOURCE;
		if (why.kind == ERROR_STOPPED || !pg_conn_alive(self->sql))
		{
			*err = why;
			return error_wrap(err, "cannot look at the source");
		}
		finding_add_error(findings, parts[i].severity, parts[i].object, &why);
	}
	return true;
}

bool
source_pg_check(Source *source, Findings *findings, Error *err)
{
	return source_pg_check_parts((SourcePg *) source, server_parts,
								 sizeof(server_parts) / sizeof(SourcePart),
								 findings, err);
}

bool
source_pg_check_objects(Source *source, Findings *findings, Error *err)
{
	return source_pg_check_parts((SourcePg *) source, object_parts,
								 sizeof(object_parts) / sizeof(SourcePart),
								 findings, err);
}

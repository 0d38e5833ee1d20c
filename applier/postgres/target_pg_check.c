/*
 * target_pg_check.c
 *		Preflight of a PostgreSQL target: may we create and write, and is
 *		nobody's data in the way?
 */
#include <stdio.h>
#include <string.h>

#include "postgres/target_pg.h"

#define VERSION_MIN 130000

/* how many tables a message names */
#define NAMED_MAX 5

static const char server_query[] =
	"SELECT pg_is_in_recovery(),"
	" current_setting('default_transaction_read_only')::bool,"
	" current_setting('server_encoding'),"
	" has_database_privilege(current_database(), 'CREATE'),"
	" coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'),"
	"  true),"
	" current_user, current_database(), current_setting('server_version'),"
	" (SELECT count(*) FROM pg_class c"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
	"  AND c.oid >= 16384 AND n.nspname NOT IN ('pg_catalog',"
	"  'information_schema', 'portage'))";

static void
check_writable(const PGresult *res, int version, Findings *findings)
{
	if (version < VERSION_MIN)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"use PostgreSQL 13 or newer", "the server's version is %s",
					pg_value(res, 0, 7));
	else
		finding_add(findings, SEVERITY_OK, 0, "target", "",
					"the server's version is %s", pg_value(res, 0, 7));
	if (pg_value_bool(res, 0, 0))
		finding_add(findings, SEVERITY_ERROR, P_STANDBY, "target",
					"connect to the primary", "the server is a standby");
	else if (pg_value_bool(res, 0, 1))
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"set default_transaction_read_only = off",
					"default_transaction_read_only is on");
}

/* Every text of the source must fit into the target's encoding. */
static void
check_encoding(const char *ours, const char *source, Findings *findings)
{
	if (source == NULL || strcmp(ours, source) == 0)
		return;
	if (strcmp(ours, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"use a database with the source's encoding, or UTF8",
					"the encoding is SQL_ASCII, the source's is %s: text "
					"would be stored without its encoding being known",
					source);
	else if (strcmp(source, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, 0, "target",
					"use a database with the encoding SQL_ASCII",
					"the encoding is %s, the source's is SQL_ASCII: text that "
					"is not valid here is refused and stops the stream",
					ours);
	else if (strcmp(ours, "UTF8") != 0)
		finding_add(findings, SEVERITY_WARNING, 0, "target",
					"use a database with the source's encoding, or UTF8",
					"the encoding is %s, the source's is %s: characters that "
					"it lacks stop the stream",
					ours, source);
}

static void
check_role(const PGresult *res, Findings *findings)
{
	const char *role = pg_value(res, 0, 5);
	Buffer remedy;

	buffer_init(&remedy);
	if (!pg_value_bool(res, 0, 3))
	{
		buffer_puts(&remedy, "GRANT CREATE ON DATABASE ");
		pg_quote_ident(&remedy, pg_value(res, 0, 6));
		buffer_puts(&remedy, " TO ");
		pg_quote_ident(&remedy, role);
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, "target",
					remedy.data,
					"the role %s may not create schemas in the database %s",
					role, pg_value(res, 0, 6));
	}
	if (!pg_value_bool(res, 0, 4))
	{
		buffer_reset(&remedy);
		buffer_puts(&remedy, "GRANT CREATE ON SCHEMA public TO ");
		pg_quote_ident(&remedy, role);
		finding_add(
			findings, SEVERITY_WARNING, P_PRIVILEGE, "target", remedy.data,
			"the role %s may not create tables in the schema public", role);
	}
	buffer_release(&remedy);
}

static bool
check_triggers(Target *target, Findings *findings, Error *err)
{
	bool can;

	if (!target_pg_can_disable_triggers(target, &can, err))
		return false;
	if (can)
		finding_add(findings, SEVERITY_OK, 0, "target", "",
					"the role may set session_replication_role");
	else
		finding_add(findings, SEVERITY_NOTE, 0, "target",
					"GRANT SET ON PARAMETER session_replication_role (15 and "
					"newer), or nothing: pg_portage finish creates them",
					"the role may not set session_replication_role: foreign "
					"keys and triggers wait until the stream has ended");
	return true;
}

bool
target_pg_check(Target *target, Findings *findings, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res = pg_query(self->conn, err, server_query);

	if (res == NULL)
		return error_wrap(err, "cannot look at the target");
	check_writable(res, self->conn->server_version, findings);
	check_encoding(pg_value(res, 0, 2), target->config->encoding, findings);
	check_role(res, findings);
	if (pg_value_int(res, 0, 8) > 0)
		finding_add(findings, SEVERITY_NOTE, 0, "target", "",
					"the database holds %s tables", pg_value(res, 0, 8));
	PQclear(res);
	return check_triggers(target, findings, err);
}

/* Tried in a transaction that is thrown away. */
bool
target_pg_can_disable_triggers(Target *target, bool *can, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	Error refused = ERROR_INIT;

	if (!pg_exec(self->conn, err, "BEGIN"))
		return false;
	*can = pg_exec(self->conn, &refused,
				   "SET LOCAL session_replication_role = replica");
	if (!*can && strcmp(refused.sqlstate, "42501") != 0)
	{
		pg_rollback(self->conn);
		*err = refused;
		return false;
	}
	return pg_exec(self->conn, err, "ROLLBACK");
}

/* An element of an array's text form, with the comma before it. */
static void
append_element(Buffer *array, const char *text)
{
	const char *p;

	buffer_puts(array, array->len > 1 ? ",\"" : "\"");
	for (p = text; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			buffer_putc(array, '\\');
		buffer_putc(array, *p);
	}
	buffer_putc(array, '"');
}

/* "public.a, public.b and 3 more" */
static const char *
name_them(const PGresult *res, Arena *arena)
{
	int count = PQntuples(res);
	const char *text = "";
	int i;

	for (i = 0; i < count && i < NAMED_MAX; i++)
		text = arena_printf(arena, "%s%s%s.%s", text, i > 0 ? ", " : "",
							pg_value(res, i, 0), pg_value(res, i, 1));
	if (count > NAMED_MAX)
		text = arena_printf(arena, "%s and %d more", text, count - NAMED_MAX);
	return text;
}

bool
target_pg_occupied(Target *target, const Table *tables, int count,
				   const char **what, Arena *arena, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	Buffer schemas;
	Buffer names;
	PGresult *res;
	int i;

	buffer_init(&schemas);
	buffer_init(&names);
	buffer_putc(&schemas, '{');
	buffer_putc(&names, '{');
	for (i = 0; i < count; i++)
	{
		append_element(&schemas, tables[i].schema);
		append_element(&names, tables[i].name);
	}
	buffer_putc(&schemas, '}');
	buffer_putc(&names, '}');
	res = pg_query_params(
		self->conn, err,
		"SELECT n.nspname, c.relname"
		" FROM unnest($1::text[], $2::text[]) AS wanted(schema, name)"
		" JOIN pg_namespace n ON n.nspname = wanted.schema"
		" JOIN pg_class c ON c.relnamespace = n.oid"
		"  AND c.relname = wanted.name ORDER BY 1, 2",
		2, (const char *const[]){ schemas.data, names.data });
	buffer_release(&schemas);
	buffer_release(&names);
	if (res == NULL)
		return error_wrap(err, "cannot look for tables on the target");
	*what = PQntuples(res) > 0 ? name_them(res, arena) : NULL;
	PQclear(res);
	return true;
}

bool
target_pg_identify(Target *target, char *system_id, size_t id_size,
				   char *database, size_t database_size, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res;

	res = pg_query(self->conn, err, "SELECT current_database()");
	if (res == NULL)
		return error_wrap(err, "cannot identify the target");
	snprintf(database, database_size, "%s", pg_value(res, 0, 0));
	PQclear(res);
	system_id[0] = '\0';
	res = pg_query(self->conn, err,
				   "SELECT system_identifier FROM pg_control_system()");
	if (res != NULL)
		snprintf(system_id, id_size, "%s", pg_value(res, 0, 0));
	else if (strcmp(err->sqlstate, "42501") != 0)
		return error_wrap(err, "cannot identify the target");
	else
		error_clear(err); /* everybody may, unless it was revoked */
	PQclear(res);
	return true;
}

/*
 * target_pg_check.c
 *		Preflight of a PostgreSQL target: may we create and write, and is
 *		nobody's data in the way?
 *
 * A part that fails does not keep the others from being looked at.
 */
#include <stdio.h>
#include <string.h>

#include "postgres/pg_check.h"
#include "postgres/target_pg.h"

#define VERSION_MIN 130000

/* how many tables a message names */
#define NAMED_MAX 5

/* what run opens beside one connection for each job */
#define CONNECTIONS_BESIDE_JOBS 1

static const char server_query[] =
	"SELECT pg_is_in_recovery(),"
	" current_setting('default_transaction_read_only')::bool,"
	" current_setting('server_version'), pg_backend_pid()";

static const char role_query[] =
	"SELECT has_database_privilege(current_database(), 'CREATE'),"
	" current_user, current_database()";

#define OF_USER(class, oid, namespace)                                                                                \
	" JOIN pg_namespace n ON n.oid = " namespace " WHERE " oid                                                        \
												 " >= 16384 AND n.nspname NOT IN ('pg_catalog',"                      \
												 " 'information_schema', 'portage', 'pg_toast')"                      \
												 " AND n.nspname !~ '^pg_temp'"                                       \
												 " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '" class \
		"'::regclass AND d.objid = " oid " AND d.deptype = 'e')"

/* What is there already, other than what extensions brought. */
static const char contents_query[] = "SELECT (SELECT count(*) FROM pg_class c" OF_USER(
	"pg_class", "c.oid",
	"c.relnamespace") " AND c.relkind IN ('r', 'p')),"
					  " (SELECT count(*) FROM pg_class c" OF_USER(
						  "pg_class", "c.oid",
						  "c.relnamespace") " AND c.relkind IN ('v', 'm',"
											" 'S', 'f')), (SELECT count(*) FROM pg_proc p" OF_USER(
												"pg_proc", "p.oid",
												"p.pronamespace") "),"
																  " (SELECT count(*) FROM pg_type t" OF_USER(
																	  "pg_type",
																	  "t.oid",
																	  "t.typnamespace") " AND t.typtype IN ('e', 'd', 'r') )";

static const char event_triggers_query[] =
	"SELECT evtname, evtevent FROM pg_event_trigger"
	" WHERE evtenabled <> 'D' ORDER BY evtname";

typedef struct TargetPart
{
	const char *object; /* of the finding if it cannot look */
	Severity severity;	/* of that finding */
	bool (*look)(TargetPg *self, Findings *findings, Error *err);
} TargetPart;

static bool
check_server(TargetPg *self, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->conn, err, server_query);

	if (res == NULL)
		return false;
	if (self->conn->server_version < VERSION_MIN)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"use PostgreSQL 13 or newer", "the server's version is %s",
					pg_value(res, 0, 2));
	else
		finding_add(findings, SEVERITY_OK, 0, "target", "",
					"the server's version is %s", pg_value(res, 0, 2));
	if (pg_value_bool(res, 0, 0))
		finding_add(findings, SEVERITY_ERROR, P_STANDBY, "target",
					"connect to the primary", "the server is a standby");
	else if (pg_value_bool(res, 0, 1))
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"set default_transaction_read_only = off",
					"default_transaction_read_only is on");
	pg_check_pooler(self->conn, pg_value(res, 0, 3), findings);
	PQclear(res);
	return true;
}

static bool
check_role(TargetPg *self, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->conn, err, role_query);
	const char *role;
	Buffer remedy;

	if (res == NULL)
		return false;
	role = pg_value(res, 0, 1);
	buffer_init(&remedy);
	if (!pg_value_bool(res, 0, 0))
	{
		buffer_puts(&remedy, "GRANT CREATE ON DATABASE ");
		pg_quote_ident(&remedy, pg_value(res, 0, 2));
		buffer_puts(&remedy, " TO ");
		pg_quote_ident(&remedy, role);
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, "target",
					remedy.data,
					"the role %s may not create schemas in the database %s",
					role, pg_value(res, 0, 2));
	}
	buffer_release(&remedy);
	PQclear(res);
	return true;
}

static bool
check_contents(TargetPg *self, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->conn, err, contents_query);

	if (res == NULL)
		return false;
	if (pg_value_int(res, 0, 0) + pg_value_int(res, 0, 1) +
			pg_value_int(res, 0, 2) + pg_value_int(res, 0, 3) >
		0)
		finding_add(findings, SEVERITY_NOTE, 0, "target", "",
					"the database is not empty: it holds %s tables, %s views, "
					"sequences and foreign tables, %s functions, %s types",
					pg_value(res, 0, 0), pg_value(res, 0, 1),
					pg_value(res, 0, 2), pg_value(res, 0, 3));
	PQclear(res);
	return true;
}

static bool
check_event_triggers(TargetPg *self, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->conn, err, event_triggers_query);

	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
		finding_add(findings, SEVERITY_WARNING, P_DDL,
					arena_printf(findings->arena, "event trigger %s",
								 pg_value(res, i, 0)),
					"disable it until the migration has ended",
					"it acts at %s: also when the schema is created, unless "
					"the role may switch triggers off",
					pg_value(res, i, 1));
	PQclear(res);
	return true;
}

static bool
check_triggers(TargetPg *self, Findings *findings, Error *err)
{
	bool can;

	if (!target_pg_can_disable_triggers(&self->base, &can, err))
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

static bool
check_connections(TargetPg *self, Findings *findings, Error *err)
{
	return pg_check_connections(self->conn, self->base.config->jobs,
								CONNECTIONS_BESIDE_JOBS, findings, err);
}

static const TargetPart target_parts[] = {
	{ "target", SEVERITY_ERROR, check_server },
	{ "role", SEVERITY_ERROR, check_role },
	{ "connections", SEVERITY_WARNING, check_connections },
	{ "contents", SEVERITY_WARNING, check_contents },
	{ "event triggers", SEVERITY_WARNING, check_event_triggers },
	{ "triggers", SEVERITY_ERROR, check_triggers },
};

bool
target_pg_check(Target *target, Findings *findings, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	size_t i;

	findings->side = FINDING_TARGET;
	for (i = 0; i < sizeof(target_parts) / sizeof(TargetPart); i++)
	{
		Error why = ERROR_INIT;

		if (target_parts[i].look(self, findings, &why))
			continue;
		if (why.kind == ERROR_STOPPED || !pg_conn_alive(self->conn))
		{
			*err = why;
			return error_wrap(err, "cannot look at the target");
		}
		finding_add_error(findings, target_parts[i].severity,
						  target_parts[i].object, &why);
	}
	return true;
}

/* The session has asked for it when it began; see disable_triggers(). */
bool
target_pg_can_disable_triggers(Target *target, bool *can, Error *err)
{
	(void) err;
	*can = ((TargetPg *) target)->replica_role;
	return true;
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

/* Others write to them, too, and have made them: their chunks say so. */
static bool
list_shared(TargetPg *self, Buffer *schemas, Buffer *names, Error *err)
{
	PGresult *res = pg_query(self->conn, err,
							 "SELECT to_regclass('portage.chunk') IS NOT NULL");
	bool exists = res != NULL && pg_value_bool(res, 0, 0);

	PQclear(res);
	if (res == NULL)
		return false;
	if (!exists)
		return true;
	res = pg_query_params(self->conn, err,
						  "SELECT DISTINCT table_schema, table_name"
						  " FROM portage.chunk WHERE stream <> $1",
						  1, &self->base.config->stream);
	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
	{
		append_element(schemas, pg_value(res, i, 0));
		append_element(names, pg_value(res, i, 1));
	}
	PQclear(res);
	return true;
}

#define OCCUPIED_SQL                                                      \
	"SELECT DISTINCT n.nspname, c.relname"                                \
	" FROM unnest($1::text[], $2::text[], $3::boolean[])"                 \
	"  AS wanted(schema, name, shared)"                                   \
	" JOIN pg_namespace n ON n.nspname = wanted.schema"                   \
	" JOIN pg_class c ON c.relnamespace = n.oid"                          \
	"  AND c.relname = wanted.name"                                       \
	" WHERE NOT (wanted.shared AND EXISTS"                                \
	"  (SELECT FROM unnest($4::text[], $5::text[]) AS made(schema, name)" \
	"  WHERE made.schema = wanted.schema AND made.name = wanted.name))"   \
	" ORDER BY 1, 2"

/* The result, or NULL. */
static PGresult *
find_occupied(TargetPg *self, const Table *tables, int count, Error *err)
{
	Buffer lists[5]; /* schemas, names, shared; and those that others made */
	PGresult *res = NULL;
	const char *params[5];

	for (int i = 0; i < 5; i++)
	{
		buffer_init(&lists[i]);
		buffer_putc(&lists[i], '{');
	}
	for (int i = 0; i < count; i++)
	{
		append_element(&lists[0], tables[i].schema);
		append_element(&lists[1], tables[i].name);
		append_element(&lists[2], tables[i].shared ? "true" : "false");
	}
	if (list_shared(self, &lists[3], &lists[4], err))
	{
		for (int i = 0; i < 5; i++)
		{
			buffer_putc(&lists[i], '}');
			params[i] = lists[i].data;
		}
		res = pg_query_params(self->conn, err, OCCUPIED_SQL, 5, params);
	}
	for (int i = 0; i < 5; i++)
		buffer_release(&lists[i]);
	return res;
}

bool
target_pg_occupied(Target *target, const Table *tables, int count,
				   const char **what, Arena *arena, Error *err)
{
	PGresult *res = find_occupied((TargetPg *) target, tables, count, err);

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

/* A clone of a cluster has its system identifier, too, but not its start. */
bool
target_pg_fingerprint(Target *target, char *text, size_t size, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res = pg_query(
		self->conn, err,
		"SELECT extract(epoch FROM pg_postmaster_start_time()), oid, datname"
		" FROM pg_database WHERE datname = current_database()");

	if (res == NULL)
		return error_wrap(err, "cannot identify the target");
	snprintf(text, size, "%s %s %s", pg_value(res, 0, 0), pg_value(res, 0, 1),
			 pg_value(res, 0, 2));
	PQclear(res);
	return true;
}

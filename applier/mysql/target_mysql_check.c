/*
 * target_mysql_check.c
 *		Preflight of a MySQL or MariaDB target: may we create and write, and does
 *		the server do what is asked of it?
 *
 * A part that fails does not keep the others from being looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mysql/grants.h"
#include "mysql/target_mysql.h"

#define PACKET_MIN (UINT64_C(64) << 20)
#define PAGE_SIZE_FULL 16384

/* what run opens beside one connection for each job: owner, writers, a look */
#define CONNECTIONS_BESIDE_JOBS 3

/* Those that only some servers have are left out by the others. */
#define VARIABLES_SQL                                                 \
	"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only',"      \
	" 'super_read_only', 'innodb_read_only', 'binlog_format',"        \
	" 'innodb_page_size', 'sql_require_primary_key', 'wsrep_on',"     \
	" 'wsrep_max_ws_size', 'group_replication_group_name',"           \
	" 'group_replication_transaction_size_limit', 'max_connections'," \
	" 'max_user_connections', 'innodb_force_recovery', 'innodb_snapshot_isolation')"

typedef struct Check
{
	TargetMysql *self;
	MyConn *conn;
	Findings *findings;
	MyResult grants;  /* lines of SHOW GRANTS */
	bool sees_grants; /* they could be read */
} Check;

typedef struct TargetPart
{
	const char *object; /* of the finding if it cannot look */
	Severity severity;	/* of that finding */
	bool (*look)(Check *check, Error *err);
} TargetPart;

/* ------------------------------------------------------------- the server */

static bool
check_server(Check *check, Error *err)
{
	const MyConn *conn = check->conn;
	uint64_t greeted = (uint64_t) mysql_thread_id(conn->my);

	(void) err;
	finding_add(check->findings, SEVERITY_OK, 0, "target", "", "it is %s %s",
				conn->server.mariadb ? "MariaDB" : "MySQL",
				conn->server.version_text);
	/* the library knows 32 bits of it */
	if ((uint32_t) greeted != (uint32_t) conn->connection_id)
		finding_add(check->findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"connect to the server itself",
					"there is a proxy in between: connection %" PRIu64
					" answers, connection %" PRIu64 " has greeted us",
					conn->connection_id, greeted);
	return true;
}

/* Does the user have one of the privileges that make it an administrator? */
static bool
may_write_read_only(Check *check)
{
	bool may = false;

	if (!check->sees_grants)
		return false;
	mysql_data_seek(check->grants.res, 0);
	while (my_next(&check->grants))
	{
		const char *line = my_value(&check->grants, 0);

		may = may || grants_global(line, "SUPER") ||
			  grants_global(line, "READ_ONLY ADMIN") ||
			  grants_global(line, "READ ONLY ADMIN") ||
			  grants_global(line, "CONNECTION_ADMIN");
	}
	return may;
}

static bool
is_on(const char *value)
{
	return strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

static void
check_read_only(Check *check, const char *name, const char *value)
{
	bool absolute = strcmp(name, "read_only") != 0;

	if (!is_on(value))
		return;
	if (absolute || !may_write_read_only(check))
		finding_add(check->findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"connect to the primary, or switch it off",
					"the server does not take writes: %s is on", name);
	else
		finding_add(check->findings, SEVERITY_WARNING, P_SERVER_SETUP, "target",
					"connect to the primary, or switch it off",
					"%s is on: it is written to nevertheless, because the user "
					"is an administrator",
					name);
}

static void
check_replication(Check *check, const char *name, const char *value)
{
	Findings *findings = check->findings;

	if (strcmp(name, "wsrep_on") == 0 && is_on(value))
		finding_add(findings, SEVERITY_WARNING, 0, "target",
					"pass one host, not a load balancer, and a smaller "
					"--split-over than wsrep_max_ws_size",
					"it is a node of a Galera cluster: locks are those of one "
					"node, and a transaction may be 2 GB at most");
	if (strcmp(name, "group_replication_group_name") == 0 && value[0] != '\0')
		finding_add(findings, SEVERITY_WARNING, 0, "target",
					"connect to the primary, and pass a smaller --split-over "
					"than group_replication_transaction_size_limit",
					"it is a member of a replication group: transactions that "
					"are too large are rolled back, and tables need a primary "
					"key");
	/* READ COMMITTED, which is what we write under, needs the rows */
	if (strcmp(name, "binlog_format") == 0 && check->conn->server.log_bin &&
		strcasecmp(value, "STATEMENT") == 0)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"SET GLOBAL binlog_format = 'ROW' (or MIXED)",
					"binlog_format is STATEMENT: it refuses what is written "
					"under READ COMMITTED");
}

static void
check_limits(Check *check, const char *name, const char *value)
{
	Findings *findings = check->findings;
	int64_t number = strtoll(value, NULL, 10);

	if (strcmp(name, "innodb_page_size") == 0 && number < PAGE_SIZE_FULL)
		finding_add(findings, SEVERITY_WARNING, P_DDL, "target",
					"use a server with pages of 16 kB or more",
					"its pages have %s bytes: keys are shorter, of %d bytes at "
					"most, so some indexes may be refused",
					value, number <= 4096 ? 768 : 1536);
	if (strcmp(name, "sql_require_primary_key") == 0 && is_on(value))
		finding_add(findings, SEVERITY_WARNING, P_DDL, "target",
					"SET PERSIST sql_require_primary_key = OFF, or give each "
					"table a primary key on the source",
					"it refuses tables without a primary key");
	if (strcmp(name, "innodb_force_recovery") == 0 && number > 0)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"start it without innodb_force_recovery",
					"it runs with innodb_force_recovery = %s", value);
	/* 0 is no limit of a user's */
	if ((strcmp(name, "max_connections") == 0 ||
		 strcmp(name, "max_user_connections") == 0) &&
		number > 0 &&
		number < check->self->base.config->jobs + CONNECTIONS_BESIDE_JOBS)
		finding_add(findings, SEVERITY_WARNING, P_SERVER_BUSY, "target",
					"raise it, or pass fewer --jobs",
					"%s is %s, run with --jobs %d opens about %d", name, value,
					check->self->base.config->jobs,
					check->self->base.config->jobs + CONNECTIONS_BESIDE_JOBS);
}

static bool
check_variables(Check *check, Error *err)
{
	MyResult row;

	if (!my_query(check->conn, err, VARIABLES_SQL, &row))
		return false;
	while (my_next(&row))
	{
		const char *name = my_value(&row, 0);
		const char *value = my_value(&row, 1);

		if (strstr(name, "read_only") != NULL)
			check_read_only(check, name, value);
		check_replication(check, name, value);
		check_limits(check, name, value);
	}
	my_result_free(&row);
	return true;
}

static bool
check_names(Check *check, Error *err)
{
	(void) err;
	if (check->conn->server.lower_case_table_names != 0)
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", "",
					"lower_case_table_names is %d: names of tables are the "
					"same whatever their case",
					check->conn->server.lower_case_table_names);
	return true;
}

/* ----------------------------------------------------------------- loading */

static bool
check_loading(Check *check, Error *err)
{
	const MyServer *server = &check->conn->server;
	Findings *findings = check->findings;

	(void) err;
	if (!server->local_infile)
		finding_add(findings, SEVERITY_WARNING, 0, "target",
					"SET GLOBAL local_infile = ON",
					"local_infile is off: rows are copied by INSERT, which is "
					"slower");
	if (server->max_allowed_packet < PACKET_MIN)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "target",
					"SET GLOBAL max_allowed_packet = 1073741824",
					"max_allowed_packet is %" PRIu64
					" bytes: no changed row of the stream may be larger",
					server->max_allowed_packet);
	return true;
}

/* Where a commit is not on disk when it is answered. */
static bool
check_durability(Check *check, Error *err)
{
	const MyServer *server = &check->conn->server;

	(void) err;
	if (server->flush_at_commit != 1 && server->flush_at_commit != 3)
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", "",
					"innodb_flush_log_at_trx_commit is %d: the source is told "
					"of a commit when it is on disk, a little later",
					server->flush_at_commit);
	if (server->log_bin && server->sync_binlog != 1)
		finding_add(check->findings, SEVERITY_WARNING, 0, "target",
					"SET GLOBAL sync_binlog = 1",
					"sync_binlog is %d: a crash of the machine may take back "
					"what was committed, so the source is told of a commit %d "
					"seconds later",
					server->sync_binlog,
					(int) (server->durable_after_ms / 1000));
	return true;
}

/* -------------------------------------------------------------- privileges */

/* Roles count when they are active, which MySQL says by name only. */
static bool
read_grants(Check *check, Error *err)
{
	MyResult role;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SHOW GRANTS");
	if (!check->conn->server.mariadb)
	{
		if (!my_query(check->conn, err, "SELECT CURRENT_ROLE()", &role))
		{
			buffer_release(&sql);
			return false;
		}
		if (my_next(&role) && strcasecmp(my_value(&role, 0), "NONE") != 0)
			buffer_printf(&sql, " FOR CURRENT_USER() USING %s",
						  my_value(&role, 0));
		my_result_free(&role);
	}
	ok = my_query(check->conn, err, sql.data, &check->grants);
	buffer_release(&sql);
	check->sees_grants = ok;
	return ok;
}

static Grants
grants_in(Check *check, const char *database)
{
	Grants grants = 0;

	mysql_data_seek(check->grants.res, 0);
	while (my_next(&check->grants))
		grants_add(my_value(&check->grants, 0), database, &grants);
	return grants;
}

/* "SELECT, INSERT": of those that are missing; *serious if run needs one. */
static const char *
missing_names(Check *check, Grants have, bool *serious)
{
	const char *names = "";

	*serious = false;
	for (int i = 0; grant_names[i] != NULL; i++)
	{
		if ((have & ((Grants) 1 << i)) != 0)
			continue;
		/* only to look at tables that are there already */
		*serious = *serious ||
				   (strcmp(grant_names[i], "TRIGGER") != 0 &&
					strcmp(grant_names[i], "CREATE TEMPORARY TABLES") != 0);
		names = arena_printf(check->findings->arena, "%s%s%s", names,
							 names[0] != '\0' ? ", " : "", grant_names[i]);
	}
	return names;
}

static void
report_missing(Check *check, const char *database, const char *user)
{
	bool serious;
	const char *names = missing_names(check, grants_in(check, database),
									  &serious);
	Buffer remedy;

	if (names[0] == '\0')
		return;
	buffer_init(&remedy);
	buffer_printf(&remedy, "GRANT %s ON ", names);
	my_quote_ident(&remedy, database);
	buffer_printf(&remedy, ".* TO %s", user);
	if (serious)
		finding_add(check->findings, SEVERITY_ERROR, P_PRIVILEGE, "target",
					remedy.data, "the user %s lacks %s in the database %s",
					user, names, database);
	else
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", remedy.data,
					"the user %s lacks %s in the database %s: tables that are "
					"there already cannot be looked at in every respect",
					user, names, database);
	buffer_release(&remedy);
}

/* Databases are made for schemas: everything is needed wherever that may be. */
static void
report_everywhere(Check *check, const char *user)
{
	bool serious;
	/* a name that no pattern but % has in mind */
	const char *names = missing_names(check, grants_in(check, "\1"), &serious);

	if (serious)
		finding_add(check->findings, SEVERITY_WARNING, P_PRIVILEGE, "target",
					arena_printf(check->findings->arena,
								 "GRANT %s ON *.* TO %s, or on the database of "
								 "each schema",
								 names, user),
					"with --schemas databases, the user %s needs %s in a "
					"database for each schema",
					user, names);
}

static bool
check_privileges(Check *check, Error *err)
{
	MyResult row;
	const char *user;

	if (!check->sees_grants && !read_grants(check, err))
		return false;
	if (!my_query(check->conn, err,
				  "SELECT concat('\\'', replace(substring_index("
				  "current_user(), '@', 1), '\\'', '\\'\\''), '\\'@\\'',"
				  " substring_index(current_user(), '@', -1), '\\'')",
				  &row))
		return false;
	user = my_next(&row)
			   ? arena_strdup(check->findings->arena, my_value(&row, 0))
			   : "";
	my_result_free(&row);
	report_missing(check, check->conn->database, user);
	if (check->self->base.config->schemas_as_databases)
		report_everywhere(check, user);
	return true;
}

static bool
check_contents(Check *check, Error *err)
{
	int64_t tables;

	if (!my_query_number(check->conn, err, 0, &tables,
						 "SELECT count(*) FROM information_schema.TABLES"
						 " WHERE TABLE_SCHEMA = DATABASE()"
						 " AND TABLE_NAME NOT LIKE 'portage\\_%%'"))
		return false;
	if (tables > 0)
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", "",
					"the database is not empty: it holds %" PRId64
					" tables and views",
					tables);
	return true;
}

static const TargetPart target_parts[] = {
	{ "target", SEVERITY_ERROR, check_server },
	{ "privileges", SEVERITY_ERROR, check_privileges },
	{ "settings", SEVERITY_WARNING, check_variables },
	{ "names", SEVERITY_WARNING, check_names },
	{ "loading", SEVERITY_WARNING, check_loading },
	{ "durability", SEVERITY_WARNING, check_durability },
	{ "contents", SEVERITY_WARNING, check_contents },
};

bool
target_mysql_check(Target *target, Findings *findings, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	Check check = { .self = self, .conn = self->conn, .findings = findings };
	bool ok = true;

	findings->side = FINDING_TARGET;
	for (size_t i = 0; ok && i < sizeof(target_parts) / sizeof(TargetPart); i++)
	{
		Error why = ERROR_INIT;

		if (target_parts[i].look(&check, &why))
			continue;
		if (why.kind == ERROR_STOPPED || !my_conn_alive(self->conn))
		{
			*err = why;
			ok = error_wrap(err, "cannot look at the target");
			break;
		}
		finding_add_error(findings, target_parts[i].severity,
						  target_parts[i].object, &why);
	}
	my_result_free(&check.grants);
	return ok;
}

/* ------------------------------------------------------ what the source has */

/* Text is sent in UTF-8, whatever the source keeps it in. */
bool
target_mysql_check_fit(Target *target, const Needs *needs, Findings *findings,
					   Error *err)
{
	(void) target;
	(void) err;
	findings->side = FINDING_TARGET;
	if (strcmp(needs->encoding, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "target",
					"see --on-loss for what is no UTF-8",
					"the target's encoding is UTF-8, the source's is "
					"SQL_ASCII: text that is not valid UTF-8 cannot be kept");
	finding_add(findings, SEVERITY_NOTE, 0, "disk space", "",
				"on the source, the tables to migrate take %lld MB and their "
				"indexes %lld MB: the target needs about as much, and room for "
				"its logs",
				(long long) ((needs->table_bytes + 999999) / 1000000),
				(long long) ((needs->index_bytes + 999999) / 1000000));
	return true;
}

/* Foreign keys can, by the session; triggers never: see check_tables. */
bool
target_mysql_can_disable_triggers(Target *target, bool *can, Error *err)
{
	(void) target;
	(void) err;
	*can = true;
	return true;
}

static bool
table_is_ours(const MapTable *maps, const char *own_database,
			  const char *database, const char *table)
{
	for (int i = 0; i < maps->count; i++)
	{
		const TableMap *map = &maps->entries[i].map;

		if (map->table != NULL && strcasecmp(map->table, table) == 0 &&
			strcasecmp(map->database != NULL ? map->database : own_database,
					   database) == 0)
			return true;
	}
	return false;
}

bool
target_mysql_check_tables(Target *target, Findings *findings, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyResult row;

	findings->side = FINDING_TARGET;
	if (!target_mysql_maps(self, err) ||
		!my_query(self->conn, err,
				  "SELECT TRIGGER_NAME, EVENT_OBJECT_SCHEMA,"
				  " EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS"
				  " ORDER BY 2, 3, 1",
				  &row))
		return false;
	while (my_next(&row))
	{
		if (!table_is_ours(self->maps, self->conn->database, my_value(&row, 1),
						   my_value(&row, 2)))
			continue;
		finding_add(findings, SEVERITY_ERROR, P_ROW_CONFLICT,
					arena_printf(findings->arena, "trigger %s on table %s.%s",
								 my_value(&row, 0), my_value(&row, 1),
								 my_value(&row, 2)),
					"drop it, and create it when the stream has ended",
					"it fires for what the stream writes, and cannot be "
					"switched off");
	}
	my_result_free(&row);
	return true;
}

/* It is no PostgreSQL, so it cannot be the source. */
bool
target_mysql_identify(Target *target, char *system_id, size_t id_size,
					  char *database, size_t database_size, Error *err)
{
	(void) err;
	snprintf(system_id, id_size, "%s", "");
	snprintf(database, database_size, "%s",
			 ((TargetMysql *) target)->conn->database);
	return true;
}

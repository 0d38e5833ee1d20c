/*
 * target_mysql_check_server.c
 *		Preflight: which server is it, and does it do what is asked of it?
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mysql/target_mysql_check.h"

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

bool
my_check_server(MyCheck *check, Error *err)
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

static bool
is_on(const char *value)
{
	return strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

static void
check_read_only(MyCheck *check, const char *name, const char *value)
{
	bool absolute = strcmp(name, "read_only") != 0;

	if (!is_on(value))
		return;
	if (absolute || !my_check_is_administrator(check))
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
check_replication(MyCheck *check, const char *name, const char *value)
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
check_limits(MyCheck *check, const char *name, const char *value)
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

bool
my_check_variables(MyCheck *check, Error *err)
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

bool
my_check_names(MyCheck *check, Error *err)
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

bool
my_check_loading(MyCheck *check, Error *err)
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
bool
my_check_durability(MyCheck *check, Error *err)
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

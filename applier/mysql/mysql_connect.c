/*
 * mysql_connect.c
 *		Connecting, learning which server it is, setting the session up.
 */
#include "mysql/mysql_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/mysql_url.h"
#include "mysql/mysql_watch.h"

#define MARIADB_OLDEST 100500
#define MYSQL_OLDEST 80017 /* the first with utf8mb4_0900_bin and CHECKs */

/* Deadline of what sets a session up, which waits for nothing. */
#define SETUP_TIMEOUT_MS 30000

/* vm.dirty_expire_centisecs and vm.dirty_writeback_centisecs, and some more */
#define BINLOG_LATE_MS 40000

#define SESSION_FACTS                                           \
	"SELECT VERSION(), CONNECTION_ID(), @@local_infile,"        \
	" @@lower_case_table_names, @@max_allowed_packet,"          \
	" @@innodb_flush_log_at_trx_commit, DATABASE(), @@log_bin," \
	" @@sync_binlog, @@innodb_flush_log_at_timeout"

/*
 * Of every session, on both servers.  The isolation level has a name of its own
 * on each, so it is set by the statement; a stalled source must not end a LOAD
 * DATA, nor an owner that waits for the copy be forgotten.
 */
#define SESSION_SETTINGS                                                \
	"SET NAMES utf8mb4 COLLATE %s;"                                     \
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"           \
	"SET time_zone = '+00:00', autocommit = 1,"                         \
	" sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"      \
	"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"                \
	"NO_AUTO_VALUE_ON_ZERO',"                                           \
	" foreign_key_checks = 0, unique_checks = 1, sql_auto_is_null = 0," \
	" sql_safe_updates = 0, sql_select_limit = DEFAULT,"                \
	" group_concat_max_len = 1048576, sql_quote_show_create = 1,"       \
	" net_read_timeout = 3600,"                                         \
	" net_write_timeout = 3600, wait_timeout = 604800,"                 \
	" innodb_lock_wait_timeout = 50, lock_wait_timeout = 86400,"        \
	" sql_warnings = 0, %s"

/* MySQL has 1024 warnings by default, and asks for a privilege to change that. */
#define SESSION_MARIADB                                     \
	"max_statement_time = 0, idle_transaction_timeout = 0," \
	" idle_write_transaction_timeout = 0, max_error_count = 1024"
#define SESSION_MYSQL "max_execution_time = 0"

/* "host:port/database" as far as the URL says, for messages. */
static void
conn_describe(MyConn *conn, const MyUrl *url)
{
	char port[16] = "";

	if (url->port != 0)
		snprintf(port, sizeof(port), ":%d", url->port);
	snprintf(conn->where, sizeof(conn->where), "%s%s/%s",
			 url->host != NULL	   ? url->host
			 : url->socket != NULL ? url->socket
								   : "localhost",
			 port, url->database != NULL ? url->database : "");
}

/*
 * With a binary log that is not written to disk at each commit, a crash of the
 * machine rolls back what InnoDB has only prepared; when the kernel writes it is
 * its own affair, after half a minute at the latest.  Otherwise the server
 * writes every innodb_flush_log_at_timeout seconds.
 */
static int64_t
durable_after(const MyServer *server, int64_t flush_timeout_s)
{
	int64_t late_ms = 0;

	/* 3 is MariaDB's: both when preparing and when committing */
	if (server->flush_at_commit != 1 && server->flush_at_commit != 3)
		late_ms = (flush_timeout_s + 1) * 1000;
	if (server->log_bin && server->sync_binlog != 1 && late_ms < BINLOG_LATE_MS)
		late_ms = BINLOG_LATE_MS;
	return late_ms;
}

/* 101119 for "10.11.19-MariaDB-0+deb12u1" */
static int
version_number(const char *text)
{
	int parts[3] = { 0 };

	for (int i = 0; i < 3; i++)
	{
		char *end;

		parts[i] = (int) strtol(text, &end, 10);
		if (*end != '.')
			break;
		text = end + 1;
	}
	return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

static bool
server_read(MyConn *conn, Error *err)
{
	MyServer *server = &conn->server;
	MyResult result;

	if (!my_query(conn, err, SESSION_FACTS, &result))
		return false;
	if (my_next(&result))
	{
		snprintf(server->version_text, sizeof(server->version_text), "%s",
				 my_value(&result, 0));
		conn->connection_id = (uint64_t) my_value_int(&result, 1);
		server->local_infile = my_value_int(&result, 2) != 0;
		server->lower_case_table_names = (int) my_value_int(&result, 3);
		server->max_allowed_packet = (uint64_t) my_value_int(&result, 4);
		server->flush_at_commit = (int) my_value_int(&result, 5);
		snprintf(conn->database, sizeof(conn->database), "%s",
				 my_value(&result, 6));
		server->log_bin = my_value_int(&result, 7) != 0;
		server->sync_binlog = (int) my_value_int(&result, 8);
		server->durable_after_ms = durable_after(server,
												 my_value_int(&result, 9));
	}
	my_result_free(&result);
	server->mariadb = strcasestr(server->version_text, "mariadb") != NULL;
	server->version = version_number(server->version_text);
	server->collation = server->mariadb ? "utf8mb4_nopad_bin"
										: "utf8mb4_0900_bin";
	return true;
}

static bool
server_accept(const MyConn *conn, Error *err)
{
	const MyServer *server = &conn->server;

	if (server->version < (server->mariadb ? MARIADB_OLDEST : MYSQL_OLDEST))
		return error_set(
			err, P_SERVER_SETUP,
			"the %s %s is %s %s; %s is the oldest that can be "
			"used",
			conn->side, conn->where, server->mariadb ? "MariaDB" : "MySQL",
			server->version_text, server->mariadb ? "10.5" : "8.0.17");
	if (conn->database[0] == '\0')
		return error_set(err, P_URL, "the %s URL names no database",
						 conn->side) ||
			   error_hint(err, "write mysql://user@host:port/database");
	return true;
}

static bool
session_setup(MyConn *conn, Error *err)
{
	bool ok;

	conn->statement_timeout_ms = SETUP_TIMEOUT_MS;
	ok = server_read(conn, err) && server_accept(conn, err) &&
		 my_execf(conn, err, SESSION_SETTINGS, conn->server.collation,
				  conn->server.mariadb ? SESSION_MARIADB : SESSION_MYSQL);
	conn->statement_timeout_ms = 0;
	return ok;
}

MyConn *
my_conn_open(const MyConfig *config, Error *err)
{
	MyAttempt attempt = { .url = config->url, .interruptible = true };
	MyConn *conn = mem_zalloc(sizeof(*conn));
	MyFailure failure;
	Arena arena;
	MyUrl url;
	bool ok;

	error_clear(err);
	snprintf(conn->side, sizeof(conn->side), "%s", config->side);
	arena_init(&arena);
	ok = mysql_url_parse(config->url, &arena, &url, err) &&
		 mysql_url_complete(&url, &arena, err);
	if (!ok)
		error_wrap(err, "the %s URL cannot be read", conn->side);
	else
	{
		conn_describe(conn, &url);
		conn->my = my_attempt(&attempt, &failure, err);
		if (conn->my == NULL && !error_is_set(err))
			my_failure_error(&failure, conn->side, P_CONNECT, err);
		if (conn->my != NULL)
			conn->watch = my_watch_open(conn->my, config->url,
										(uint64_t) mysql_thread_id(conn->my));
		ok = conn->my != NULL && session_setup(conn, err);
	}
	arena_release(&arena);
	if (ok)
		return conn;
	if (conn->my == NULL && err->code != P_STOPPED && err->code != P_URL)
		error_wrap(err, "cannot connect to the %s %s", conn->side, conn->where);
	my_conn_close(conn);
	return NULL;
}

void
my_conn_close(MyConn *conn)
{
	if (conn == NULL)
		return;
	/* saying good-bye to a server that does not listen could take long */
	if (conn->lost)
		my_watch_hang_up(conn->watch);
	my_thread_attach();
	if (conn->my != NULL)
		mysql_close(conn->my);
	my_watch_close(conn->watch);
	mem_free(conn);
}

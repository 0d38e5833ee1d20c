/*
 * pg_connect.c
 *		Connecting, and what every session is set to; asking whether a server is
 *		still there.
 */
#include "postgres/pg_connect.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define CONNECT_TIMEOUT_S 10
#define SEND_AHEAD_BYTES (1024 * 1024) /* the kernel gives what it allows */
#define PING_TIMEOUT_S "5"
#define PING_OPTIONS_MAX 64

/* The next of two arrays of libpq's parameters. */
#define SET(k, v) (keywords[n] = (k), values[n] = (v), n++)

/* Settings of every session; all of them exist since PostgreSQL 13. */
#define SESSION_OPTIONS                                                  \
	"-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3" \
	" -c bytea_output=hex -c timezone=UTC -c lc_monetary=C"              \
	" -c xmloption=content -c array_nulls=on"                            \
	" -c standard_conforming_strings=on"                                 \
	" -c statement_timeout=0 -c lock_timeout=0"                          \
	" -c idle_in_transaction_session_timeout=0"

/* "host:port/database" of a connection, for messages. */
static void
conn_describe(PgConn *conn)
{
	const char *host = PQhost(conn->pq);
	const char *port = PQport(conn->pq);
	const char *database = PQdb(conn->pq);

	snprintf(conn->where, sizeof(conn->where), "%s:%s/%s",
			 host != NULL && host[0] != '\0' ? host : "local socket",
			 port != NULL ? port : "", database != NULL ? database : "");
}

/* The user's own options and ours behind them, so that ours win. */
static void
options_of_url(const PQconninfoOption *parsed, bool own_names, Buffer *out)
{
	const PQconninfoOption *option;

	for (option = parsed; option->keyword != NULL; option++)
	{
		if (strcmp(option->keyword, "options") == 0 && option->val != NULL)
			buffer_printf(out, "%s ", option->val);
	}
	buffer_puts(out, SESSION_OPTIONS);
	if (!own_names)
		buffer_puts(out, " -c search_path=pg_catalog");
}

/* What libpq would print by itself. */
static void
log_notice(void *unused, const char *message)
{
	(void) unused;
	log_debug("%s", message);
}

static PGconn *
connect_start(const PgConfig *config, Error *err)
{
	PQconninfoOption *parsed;
	char *message = NULL;
	Buffer options;
	PGconn *pq;
	const char *keywords[12];
	const char *values[12];
	int n = 0;

	parsed = PQconninfoParse(config->url, &message);
	if (parsed == NULL)
	{
		error_set(err, P_URL, "the %s URL cannot be read", config->side);
		error_detail(err, "%s", message != NULL ? message : "out of memory");
		PQfreemem(message);
		return NULL;
	}
	buffer_init(&options);
	options_of_url(parsed, config->own_names, &options);
	PQconninfoFree(parsed);
	SET("dbname", config->url);
	SET("options", options.data);
	SET("application_name", config->label);
	SET("client_encoding",
		config->encoding != NULL ? config->encoding : "UTF8");
	SET("keepalives", "1");
	SET("keepalives_idle", "10");
	SET("keepalives_interval", "5");
	SET("keepalives_count", "4");
	SET("tcp_user_timeout", "60000");
	if (config->replication)
		SET("replication", "database");
	SET(NULL, NULL);
	pq = PQconnectStartParams(keywords, values, 1);
	buffer_release(&options);
	if (pq == NULL)
		BUG("libpq could not allocate a connection");
	/* verbose, so that a refusal carries its SQLSTATE; see pg_error.c */
	PQsetErrorVerbosity(pq, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(pq, log_notice, NULL);
	return pq;
}

/* The user's connect_timeout, from wherever libpq has it, else ours. */
static int
connect_timeout(PGconn *pq)
{
	PQconninfoOption *options = PQconninfo(pq);
	const PQconninfoOption *option;
	long timeout_s = 0;

	for (option = options; option != NULL && option->keyword != NULL; option++)
	{
		if (strcmp(option->keyword, "connect_timeout") == 0 &&
			option->val != NULL)
			timeout_s = strtol(option->val, NULL, 10);
	}
	PQconninfoFree(options);
	/* for ever, libpq calls what is not positive: not here */
	return timeout_s > 0 && timeout_s <= INT_MAX ? (int) timeout_s
												 : CONNECT_TIMEOUT_S;
}

static bool
connect_wait(PGconn *pq, int timeout_s, Error *err)
{
	int64_t deadline_ms = clock_ms() + (int64_t) timeout_s * 1000;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	int ready;

	/* a name or port that cannot be resolved: there is nothing to wait for */
	if (PQstatus(pq) == CONNECTION_BAD)
		return false;
	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
	{
		ready = pg_poll(PQsocket(pq), -1,
						status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
						deadline_ms, true);
		if (ready < 0)
			return error_set(err, P_STOPPED, "stopped while connecting");
		if (ready == 0)
			return error_set(err, P_CONNECT, "no answer within %d s",
							 timeout_s);
		status = PQconnectPoll(pq);
	}
	return status == PGRES_POLLING_OK;
}

/*
 * Settings that older servers do not know, in one round trip.  A session of a
 * killed applier that waits for a lock ends with check; on systems where a
 * server cannot see that, it stays until the lock is free.
 */
static bool
session_settings(PgConn *conn, bool check, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	if (conn->server_version >= 140000)
		buffer_puts(&sql, "SET idle_session_timeout = 0;");
	if (conn->server_version >= 140000 && check)
		buffer_puts(&sql, "SET client_connection_check_interval = '5s';");
	if (conn->server_version >= 170000)
		buffer_puts(&sql, "SET transaction_timeout = 0");
	ok = sql.len == 0 || pg_exec(conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

static bool
session_setup(PgConn *conn, Error *err)
{
	if (session_settings(conn, true, err))
		return true;
	if (!pg_conn_alive(conn))
		return false;
	error_clear(err);
	return session_settings(conn, false, err);
}

PgConn *
pg_conn_open(const PgConfig *config, Error *err)
{
	PgConn *conn;
	PGconn *pq = connect_start(config, err);

	if (pq == NULL)
		return NULL;
	conn = mem_zalloc(sizeof(*conn));
	conn->wake_fd = -1;
	conn->pq = pq;
	snprintf(conn->side, sizeof(conn->side), "%s", config->side);
	conn_describe(conn);
	if (!connect_wait(pq, connect_timeout(pq), err))
	{
		if (!error_is_set(err))
			pg_error(conn, NULL, P_CONNECT, err);
		if (err->code != P_STOPPED)
			error_wrap(err, "cannot connect to the %s %s", conn->side,
					   conn->where);
		pg_conn_close(conn);
		return NULL;
	}
	PQsetErrorVerbosity(pq, PQERRORS_DEFAULT);
	conn->server_version = PQserverVersion(pq);
	conn->backend_pid = PQbackendPID(pq);
	conn_describe(conn);
	if (PQsetnonblocking(pq, 1) != 0 || !session_setup(conn, err))
	{
		if (!error_is_set(err))
			pg_error(conn, NULL, P_CONNECT, err);
		pg_conn_close(conn);
		return NULL;
	}
	return conn;
}

void
pg_conn_close(PgConn *conn)
{
	if (conn == NULL)
		return;
	PQfinish(conn->pq);
	mem_free(conn);
}

/* TCP finds the right size by itself, unless it is told one. */
void
pg_conn_send_ahead(PgConn *conn)
{
	int bytes = SEND_AHEAD_BYTES;
	struct sockaddr address = { 0 };
	socklen_t len = sizeof(address);
	int fd = PQsocket(conn->pq);

	/* a kernel that does not want to makes it slower, not wrong */
	if (getsockname(fd, &address, &len) == 0 && address.sa_family == AF_UNIX)
		(void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

bool
pg_server_answers(const PgConn *conn)
{
	PQconninfoOption *options = PQconninfo(conn->pq);
	const PQconninfoOption *option;
	const char *keywords[PING_OPTIONS_MAX + 1];
	const char *values[PING_OPTIONS_MAX + 1];
	int n = 0;
	bool answers;

	for (option = options; option != NULL && option->keyword != NULL; option++)
	{
		if (option->val == NULL || option->val[0] == '\0' ||
			n == PING_OPTIONS_MAX - 6)
			continue;
		SET(option->keyword, option->val);
	}
	/* the last one of a keyword wins: the host we are connected to, of many */
	SET("host", PQhost(conn->pq));
	SET("hostaddr", PQhostaddr(conn->pq));
	SET("port", PQport(conn->pq));
	SET("connect_timeout", PING_TIMEOUT_S);
	SET("application_name", "pg_portage ping");
	SET("replication", "false");
	SET(NULL, NULL);
	answers = PQpingParams(keywords, values, 0) != PQPING_NO_RESPONSE;
	PQconninfoFree(options);
	return answers;
}

/*
 * pg_conn.h
 *		A connection to a PostgreSQL server, with our errors and deadlines.
 *
 * All of libpq stays in this folder.  Every wait ends at a deadline, when the
 * server does not answer anybody, or when a second signal arrives; a lost
 * connection is a transient error, a refused login is not.  Sessions are set up
 * the same way every time: ISO dates, UTC, no session timeouts, search_path
 * pg_catalog, application_name with the stream's label, TCP keepalives.
 */
#ifndef PORTAGE_PG_CONN_H
#define PORTAGE_PG_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/lsn.h"

typedef struct PgConfig
{
	const char *side;	  /* "source", "target" or "reference", for messages */
	const char *url;	  /* libpq connection string or URI */
	const char *label;	  /* application_name: "pg_portage NAME ROLE" */
	const char *encoding; /* client_encoding; NULL: UTF8 */
	bool replication;	  /* replication=database */
	bool own_names; /* search_path is the user's: for the user's own SQL */
} PgConfig;

typedef struct PgConn
{
	PGconn *pq;
	char side[16];
	char where[256];			  /* "host:port/database", without secrets */
	int64_t statement_timeout_ms; /* our deadline per call; 0: none */
	bool interruptible;			  /* a stop request cancels what runs */
	int wake_fd; /* readable: a wait with a deadline ends early; -1: none */
	int server_version; /* server_version_num */
	int backend_pid;
} PgConn;

/*
 * Connect and set the session up, within the connect_timeout of the URL, or
 * else 10 s.  P_CONNECT, P_LOGIN, P_URL, P_SERVER_BUSY.
 */
PgConn *pg_conn_open(const PgConfig *config, Error *err);

/* Close; NULL is fine. */
void pg_conn_close(PgConn *conn);

/*
 * Run one statement and return its result, for PQclear by the caller; NULL and
 * err for anything but success (tuples, command, copy begun).
 */
PGresult *pg_query(PgConn *conn, Error *err, const char *sql);
PGresult *pg_query_params(PgConn *conn, Error *err, const char *sql,
						  int nparams, const char *const *params);

/* The same for statements whose result does not matter. */
bool pg_exec(PgConn *conn, Error *err, const char *sql) MUST_CHECK;
bool pg_exec_params(PgConn *conn, Error *err, const char *sql, int nparams,
					const char *const *params) MUST_CHECK;

/* The same; must affect exactly want rows, else *matched is false. */
bool pg_exec_expect(PgConn *conn, Error *err, const char *sql, int nparams,
					const char *const *params, uint64_t want,
					bool *matched) MUST_CHECK;

/* ROLLBACK if a transaction is open; errors only close the connection. */
void pg_rollback(PgConn *conn);

/*
 * Wait for the next result of what was sent, as PQgetResult() but with our
 * deadline; *res is NULL when there is no more.
 */
bool pg_next_result(PgConn *conn, PGresult **res, Error *err) MUST_CHECK;

/*
 * Have the socket hold more of what we send, so that the server finds the next
 * statement there when it is through with one.
 */
void pg_conn_send_ahead(PgConn *conn);

/* True if the connection can be used for another statement. */
bool pg_conn_alive(const PgConn *conn);

/*
 * Wait until the socket is readable (or writable); false: deadline or lost.
 * Without a deadline (0) for as long as the server answers others.
 */
bool pg_wait_socket(PgConn *conn, bool for_write, int64_t deadline_ms,
					Error *err) MUST_CHECK;

/*
 * Fill err from a failed result, or from the connection when res is NULL: code
 * by SQLSTATE (lost, busy, privilege, conflict, value ...), the server's
 * message, detail and hint.  fallback is the code for everything else.
 */
bool
pg_error(PgConn *conn, const PGresult *res, ErrorCode fallback, Error *err);

/* Value access for results: "" for NULL is never meant, so ask first. */
const char *pg_value(const PGresult *res, int row, int column);
bool pg_is_null(const PGresult *res, int row, int column);
int64_t pg_value_int(const PGresult *res, int row, int column);
bool pg_value_bool(const PGresult *res, int row, int column);
Lsn pg_value_lsn(const PGresult *res, int row, int column);

/* Append a quoted identifier, "schema"."table", a quoted literal. */
void pg_quote_ident(Buffer *out, const char *name);
void pg_quote_table(Buffer *out, const char *schema, const char *name);
void pg_quote_literal(Buffer *out, const char *text);

#endif /* PORTAGE_PG_CONN_H */

/*
 * mysql_conn.h
 *		A connection to a MySQL or MariaDB server, with our errors and
 *		deadlines.
 *
 * All of mysql.h stays in this folder, and only what libmysqlclient and MariaDB
 * Connector/C have in common is used, but for what mysql_options.c does.  The
 * protocol is strictly request and response, one thread at a time.  Sessions are
 * set up the same way every time: utf8mb4 with a byte-exact collation, UTC, a
 * strict sql_mode, foreign_key_checks off, READ COMMITTED, CLIENT_FOUND_ROWS,
 * CLIENT_MULTI_STATEMENTS, no automatic reconnect.
 */
#ifndef PORTAGE_MYSQL_CONN_H
#define PORTAGE_MYSQL_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/slice.h"

/* Which server it is; what differs between them is asked here by name. */
typedef struct MyServer
{
	bool mariadb;
	int version;		   /* 101119 for 10.11.19, 90704 for 9.7.4 */
	char version_text[64]; /* SELECT VERSION() */
	const char *collation; /* byte-exact, NO PAD: utf8mb4_nopad_bin or
							   * utf8mb4_0900_bin */
	bool local_infile;	   /* @@local_infile and the client's own */
	int lower_case_table_names;
	uint64_t max_allowed_packet;
	int flush_at_commit; /* @@innodb_flush_log_at_trx_commit */
	bool log_bin;
	int sync_binlog;
	int64_t durable_after_ms; /* how long a commit may not be on disk; 0 */
} MyServer;

typedef struct MyConfig
{
	const char *side; /* "target" or "reference", for messages */
	const char *url;
} MyConfig;

typedef struct MyConn
{
	MYSQL *my;
	char side[16];
	char where[256]; /* "host:port/database", without secrets */
	char database[256];
	MyServer server;
	uint64_t connection_id;
	int64_t statement_timeout_ms; /* our deadline per call; 0: none */
	bool interruptible;		   /* a stop request ends what runs (KILL QUERY) */
	bool lost;				   /* not to be used any more */
	unsigned int error_number; /* of the last call that failed */
	struct MyWatch *watch;	   /* ends calls that would not */
} MyConn;

/*
 * Connect and set the session up, within the connect-timeout of the URL, or else
 * 10 s.  P_CONNECT, P_LOGIN, P_URL, P_SERVER_BUSY, P_SERVER_SETUP.
 */
MyConn *my_conn_open(const MyConfig *config, Error *err);
void my_conn_close(MyConn *conn); /* NULL is fine */
bool my_conn_alive(const MyConn *conn);

/* A result that is wholly here; NULL columns are NULL. */
typedef struct MyResult
{
	MYSQL_RES *res;
	MYSQL_ROW row; /* after my_next() */
	unsigned long *lengths;
	int columns;
} MyResult;

/* One statement.  *affected, if asked for: matched rows of an UPDATE. */
bool my_exec(MyConn *conn, Error *err, const char *sql) MUST_CHECK;
bool my_exec_slice(MyConn *conn, Error *err, Slice sql,
				   uint64_t *affected) MUST_CHECK;
bool my_execf(MyConn *conn, Error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) MUST_CHECK;

/* One statement with rows; false on any error. */
bool my_query(MyConn *conn, Error *err, const char *sql,
			  MyResult *result) MUST_CHECK;
bool my_queryf(MyConn *conn, Error *err, MyResult *result, const char *fmt, ...)
	__attribute__((format(printf, 4, 5))) MUST_CHECK;
bool my_next(MyResult *result); /* the next row; false at the end */
const char *my_value(const MyResult *result, int column); /* "" for NULL */
bool my_is_null(const MyResult *result, int column);
int64_t my_value_int(const MyResult *result, int column);
void my_result_free(MyResult *result);

/*
 * One statement whose rows are fetched as they come: my_stream_next() until *more
 * is false, nothing else meanwhile.  result->res is NULL if it has no rows.
 */
bool my_stream(MyConn *conn, Error *err, const char *sql,
			   MyResult *result) MUST_CHECK;
bool my_stream_next(MyConn *conn, MyResult *result, bool *more,
					Error *err) MUST_CHECK;

/* The columns of a statement that is not run; res is NULL if it has none. */
typedef struct MyColumns
{
	MYSQL_RES *res;
	MYSQL_STMT *statement; /* which the columns may be part of */
} MyColumns;

bool my_describe(MyConn *conn, Error *err, const char *sql,
				 MyColumns *columns) MUST_CHECK;
void my_columns_free(MyColumns *columns);

/* From now on a text is one statement. */
bool my_single_statements(MyConn *conn, Error *err) MUST_CHECK;

/* Nothing more is read: the connection is only to be closed. */
void my_give_up(MyConn *conn);

/*
 * Several statements in one round trip, separated by ';'.  affected[i] is what
 * the i-th changed; rows that one returns are read and dropped.  At the first
 * that fails: false, *done is how many went well, and the server has run none
 * behind it.
 */
bool my_multi(MyConn *conn, Error *err, Slice sql, uint64_t *affected,
			  int count, int *done) MUST_CHECK;

/* ROLLBACK if the connection is alive; errors only mark it lost. */
void my_rollback(MyConn *conn);

/*
 * Fill err from the last failed call: code by error number and SQLSTATE (lost,
 * busy, deadlock, privilege, conflict, value ...), the server's message.
 * fallback is the code for everything else.  Always false.
 */
bool my_error(MyConn *conn, ErrorCode fallback, Error *err);

/* The number of the last call that failed: ER_DUP_ENTRY is 1062 ... */
unsigned int my_errno(const MyConn *conn);

/*
 * No file of ours is given to a server that asks for one: the state of every
 * connection, and what LOAD DATA LOCAL goes back to when it is through.
 */
void my_infile_refuse(MyConn *conn);

/* `name` with backticks doubled; `database`.`table` (database may be NULL). */
void my_quote_ident(Buffer *out, const char *name);
void my_quote_table(Buffer *out, const char *database, const char *table);

/* 'text', for a session of ours (backslash escapes are on): needs no server. */
void my_quote_text(Buffer *out, Slice text);

/* _binary'...' */
void my_quote_bytes(Buffer *out, Slice bytes);

#endif /* PORTAGE_MYSQL_CONN_H */

/*
 * mysql_conn.c
 *		Running statements, reading their rows; mysql_connect.c opens and closes.
 *
 * The library's calls block; mysql_watch.c ends those that would not return.
 * Errors of servers are translated in mysql_error.c.
 */
#include "mysql/mysql_conn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/mysql_watch.h"

bool
my_conn_alive(const MyConn *conn)
{
	return conn != NULL && !conn->lost;
}

void
my_infile_refuse(MyConn *conn)
{
	my_infile_refuse_all(conn->my);
}

/* -------------------------------------------------------------- statements */

static void
call_begin(MyConn *conn, bool fresh)
{
	my_watch_begin(conn->watch, conn->statement_timeout_ms, conn->interruptible,
				   fresh);
}

static bool
usable(const MyConn *conn, Error *err)
{
	error_clear(err);
	return !conn->lost || error_set(err, P_CONNECTION_LOST,
									"the connection to the %s %s is lost",
									conn->side, conn->where);
}

/* Send it and read the first result's header. */
static bool
statement_send(MyConn *conn, Slice sql, Error *err)
{
	bool ok;

	if (!usable(conn, err))
		return false;
	call_begin(conn, true);
	ok = mysql_real_query(conn->my, sql.data, (unsigned long) sql.len) == 0;
	my_watch_end(conn->watch);
	return ok || my_error(conn, P_APPLY, err);
}

/* The rows of the current result; *res is NULL if it has none. */
static bool
result_store(MyConn *conn, MYSQL_RES **res, Error *err)
{
	*res = NULL;
	if (mysql_field_count(conn->my) == 0)
		return true;
	call_begin(conn, false);
	*res = mysql_store_result(conn->my);
	my_watch_end(conn->watch);
	return *res != NULL || my_error(conn, P_APPLY, err);
}

/* On to the next result; *more is false if there is none. */
static bool
result_advance(MyConn *conn, bool *more, Error *err)
{
	int rc;

	*more = mysql_more_results(conn->my);
	if (!*more)
		return true;
	call_begin(conn, false);
	rc = mysql_next_result(conn->my);
	my_watch_end(conn->watch);
	*more = rc == 0;
	return rc <= 0 || my_error(conn, P_APPLY, err);
}

/* Read and drop every result; affected: of the first count. */
static bool
results_drain(MyConn *conn, uint64_t *affected, int count, int *done,
			  Error *err)
{
	MYSQL_RES *res;
	bool more = true;

	for (*done = 0; more; ++*done)
	{
		if (!result_store(conn, &res, err))
			return false;
		if (res != NULL)
			mysql_free_result(res);
		if (affected != NULL && *done < count)
			affected[*done] = mysql_affected_rows(conn->my);
		if (!result_advance(conn, &more, err))
		{
			++*done;
			return false;
		}
	}
	return true;
}

bool
my_exec_slice(MyConn *conn, Error *err, Slice sql, uint64_t *affected)
{
	int done;

	return statement_send(conn, sql, err) &&
		   results_drain(conn, affected, 1, &done, err);
}

bool
my_exec(MyConn *conn, Error *err, const char *sql)
{
	return my_exec_slice(conn, err, slice_of(sql), NULL);
}

static void
format(Buffer *sql, const char *fmt, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	BUG_UNLESS(len >= 0);
	buffer_init(sql);
	buffer_reserve(sql, (size_t) len);
	vsnprintf(sql->data, (size_t) len + 1, fmt, again);
	sql->len = (size_t) len;
	va_end(again);
}

bool
my_execf(MyConn *conn, Error *err, const char *fmt, ...)
{
	Buffer sql;
	va_list args;
	bool ok;

	va_start(args, fmt);
	format(&sql, fmt, args);
	va_end(args);
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	return ok;
}

static bool
query(MyConn *conn, Error *err, Slice sql, MyResult *result)
{
	bool more;

	memset(result, 0, sizeof(*result));
	if (!statement_send(conn, sql, err) ||
		!result_store(conn, &result->res, err))
		return false;
	if (!result_advance(conn, &more, err))
	{
		my_result_free(result);
		return false;
	}
	BUG_UNLESS(!more);
	if (result->res != NULL)
		result->columns = (int) mysql_num_fields(result->res);
	return true;
}

bool
my_query(MyConn *conn, Error *err, const char *sql, MyResult *result)
{
	return query(conn, err, slice_of(sql), result);
}

bool
my_queryf(MyConn *conn, Error *err, MyResult *result, const char *fmt, ...)
{
	Buffer sql;
	va_list args;
	bool ok;

	va_start(args, fmt);
	format(&sql, fmt, args);
	va_end(args);
	ok = query(conn, err, (Slice){ sql.data, sql.len }, result);
	buffer_release(&sql);
	return ok;
}

bool
my_stream(MyConn *conn, Error *err, const char *sql, MyResult *result)
{
	memset(result, 0, sizeof(*result));
	if (!statement_send(conn, slice_of(sql), err))
		return false;
	if (mysql_field_count(conn->my) == 0)
		return true;
	result->res = mysql_use_result(conn->my);
	if (result->res == NULL)
		return my_error(conn, P_APPLY, err);
	result->columns = (int) mysql_num_fields(result->res);
	return true;
}

bool
my_stream_next(MyConn *conn, MyResult *result, bool *more, Error *err)
{
	call_begin(conn, false);
	*more = my_next(result);
	my_watch_end(conn->watch);
	return *more || mysql_errno(conn->my) == 0 || my_error(conn, P_APPLY, err);
}

bool
my_describe(MyConn *conn, Error *err, const char *sql, MyColumns *columns)
{
	bool ok;

	memset(columns, 0, sizeof(*columns));
	if (!usable(conn, err))
		return false;
	columns->statement = mysql_stmt_init(conn->my);
	BUG_UNLESS(columns->statement != NULL);
	call_begin(conn, true);
	ok = mysql_stmt_prepare(columns->statement, sql,
							(unsigned long) strlen(sql)) == 0;
	my_watch_end(conn->watch);
	/* the connection has the statement's error, too */
	if (ok)
		columns->res = mysql_stmt_result_metadata(columns->statement);
	else
		(void) my_error(conn, P_APPLY, err);
	return ok;
}

void
my_columns_free(MyColumns *columns)
{
	if (columns->res != NULL)
		mysql_free_result(columns->res);
	if (columns->statement != NULL)
		mysql_stmt_close(columns->statement);
	memset(columns, 0, sizeof(*columns));
}

bool
my_single_statements(MyConn *conn, Error *err)
{
	bool ok;

	if (!usable(conn, err))
		return false;
	call_begin(conn, true);
	ok = mysql_set_server_option(conn->my, MYSQL_OPTION_MULTI_STATEMENTS_OFF) ==
		 0;
	my_watch_end(conn->watch);
	return ok || my_error(conn, P_APPLY, err);
}

void
my_give_up(MyConn *conn)
{
	conn->lost = true;
	my_watch_hang_up(conn->watch);
}

bool
my_multi(MyConn *conn, Error *err, Slice sql, uint64_t *affected, int count,
		 int *done)
{
	*done = 0;
	if (!statement_send(conn, sql, err) ||
		!results_drain(conn, affected, count, done, err))
		return false;
	BUG_UNLESS(*done == count);
	return true;
}

void
my_rollback(MyConn *conn)
{
	Error ignored = ERROR_INIT;
	unsigned int number;

	if (!my_conn_alive(conn))
		return;
	number = conn->error_number;
	if (!my_exec(conn, &ignored, "ROLLBACK"))
		conn->lost = true;
	conn->error_number = number;
}

/* ------------------------------------------------------------------- rows */

bool
my_next(MyResult *result)
{
	result->row = result->res != NULL ? mysql_fetch_row(result->res) : NULL;
	result->lengths = result->row != NULL ? mysql_fetch_lengths(result->res)
										  : NULL;
	return result->row != NULL;
}

bool
my_is_null(const MyResult *result, int column)
{
	BUG_UNLESS(column < result->columns);
	return result->row[column] == NULL;
}

const char *
my_value(const MyResult *result, int column)
{
	return my_is_null(result, column) ? "" : result->row[column];
}

int64_t
my_value_int(const MyResult *result, int column)
{
	return strtoll(my_value(result, column), NULL, 10);
}

void
my_result_free(MyResult *result)
{
	if (result->res != NULL)
		mysql_free_result(result->res);
	memset(result, 0, sizeof(*result));
}

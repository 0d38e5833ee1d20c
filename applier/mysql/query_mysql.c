/*
 * query_mysql.c
 *		A query on a MySQL or MariaDB server, for references.
 *
 * The session reads only, and takes one statement at a time.
 */
#include "base/buffer.h"
#include "base/mem.h"
#include "mysql/mysql_conn.h"
#include "mysql/mysql_url.h"
#include "mysql/mysql_watch.h"
#include "source/query_driver.h"

/* character set of what is no text; of numbers and dates, too */
#define CHARSET_BINARY 63

static MyConn *
query_connect(const Query *query, Error *err)
{
	MyConfig config = { .side = "reference", .url = query->url };
	MyConn *conn = my_conn_open(&config, err);

	if (conn == NULL)
		return NULL;
	conn->interruptible = true;
	conn->statement_timeout_ms = QUERY_SILENCE_MS;
	if ((conn->server.mariadb
			 ? my_execf(conn, err, "SET SESSION max_statement_time = %d",
						QUERY_TIMEOUT_MS / 1000)
			 : my_execf(conn, err, "SET SESSION max_execution_time = %d",
						QUERY_TIMEOUT_MS)) &&
		my_exec(conn, err, "SET SESSION TRANSACTION READ ONLY") &&
		my_single_statements(conn, err))
		return conn;
	my_conn_close(conn);
	return NULL;
}

/* Bytes, where nothing says that they are text. */
static ExprBind
bind_of_text(const MYSQL_FIELD *field)
{
	return field->charsetnr == CHARSET_BINARY ? EXPR_BIND_BLOB : EXPR_BIND_TEXT;
}

static ExprBind
bind_of(const MYSQL_FIELD *field)
{
	switch (field->type)
	{
		case MYSQL_TYPE_TINY:
		case MYSQL_TYPE_SHORT:
		case MYSQL_TYPE_INT24:
		case MYSQL_TYPE_LONG:
		case MYSQL_TYPE_YEAR:
			return EXPR_BIND_INTEGER;
		case MYSQL_TYPE_LONGLONG:
			/* beyond what SQLite calls an integer: exact, as a numeric is */
			return (field->flags & UNSIGNED_FLAG) != 0 ? EXPR_BIND_NUMERIC
													   : EXPR_BIND_INTEGER;
		case MYSQL_TYPE_DECIMAL:
		case MYSQL_TYPE_NEWDECIMAL:
			return EXPR_BIND_NUMERIC;
		case MYSQL_TYPE_FLOAT:
		case MYSQL_TYPE_DOUBLE:
			return EXPR_BIND_REAL;
		case MYSQL_TYPE_BIT:
		case MYSQL_TYPE_GEOMETRY:
			return EXPR_BIND_BLOB;
		case MYSQL_TYPE_STRING:
		case MYSQL_TYPE_VAR_STRING:
		case MYSQL_TYPE_VARCHAR:
		case MYSQL_TYPE_TINY_BLOB:
		case MYSQL_TYPE_MEDIUM_BLOB:
		case MYSQL_TYPE_LONG_BLOB:
		case MYSQL_TYPE_BLOB:
			return bind_of_text(field);
		default: /* dates, times, JSON */
			return EXPR_BIND_TEXT;
	}
}

static void
take_columns(MYSQL_RES *res, Arena *arena, QueryColumns *columns)
{
	const MYSQL_FIELD *fields = mysql_fetch_fields(res);

	columns->count = (int) mysql_num_fields(res);
	columns->columns = ARENA_ARRAY(arena, ExprColumn, (size_t) columns->count);
	for (int i = 0; i < columns->count; i++)
	{
		columns->columns[i].name = arena_strdup(arena, fields[i].name);
		columns->columns[i].bind = bind_of(&fields[i]);
	}
}

static bool
describe_mysql(const Query *query, Arena *arena, QueryColumns *columns,
			   Error *err)
{
	MyConn *conn = query_connect(query, err);
	MyColumns described;
	bool ok;

	if (conn == NULL)
		return false;
	ok = my_describe(conn, err, query->sql, &described);
	if (ok && described.res != NULL)
		take_columns(described.res, arena, columns);
	my_columns_free(&described);
	my_conn_close(conn);
	return ok;
}

/* ---- rows */

static bool
same_columns(const QueryColumns *columns, const MyResult *result, Error *err)
{
	const MYSQL_FIELD *fields = mysql_fetch_fields(result->res);

	if (!query_same_count(columns, result->columns, err))
		return false;
	for (int i = 0; i < columns->count; i++)
	{
		if (!query_same_column(columns, i, fields[i].name, bind_of(&fields[i]),
							   err))
			return false;
	}
	return true;
}

static void
take_row(const MyResult *result, Value *values)
{
	for (int i = 0; i < result->columns; i++)
	{
		if (result->row[i] == NULL)
			values[i] = (Value){ NULL, 0, WIRE_COL_NULL };
		else
			values[i] = (Value){ result->row[i], (uint32_t) result->lengths[i],
								 WIRE_COL_PRESENT };
	}
}

static bool
visit(MyConn *conn, MyResult *result, const QueryColumns *columns,
	  QueryVisitor visitor, void *arg, Error *err)
{
	Value *values;
	bool more = true;
	bool ok;

	if (result->res == NULL)
		return error_set(err, P_REFERENCE, "its query is none that gives rows");
	if (!same_columns(columns, result, err))
		return false;
	values = mem_zalloc((size_t) (columns->count + 1) * sizeof(Value));
	do
	{
		ok = my_stream_next(conn, result, &more, err);
		if (ok && more)
		{
			take_row(result, values);
			ok = visitor(arg, values, err);
		}
	} while (ok && more);
	mem_free(values);
	return ok;
}

static bool
visit_mysql(const Query *query, const QueryColumns *columns,
			QueryVisitor visitor, void *arg, Error *err)
{
	MyConn *conn = query_connect(query, err);
	MyResult result;
	bool ok;

	if (conn == NULL)
		return false;
	ok = my_stream(conn, err, query->sql, &result) &&
		 visit(conn, &result, columns, visitor, arg, err);
	/* rows that nobody wants any more are not waited for */
	if (!ok)
		my_give_up(conn);
	my_result_free(&result);
	my_conn_close(conn);
	return ok;
}

const QueryDriver query_driver_mysql = { mysql_url_matches, mysql_url_check,
										 describe_mysql, visit_mysql };

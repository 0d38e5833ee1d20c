/*
 * query_pg.c
 *		A query on a PostgreSQL server, for references.
 *
 * The extended protocol takes one statement only, and the transaction is read
 * only: whatever the configuration says, nothing is changed there.  Names are
 * looked up as the user's own sessions do.
 */
#include <stdio.h>

#include "base/buffer.h"
#include "base/hex.h"
#include "base/mem.h"
#include "postgres/pg_conn.h"
#include "postgres/pg_url.h"
#include "source/query_driver.h"

typedef struct PgQuery
{
	PgConn *conn;
	const QueryColumns *columns;
	Value *values;
	Buffer bytes; /* of bytea, one row's */
} PgQuery;

static PgConn *
query_connect(const Query *query, Error *err)
{
	PgConfig config = { .side = "reference",
						.url = query->url,
						.label = "pg_portage reference",
						.own_names = true };
	PgConn *conn = pg_conn_open(&config, err);
	char sql[96];

	if (conn == NULL)
		return NULL;
	conn->interruptible = true;
	conn->statement_timeout_ms = QUERY_SILENCE_MS;
	snprintf(sql, sizeof(sql), "BEGIN READ ONLY;SET LOCAL statement_timeout=%d",
			 QUERY_TIMEOUT_MS);
	if (pg_exec(conn, err, sql))
		return conn;
	pg_conn_close(conn);
	return NULL;
}

/* Read to the end of what was sent; true if there was nothing wrong. */
static bool
drain(PgConn *conn, PGresult **last, Error *err)
{
	PGresult *res;
	bool good = true;

	*last = NULL;
	for (;;)
	{
		if (!pg_next_result(conn, &res, good ? err : &(Error) ERROR_INIT))
			good = false;
		if (!good || res == NULL)
			break;
		good = PQresultStatus(res) == PGRES_COMMAND_OK ||
			   pg_error(conn, res, P_REFERENCE, err);
		PQclear(*last);
		*last = res;
	}
	if (good && *last != NULL)
		return true;
	PQclear(*last);
	*last = NULL;
	return good ? pg_error(conn, NULL, P_CONNECTION_LOST, err) : false;
}

static bool
describe(PgConn *conn, const Query *query, Arena *arena, QueryColumns *columns,
		 Error *err)
{
	PGresult *res = NULL;

	if (!PQsendPrepare(conn->pq, "", query->sql, 0, NULL))
		return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	if (!drain(conn, &res, err))
		return false;
	PQclear(res);
	if (!PQsendDescribePrepared(conn->pq, ""))
		return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	if (!drain(conn, &res, err))
		return false;
	columns->count = PQnfields(res);
	columns->columns = ARENA_ARRAY(arena, ExprColumn, (size_t) columns->count);
	for (int i = 0; i < columns->count; i++)
	{
		columns->columns[i].name = arena_strdup(arena, PQfname(res, i));
		columns->columns[i].bind = expr_bind_of(PQftype(res, i));
	}
	PQclear(res);
	return true;
}

static bool
describe_pg(const Query *query, Arena *arena, QueryColumns *columns, Error *err)
{
	PgConn *conn = query_connect(query, err);
	bool ok;

	if (conn == NULL)
		return false;
	ok = describe(conn, query, arena, columns, err);
	pg_conn_close(conn);
	return ok;
}

/* ---- rows */

static bool
same_columns(const PgQuery *state, const PGresult *res, Error *err)
{
	if (!query_same_count(state->columns, PQnfields(res), err))
		return false;
	for (int i = 0; i < PQnfields(res); i++)
	{
		if (!query_same_column(state->columns, i, PQfname(res, i),
							   expr_bind_of(PQftype(res, i)), err))
			return false;
	}
	return true;
}

/* Text of bytea, "\x0aff", becomes its bytes; offset is where they begin. */
static size_t
take_bytes(Buffer *bytes, const char *text, size_t len)
{
	size_t before = bytes->len;

	for (size_t i = 2; i + 1 < len; i += 2)
		buffer_putc(bytes,
					(char) (hex_digit(text[i]) * 16 + hex_digit(text[i + 1])));
	return bytes->len - before;
}

static void
take_row(PgQuery *state, const PGresult *res)
{
	size_t at = 0;

	buffer_reset(&state->bytes);
	for (int i = 0; i < state->columns->count; i++)
	{
		Value *value = &state->values[i];

		if (PQgetisnull(res, 0, i))
		{
			*value = (Value){ NULL, 0, WIRE_COL_NULL };
			continue;
		}
		*value = (Value){ PQgetvalue(res, 0, i),
						  (uint32_t) PQgetlength(res, 0, i), WIRE_COL_PRESENT };
		if (state->columns->columns[i].bind == EXPR_BIND_BLOB)
			value->len = (uint32_t) take_bytes(&state->bytes, value->data,
											   value->len);
	}
	/* only now the buffer stays where it is */
	for (int i = 0; i < state->columns->count; i++)
	{
		if (state->columns->columns[i].bind != EXPR_BIND_BLOB ||
			state->values[i].state != WIRE_COL_PRESENT)
			continue;
		state->values[i].data = state->bytes.data + at;
		at += state->values[i].len;
	}
}

/* One result: a row, or the end; *more is false at the end. */
static bool
take_result(PgQuery *state, const PGresult *res, QueryVisitor visitor,
			void *arg, bool *first, Error *err)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
		return pg_error(state->conn, res, P_REFERENCE, err);
	if (*first && !same_columns(state, res, err))
		return false;
	*first = false;
	if (status == PGRES_TUPLES_OK)
		return true;
	take_row(state, res);
	return visitor(arg, state->values, err);
}

static bool
visit(PgQuery *state, const Query *query, QueryVisitor visitor, void *arg,
	  Error *err)
{
	PgConn *conn = state->conn;
	bool first = true;
	bool ok = true;
	PGresult *res;

	if (!PQsendQueryParams(conn->pq, query->sql, 0, NULL, NULL, NULL, NULL,
						   0) ||
		!PQsetSingleRowMode(conn->pq))
		return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	while (ok && pg_next_result(conn, &res, err))
	{
		if (res == NULL)
			return !first || pg_error(conn, NULL, P_CONNECTION_LOST, err);
		ok = take_result(state, res, visitor, arg, &first, err);
		PQclear(res);
	}
	/* what is still to come goes with the connection */
	return false;
}

static bool
visit_pg(const Query *query, const QueryColumns *columns, QueryVisitor visitor,
		 void *arg, Error *err)
{
	PgQuery state = { .conn = query_connect(query, err), .columns = columns };
	bool ok;

	if (state.conn == NULL)
		return false;
	buffer_init(&state.bytes);
	state.values = mem_zalloc((size_t) (columns->count + 1) * sizeof(Value));
	ok = visit(&state, query, visitor, arg, err);
	pg_conn_close(state.conn);
	buffer_release(&state.bytes);
	mem_free(state.values);
	return ok;
}

const QueryDriver query_driver_pg = { pg_url_matches, pg_url_check, describe_pg,
									  visit_pg };

/*
 * pg_conn.c
 *		Running statements, waiting with deadlines.
 *
 * Everything is sent through libpq's asynchronous calls, so that no wait is
 * without an end that we know.  Connecting is in pg_connect.c; errors of servers
 * are translated in pg_error.c, values and quoting are in pg_value.c.
 */
#include "postgres/pg_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"
#include "postgres/pg_connect.h"

/* A server that is silent for so long is asked whether it is there. */
#define SILENCE_ASK_MS 10000
#define SILENCE_ASKS 3

bool
pg_conn_alive(const PgConn *conn)
{
	return conn != NULL && PQstatus(conn->pq) == CONNECTION_OK;
}

int
pg_poll(int fd, int wake_fd, short events, int64_t deadline_ms,
		bool interruptible)
{
	struct pollfd fds[3];
	int64_t left;
	int n;

	for (;;)
	{
		left = deadline_ms - clock_ms();
		if (left < 0)
			return 0;
		fds[0] = (struct pollfd){ .fd = fd, .events = events };
		fds[1] = (struct pollfd){ .fd = wake_fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = signals_fd(), .events = POLLIN };
		/* poll() skips descriptors of -1 */
		n = poll(fds, interruptible ? 3 : 2, left > 1000 ? 1000 : (int) left);
		if (n < 0 && errno != EINTR)
			BUG("poll failed: %s", strerror(errno));
		if (n > 0 && fds[0].revents != 0)
			return 1;
		if (interruptible && signals_stop_requested())
			return -1;
		if (n > 0 && fds[1].revents != 0)
			return 0;
	}
}

static int64_t
statement_deadline(const PgConn *conn)
{
	return conn->statement_timeout_ms > 0
			   ? clock_ms() + conn->statement_timeout_ms
			   : 0;
}

/* Ask the server to end what runs; the result still has to be read. */
static void
statement_cancel(PgConn *conn)
{
	PGcancel *cancel = PQgetCancel(conn->pq);
	char message[256];

	if (cancel == NULL)
		return;
	PQcancel(cancel, message, sizeof(message));
	PQfreeCancel(cancel);
}

/*
 * Without a deadline, because nobody can say how long a lock or an index may
 * take: but only as long as the server is there.  A connection to one that
 * hangs stays open for ever, and so does one whose other end has gone without a
 * word.  Several answers have to be missing; one, once a stop is requested.
 */
static int
wait_for_server(PgConn *conn, short events)
{
	int missing = 0;
	int ready;

	for (;;)
	{
		ready = pg_poll(PQsocket(conn->pq), -1, events,
						clock_ms() + SILENCE_ASK_MS, conn->interruptible);
		if (ready != 0)
			return ready;
		if (pg_server_answers(conn))
			missing = 0;
		else if (++missing == SILENCE_ASKS || signals_stop_requested())
			return 0;
	}
}

bool
pg_wait_socket(PgConn *conn, bool for_write, int64_t deadline_ms, Error *err)
{
	short events = for_write ? POLLIN | POLLOUT : POLLIN;
	int ready = deadline_ms == 0
					? wait_for_server(conn, events)
					: pg_poll(PQsocket(conn->pq), conn->wake_fd, events,
							  deadline_ms, conn->interruptible);

	if (ready > 0)
		return true;
	if (ready < 0)
	{
		statement_cancel(conn);
		return error_set(err, P_STOPPED, "stopped");
	}
	return error_set(err, P_CONNECTION_LOST,
					 deadline_ms == 0 ? "the %s %s does not answer any more"
									  : "the %s %s did not answer in time",
					 conn->side, conn->where);
}

/* Send what libpq has queued, reading what the server says meanwhile. */
static bool
flush_output(PgConn *conn, int64_t deadline_ms, Error *err)
{
	int rc;

	while ((rc = PQflush(conn->pq)) > 0)
	{
		if (!pg_wait_socket(conn, true, deadline_ms, err))
			return false;
		if (PQconsumeInput(conn->pq) == 0)
			return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	}
	return rc == 0 || pg_error(conn, NULL, P_CONNECTION_LOST, err);
}

bool
pg_next_result(PgConn *conn, PGresult **res, Error *err)
{
	int64_t deadline_ms = statement_deadline(conn);

	if (!flush_output(conn, deadline_ms, err))
		return false;
	while (PQisBusy(conn->pq))
	{
		if (!pg_wait_socket(conn, false, deadline_ms, err))
			return false;
		if (PQconsumeInput(conn->pq) == 0)
			return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	}
	*res = PQgetResult(conn->pq);
	return true;
}

static bool
result_is_copy(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
		   status == PGRES_COPY_BOTH;
}

static bool
result_is_good(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
		   status == PGRES_EMPTY_QUERY;
}

/* The last result of what was sent, or the first error among them. */
static PGresult *
collect_results(PgConn *conn, Error *err)
{
	PGresult *last = NULL;
	PGresult *res = NULL;

	for (;;)
	{
		if (!pg_next_result(conn, &res, err))
			break;
		if (res == NULL)
			return last != NULL || error_is_set(err)
					   ? last
					   : (pg_error(conn, NULL, P_CONNECTION_LOST, err), NULL);
		if (result_is_copy(res))
		{
			PQclear(last);
			return res;
		}
		if (!result_is_good(res) && !error_is_set(err))
			pg_error(conn, res, P_APPLY, err);
		PQclear(last);
		last = NULL;
		if (error_is_set(err))
			PQclear(res);
		else
			last = res;
	}
	PQclear(last);
	return NULL;
}

PGresult *
pg_query(PgConn *conn, Error *err, const char *sql)
{
	error_clear(err);
	if (!PQsendQuery(conn->pq, sql))
	{
		pg_error(conn, NULL, P_CONNECTION_LOST, err);
		return NULL;
	}
	return collect_results(conn, err);
}

PGresult *
pg_query_params(PgConn *conn, Error *err, const char *sql, int nparams,
				const char *const *params)
{
	error_clear(err);
	if (!PQsendQueryParams(conn->pq, sql, nparams, NULL, params, NULL, NULL, 0))
	{
		pg_error(conn, NULL, P_CONNECTION_LOST, err);
		return NULL;
	}
	return collect_results(conn, err);
}

bool
pg_exec(PgConn *conn, Error *err, const char *sql)
{
	PGresult *res = pg_query(conn, err, sql);

	PQclear(res);
	return res != NULL;
}

bool
pg_exec_params(PgConn *conn, Error *err, const char *sql, int nparams,
			   const char *const *params)
{
	PGresult *res = pg_query_params(conn, err, sql, nparams, params);

	PQclear(res);
	return res != NULL;
}

bool
pg_exec_expect(PgConn *conn, Error *err, const char *sql, int nparams,
			   const char *const *params, uint64_t want, bool *matched)
{
	PGresult *res = pg_query_params(conn, err, sql, nparams, params);
	uint64_t got;

	if (res == NULL)
		return false;
	got = PQresultStatus(res) == PGRES_TUPLES_OK
			  ? (uint64_t) PQntuples(res)
			  : strtoull(PQcmdTuples(res), NULL, 10);
	*matched = got == want;
	PQclear(res);
	return true;
}

void
pg_rollback(PgConn *conn)
{
	Error ignored = ERROR_INIT;

	if (!pg_conn_alive(conn) || PQtransactionStatus(conn->pq) == PQTRANS_IDLE)
		return;
	/* if that fails the connection is gone, and the transaction with it */
	(void) !pg_exec(conn, &ignored, "ROLLBACK");
}

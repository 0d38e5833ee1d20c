/*
 * source_pg_snapshot.c
 *		Sessions that look through a snapshot, snapshots to share, and the wait
 *		until one shows what it should.
 */
#include "postgres/source_pg_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "base/signals.h"

#define SETTLE_PAUSE_MS 50

/*
 * Transactions that the snapshot ($1) calls committed and that are not yet
 * visible to everybody: they are either listed as running by a fresh snapshot
 * or lie beyond it.  Snapshots list top-level transactions only, which is what
 * visibility goes by.
 */
#define SETTLE_SQL                                                           \
	"WITH now AS (SELECT pg_current_snapshot() AS s),"                       \
	" unsure AS (SELECT x FROM now, pg_snapshot_xip(s) AS x"                 \
	"  UNION ALL SELECT n::text::xid8 FROM now, generate_series("            \
	"   pg_snapshot_xmax(s)::text::bigint,"                                  \
	"   pg_snapshot_xmax($1::pg_snapshot)::text::bigint - 1) AS n)"          \
	" SELECT x, l.pid, a.usename, coalesce(a.state, 'unknown'),"             \
	" coalesce(a.wait_event_type || ':' || a.wait_event, 'none or unknown')" \
	" FROM unsure LEFT JOIN pg_locks l ON l.locktype = 'transactionid'"      \
	"  AND l.granted AND l.mode = 'ExclusiveLock'"                           \
	"  AND l.transactionid = (x::text::bigint % 4294967296)::text::xid"      \
	" LEFT JOIN pg_stat_activity a ON a.pid = l.pid"                         \
	" WHERE pg_visible_in_snapshot(x, $1::pg_snapshot) LIMIT 1"

static bool
snapshot_begin(PgConn *conn, const SnapshotRef *snapshot, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;");
	if (snapshot->id != NULL)
	{
		buffer_puts(&sql, "SET TRANSACTION SNAPSHOT ");
		pg_quote_literal(&sql, snapshot->id);
		buffer_puts(&sql, ";");
	}
	/* names and rows pass through as they are, see the header */
	buffer_puts(&sql, "SET row_security = off;"
					  "SELECT set_config('client_encoding',"
					  " current_setting('server_encoding'), false)");
	ok = pg_exec(conn, err, sql.data);
	buffer_release(&sql);
	/* its holder has gone: a new try takes what is left under another one */
	if (!ok && snapshot->id != NULL && pg_conn_alive(conn))
		error_as(err, ERROR_TRANSIENT);
	return ok || error_wrap(err, "cannot look through the snapshot");
}

PgConn *
source_pg_snapshot_session(SourcePg *self, const char *role,
						   const SnapshotRef *snapshot, Error *err)
{
	PgConn *conn = source_pg_session(self, role, false, err);

	if (conn == NULL)
		return NULL;
	conn->interruptible = true;
	if (!snapshot_begin(conn, snapshot, err))
	{
		pg_conn_close(conn);
		return NULL;
	}
	return conn;
}

/*
 * A snapshot that logical decoding built can have its xmin behind its xmax:
 * only commits that change the catalog move xmax (snapbuild.c), and then
 * pg_snapshot's input function refuses the output.  Such a snapshot shows what
 * is older than xmin and nothing else.
 */
static char *
snapshot_normalised(const char *text)
{
	char *end;
	unsigned long long xmin = strtoull(text, &end, 10);
	unsigned long long xmax = *end == ':' ? strtoull(end + 1, NULL, 10) : 0;
	char normalised[64];

	if (xmin <= xmax)
		return mem_strdup(text);
	snprintf(normalised, sizeof(normalised), "%llu:%llu:", xmin, xmin);
	return mem_strdup(normalised);
}

/* What the slot's snapshot is: "xmin:xmax:xip,..." */
static char *
snapshot_text(SourcePg *self, const SnapshotRef *snapshot, Error *err)
{
	PgConn *conn = source_pg_snapshot_session(self, "settle", snapshot, err);
	PGresult *res;
	char *text = NULL;

	if (conn == NULL)
		return NULL;
	res = pg_query(conn, err, "SELECT pg_current_snapshot()");
	if (res != NULL)
		text = snapshot_normalised(pg_value(res, 0, 0));
	PQclear(res);
	pg_conn_close(conn);
	return text;
}

/* Somebody's commit is in the log and yet not visible: who is it? */
static bool
settle_failed(const PGresult *res, int64_t timeout_ms, Error *err)
{
	error_set(err, P_SNAPSHOT,
			  "transaction %s has committed but is not visible"
			  " on the source after %lld s",
			  pg_value(res, 0, 0), (long long) (timeout_ms / 1000));
	if (pg_is_null(res, 0, 1))
		error_detail(err, "No session of it can be seen.");
	else
		error_detail(err,
					 "It belongs to the session with pid %s, user %s,"
					 " state %s, waiting for %s.",
					 pg_value(res, 0, 1), pg_value(res, 0, 2),
					 pg_value(res, 0, 3), pg_value(res, 0, 4));
	return error_hint(err, "A commit that waits for a synchronous standby is"
						   " one cause: mend that, or end the session.");
}

static bool
settle_poll(PgConn *conn, const char *snapshot, int64_t timeout_ms, Error *err)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	const char *params[1] = { snapshot };
	PGresult *res;

	for (;;)
	{
		res = pg_query_params(conn, err, SETTLE_SQL, 1, params);
		if (res == NULL)
			return false;
		if (PQntuples(res) == 0)
			break;
		if (clock_ms() >= deadline_ms)
		{
			settle_failed(res, timeout_ms, err);
			PQclear(res);
			return false;
		}
		PQclear(res);
		clock_pause_ms(SETTLE_PAUSE_MS);
		if (signals_stop_requested())
			return error_set(err, P_STOPPED, "stopped");
	}
	PQclear(res);
	return true;
}

/*
 * Only the slot's own snapshot needs this: it is made from the log, where a
 * commit appears before it is visible.  Rows of such a transaction would be
 * taken for uncommitted ones, and that would even be written into their pages.
 */
bool
source_pg_snapshot_settle(Source *source, const SnapshotRef *snapshot,
						  int64_t timeout_ms, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	PgConn *conn;
	char *text;
	bool ok;

	if (!snapshot->slot || snapshot->id == NULL)
		return true;
	text = snapshot_text(self, snapshot, err);
	if (text == NULL)
		return false;
	conn = source_pg_session(self, "settle", false, err);
	ok = conn != NULL && settle_poll(conn, text, timeout_ms, err) &&
		 FAILPOINT(FP_SNAPSHOT_VISIBLE, err);
	pg_conn_close(conn);
	mem_free(text);
	return ok;
}

/*
 * An ordinary snapshot shows what everybody sees, so it needs no settling.  The
 * position is asked for behind it: every commit that it shows lies before.
 */
bool
source_pg_snapshot_export(Source *source, SnapshotRef *snapshot, Error *err)
{
	static const SnapshotRef now = { NULL, false, LSN_NONE };
	SourcePg *self = (SourcePg *) source;
	PGresult *res = NULL;

	source_pg_snapshot_release(source);
	self->exporter = source_pg_snapshot_session(self, "snapshot", &now, err);
	if (self->exporter != NULL)
		res = pg_query(self->exporter, err,
					   "SELECT pg_export_snapshot(),"
					   " pg_current_wal_insert_lsn()");
	if (res == NULL)
	{
		source_pg_snapshot_release(source);
		return error_wrap(err, "a snapshot to share");
	}
	snprintf(self->exported, sizeof(self->exported), "%s", pg_value(res, 0, 0));
	snapshot->id = self->exported;
	snapshot->slot = false;
	snapshot->lsn = pg_value_lsn(res, 0, 1);
	PQclear(res);
	return true;
}

void
source_pg_snapshot_release(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	pg_conn_close(self->exporter);
	self->exporter = NULL;
}

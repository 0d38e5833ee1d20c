/*
 * source_pg_stream.c
 *		The replication stream: START_REPLICATION, frames, keepalives, feedback.
 *
 * What we tell the server, and when:
 *
 * - A keepalive is answered only when it asks, with write = its position and
 *   flush = 0.  Zero never moves the slot; without a flush position the
 *   server's shutdown waits for our write position instead, and an idle stream
 *   stays quiet.
 * - flush is sent by stream_confirm() alone, for what is durable on every
 *   target, and never goes backwards.  A keepalive's position is never
 *   confirmed: the plugin may still hold a transaction that lies before it.
 * - Unsolicited status every wal_sender_timeout / 4, also while reading is
 *   paused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/source_pg.h"

#define STATUS_INTERVAL_DEFAULT_MS 10000

/*
 * A server that says nothing although it was asked is gone after this long;
 * one that decodes a huge transaction without output may need some time.
 */
#define SILENCE_LIMIT_MS 600000
#define SILENCE_ASK_MS 30000

/* header of a 'w' message: tag, start, end, clock; see protocol.sgml */
#define WAL_DATA_HEADER 25
#define KEEPALIVE_SIZE 18

static uint64_t
read_be64(const char *p)
{
	const unsigned char *u = (const unsigned char *) p;
	uint64_t v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 8 | u[i];
	return v;
}

static void
write_be64(char *p, uint64_t v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (char) (v & 0xFF);
}

/* Options as the plugin reads them; values are quoted literals. */
static void
append_option(Buffer *sql, const char *name, const char *value, bool first)
{
	if (!first)
		buffer_puts(sql, ", ");
	pg_quote_ident(sql, name);
	buffer_putc(sql, ' ');
	/* the replication grammar knows no E'' strings: only quotes are doubled */
	buffer_putc(sql, '\'');
	for (; *value != '\0'; value++)
	{
		if (*value == '\'')
			buffer_putc(sql, '\'');
		buffer_putc(sql, *value);
	}
	buffer_putc(sql, '\'');
}

static void
start_command(const Source *source, const StreamOptions *options, Buffer *sql)
{
	char proto[16];

	buffer_puts(sql, "START_REPLICATION SLOT ");
	pg_quote_ident(sql, source->config->slot);
	buffer_printf(sql, " LOGICAL " LSN_FORMAT " (",
				  LSN_ARGS(options->start_lsn));
	append_option(sql, "format", "binary", true);
	snprintf(proto, sizeof(proto), "%d", WIRE_PROTO_MIN);
	append_option(sql, "proto_min", proto, false);
	snprintf(proto, sizeof(proto), "%d", WIRE_PROTO_MAX);
	append_option(sql, "proto_max", proto, false);
	append_option(sql, "defer", options->defer ? "on" : "off", false);
	append_option(sql, "origin", options->origin, false);
	if (source->config->tables[0] != '\0')
		append_option(sql, "tables", source->config->tables, false);
	if (source->config->exclude_tables[0] != '\0')
		append_option(sql, "exclude_tables", source->config->exclude_tables,
					  false);
	buffer_puts(sql, ")");
}

/* wal_sender_timeout of our session decides how often we speak. */
static bool
read_status_interval(SourcePg *self, Error *err)
{
	PGresult *res = pg_query(self->stream, err,
							 "SELECT setting::bigint"
							 " FROM pg_settings"
							 " WHERE name = 'wal_sender_timeout'");
	int64_t timeout_ms;

	if (res == NULL)
		return false;
	timeout_ms = PQntuples(res) == 1 ? pg_value_int(res, 0, 0) : 0;
	PQclear(res);
	self->status_interval_ms = STATUS_INTERVAL_DEFAULT_MS;
	if (timeout_ms > 0 && timeout_ms / 4 < self->status_interval_ms)
		self->status_interval_ms = timeout_ms / 4 > 0 ? timeout_ms / 4 : 1;
	return true;
}

/*
 * Is our walsender a synchronous standby?  Then a commit on the source would
 * wait for us, and our own marker for itself.  Without pg_monitor sync_state
 * is hidden; then the setting decides.
 */
static bool
check_asynchronous(SourcePg *self, Error *err)
{
	char pid[16];
	const char *params[] = { pid };
	PGresult *res;
	bool synchronous;

	snprintf(pid, sizeof(pid), "%d", self->stream->backend_pid);
	res = pg_query_params(self->sql, err,
						  "SELECT coalesce((SELECT sync_state <> 'async'"
						  "  FROM pg_stat_replication WHERE pid = $1::integer"
						  "   AND sync_state IS NOT NULL),"
						  " current_setting('synchronous_standby_names')"
						  "  ~* '(^|[^[:alnum:]_\"])(\\*|\"?pg_portage)')",
						  1, params);
	if (res == NULL)
		return false;
	synchronous = pg_value_bool(res, 0, 0);
	PQclear(res);
	if (!synchronous)
		return true;
	error_set(err, P_SYNCHRONOUS,
			  "the source counts this applier as a "
			  "synchronous standby");
	error_detail(err,
				 "Its application_name is \"" LABEL_FORMAT "\": commits "
				 "on the source would wait for it.",
				 self->base.config->stream, "stream");
	error_hint(err, "Name the real standbys in synchronous_standby_names "
					"instead of '*'.");
	return false;
}

bool
source_pg_stream_start(Source *source, const StreamOptions *options, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	Buffer sql;
	PGresult *res;
	bool started;

	source_pg_stream_stop(source);
	if (!source_pg_slot_wait_free(source, err))
		return false;
	self->stream = source_pg_session(self, "stream", true, err);
	if (self->stream == NULL || !read_status_interval(self, err))
		return false;
	self->stream->wake_fd = options->wake_fd;
	buffer_init(&sql);
	start_command(source, options, &sql);
	res = pg_query(self->stream, err, sql.data);
	buffer_release(&sql);
	started = res != NULL && PQresultStatus(res) == PGRES_COPY_BOTH;
	PQclear(res);
	if (!started)
		return error_is_set(err)
				   ? error_wrap(err, "cannot start the stream")
				   : error_set(err, P_PROTOCOL,
							   "the server did not start the stream");
	self->received_end = options->start_lsn;
	self->confirmed = LSN_NONE;
	self->status_due_ms = clock_ms() + self->status_interval_ms;
	self->heard_ms = clock_ms();
	return check_asynchronous(self, err) && FAILPOINT(FP_STREAM_STARTED, err);
}

void
source_pg_stream_stop(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	pg_conn_close(self->stream);
	self->stream = NULL;
}

Lsn
source_pg_stream_wal_end(Source *source)
{
	return ((SourcePg *) source)->received_end;
}

/* Standby status update: 'r', write, flush, apply, clock, reply wanted. */
static bool
send_status(SourcePg *self, Lsn flush, Error *err)
{
	char message[34];
	bool ask = clock_ms() - self->heard_ms > SILENCE_ASK_MS;

	message[0] = 'r';
	write_be64(message + 1, self->received_end);
	write_be64(message + 9, flush);
	write_be64(message + 17, flush);
	write_be64(message + 25, (uint64_t) clock_wall_us());
	message[33] = ask ? 1 : 0;
	if (PQputCopyData(self->stream->pq, message, sizeof(message)) <= 0 ||
		PQflush(self->stream->pq) < 0)
		return pg_error(self->stream, NULL, P_CONNECTION_LOST, err);
	self->status_due_ms = clock_ms() + self->status_interval_ms;
	return true;
}

bool
source_pg_stream_confirm(Source *source, Lsn lsn, Error *err)
{
	SourcePg *self = (SourcePg *) source;

	if (lsn <= self->confirmed)
		return true;
	if (!send_status(self, lsn, err))
		return false;
	self->confirmed = lsn;
	return FAILPOINT(FP_FEEDBACK_SENT, err);
}

bool
source_pg_stream_idle(Source *source, Error *err)
{
	SourcePg *self = (SourcePg *) source;

	if (clock_ms() >= self->status_due_ms)
		return send_status(self, LSN_NONE, err);
	if (PQflush(self->stream->pq) < 0)
		return pg_error(self->stream, NULL, P_CONNECTION_LOST, err);
	return true;
}

static bool
handle_keepalive(SourcePg *self, const char *data, int len, Error *err)
{
	Lsn wal_end;

	if (len != KEEPALIVE_SIZE)
		return error_set(err, P_PROTOCOL, "a keepalive of %d bytes", len);
	wal_end = read_be64(data + 1);
	if (wal_end > self->received_end)
		self->received_end = wal_end;
	return data[17] == 0 || send_status(self, LSN_NONE, err);
}

static void
release_copy_data(void *handle)
{
	PQfreemem(handle);
}

/* A message of the stream; *frame is set if it carries one. */
static bool
handle_message(SourcePg *self, char *data, int len, Frame **frame, Error *err)
{
	Lsn wal_end;
	bool ok = true;

	self->heard_ms = clock_ms();
	if (data[0] == 'w' && len > WAL_DATA_HEADER)
	{
		wal_end = read_be64(data + 9);
		*frame = frame_new((uint8_t *) data + WAL_DATA_HEADER,
						   (size_t) len - WAL_DATA_HEADER, data,
						   release_copy_data);
		(*frame)->wal_end = wal_end;
		return true;
	}
	if (data[0] == 'k')
		ok = handle_keepalive(self, data, len, err);
	else
		ok = error_set(err, P_PROTOCOL,
					   "a message '%c' of %d bytes in the "
					   "stream",
					   data[0], len);
	PQfreemem(data);
	return ok;
}

/* The stream has ended: say why. */
static bool
stream_ended(SourcePg *self, Error *err)
{
	PGresult *res = PQgetResult(self->stream->pq);

	if (res != NULL && PQresultStatus(res) == PGRES_FATAL_ERROR)
		pg_error(self->stream, res, P_CONNECTION_LOST, err);
	else
		error_set(err, P_CONNECTION_LOST, "the source ended the stream");
	PQclear(res);
	return error_wrap(err, "in the stream");
}

bool
source_pg_stream_next(Source *source, int64_t timeout_ms, Frame **frame,
					  Error *err)
{
	SourcePg *self = (SourcePg *) source;
	int64_t deadline_ms = clock_ms() + timeout_ms;
	int64_t wait_ms;
	char *data;
	int len;

	*frame = NULL;
	while (*frame == NULL)
	{
		if (clock_ms() >= self->status_due_ms &&
			!send_status(self, LSN_NONE, err))
			return false;
		len = PQgetCopyData(self->stream->pq, &data, 1);
		if (len > 0)
		{
			if (!handle_message(self, data, len, frame, err))
				return false;
			continue;
		}
		if (len < 0)
			return stream_ended(self, err);
		if (clock_ms() >= deadline_ms)
			break;
		if (clock_ms() - self->heard_ms > SILENCE_LIMIT_MS)
			return error_set(err, P_CONNECTION_LOST,
							 "the source has said "
							 "nothing for %d s",
							 SILENCE_LIMIT_MS / 1000);
		wait_ms = deadline_ms < self->status_due_ms ? deadline_ms
													: self->status_due_ms;
		if (!pg_wait_socket(self->stream, false, wait_ms, err))
		{
			if (err->code != P_CONNECTION_LOST)
				return false;
			error_clear(err);
			/* woken, if it is too early */
			if (clock_ms() < wait_ms)
				break;
			continue;
		}
		if (PQconsumeInput(self->stream->pq) == 0)
			return pg_error(self->stream, NULL, P_CONNECTION_LOST, err);
	}
	return *frame == NULL || FAILPOINT(FP_FRAME_RECEIVED, err);
}

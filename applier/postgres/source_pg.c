/*
 * source_pg.c
 *		The PostgreSQL source: its table of operations, connecting, identity.
 */
#include "postgres/source_pg.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/failpoint.h"
#include "base/mem.h"

static bool source_pg_connect(Source *source, Error *err);
static void source_pg_disconnect(Source *source);
static bool
source_pg_identify(Source *source, SourceIdentity *identity, Error *err);
static void source_pg_free(Source *source);

static const SourceOps source_pg_ops = {
	.name = "postgresql",
	.connect = source_pg_connect,
	.disconnect = source_pg_disconnect,
	.identify = source_pg_identify,
	.check = source_pg_check,
	.check_objects = source_pg_check_objects,
	.needs = source_pg_needs,
	.owner_acquire = source_pg_owner_acquire,
	.slot_inspect = source_pg_slot_inspect,
	.slot_create = source_pg_slot_create,
	.slot_join = source_pg_slot_join,
	.slot_snapshot_release = source_pg_slot_snapshot_release,
	.slot_drop = source_pg_slot_drop,
	.stream_start = source_pg_stream_start,
	.stream_next = source_pg_stream_next,
	.stream_idle = source_pg_stream_idle,
	.stream_confirm = source_pg_stream_confirm,
	.stream_stop = source_pg_stream_stop,
	.stream_wal_end = source_pg_stream_wal_end,
	.marker_connect = source_pg_marker_connect,
	.marker_emit = source_pg_marker_emit,
	.marker_disconnect = source_pg_marker_disconnect,
	.snapshot_settle = source_pg_snapshot_settle,
	.snapshot_export = source_pg_snapshot_export,
	.snapshot_release = source_pg_snapshot_release,
	.key_bounds = source_pg_key_bounds,
	.tables_list = source_pg_tables_list,
	.schema_dump = source_pg_schema_dump,
	.schema_read = source_pg_schema_read,
	.type_resolve = source_pg_type_resolve,
	.sequences_list = source_pg_sequences_list,
	.shapes_list = source_pg_shapes_list,
	.ddl_key = source_pg_ddl_key,
	.extension_tables = source_pg_extension_tables,
	.reader_open = source_pg_reader_open,
	.reader_stamp = source_pg_reader_stamp,
	.reader_begin = source_pg_reader_begin,
	.reader_data = source_pg_reader_data,
	.reader_end = source_pg_reader_end,
	.reader_close = source_pg_reader_close,
	.free = source_pg_free,
};

Source *
source_pg_open(const SourceConfig *config, Error *err)
{
	SourcePg *self = mem_zalloc(sizeof(*self));

	(void) err;
	self->base.ops = &source_pg_ops;
	self->base.config = config;
	return &self->base;
}

/* A replication connection has refusals of its own. */
static PgConn *
replication_refused(Error *err)
{
	char message[sizeof(err->message)];

	snprintf(message, sizeof(message), "%s", err->message);
	if (strcmp(err->sqlstate, "42501") == 0)
		error_set(err, P_REPLICATION_ROLE, "%s", message);
	else if (strcmp(err->sqlstate, "53300") == 0 &&
			 strstr(message, "max_wal_senders") != NULL)
		error_set(err, P_WALSENDERS, "%s", message);
	return NULL;
}

PgConn *
source_pg_session(SourcePg *self, const char *role, bool replication,
				  Error *err)
{
	char label[LABEL_SIZE];
	PgConfig config = {
		.side = "source",
		.url = self->base.config->url,
		.label = label,
		.encoding = NULL,
		.replication = replication,
	};
	PgConn *conn;

	snprintf(label, sizeof(label), LABEL_FORMAT, self->base.config->stream,
			 role);
	conn = pg_conn_open(&config, err);
	if (conn == NULL && replication)
		return replication_refused(err);
	if (conn != NULL && !FAILPOINT(FP_SOURCE_CONNECTED, err))
	{
		pg_conn_close(conn);
		return NULL;
	}
	return conn;
}

static bool
source_pg_connect(Source *source, Error *err)
{
	SourcePg *self = (SourcePg *) source;

	source_pg_disconnect(source);
	self->sql = source_pg_session(self, "control", false, err);
	return self->sql != NULL;
}

static void
source_pg_disconnect(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	source_pg_stream_stop(source);
	source_pg_slot_snapshot_release(source);
	source_pg_snapshot_release(source);
	pg_conn_close(self->sql);
	self->sql = NULL;
}

/*
 * A digest of the history file of a timeline, so that two standbys that were
 * promoted separately do not look the same because both are on timeline 2.
 */
static bool
timeline_digest(PgConn *conn, uint32_t timeline, char out[DIGEST_SIZE],
				Error *err)
{
	char command[64];
	PGresult *res;
	XXH128_hash_t hash;

	out[0] = '\0';
	if (timeline <= 1)
		return true;
	snprintf(command, sizeof(command), "TIMELINE_HISTORY %u", timeline);
	res = pg_query(conn, err, command);
	if (res == NULL)
		return false;
	if (PQntuples(res) == 1 && PQnfields(res) == 2)
	{
		hash = XXH3_128bits(PQgetvalue(res, 0, 1),
							(size_t) PQgetlength(res, 0, 1));
		snprintf(out, DIGEST_SIZE, "%016" PRIx64 "%016" PRIx64,
				 (uint64_t) hash.high64, (uint64_t) hash.low64);
	}
	PQclear(res);
	return true;
}

/* System identifier, timeline, position, database. */
static void
identity_take(const PGresult *res, SourceIdentity *identity)
{
	snprintf(identity->system_id, sizeof(identity->system_id), "%s",
			 pg_value(res, 0, 0));
	identity->timeline = (uint32_t) pg_value_int(res, 0, 1);
	identity->wal_end = pg_value_lsn(res, 0, 2);
	snprintf(identity->database, sizeof(identity->database), "%s",
			 pg_value(res, 0, 3));
}

static bool
identify_system(PgConn *conn, SourceIdentity *identity, Error *err)
{
	PGresult *res = pg_query(conn, err, "IDENTIFY_SYSTEM");

	if (res == NULL)
		return false;
	if (PQntuples(res) != 1 || PQnfields(res) < 4)
	{
		PQclear(res);
		return error_set(err, P_PROTOCOL, "IDENTIFY_SYSTEM gave %d columns",
						 PQnfields(res));
	}
	identity_take(res, identity);
	PQclear(res);
	return timeline_digest(conn, identity->timeline, identity->history, err);
}

/*
 * The same as far as an ordinary session may ask: a copy alone has no use for
 * the history, and its role need not replicate.
 */
static bool
identify_by_sql(PgConn *conn, SourceIdentity *identity, Error *err)
{
	PGresult *res;

	res = pg_query(conn, err,
				   "SELECT s.system_identifier, c.timeline_id,"
				   " CASE WHEN pg_is_in_recovery()"
				   "  THEN pg_last_wal_replay_lsn()"
				   "  ELSE pg_current_wal_flush_lsn() END, current_database()"
				   " FROM pg_control_system() s, pg_control_checkpoint() c");
	if (res == NULL)
		return error_wrap(err, "cannot identify the source");
	identity_take(res, identity);
	PQclear(res);
	return true;
}

static bool
identify_standby(PgConn *conn, SourceIdentity *identity, Error *err)
{
	PGresult *res = pg_query(conn, err, "SELECT pg_is_in_recovery()");

	if (res == NULL)
		return false;
	identity->standby = pg_value_bool(res, 0, 0);
	PQclear(res);
	return true;
}

static void
identify_server(const PgConn *conn, SourceIdentity *identity)
{
	const char *encoding = PQparameterStatus(conn->pq, "server_encoding");

	snprintf(identity->encoding, sizeof(identity->encoding), "%s",
			 encoding != NULL ? encoding : "UTF8");
	identity->server_version = conn->server_version;
}

/*
 * On a replication connection of its own, because only walsenders know the
 * commands.  Where there is none for us we can still be told who the source is:
 * a copy alone needs no more, and what does is refused where it begins.
 */
static bool
source_pg_identify(Source *source, SourceIdentity *identity, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	PgConn *conn;
	bool ok;

	memset(identity, 0, sizeof(*identity));
	identify_server(self->sql, identity);
	if (!identify_standby(self->sql, identity, err))
		return false;
	if (source->config->copy_only)
		return identify_by_sql(self->sql, identity, err);
	conn = source_pg_session(self, "identify", true, err);
	if (conn == NULL)
	{
		if (err->code != P_REPLICATION_ROLE && err->code != P_WALSENDERS)
			return false;
		identity->no_history = err->code;
		error_clear(err);
		return identify_by_sql(self->sql, identity, err);
	}
	ok = identify_system(conn, identity, err);
	pg_conn_close(conn);
	return ok;
}

static void
source_pg_free(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	source_pg_marker_disconnect(source);
	source_pg_disconnect(source);
	mem_free(self);
}

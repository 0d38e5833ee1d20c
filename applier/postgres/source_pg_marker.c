/*
 * source_pg_marker.c
 *		Markers: messages of ours in the source's WAL, on a connection that
 *		belongs to the marker thread alone.
 *
 * synchronous_commit=local: a marker must not wait for a standby, and the
 * plugin must not be asked to hold it back for one.
 */
#include "postgres/source_pg.h"

#include "base/failpoint.h"

/* a marker that takes longer is a reason to reconnect */
#define MARKER_TIMEOUT_MS 30000

bool
source_pg_marker_connect(Source *source, Error *err)
{
	SourcePg *self = (SourcePg *) source;

	source_pg_marker_disconnect(source);
	self->marker = source_pg_session(self, "marker", false, err);
	if (self->marker == NULL)
		return false;
	self->marker->statement_timeout_ms = MARKER_TIMEOUT_MS;
	return pg_exec(self->marker, err, "SET synchronous_commit = local");
}

bool
source_pg_marker_emit(Source *source, const char *nonce, Lsn *lsn, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	const char *params[] = { nonce };
	PGresult *res;

	res = pg_query_params(self->marker, err,
						  "SELECT pg_logical_emit_message("
						  "true, 'portage.marker', $1::text)",
						  1, params);
	if (res == NULL)
		return false;
	*lsn = pg_value_lsn(res, 0, 0);
	PQclear(res);
	return FAILPOINT(FP_MARKER_EMITTED, err);
}

void
source_pg_marker_disconnect(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	pg_conn_close(self->marker);
	self->marker = NULL;
}

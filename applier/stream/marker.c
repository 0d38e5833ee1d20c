/*
 * marker.c
 *		The marker thread: one marker a second while the stream runs.
 *
 * A marker measures the lag, bounds what the plugin may hold back, releases WAL
 * that other databases wrote, and becomes the next anchor.  Where markers
 * cannot be emitted the session ends, and with it every connection to the
 * source: a server that is shutting down must not wait for us.  A smart shutdown
 * ends no session but lets no new one in, so the thread connects anew every few
 * seconds, only to learn of it.
 */
#include "base/log.h"
#include "stream/history.h"
#include "stream/session.h"

#define MARKER_INTERVAL_MS 1000
#define RECONNECT_INTERVAL_MS 5000

/* The plugin flushes at a marker: one that was sent and did not come is wrong. */
#define OVERDUE_MS 10000

static bool
marker_emit(StreamSession *session, Error *err)
{
	Source *source = session->source;
	char nonce[NONCE_SIZE];
	Lsn lsn;

	/* all targets of a source know its markers by the same secret */
	marker_nonce(session->lanes[0].claimed.origin_nonce, nonce);
	for (int i = 0; i < session->lane_count; i++)
		markers_add(session->lanes[i].markers, nonce);
	if (!source->ops->marker_emit(source, nonce, &lsn, err))
		return error_wrap(err, "cannot emit a marker");
	for (int i = 0; i < session->lane_count; i++)
		markers_emitted(session->lanes[i].markers, nonce, lsn);
	atomic_store(&session->source_written, lsn);
	return true;
}

static bool
check_overdue(StreamSession *session, Error *err)
{
	Lsn wal_end = atomic_load(&session->source_wal_end);
	int64_t age_ms;

	/* they arrive for all lanes at once, also for those that have ended */
	if (!markers_overdue(session->lanes[0].markers, wal_end, &age_ms) ||
		age_ms < OVERDUE_MS)
		return true;
	return error_set(err, P_CONNECTION_LOST,
					 "a marker has not come back for "
					 "%lld s although the source has sent what lies behind it",
					 (long long) (age_ms / 1000));
}

/* Connect, anew when the connection has become old. */
static bool
marker_connect(StreamSession *session, int64_t *connected_ms, Error *err)
{
	Source *source = session->source;

	if (*connected_ms != 0 &&
		clock_ms() - *connected_ms < RECONNECT_INTERVAL_MS)
		return true;
	*connected_ms = clock_ms();
	return source->ops->marker_connect(source, err);
}

void *
marker_main(void *arg)
{
	StreamSession *session = arg;
	Source *source = session->source;
	Error err = ERROR_INIT;
	int64_t connected_ms = 0;
	int64_t due_ms;
	bool ok = true;

	log_set_context(session->context);
	while (ok && !session_ending(session))
	{
		due_ms = clock_ms() + MARKER_INTERVAL_MS;
		ok = marker_connect(session, &connected_ms, &err) &&
			 marker_emit(session, &err) && check_overdue(session, &err);
		if (ok)
			wake_wait(&session->wake, due_ms);
	}
	if (!ok)
		session_fail(session, &err);
	source->ops->marker_disconnect(source);
	return NULL;
}

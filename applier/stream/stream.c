/*
 * stream.c
 *		Starting and ending a stream: guards before START_REPLICATION, threads.
 *
 * The stream starts where the target that is furthest behind has to begin; what
 * the others have already ends at their proofs of history (reader.c).
 */
#include "stream/stream.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "stream/anchor.h"
#include "stream/session.h"

void
session_fail(StreamSession *session, const Error *err)
{
	pthread_mutex_lock(&session->mutex);
	if (!session->failed)
	{
		session->failed = true;
		session->error = *err;
	}
	pthread_mutex_unlock(&session->mutex);
	session_stop(session);
}

void
session_stop(StreamSession *session)
{
	atomic_store(&session->ending, true);
	for (int i = 0; i < session->lane_count; i++)
		queue_close(session->lanes[i].queue);
	wake_ring(&session->wake);
}

bool
session_ending(const StreamSession *session)
{
	const atomic_bool *end = session->config->end;

	return atomic_load(&session->ending) || signals_stop_requested() ||
		   (end != NULL && atomic_load(end));
}

Lsn
session_confirm_lsn(const StreamSession *session)
{
	Lsn smallest = LSN_NONE;

	if (session->config->hold)
		return LSN_NONE;
	for (int i = 0; i < session->lane_count; i++)
	{
		Lsn lsn = atomic_load(&session->lanes[i].confirm_lsn);

		if (i == 0 || lsn < smallest)
			smallest = lsn;
	}
	return smallest;
}

/*
 * A check of one target went wrong: is it about what that target has, so that the
 * others can go on?  False if it is about the source.
 */
static bool
concerns_lane(Lane *lane, Error *err)
{
	if (err->kind != ERROR_DATA)
		return false;
	lane_fail(lane, err);
	error_clear(err);
	return true;
}

static bool
check_identities(StreamSession *session, Error *err)
{
	SourceIdentity now;

	if (!session->source->ops->identify(session->source, &now, err))
		return false;
	for (int i = 0; i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];

		if (!lane_ending(lane) && !lane_check_identity(lane, &now, err) &&
			!concerns_lane(lane, err))
			return false;
	}
	return true;
}

/* Targets that began together have the same first marker: one look is enough. */
static bool
proven_before(const StreamSession *session, int count)
{
	const Progress *ours = &session->lanes[count].claimed;

	for (int i = 0; i < count; i++)
	{
		const Lane *other = &session->lanes[i];

		if (!atomic_load(&other->ended) && !lane_anchored(other) &&
			strcmp(other->claimed.anchor_nonce, ours->anchor_nonce) == 0 &&
			other->claimed.anchor_lsn == ours->anchor_lsn &&
			other->claimed.resume_lsn == ours->resume_lsn)
			return true;
	}
	return false;
}

/*
 * Before the first anchor is applied the stream begins below it, so the proof
 * is made beforehand, in a pass of its own; there is little WAL between.
 */
static bool
prove_first_anchors(StreamSession *session, Error *err)
{
	for (int i = 0; i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];

		if (lane_ending(lane) || lane_anchored(lane) ||
			proven_before(session, i))
			continue;
		if (!anchor_prove(session->source, &lane->claimed, err) &&
			!concerns_lane(lane, err))
			return false;
	}
	return true;
}

/* Lanes that the slot cannot serve any more fail. */
static bool
check_slot(StreamSession *session, Error *err)
{
	for (int i = 0; i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];

		if (!lane_ending(lane) &&
			!anchor_check_slot(session->source, lane_start_lsn(lane), err) &&
			!concerns_lane(lane, err))
			return false;
	}
	return true;
}

/* Where the stream begins; LSN_NONE if no lane is left. */
static Lsn
smallest_start(const StreamSession *session)
{
	Lsn smallest = LSN_NONE;

	for (int i = 0; i < session->lane_count; i++)
	{
		const Lane *lane = &session->lanes[i];

		if (!atomic_load(&lane->ended) &&
			(smallest == LSN_NONE || lane_start_lsn(lane) < smallest))
			smallest = lane_start_lsn(lane);
	}
	return smallest;
}

static bool
start_stream(StreamSession *session, Error *err)
{
	StreamOptions options = {
		.defer = session->config->defer,
		.origin = "any",
		.wake_fd = session->wake.fd,
	};

	if (!check_identities(session, err) || !prove_first_anchors(session, err) ||
		!check_slot(session, err))
		return false;
	options.start_lsn = smallest_start(session);
	if (options.start_lsn == LSN_NONE)
		return true;
	for (int i = 0; i < session->lane_count; i++)
		history_init(&session->lanes[i].history, &session->lanes[i].claimed,
					 options.start_lsn);
	return session->source->ops->stream_start(session->source, &options, err);
}

static bool
load_stamps(StreamSession *session, Error *err)
{
	Source *source = session->source;
	uint32_t *ignored = NULL;
	int ignored_count = 0;
	Error failed = ERROR_INIT;
	Arena arena;
	bool ok;

	arena_init(&arena);
	ok = source->ops->extension_tables(source, &arena, &ignored, &ignored_count,
									   err);
	for (int i = 0; ok && i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];

		if (!lane_load_stamps(lane, ignored, ignored_count, &failed))
			lane_fail(lane, &failed);
	}
	arena_release(&arena);
	return ok;
}

/* Without the extension's key its messages are like anybody's. */
static bool
load_ddl_key(StreamSession *session, Error *err)
{
	Source *source = session->source;
	DdlKey *key = &session->ddl_key;

	if (!source->ops->ddl_key(source, key->bytes, &key->known, err))
		return false;
	if (!key->known)
		log_info("DDL comes without the commands: the extension pg_portage is "
				 "not on the source, or its key cannot be read");
	return true;
}

/* The threads of the lanes; false if there is nothing for them to do. */
static bool
start_lanes(StreamSession *session)
{
	int count = 0;

	for (int i = 0; i < session->lane_count; i++)
	{
		session->lanes[i].started = !atomic_load(&session->lanes[i].ended);
		count += session->lanes[i].started;
	}
	atomic_store(&session->lanes_left, count);
	for (int i = 0; i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];
		const char *before;

		if (!lane->started)
		{
			lane_leave(lane);
			continue;
		}
		before = lane_log(lane);
		log_info("streaming from " LSN_FORMAT,
				 LSN_ARGS(lane->claimed.resume_lsn));
		log_set_context(before);
		if (pthread_create(&lane->thread, NULL, lane_main, lane) != 0)
			BUG("cannot start a thread");
	}
	return count > 0;
}

static void
run_threads(StreamSession *session)
{
	pthread_t reader;
	pthread_t marker;

	if (!start_lanes(session))
		return;
	if (pthread_create(&reader, NULL, reader_main, session) != 0 ||
		pthread_create(&marker, NULL, marker_main, session) != 0)
		BUG("cannot start a thread");
	for (int i = 0; i < session->lane_count; i++)
	{
		if (session->lanes[i].started)
			pthread_join(session->lanes[i].thread, NULL);
	}
	pthread_join(reader, NULL);
	pthread_join(marker, NULL);
}

/* What the source's side has failed of, if it was not only ended. */
static bool
tell_failure(StreamSession *session, Error *err)
{
	if (!session->failed || signals_stop_requested())
		return true;
	*err = session->error;
	(void) !FAILPOINT(FP_SOURCE_LOST, &session->error);
	return false;
}

bool
stream_run(const StreamConfig *config, Source *source, StreamTarget *targets,
		   int count, Error *err)
{
	StreamSession *session = mem_zalloc(sizeof(*session));
	bool ok;

	session->config = config;
	session->source = source;
	session->context = log_context();
	session->lanes = mem_zalloc((size_t) count * sizeof(Lane));
	session->lane_count = count;
	pthread_mutex_init(&session->mutex, NULL);
	wake_init(&session->wake);
	for (int i = 0; i < count; i++)
	{
		error_clear(&targets[i].error);
		targets[i].reached = false;
		lane_init(&session->lanes[i], session, &targets[i]);
	}
	ok = load_stamps(session, err) && load_ddl_key(session, err) &&
		 start_stream(session, err);
	if (ok)
		run_threads(session);
	for (int i = 0; i < count; i++)
		lane_leave(&session->lanes[i]);
	ok = tell_failure(session, err) && ok;
	source->ops->stream_stop(source);
	for (int i = 0; i < count; i++)
		lane_release(&session->lanes[i]);
	wake_release(&session->wake);
	pthread_mutex_destroy(&session->mutex);
	mem_free(session->lanes);
	mem_free(session);
	return ok;
}

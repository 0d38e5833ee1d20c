/*
 * stream.c
 *		Starting and ending a stream: guards before START_REPLICATION, threads.
 *
 * START_REPLICATION accepts a position beyond the end of the WAL and then skips
 * every transaction before it, and moves one below confirmed_flush forward in
 * silence (logical.c CreateDecodingContext, snapbuild.c
 * SnapBuildXactNeedsSkip).  Both would lose transactions, so both are caught
 * here, before it is sent.
 */
#include "stream/stream.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "pipeline/decode.h"
#include "stream/history.h"
#include "stream/session.h"

/* how long the first marker may take to come through */
#define ANCHOR_TIMEOUT_MS 600000

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
	queue_close(session->queue);
	wake_ring(&session->wake);
}

bool
session_ending(StreamSession *session)
{
	return atomic_load(&session->ending) || signals_stop_requested();
}

static bool
check_slot(Source *source, Lsn start_lsn, Error *err)
{
	const char *slot = source->config->slot;
	SlotInfo info;

	if (!source_slot_check(source, &info, err))
		return false;
	if (info.confirmed_lsn <= start_lsn)
		return true;
	error_set(err, P_SLOT_AHEAD,
			  "the slot %s stands at " LSN_FORMAT ", beyond " LSN_FORMAT
			  " where the stream has to begin",
			  slot, LSN_ARGS(info.confirmed_lsn), LSN_ARGS(start_lsn));
	return error_detail(err,
						"Somebody has advanced the slot or created it "
						"anew; what lies between cannot be read any more.");
}

/* Is it the same server, with the same history, as far as it says itself? */
static bool
check_identity(Source *source, const Progress *progress, Error *err)
{
	const SourceIdentity *then = &progress->source;
	SourceIdentity now;

	if (!source->ops->identify(source, &now, err))
		return false;
	if (strcmp(now.system_id, then->system_id) != 0)
		return error_set(err, P_SYSTEM_ID,
						 "the source is cluster %s, the "
						 "migration was begun on %s",
						 now.system_id, then->system_id);
	/* what cannot be seen is not another history */
	if (now.no_history != ERROR_CODE_NONE)
		return error_set(err, now.no_history,
						 now.no_history == P_WALSENDERS
							 ? "no walsender is free on the source"
							 : "the source role may not replicate");
	if (now.timeline != then->timeline ||
		strcmp(now.history, then->history) != 0)
		return error_set(err, P_TIMELINE,
						 "the source is on timeline %u, the "
						 "migration was begun on %u%s",
						 now.timeline, then->timeline,
						 now.timeline == then->timeline ? " of another history"
														: "");
	if (now.wal_end < progress->resume_lsn)
		return error_set(err, P_WAL_BEHIND,
						 "the source's WAL ends at " LSN_FORMAT
						 ", but the target has applied it up to " LSN_FORMAT,
						 LSN_ARGS(now.wal_end), LSN_ARGS(progress->resume_lsn));
	return true;
}

/*
 * Looks for the marker with this nonce in what the stream says, without
 * applying anything.
 */
typedef struct AnchorSearch
{
	const char *nonce;
	Lsn expected_lsn; /* where it must be; LSN_NONE: not known */
	Lsn found_lsn;
	Lsn txn_lsn; /* of the transaction being looked at */
} AnchorSearch;

static bool
anchor_moved(const AnchorSearch *search, Error *err)
{
	return error_set(err, P_HISTORY,
					 "the first marker, which was at " LSN_FORMAT
					 ", is not there any more",
					 LSN_ARGS(search->expected_lsn));
}

static bool
search_frame(AnchorSearch *search, const Frame *frame, Error *err)
{
	bool expecting = search->expected_lsn != LSN_NONE;
	const Event *event;
	char nonce[NONCE_SIZE];
	int i;

	for (i = 0; i < frame->event_count && search->found_lsn == LSN_NONE; i++)
	{
		event = &frame->events[i];
		if (event->kind == EVENT_BEGIN)
			search->txn_lsn = event->txn.commit_lsn;
		if (expecting && search->txn_lsn > search->expected_lsn)
			return anchor_moved(search, err);
		if (event->kind == EVENT_MESSAGE &&
			message_is_marker(&event->message, nonce) &&
			strcmp(nonce, search->nonce) == 0)
			search->found_lsn = search->txn_lsn;
	}
	return !expecting || search->found_lsn == LSN_NONE ||
		   search->found_lsn == search->expected_lsn ||
		   anchor_moved(search, err);
}

static bool
search_stream(Source *source, Decoder *decoder, AnchorSearch *search,
			  Error *err)
{
	int64_t deadline_ms = clock_ms() + ANCHOR_TIMEOUT_MS;
	Frame *frame;
	bool ok = true;

	while (ok && search->found_lsn == LSN_NONE)
	{
		if (signals_stop_requested())
			return error_set(err, P_STOPPED, "stopped");
		if (clock_ms() > deadline_ms)
			return error_set(err, P_CONNECTION_LOST,
							 "the first marker does "
							 "not come through the stream");
		if (!source->ops->stream_next(source, 1000, &frame, err))
			return false;
		if (frame == NULL)
			continue;
		ok = decode_frame(decoder, frame, err) &&
			 search_frame(search, frame, err);
		frame_release(frame);
	}
	return ok;
}

static bool
find_anchor(Source *source, Lsn start_lsn, AnchorSearch *search,
			char *plugin_version, size_t version_size, Error *err)
{
	StreamOptions options = {
		.start_lsn = start_lsn,
		.origin = "any",
		.wake_fd = -1,
	};
	Decoder *decoder = decoder_new();
	bool ok;

	ok = check_slot(source, start_lsn, err) &&
		 source->ops->stream_start(source, &options, err) &&
		 search_stream(source, decoder, search, err);
	if (ok)
		snprintf(plugin_version, version_size, "%s",
				 decoder_hello(decoder)->plugin_version);
	source->ops->stream_stop(source);
	decoder_free(decoder);
	return ok;
}

bool
stream_first_anchor(Source *source, Progress *progress, Error *err)
{
	AnchorSearch search = { .nonce = progress->anchor_nonce };
	Lsn emitted;
	bool ok;

	marker_nonce(progress->origin_nonce, progress->anchor_nonce);
	ok = source->ops->marker_connect(source, err) &&
		 source->ops->marker_emit(source, progress->anchor_nonce, &emitted,
								  err) &&
		 FAILPOINT(FP_ANCHOR_EMITTED, err);
	source->ops->marker_disconnect(source);
	if (!ok || !find_anchor(source, progress->consistent_lsn, &search,
							progress->plugin_version,
							sizeof(progress->plugin_version), err))
		return false;
	progress->anchor_lsn = search.found_lsn;
	snprintf(progress->plugin_options, sizeof(progress->plugin_options),
			 "proto=%d origin=any", WIRE_PROTO_MAX);
	progress->digest[0] = '\0';
	progress->skeleton[0] = '\0';
	return true;
}

/*
 * Before the first anchor is applied the stream begins below it, so the proof
 * is made beforehand, in a pass of its own; there is little WAL between.
 */
static bool
prove_first_anchor(Source *source, const Progress *progress, Error *err)
{
	AnchorSearch search = {
		.nonce = progress->anchor_nonce,
		.expected_lsn = progress->anchor_lsn,
	};
	char version[32];

	return find_anchor(source, progress->resume_lsn, &search, version,
					   sizeof(version), err) &&
		   FAILPOINT(FP_HISTORY_PROVEN, err);
}

static bool
start_stream(StreamSession *session, Error *err)
{
	const Progress *progress = &session->claimed;
	bool anchored = progress->digest[0] != '\0';
	StreamOptions options = {
		.start_lsn = anchored ? progress->anchor_lsn : progress->resume_lsn,
		.defer = session->config->defer,
		.origin = "any",
		.wake_fd = session->wake.fd,
	};

	if (!check_identity(session->source, progress, err))
		return false;
	if (!anchored && !prove_first_anchor(session->source, progress, err))
		return false;
	return check_slot(session->source, options.start_lsn, err) &&
		   session->source->ops->stream_start(session->source, &options, err);
}

static bool
load_stamps(StreamSession *session, Error *err)
{
	Source *source = session->source;
	Target *target = session->target;
	uint32_t *ignored = NULL;
	int ignored_count = 0;
	Chunk *chunks;
	Arena arena;
	int count;

	arena_init(&arena);
	if (target->ops->chunks_list(target, &arena, &chunks, &count, err) &&
		source->ops->extension_tables(source, &arena, &ignored, &ignored_count,
									  err))
		session->stamps = stamps_new(chunks, count,
									 session->claimed.newest_stamp_lsn, err);
	if (session->stamps != NULL)
		stamps_ignore(session->stamps, ignored, ignored_count);
	arena_release(&arena);
	return session->stamps != NULL;
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

/* Run the three threads; the writer is this one. */
static bool
run_threads(StreamSession *session, Error *err)
{
	pthread_t reader;
	pthread_t marker;
	bool ok;

	if (pthread_create(&reader, NULL, reader_main, session) != 0 ||
		pthread_create(&marker, NULL, marker_main, session) != 0)
		BUG("cannot start a thread");
	ok = writer_run(session, err);
	session_stop(session);
	pthread_join(reader, NULL);
	pthread_join(marker, NULL);
	if (!ok)
	{
		(void) !FAILPOINT(FP_TARGET_LOST, &session->error);
		return false;
	}
	if (session->failed && !signals_stop_requested())
	{
		*err = session->error;
		(void) !FAILPOINT(FP_SOURCE_LOST, &session->error);
		return false;
	}
	return true;
}

bool
stream_run(const StreamConfig *config, Source *source, Target *target,
		   Progress *progress, Error *err)
{
	StreamSession *session = mem_zalloc(sizeof(*session));
	bool ok;

	session->config = config;
	session->source = source;
	session->target = target;
	session->progress = progress;
	session->claimed = *progress;
	pthread_mutex_init(&session->mutex, NULL);
	wake_init(&session->wake);
	session->queue = queue_new(config->queue_bytes);
	session->markers = markers_new();
	ok = load_stamps(session, err) && load_ddl_key(session, err) &&
		 start_stream(session, err);
	if (ok)
	{
		log_info("streaming from " LSN_FORMAT,
				 LSN_ARGS(session->claimed.resume_lsn));
		ok = run_threads(session, err);
	}
	source->ops->stream_stop(source);
	stamps_free(session->stamps);
	markers_free(session->markers);
	queue_free(session->queue);
	wake_release(&session->wake);
	pthread_mutex_destroy(&session->mutex);
	mem_free(session);
	return ok;
}

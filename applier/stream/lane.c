/*
 * lane.c
 *		What belongs to one target of a stream; see session.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "stream/session.h"

void
lane_init(Lane *lane, StreamSession *session, StreamTarget *to)
{
	memset(lane, 0, sizeof(*lane));
	lane->session = session;
	lane->to = to;
	lane->target = to->target;
	lane->progress = to->progress;
	lane->claimed = *to->progress;
	pthread_mutex_init(&lane->mutex, NULL);
	lane->queue = queue_new(session->config->queue_bytes);
	lane->markers = markers_new();
}

void
lane_release(Lane *lane)
{
	stamps_free(lane->stamps);
	markers_free(lane->markers);
	queue_free(lane->queue);
	pthread_mutex_destroy(&lane->mutex);
}

const char *
lane_log(const Lane *lane)
{
	const char *own = lane->to->context;

	return log_set_context(own != NULL ? own : lane->session->context);
}

void
lane_end(Lane *lane)
{
	atomic_store(&lane->ended, true);
	queue_close(lane->queue);
}

void
lane_fail(Lane *lane, const Error *err)
{
	pthread_mutex_lock(&lane->mutex);
	if (!lane->failed)
	{
		lane->failed = true;
		lane->error = *err;
	}
	pthread_mutex_unlock(&lane->mutex);
	lane_end(lane);
}

void
lane_leave(Lane *lane)
{
	const StreamConfig *config = lane->session->config;

	if (lane->left)
		return;
	lane->left = true;
	if (lane->failed)
	{
		lane->to->error = lane->error;
		if (lane->started)
			(void) !FAILPOINT(FP_TARGET_LOST, &lane->error);
	}
	if (config->left != NULL)
		config->left(config->left_arg, lane->to);
}

bool
lane_ending(const Lane *lane)
{
	return atomic_load(&lane->ended) || session_ending(lane->session);
}

bool
lane_anchored(const Lane *lane)
{
	return lane->claimed.digest[0] != '\0';
}

Lsn
lane_start_lsn(const Lane *lane)
{
	return lane_anchored(lane) ? lane->claimed.anchor_lsn
							   : lane->claimed.resume_lsn;
}

bool
lane_check_identity(const Lane *lane, const SourceIdentity *now, Error *err)
{
	const Progress *progress = &lane->claimed;
	const SourceIdentity *then = &progress->source;

	if (strcmp(now->system_id, then->system_id) != 0)
		return error_set(err, P_SYSTEM_ID,
						 "the source is cluster %s, the "
						 "migration was begun on %s",
						 now->system_id, then->system_id);
	/* what cannot be seen is not another history */
	if (now->no_history != ERROR_CODE_NONE)
		return error_set(err, now->no_history,
						 now->no_history == P_WALSENDERS
							 ? "no walsender is free on the source"
							 : "the source role may not replicate");
	if (now->timeline != then->timeline ||
		strcmp(now->history, then->history) != 0)
		return error_set(err, P_TIMELINE,
						 "the source is on timeline %u, the "
						 "migration was begun on %u%s",
						 now->timeline, then->timeline,
						 now->timeline == then->timeline ? " of another history"
														 : "");
	if (now->wal_end < progress->resume_lsn)
		return error_set(err, P_WAL_BEHIND,
						 "the source's WAL ends at " LSN_FORMAT
						 ", but the target has applied it up to " LSN_FORMAT,
						 LSN_ARGS(now->wal_end),
						 LSN_ARGS(progress->resume_lsn));
	return true;
}

bool
lane_load_stamps(Lane *lane, const uint32_t *ignored, int ignored_count,
				 Error *err)
{
	Target *target = lane->target;
	Chunk *chunks;
	Arena arena;
	int count;

	arena_init(&arena);
	if (target->ops->chunks_list(target, &arena, &chunks, &count, err))
		lane->stamps = stamps_new(chunks, count, lane->claimed.newest_stamp_lsn,
								  err);
	if (lane->stamps != NULL)
		stamps_ignore(lane->stamps, ignored, ignored_count);
	arena_release(&arena);
	return lane->stamps != NULL;
}

void *
lane_main(void *arg)
{
	Lane *lane = arg;
	StreamSession *session = lane->session;
	Error err = ERROR_INIT;

	lane_log(lane);
	if (!writer_run(lane, &err))
		lane_fail(lane, &err);
	lane_end(lane);
	lane_leave(lane);
	if (atomic_fetch_sub(&session->lanes_left, 1) == 1)
		session_stop(session);
	return NULL;
}

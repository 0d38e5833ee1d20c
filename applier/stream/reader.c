/*
 * reader.c
 *		The reader thread: frames from the source, decoded once, and for each
 *		target proven and queued.
 *
 * Nothing is queued for a target before its history is proven, and what it has
 * already is not queued for it at all.  When one queue is full the reader does not
 * read, but goes on telling the source that it lives.
 */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "pipeline/decode.h"
#include "stream/session.h"

/* How long one wait may take: bounds the delay of a confirmation. */
#define WAIT_MS 100

typedef struct Reader
{
	StreamSession *session;
	Decoder *decoder;
	bool greeted;
} Reader;

/* The first thing a stream says decides what its values mean. */
static void
check_hello(Reader *reader)
{
	StreamSession *session = reader->session;
	const StreamHello *hello = decoder_hello(reader->decoder);
	Error err = ERROR_INIT;

	if (reader->greeted || !hello->known)
		return;
	reader->greeted = true;
	snprintf(session->plugin_version, sizeof(session->plugin_version), "%s",
			 hello->plugin_version);
	for (int i = 0; i < session->lane_count; i++)
	{
		Lane *lane = &session->lanes[i];
		const char *encoding = lane->claimed.source.encoding;

		history_hello(&lane->history, hello->plugin_version);
		if (strcmp(hello->encoding, encoding) == 0)
			continue;
		error_set(&err, P_HISTORY, "the source's encoding is %s, it was %s",
				  hello->encoding, encoding);
		lane_fail(lane, &err);
	}
}

/* Queue what is to be applied; keeps the connection alive while it waits. */
static bool
queue_frame(Reader *reader, Lane *lane, Frame *frame, int keep_from, Error *err)
{
	StreamSession *session = reader->session;
	Source *source = session->source;
	QueueItem item = { frame, keep_from };

	if (keep_from >= frame->event_count)
		return true;
	frame_retain(frame);
	while (!queue_push(lane->queue, item, WAIT_MS))
	{
		bool ok = source->ops->stream_idle(source, err) &&
				  source->ops->stream_confirm(
					  source, session_confirm_lsn(session), err);

		if (ok && !lane_ending(lane))
			continue;
		frame_release(frame);
		return ok;
	}
	return true;
}

/* Markers are overdue only until they are here, however long the queues are. */
static void
note_markers(Reader *reader, const Frame *frame)
{
	StreamSession *session = reader->session;
	char nonce[NONCE_SIZE];

	for (int i = 0; i < frame->event_count; i++)
	{
		if (frame->events[i].kind != EVENT_MESSAGE ||
			!message_is_marker(&frame->events[i].message, nonce))
			continue;
		for (int k = 0; k < session->lane_count; k++)
			markers_arrived(session->lanes[k].markers, nonce);
	}
}

/* From which event on the frame is to be applied; false: the lane has failed. */
static bool
prove(Lane *lane, const Frame *frame, int *keep_from)
{
	History *history = &lane->history;
	const char *before;
	Error err = ERROR_INIT;

	*keep_from = 0;
	if (history->state == HISTORY_PROVEN)
		return true;
	if (!history_check(history, frame, keep_from, &err))
	{
		lane_fail(lane, &err);
		return false;
	}
	if (history->state != HISTORY_PROVEN || !lane_anchored(lane))
		return true;
	before = lane_log(lane);
	log_info("the source's history is proven: %" PRIu64 " transactions "
			 "since the marker at " LSN_FORMAT " are what was applied",
			 history->transactions, LSN_ARGS(lane->claimed.anchor_lsn));
	log_set_context(before);
	return true;
}

/* One target's part of a frame. */
static bool
prove_and_queue(Reader *reader, Lane *lane, Frame *frame, Error *err)
{
	bool proven = lane->history.state == HISTORY_PROVEN;
	int keep_from;

	if (lane_ending(lane) || !prove(lane, frame, &keep_from))
		return true;
	if (!proven && lane->history.state == HISTORY_PROVEN &&
		lane_anchored(lane) && !FAILPOINT(FP_HISTORY_PROVEN, err))
		return false;
	return queue_frame(reader, lane, frame, keep_from, err);
}

static bool
read_frame(Reader *reader, Frame *frame, Error *err)
{
	StreamSession *session = reader->session;
	bool ok = decode_frame(reader->decoder, frame, err);

	if (ok)
	{
		check_hello(reader);
		note_markers(reader, frame);
	}
	for (int i = 0; ok && i < session->lane_count; i++)
		ok = prove_and_queue(reader, &session->lanes[i], frame, err);
	frame_release(frame);
	return ok;
}

static bool
read_stream(Reader *reader, Error *err)
{
	StreamSession *session = reader->session;
	Source *source = session->source;
	Frame *frame;

	while (!session_ending(session))
	{
		if (!source->ops->stream_confirm(source, session_confirm_lsn(session),
										 err) ||
			!source->ops->stream_next(source, WAIT_MS, &frame, err))
			return false;
		atomic_store(&session->source_wal_end,
					 source->ops->stream_wal_end(source));
		if (frame != NULL && !read_frame(reader, frame, err))
			return false;
	}
	return true;
}

void *
reader_main(void *arg)
{
	StreamSession *session = arg;
	Reader reader = { .session = session };
	Error err = ERROR_INIT;

	log_set_context(session->context);
	reader.decoder = decoder_new();
	if (!read_stream(&reader, &err))
		session_fail(session, &err);
	decoder_free(reader.decoder);
	for (int i = 0; i < session->lane_count; i++)
		queue_close(session->lanes[i].queue);
	return NULL;
}

/*
 * reader.c
 *		The reader thread: frames from the source, decoded, proven, queued.
 *
 * Nothing is queued before the history is proven, and what the target has
 * already is not queued at all.  When the queue is full the reader does not
 * read, but goes on telling the source that it lives.
 */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "pipeline/decode.h"
#include "stream/history.h"
#include "stream/session.h"

/* How long one wait may take: bounds the delay of a confirmation. */
#define WAIT_MS 100

typedef struct Reader
{
	StreamSession *session;
	Decoder *decoder;
	History history;
	bool greeted;
} Reader;

/* The first thing a stream says decides what its values mean. */
static bool
check_hello(Reader *reader, Error *err)
{
	StreamSession *session = reader->session;
	const StreamHello *hello = decoder_hello(reader->decoder);

	if (reader->greeted || !hello->known)
		return true;
	reader->greeted = true;
	snprintf(session->plugin_version, sizeof(session->plugin_version), "%s",
			 hello->plugin_version);
	history_hello(&reader->history, hello->plugin_version);
	if (strcmp(hello->encoding, session->claimed.source.encoding) != 0)
		return error_set(err, P_HISTORY,
						 "the source's encoding is %s, it was "
						 "%s",
						 hello->encoding, session->claimed.source.encoding);
	return true;
}

/* Queue what is to be applied; keeps the connection alive while it waits. */
static bool
queue_frame(Reader *reader, Frame *frame, int keep_from, Error *err)
{
	StreamSession *session = reader->session;
	Source *source = session->source;
	QueueItem item = { frame, keep_from };

	if (keep_from >= frame->event_count)
	{
		frame_release(frame);
		return true;
	}
	while (!queue_push(session->queue, item, WAIT_MS))
	{
		if (session_ending(session))
		{
			frame_release(frame);
			return true;
		}
		if (!source->ops->stream_idle(source, err) ||
			!source->ops->stream_confirm(
				source, atomic_load(&session->confirm_lsn), err))
		{
			frame_release(frame);
			return false;
		}
	}
	return true;
}

/* Markers are overdue only until they are here, however long the queue is. */
static void
note_markers(Reader *reader, const Frame *frame)
{
	char nonce[NONCE_SIZE];
	int i;

	for (i = 0; i < frame->event_count; i++)
	{
		if (frame->events[i].kind == EVENT_MESSAGE &&
			message_is_marker(&frame->events[i].message, nonce))
			markers_arrived(reader->session->markers, nonce);
	}
}

static bool
read_frame(Reader *reader, Frame *frame, Error *err)
{
	bool proven = reader->history.state == HISTORY_PROVEN;
	int keep_from = 0;

	if (!decode_frame(reader->decoder, frame, err) ||
		!check_hello(reader, err) ||
		(!proven && !history_check(&reader->history, frame, &keep_from, err)))
	{
		frame_release(frame);
		return false;
	}
	note_markers(reader, frame);
	if (!proven && reader->history.state == HISTORY_PROVEN)
	{
		log_info("the source's history is proven: %" PRIu64 " transactions "
				 "since the marker at " LSN_FORMAT " are what was applied",
				 reader->history.transactions,
				 LSN_ARGS(reader->session->claimed.anchor_lsn));
		if (!FAILPOINT(FP_HISTORY_PROVEN, err))
		{
			frame_release(frame);
			return false;
		}
	}
	return queue_frame(reader, frame, keep_from, err);
}

static bool
read_stream(Reader *reader, Error *err)
{
	StreamSession *session = reader->session;
	Source *source = session->source;
	Frame *frame;

	while (!session_ending(session))
	{
		if (!source->ops->stream_confirm(
				source, atomic_load(&session->confirm_lsn), err) ||
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

	reader.decoder = decoder_new();
	history_init(&reader.history, &session->claimed);
	/* where the anchor is still ahead, stream.c has found it already */
	if (session->claimed.digest[0] == '\0')
		reader.history.state = HISTORY_PROVEN;
	if (!read_stream(&reader, &err))
		session_fail(session, &err);
	decoder_free(reader.decoder);
	queue_close(session->queue);
	return NULL;
}

/*
 * session.h
 *		What the threads of a running stream share.
 *
 * A session is the source's side: one reader, one marker thread.  For each
 * target it has a lane with a queue and a thread that collects and writes.  A lane
 * ends by itself, when it is done or has failed; the session ends with its last
 * lane, or when the source's side fails.
 *
 * Shared state is the queues, the registries of markers, positions and the first
 * failure of each side; no lock is held across a call to a server.  The reader
 * owns the source's stream and the proofs of history, the marker thread its own
 * connection, the thread of a lane its target.
 */
#ifndef PORTAGE_STREAM_SESSION_H
#define PORTAGE_STREAM_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/wake.h"
#include "pipeline/queue.h"
#include "stream/ddl_event.h"
#include "stream/history.h"
#include "stream/markers.h"
#include "stream/stamps.h"
#include "stream/stream.h"

typedef struct StreamSession StreamSession;

/* The way from the reader to one target. */
typedef struct Lane
{
	StreamSession *session;
	StreamTarget *to;
	Target *target;
	Progress *progress; /* the writer's; as claimed until it starts */
	Progress claimed;	/* what the reader proves against */
	History history;	/* the reader's */
	Queue *queue;
	Markers *markers; /* of this process, as they pass this lane */
	Stamps *stamps;
	pthread_t thread;
	bool started;
	bool left; /* config->left was called */

	atomic_bool ended;				  /* takes no more, or is to take no more */
	atomic_uint_fast64_t confirm_lsn; /* durable here */
	pthread_mutex_t mutex;
	bool failed;
	Error error; /* the first one */
} Lane;

struct StreamSession
{
	const StreamConfig *config;
	Source *source;
	const char *context; /* of log lines about the source */
	Lane *lanes;
	int lane_count;
	atomic_int lanes_left; /* whose threads have not ended */
	DdlKey ddl_key;		   /* of the messages that carry DDL */

	atomic_bool ending;					 /* threads are to return */
	Wake wake;							 /* rings when they are */
	atomic_uint_fast64_t source_wal_end; /* as the reader last heard */
	atomic_uint_fast64_t source_written; /* where the last marker went */
	char plugin_version[32];			 /* before the first frame is queued */

	pthread_mutex_t mutex;
	bool failed;
	Error error; /* the first one of the source's side */
};

/* Note a failure of the source's side; the first one ends the session. */
void session_fail(StreamSession *session, const Error *err);
bool session_ending(const StreamSession *session);

/* Have all threads return. */
void session_stop(StreamSession *session);

/* What may be told to the source: what every target has on disk. */
Lsn session_confirm_lsn(const StreamSession *session);

/* ---- lanes: lane.c */

void lane_init(Lane *lane, StreamSession *session, StreamTarget *to);
void lane_release(Lane *lane);

/* Lines of the log are about this target until log_set_context(what it gives). */
const char *lane_log(const Lane *lane);

/* Note a failure that concerns this target; the first one ends the lane. */
void lane_fail(Lane *lane, const Error *err);

/* Its thread has ended, or has not begun: tell what became of it. */
void lane_leave(Lane *lane);

/* Takes no more frames, and has its thread return. */
void lane_end(Lane *lane);
bool lane_ending(const Lane *lane);

/* Where the stream has to begin for it: at its anchor, if that is applied. */
bool lane_anchored(const Lane *lane);
Lsn lane_start_lsn(const Lane *lane);

/* Is this the server, with the history, that the target's rows came from? */
bool lane_check_identity(const Lane *lane, const SourceIdentity *now,
						 Error *err) MUST_CHECK;

/* Read what the copy left; ignored: tables that are never followed. */
bool lane_load_stamps(Lane *lane, const uint32_t *ignored, int ignored_count,
					  Error *err) MUST_CHECK;

/* Thread bodies; the argument is the session, or the lane. */
void *reader_main(void *session);
void *marker_main(void *session);
void *lane_main(void *lane);

/* Runs until the lane's end, a signal, or a failure. */
bool writer_run(Lane *lane, Error *err) MUST_CHECK;

#endif /* PORTAGE_STREAM_SESSION_H */

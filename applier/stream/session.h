/*
 * session.h
 *		What the threads of a running stream share.
 *
 * Shared state is the queue, the registry of markers, two positions and the
 * first failure; no lock is held across a call to a server.  The reader owns
 * the source's stream, the marker thread its own connection, the writer the
 * target.
 */
#ifndef PORTAGE_STREAM_SESSION_H
#define PORTAGE_STREAM_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/wake.h"
#include "pipeline/queue.h"
#include "stream/ddl_event.h"
#include "stream/markers.h"
#include "stream/stamps.h"
#include "stream/stream.h"

typedef struct StreamSession
{
	const StreamConfig *config;
	Source *source;
	Target *target;
	Progress *progress; /* the writer's; as claimed until it starts */
	Progress claimed;	/* what the reader proves against */
	Queue *queue;
	Markers *markers;
	Stamps *stamps;
	DdlKey ddl_key; /* of the messages that carry DDL */

	atomic_bool ending;				  /* threads are to return */
	Wake wake;						  /* rings when they are */
	atomic_uint_fast64_t confirm_lsn; /* durable: may be told to the source */
	atomic_uint_fast64_t source_wal_end; /* as the reader last heard */
	atomic_uint_fast64_t source_written; /* where the last marker went */
	char plugin_version[32];			 /* before the first frame is queued */

	pthread_mutex_t mutex;
	bool failed;
	Error error; /* the first one */
} StreamSession;

/* Note a failure of a thread; the first one counts and ends the session. */
void session_fail(StreamSession *session, const Error *err);
bool session_ending(StreamSession *session);

/* Have all threads return. */
void session_stop(StreamSession *session);

/* Thread bodies; the argument is the session. */
void *reader_main(void *session);
void *marker_main(void *session);

/* Runs in the caller's thread until the end, a signal, or a failure. */
bool writer_run(StreamSession *session, Error *err) MUST_CHECK;

#endif /* PORTAGE_STREAM_SESSION_H */

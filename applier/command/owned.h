/*
 * owned.h
 *		A command that owns the stream for as long as it works, and goes on by
 *		itself when a connection is lost.
 *
 * The first connection has one try, so that a wrong URL is an answer and not a
 * wait.  After that a failure that may pass (retry.h) leads back to the
 * beginning with new connections: the advisory lock went with the old one, so
 * ownership is taken again, and what is to be done next is read again.
 */
#ifndef PORTAGE_OWNED_H
#define PORTAGE_OWNED_H

#include "command/retry.h"
#include "command/session.h"

typedef struct Owned
{
	Session session;
	Retry retry;
	bool before;	   /* it was ours: options for the first time are used */
	int64_t epoch;	   /* when it was ours last; 0: never */
	bool hold_nothing; /* the plugin is not to defer in the next stream */
	Lsn alone_lsn;	   /* see StreamTarget */
	PutAsides asides;  /* the same */
} Owned;

typedef struct OwnedWork
{
	/*
	 * May the command work on what the progress row says?  Asked before the
	 * stream is owned, so that a wrong URL takes nothing over, and after.
	 */
	bool (*check)(Session *session, Error *err);
	/* Do it to its end, from where it stands; once for each connection. */
	bool (*advance)(Owned *self, Error *err);
} OwnedWork;

/* Open the session; does not connect. */
bool owned_open(Owned *self, const Options *options, Error *err) MUST_CHECK;

/* session_end() for it. */
int owned_end(Owned *self, const Error *err);

/*
 * Connect both sides and own the stream, once; only now is the row ours to change.
 * What is in PHASE_DONE is not owned.
 */
bool owned_connect(Owned *self, const OwnedWork *work, Error *err) MUST_CHECK;

/*
 * Connect, own, advance, as often as it takes.  What is in PHASE_DONE is left
 * to those who use it: not owned, but advance is called.
 */
bool owned_work(Owned *self, const OwnedWork *work, Error *err) MUST_CHECK;

/* stream_run() for it. */
bool owned_stream(Owned *self, const StreamGoal *goal, Error *err) MUST_CHECK;

#endif /* PORTAGE_OWNED_H */

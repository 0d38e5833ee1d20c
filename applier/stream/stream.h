/*
 * stream.h
 *		The running stream: one source, any number of targets.
 *
 * The reader pulls frames from the source, decodes them and queues them for each
 * target behind that target's own proof of history; each target's thread turns
 * whole transactions into target transactions; the marker thread emits a marker a
 * second.  Only the durable positions come back: what the source is told is what
 * every target has.  See doc/architecture.md.
 */
#ifndef PORTAGE_STREAM_H
#define PORTAGE_STREAM_H

#include <stdatomic.h>

#include "base/error.h"
#include "progress.h"
#include "rules/put_aside.h"
#include "rules/rule_set.h"
#include "source/source.h"
#include "target/target.h"

/* What --writers may be at most. */
#define MAX_WRITERS 16

/* How far a target is to come; neither: without an end. */
typedef struct StreamGoal
{
	bool caught_up; /* to a marker that was emitted after the start */
	Lsn lsn;		/* LSN_NONE: none */
	Lsn before_lsn; /* the same, and no transaction that committed there or
					 * behind is applied: the first to come is the end */
} StreamGoal;

/*
 * A target of the stream: connected and owned, progress is as claimed and is
 * kept current.
 */
typedef struct StreamTarget
{
	Target *target;
	Progress *progress;
	const RuleSet *rules; /* what its rows go through; or NULL */
	PutAsides *asides; /* with rules: what goes into quarantine since the target
						* refuses it; added to before P_PUT_ASIDE */
	Lsn *alone_lsn; /* the commit of a transaction that is to be applied row by
					 * row; set before an error that asks for it */
	StreamGoal goal;
	bool reached;		 /* it has, and what it has is durable */
	const char *context; /* of its log lines; NULL: the caller's */
	Error error;		 /* why it ended before its time; or none */
} StreamTarget;

typedef struct StreamConfig
{
	bool defer; /* the plugin may hold small transactions */
	int writers;
	bool serial; /* every change by its own statement */
	int batch_rows;
	int batch_singles; /* of them, changes that are written by themselves */
	size_t batch_bytes;
	size_t queue_bytes;
	bool hold; /* a target is missing here: nothing may be confirmed */
	const atomic_bool *end; /* becomes true: end as for a signal; or NULL */

	/*
	 * Called once for each target, perhaps by another thread, when the stream has
	 * left it, which may be long before the stream ends; or NULL.
	 */
	void (*left)(void *arg, const StreamTarget *target);
	void *left_arg;
} StreamConfig;

/*
 * Stream until each target has come to its goal, or has failed,
 * or until a signal; false with err if the source's side has failed.  A target
 * that fails is left, with its error, and the others go on.
 *
 * The source is connected.  After a transient error the caller connects and owns
 * that side anew and calls again: what was received and not applied is asked for
 * again, from the smallest of the targets' anchors.
 */
bool stream_run(const StreamConfig *config, Source *source,
				StreamTarget *targets, int count, Error *err) MUST_CHECK;

/*
 * Emit a marker after the slot was made and find it in the stream: sets
 * anchor_lsn, anchor_nonce and plugin_version in progress.
 */
bool
stream_first_anchor(Source *source, Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_STREAM_H */

/*
 * stream.h
 *		The running stream: reader, writer and marker threads around one queue.
 *
 * The reader pulls frames from the source, decodes them, proves the history and
 * queues them; the writer turns whole transactions into target transactions;
 * the marker thread emits a marker a second.  Only the durable position comes
 * back.  See doc/architecture.md.
 */
#ifndef PORTAGE_STREAM_H
#define PORTAGE_STREAM_H

#include "base/error.h"
#include "progress.h"
#include "source/source.h"
#include "target/target.h"

/* What --writers may be at most. */
#define MAX_WRITERS 16

typedef struct StreamConfig
{
	bool until_caught_up;
	Lsn until_lsn;	/* LSN_NONE: no end */
	Lsn before_lsn; /* the same, and no transaction that committed there or
					 * behind is applied: the first to come is the end */
	bool defer;		/* the plugin may hold small transactions */
	int writers;
	bool serial;	/* every change by its own statement */
	Lsn *alone_lsn; /* the commit of a transaction that is to be applied row by
					 * row; set before an error that asks for it */
	int batch_rows;
	int batch_singles; /* of them, changes that are written by themselves */
	size_t batch_bytes;
	size_t queue_bytes;
} StreamConfig;

/*
 * Stream until the end that config names, a signal, or an error; true for the
 * first two.  Source and target are connected and owned, progress is as
 * claimed; it is kept current.  After a transient error the caller connects
 * and owns both sides anew and calls again: what was received and not applied
 * is asked for again, from the anchor.
 */
bool stream_run(const StreamConfig *config, Source *source, Target *target,
				Progress *progress, Error *err) MUST_CHECK;

/*
 * Emit a marker after the slot was made and find it in the stream: sets
 * anchor_lsn, anchor_nonce and plugin_version in progress.
 */
bool
stream_first_anchor(Source *source, Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_STREAM_H */

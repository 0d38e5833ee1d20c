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

typedef struct StreamConfig
{
	bool		until_caught_up;
	Lsn			until_lsn;		/* LSN_NONE: no end */
	int64_t		retry_for_ms;	/* 0: for ever */
	int			batch_rows;
	size_t		batch_bytes;
	size_t		queue_bytes;
} StreamConfig;

/*
 * Stream until the end that config names, a signal, or an error that cannot be
 * retried.  The target owns the stream (lock held, epoch in progress); after a
 * reconnect to the target both are taken again.  True also for a signal.
 */
bool		stream_run(const StreamConfig *config, Source *source,
					   Target *target, Progress *progress,
					   Error *err) MUST_CHECK;

/*
 * Emit a marker after the slot was made and find it in the stream: sets
 * anchor_lsn and anchor_nonce in progress.
 */
bool		stream_first_anchor(Source *source, Progress *progress,
								Error *err) MUST_CHECK;

#endif							/* PORTAGE_STREAM_H */

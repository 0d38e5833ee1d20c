/*
 * copy.h
 *		The initial copy: schema, tables, indexes, sequences.
 *
 * What may disagree between tables, or pieces of one, that were read under
 * different snapshots is created later: copy_later().
 *
 * Works from what portage.ddl and portage.chunk say, so it can be started again
 * at any moment: what is done stays, what is not is read under a new snapshot
 * and stamped with it.
 */
#ifndef PORTAGE_COPY_H
#define PORTAGE_COPY_H

#include "base/error.h"
#include "progress.h"
#include "rules/rule_set.h"
#include "source/source.h"
#include "target/target.h"

typedef struct CopyConfig
{
	const RuleSet *rules; /* prepared; NULL: none */
	int jobs;			  /* chunks at a time */
	int64_t split_bytes;  /* tables above this are split */
	bool quiet;			  /* no progress lines */
} CopyConfig;

/*
 * From PHASE_SCHEMA or PHASE_COPY to PHASE_STREAM.  snapshot is the slot's,
 * still held by source, or NULL: after a crash in PHASE_COPY, and where there is
 * no slot in progress, so that no stream follows and all rows must be of one
 * snapshot.  Saves the phase in progress and on the target.
 */
bool copy_run(const CopyConfig *config, Source *source, Target *target,
			  Progress *progress, const SlotSnapshot *snapshot,
			  Error *err) MUST_CHECK;

/* How many entries wait until the stream has passed the newest stamp? */
bool copy_waiting(Target *target, int *count, Error *err) MUST_CHECK;

/* Create them; the stream has passed it: no transaction before it is left. */
bool
copy_later(Target *target, const Progress *progress, Error *err) MUST_CHECK;

/*
 * From PHASE_STREAM or PHASE_FINISH to PHASE_DONE: create what was deferred, and
 * set the sequences.  Saves the phase in progress and on the target.
 */
bool copy_finish(Source *source, Target *target, const RuleSet *rules,
				 Progress *progress, Error *err) MUST_CHECK;

/*
 * Set the target's sequences, as far as rules let them come, to where the source's
 * are now.
 */
bool copy_sequences(Source *source, Target *target, const RuleSet *rules,
					const Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_H */

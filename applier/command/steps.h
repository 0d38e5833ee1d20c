/*
 * steps.h
 *		What run does for a source and a target, step by step.
 *
 * Each step goes from one phase of the progress row to the next.  Who runs one pair
 * takes them in a row (run.c); where several targets share a source's slot and
 * stream, those two belong to the source, and the rest is the pair's (keeper.c).
 */
#ifndef PORTAGE_STEPS_H
#define PORTAGE_STEPS_H

#include "command/session.h"

/* May run work on what the progress row says? */
bool step_check(Session *session, Error *err) MUST_CHECK;

/*
 * PHASE_NONE: look before anything is touched, then insert the progress row, the
 * intent.  origin_nonce: that of the source's other targets; "" makes one.
 */
bool
step_begin(Session *session, const char *origin_nonce, Error *err) MUST_CHECK;

/* A slot of ours that nothing on a target speaks of is somebody else's. */
bool step_check_no_slot(Session *session, Error *err) MUST_CHECK;

/*
 * Another --on-loss than before: what becomes of values that are lost is for
 * whoever runs it to say, each time.  Types of columns stay as they are.
 */
bool step_keep_losses(Session *session, Error *err) MUST_CHECK;

/* Make the slot, anew if one was left by a start that died. */
bool
step_make_slot(Session *session, SlotSnapshot *snapshot, Error *err) MUST_CHECK;

/* Where a target begins that is to have what comes behind the snapshot. */
void step_place(const SlotSnapshot *snapshot, Progress *next);

/* Save what next says; the session's progress is that then. */
bool step_save(Session *session, const Progress *next, Error *err) MUST_CHECK;

/* To PHASE_STREAM.  snapshot: what the rows are read under; NULL: a new one. */
bool step_copy(Session *session, const SlotSnapshot *snapshot,
			   Error *err) MUST_CHECK;

/*
 * Is there something to be created that waits until the stream has passed the
 * newest stamp?  Then *goal is that; its before_lsn is LSN_NONE if there is nothing,
 * or if it was passed, and what waited has been created.  passed: the stream has
 * reached that goal, as the next transaction, which may need what waits, lies
 * behind it.
 */
bool step_later(Session *session, bool passed, StreamGoal *goal,
				Error *err) MUST_CHECK;

#endif /* PORTAGE_STEPS_H */

/*
 * writer_durable.c
 *		What has become durable on the target, and whether the stream is at its end.
 *
 * What may be confirmed to the source is the anchor before the one in the last
 * progress row that is durable on the target.
 */
#include "base/clock.h"
#include "base/failpoint.h"
#include "stream/writer_parts.h"

/* of the time between two questions the answer may take no more than a fifth */
#define DURABLE_ASK_SHARE 4

/* What has become durable may be confirmed. */
static bool
settle(Writer *writer, uint64_t durable, Error *err)
{
	PendingCommit settled;

	if (!pending_settle(&writer->pending, durable, &settled))
		return true;
	writer->durable_resume = settled.resume_lsn;
	atomic_store(&writer->lane->confirm_lsn, settled.confirm_lsn);
	return FAILPOINT(FP_BATCH_DURABLE, err);
}

/* Does everything before lsn reach an end that the caller has set? */
static bool
is_at_limit(const Writer *writer, Lsn lsn)
{
	const StreamGoal *goal = &writer->lane->to->goal;

	return lsn_reaches(lsn, goal->lsn) || lsn_reaches(lsn, goal->before_lsn);
}

bool
writer_applied_to_end(const Writer *writer)
{
	Lsn resume_lsn = writer->lane->progress->resume_lsn;

	return lsn_reaches(resume_lsn, writer->goal_lsn) ||
		   is_at_limit(writer, resume_lsn) ||
		   (writer->passed && resume_lsn >= writer->planned.resume_lsn);
}

bool
writer_durability_open(const Writer *writer)
{
	return writer->pending.count > 0 || writers_busy(writer->writers) > 0;
}

bool
writer_check_durable(Writer *writer, Error *err)
{
	Target *target = writer->lane->target;
	bool to_end = writer_applied_to_end(writer);
	TargetDurability durability;
	int64_t now_ms = clock_ms();

	/* in the middle of a transaction the connection can't be asked */
	if (!writer_durability_open(writer) || writer->alone)
		return true;
	if (!to_end &&
		now_ms - writer->asked_ms < writer->answer_ms * DURABLE_ASK_SHARE)
		return true;
	if (!target->ops->durability(target,
								 to_end ? DURABILITY_FORCED : DURABILITY_ASKED,
								 &durability, err))
		return false;
	writer->asked_ms = clock_ms();
	writer->answer_ms = writer->asked_ms - now_ms;
	return settle(writer, durability.durable, err);
}

bool
writer_note_applied(Writer *writer, const StreamBatch *batch,
					const TargetDurability *durability, Error *err)
{
	Lane *lane = writer->lane;

	if (!batch->last)
		return true;
	*lane->progress = batch->after;
	pending_add(&writer->pending,
				&(PendingCommit){ durability->written, batch->after.resume_lsn,
								  batch->after.previous_anchor_lsn });
	if (!settle(writer, durability->durable, err))
		return false;
	if (batch->news.marker)
		writer->lag_ms = batch->news.marker_age_ms;
	if (batch->news.marker && lane->to->goal.caught_up &&
		writer->goal_lsn == LSN_NONE)
		writer->goal_lsn = batch->news.marker_end_lsn;
	return true;
}

bool
writer_planned_to_end(const Writer *writer)
{
	return writer->passed || is_at_limit(writer, writer->planned.resume_lsn);
}

bool
writer_goal_reached(const Writer *writer)
{
	return lsn_reaches(writer->durable_resume, writer->goal_lsn) ||
		   is_at_limit(writer, writer->durable_resume) ||
		   (writer->passed && writer_applied_to_end(writer) &&
			!writer_durability_open(writer));
}

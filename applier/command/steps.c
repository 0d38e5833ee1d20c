/*
 * steps.c
 *		See steps.h.
 */
#include "command/steps.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "command/preflight.h"
#include "command/session_rules.h"
#include "copy/copy.h"

bool
step_check(Session *session, Error *err)
{
	return session_check(session, err) &&
		   (session->progress.phase != PHASE_NONE ||
			preflight_distinct(session, err));
}

/* How the schema is translated is a matter of the migration, not of a start. */
static void
begin_mapping(const Session *session, Progress *progress)
{
	const TargetConfig *config = &session->target_config;

	snprintf(progress->on_loss, sizeof(progress->on_loss), "%s",
			 config->on_loss);
	snprintf(progress->schemas, sizeof(progress->schemas), "%s",
			 config->schemas_as_databases ? "databases" : "prefix");
}

bool
step_check_no_slot(Session *session, Error *err)
{
	SlotInfo slot;

	if (!session->source->ops->slot_inspect(session->source, &slot, err))
		return false;
	return !slot.exists ||
		   error_set(err, P_SLOT_FOREIGN,
					 "the source has a slot %s already, and the target "
					 "knows nothing of it",
					 session->slot);
}

static bool
look_first(Session *session, Error *err)
{
	Findings findings;
	Arena arena;
	bool ok;

	arena_init(&arena);
	findings_init(&findings, &arena);
	ok = preflight(session, &findings, err) && findings_verdict(&findings, err);
	arena_release(&arena);
	return ok;
}

bool
step_begin(Session *session, const char *origin_nonce, Error *err)
{
	const Options *options = session->options;
	Progress *progress = &session->progress;

	if (!look_first(session, err))
		return false;
	memset(progress, 0, sizeof(*progress));
	progress->phase = options->copy_only ? PHASE_SCHEMA : PHASE_SLOT;
	progress->source = session->identity;
	snprintf(progress->origin_nonce, sizeof(progress->origin_nonce), "%s",
			 origin_nonce);
	snprintf(progress->stream, sizeof(progress->stream), "%s", options->name);
	if (!options->copy_only)
		snprintf(progress->slot, sizeof(progress->slot), "%s", session->slot);
	snprintf(progress->tables, sizeof(progress->tables), "%s", options->tables);
	snprintf(progress->exclude_tables, sizeof(progress->exclude_tables), "%s",
			 options->exclude_tables);
	session_rules_note(session, progress);
	if (session->target->ops->features.own_schema)
		begin_mapping(session, progress);
	if (!session->target->ops->state_create(session->target, err) ||
		!session->target->ops->progress_insert(session->target, progress, err))
	{
		progress->epoch = 0; /* nobody knows whether it is there */
		return false;
	}
	return FAILPOINT(FP_SLOT_INTENDED, err);
}

bool
step_save(Session *session, const Progress *next, Error *err)
{
	if (!session->target->ops->progress_save(session->target, next, err))
		return false;
	session->progress = *next;
	return true;
}

bool
step_keep_losses(Session *session, Error *err)
{
	const char *on_loss = session->target_config.on_loss;
	Progress next = session->progress;

	if (!session->target->ops->features.own_schema ||
		strcmp(next.on_loss, on_loss) == 0)
		return true;
	log_info("--on-loss was \"%s\", it is \"%s\" from now on", next.on_loss,
			 on_loss);
	snprintf(next.on_loss, sizeof(next.on_loss), "%s", on_loss);
	return step_save(session, &next, err);
}

bool
step_make_slot(Session *session, SlotSnapshot *snapshot, Error *err)
{
	const SourceOps *ops = session->source->ops;
	bool existed;

	if (!ops->slot_drop(session->source, &existed, err))
		return false;
	if (existed)
		log_info("dropped the slot %s that an interrupted start had left",
				 session->slot);
	if (!ops->slot_create(session->source, snapshot, err))
		return false;
	log_info("created the slot %s at " LSN_FORMAT, session->slot,
			 LSN_ARGS(snapshot->consistent_lsn));
	return true;
}

void
step_place(const SlotSnapshot *snapshot, Progress *next)
{
	next->consistent_lsn = snapshot->consistent_lsn;
	next->resume_lsn = snapshot->consistent_lsn;
	next->previous_anchor_lsn = snapshot->consistent_lsn;
}

/* Before the stream; the stream proves more than this by itself. */
static bool
check_slot(Session *session, Error *err)
{
	const SourceIdentity *then = &session->progress.source;
	SlotInfo slot;

	if (session->options->copy_only)
		return true;
	if (then->timeline != session->identity.timeline)
		return error_set(err, P_TIMELINE,
						 "the source is on timeline %u, the migration was "
						 "begun on %u",
						 session->identity.timeline, then->timeline);
	return source_slot_check(session->source, &slot, err);
}

bool
step_copy(Session *session, const SlotSnapshot *snapshot, Error *err)
{
	CopyConfig config = {
		.rules = session->rules,
		.jobs = session->options->jobs,
		.split_bytes = session->options->split_over,
		.quiet = session->options->quiet,
	};

	if (!check_slot(session, err) ||
		!copy_run(&config, session->source, session->target, &session->progress,
				  snapshot, err))
		return false;
	session->source->ops->slot_snapshot_release(session->source);
	return true;
}

bool
step_later(Session *session, bool passed, StreamGoal *goal, Error *err)
{
	const Progress *progress = &session->progress;
	int waiting;

	*goal = (StreamGoal){ .lsn = LSN_NONE };
	if (!copy_waiting(session->target, &waiting, err))
		return false;
	if (waiting == 0)
		return true;
	if (passed || progress->resume_lsn >= progress->newest_stamp_lsn)
		return copy_later(session->target, progress, err);
	goal->before_lsn = progress->newest_stamp_lsn;
	return true;
}

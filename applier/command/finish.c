/*
 * finish.c
 *		pg_portage finish: what had to wait while the stream ran.
 *
 * Nothing can be applied any more when it has begun, so what the source has
 * committed until now is applied first: nobody loses it by forgetting to.
 *
 * It may be killed after any object and begun again, so that is what happens
 * when a connection is lost: owned.h.
 */
#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"
#include "command/owned.h"
#include "command/session_rules.h"
#include "command/walk.h"
#include "copy/copy.h"
#include "rules/quarantined.h"

/* Is there something to apply, perhaps?  Without a slot (--copy-only) not. */
static bool
needs_stream(const Session *session)
{
	return session->progress.phase == PHASE_STREAM &&
		   session->progress.slot[0] != '\0';
}

static bool
check_phase(Session *session, Error *err)
{
	Phase phase = session->progress.phase;

	if (phase == PHASE_NONE)
		return error_set(err, P_NOT_MIGRATING,
						 "the target has no migration \"%s\"",
						 session->options->name);
	if (phase < PHASE_STREAM)
		return error_set(err, P_OPTIONS,
						 "the migration \"%s\" is still in phase \"%s\"",
						 session->options->name, phase_name(phase)) ||
			   error_hint(err, "let pg_portage run complete the copy first");
	return session_check_source(session, err) &&
		   session_rules_check(session, err);
}

static bool
drain(Owned *self, Error *err)
{
	StreamGoal goal = { .caught_up = true };

	if (!needs_stream(&self->session))
		return true;
	log_info("finish: applying what the source has committed so far");
	if (!owned_stream(self, &goal, err))
		return false;
	return !signals_stop_requested() || error_set(err, P_STOPPED, "stopped");
}

static bool
count_row(void *count, const KeptRow *row, Error *err)
{
	(void) err;
	*(int *) count += row->body.len > 0;
	return true;
}

/* Rows that nothing could bring any more are not left behind without a word. */
static bool
check_quarantine(Session *session, Error *err)
{
	const TargetOps *ops = session->target->ops;
	int count = 0;

	if (!ops->kept_visit(session->target, KEPT_AREA_QUARANTINE, count_row,
						 &count, err))
		return false;
	if (count == 0)
		return true;
	error_set(err, P_OPTIONS,
			  "%d rows are in quarantine, and cannot be tried again once finish"
			  " has begun",
			  count);
	return error_hint(err,
					  "see pg_portage quarantine list; then retry them, or drop"
					  " those that the target is to be without");
}

static bool
finish(Owned *self, Error *err)
{
	Session *session = &self->session;

	/* once it has ended, the target is written to by others: hands off */
	if (session->progress.phase == PHASE_DONE)
		return true;
	/* what the migration was begun with, not what this command was given */
	session->source_config.tables = session->progress.tables;
	session->source_config.exclude_tables = session->progress.exclude_tables;
	return drain(self, err) &&
		   (!needs_stream(session) || check_quarantine(session, err)) &&
		   copy_finish(session->source, session->target, session->rules,
					   &session->progress, err);
}

static int
finish_pair(const Options *options)
{
	static const OwnedWork work = { check_phase, finish };
	Owned owned;
	Error err = ERROR_INIT;

	if (owned_open(&owned, options, &err) && owned_work(&owned, &work, &err))
		log_info("done: nothing is deferred any more; let the applications use "
				 "the target, and pg_portage drop clean up");
	return owned_end(&owned, &err);
}

int
command_finish(const Options *options)
{
	return walk_pairs(options, finish_pair, WALK_SUCCESS);
}

/*
 * run.c
 *		pg_portage run: the next thing, until told to stop.
 *
 * What is to be done next is read from the progress row, so a start after any
 * crash and a start for the first time take the same path:
 *
 *		PHASE_NONE		preflight; the row with PHASE_SLOT is inserted before
 *						the slot is created, so that a slot of our name without
 *						a row is known to be somebody else's
 *		PHASE_SLOT		a slot that exists is from a crash: nothing has been
 *						read from it, it is dropped and created again
 *		PHASE_SCHEMA	copy_run(); after a crash, when the slot's snapshot is
 *						gone and nothing is stored yet, as PHASE_SLOT
 *		PHASE_COPY		copy_run()
 *		PHASE_STREAM	stream_run()
 *
 * With --copy-only there is no slot: from PHASE_NONE to PHASE_SCHEMA, and behind
 * the copy, instead of streaming, what finish does.
 *
 * After a failure that may pass it all begins again: owned.h.
 */
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/after.h"
#include "command/commands.h"
#include "command/owned.h"
#include "command/run_many.h"
#include "command/steps.h"
#include "copy/copy.h"

typedef struct Run
{
	Owned owned;
	bool has_snapshot; /* the slot's own is still held */
	SlotSnapshot snapshot;
} Run;

/* From PHASE_SLOT to PHASE_SCHEMA: slot, its snapshot, the first anchor. */
static bool
create_slot(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	Progress next = session->progress;

	if (!step_make_slot(session, &run->snapshot, err))
		return false;
	run->has_snapshot = true;
	step_place(&run->snapshot, &next);
	if (!stream_first_anchor(session->source, &next, err))
		return error_wrap(err, "the first marker");
	next.phase = PHASE_SCHEMA;
	return step_save(session, &next, err) && FAILPOINT(FP_ANCHOR_STORED, err);
}

static bool
begin(Session *session, Error *err)
{
	return (session->options->copy_only || step_check_no_slot(session, err)) &&
		   step_begin(session, "", err);
}

static bool
copy(Run *run, Error *err)
{
	if (!step_copy(&run->owned.session,
				   run->has_snapshot ? &run->snapshot : NULL, err))
		return false;
	run->has_snapshot = false;
	return true;
}

static bool
is_past_stamps(const Session *session)
{
	return session->progress.resume_lsn >= session->progress.newest_stamp_lsn;
}

/* Has the stream come to the end that the user has set? */
static bool
is_past_until(const Session *session)
{
	return lsn_reaches(session->progress.resume_lsn,
					   session->options->until_lsn);
}

/*
 * Keys that wait until the stream has passed the newest stamp.  It has once the
 * next transaction lies behind it, which may be DDL that needs these keys.
 */
static bool
stream_past_stamps(Run *run, bool *ended, Error *err)
{
	Session *session = &run->owned.session;
	StreamGoal goal;

	*ended = false;
	if (!step_later(session, false, &goal, err))
		return false;
	if (goal.before_lsn == LSN_NONE)
		return true;
	goal.lsn = session->options->until_lsn;
	if (!is_past_until(session) && !owned_stream(&run->owned, &goal, err))
		return false;
	*ended = signals_stop_requested() ||
			 (!is_past_stamps(session) && is_past_until(session));
	return *ended || step_later(session, true, &goal, err);
}

static bool
stream(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	StreamGoal goal = {
		.caught_up = session->options->until_caught_up,
		.lsn = session->options->until_lsn,
	};
	bool ended;

	if (!stream_past_stamps(run, &ended, err) ||
		(!ended && !owned_stream(&run->owned, &goal, err)))
		return false;
	/* the WAL does not carry sequences: leave them as they are now */
	return signals_stop_requested() ||
		   copy_sequences(session->source, session->target, session->rules,
						  &session->progress, err);
}

/* --copy-only: nothing is applied behind it, so nothing has to wait. */
static bool
copy_alone(Run *run, Error *err)
{
	Session *session = &run->owned.session;

	return (session->progress.phase >= PHASE_STREAM || copy(run, err)) &&
		   copy_finish(session->source, session->target, session->rules,
					   &session->progress, err);
}

/* Everything up to and including the copy, and the stream behind it. */
static bool
advance(Owned *self, Error *err)
{
	Run *run = (Run *) self;
	Progress *progress = &self->session.progress;

	run->has_snapshot = false; /* it went with the connection, if there was */
	if (progress->phase == PHASE_NONE && !begin(&self->session, err))
		return false;
	if (!step_keep_losses(&self->session, err))
		return false;
	if (run->owned.session.options->copy_only)
		return copy_alone(run, err);
	if ((progress->phase == PHASE_SLOT ||
		 (progress->phase == PHASE_SCHEMA && !run->has_snapshot)) &&
		!create_slot(run, err))
		return false;
	if (progress->phase < PHASE_STREAM && !copy(run, err))
		return false;
	return stream(run, err);
}

/* A migration of one source to one target. */
static int
run_pair(const Options *options)
{
	static const OwnedWork work = { step_check, advance };
	Run run = { .has_snapshot = false };
	Error err = ERROR_INIT;

	if (owned_open(&run.owned, options, &err) &&
		owned_work(&run.owned, &work, &err))
	{
		if (signals_stop_requested())
			error_set(&err, P_STOPPED, "stopped");
		else
			log_info("done: the target has %s " LSN_FORMAT,
					 options->copy_only ? "the rows of a snapshot at"
										: "everything up to",
					 LSN_ARGS(run.owned.session.progress.resume_lsn));
	}
	return owned_end(&run.owned, &err);
}

int
command_run(const Options *options)
{
	Error err = ERROR_INIT;
	Pairs pairs;
	Arena arena;
	int code;

	arena_init(&arena);
	if (!pairs_make(options, &arena, &pairs, &err) ||
		!after_wait(&pairs, options->config, &err))
	{
		if (err.kind == ERROR_STOPPED)
			log_info("stopped by signal before anything was begun");
		else
			log_error(&err);
		code = error_exit_code(&err);
	}
	else if (pairs.count == 1)
		code = run_pair(&pairs.items[0].options);
	else
		code = run_many(&pairs);
	arena_release(&arena);
	return code;
}

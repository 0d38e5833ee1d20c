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
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"
#include "command/owned.h"
#include "command/preflight.h"
#include "copy/copy.h"

typedef struct Run
{
	Owned owned;
	bool has_snapshot; /* the slot's own is still held */
	SlotSnapshot snapshot;
} Run;

static bool
inspect_slot(Run *run, SlotInfo *info, Error *err)
{
	Source *source = run->owned.session.source;

	return source->ops->slot_inspect(source, info, err);
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

/* The first start: look before anything is touched, then leave the intent. */
static bool
begin(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	Progress *progress = &session->progress;
	bool copy_only = session->options->copy_only;
	Findings findings;
	SlotInfo slot;
	Arena arena;
	bool ok;

	if (!copy_only && !inspect_slot(run, &slot, err))
		return false;
	if (!copy_only && slot.exists)
		return error_set(err, P_SLOT_FOREIGN,
						 "the source has a slot %s already, and the target "
						 "knows nothing of it",
						 session->slot);
	arena_init(&arena);
	findings_init(&findings, &arena);
	ok = preflight(session, &findings, err) && findings_verdict(&findings, err);
	arena_release(&arena);
	if (!ok)
		return false;
	memset(progress, 0, sizeof(*progress));
	progress->phase = copy_only ? PHASE_SCHEMA : PHASE_SLOT;
	progress->source = session->identity;
	snprintf(progress->stream, sizeof(progress->stream), "%s",
			 session->options->name);
	if (!copy_only)
		snprintf(progress->slot, sizeof(progress->slot), "%s", session->slot);
	snprintf(progress->tables, sizeof(progress->tables), "%s",
			 session->options->tables);
	snprintf(progress->exclude_tables, sizeof(progress->exclude_tables), "%s",
			 session->options->exclude_tables);
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

/*
 * Another --on-loss than before: what becomes of values that are lost is for
 * whoever runs it to say, each time.  Types of columns stay as they are.
 */
static bool
keep_losses(Session *session, Error *err)
{
	const char *on_loss = session->target_config.on_loss;
	Progress next = session->progress;

	if (!session->target->ops->features.own_schema ||
		strcmp(next.on_loss, on_loss) == 0)
		return true;
	log_info("--on-loss was \"%s\", it is \"%s\" from now on", next.on_loss,
			 on_loss);
	snprintf(next.on_loss, sizeof(next.on_loss), "%s", on_loss);
	if (!session->target->ops->progress_save(session->target, &next, err))
		return false;
	session->progress = next;
	return true;
}

/* From PHASE_SLOT to PHASE_SCHEMA: slot, its snapshot, the first anchor. */
static bool
create_slot(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	Source *source = session->source;
	Progress next = session->progress;
	bool existed;

	if (!source->ops->slot_drop(source, &existed, err))
		return false;
	if (existed)
		log_info("dropped the slot %s that an interrupted start had left",
				 session->slot);
	if (!source->ops->slot_create(source, &run->snapshot, err))
		return false;
	run->has_snapshot = true;
	log_info("created the slot %s at " LSN_FORMAT, session->slot,
			 LSN_ARGS(run->snapshot.consistent_lsn));
	next.consistent_lsn = run->snapshot.consistent_lsn;
	next.resume_lsn = run->snapshot.consistent_lsn;
	next.previous_anchor_lsn = run->snapshot.consistent_lsn;
	if (!stream_first_anchor(source, &next, err))
		return error_wrap(err, "the first marker");
	next.phase = PHASE_SCHEMA;
	if (!session->target->ops->progress_save(session->target, &next, err))
		return false;
	session->progress = next;
	return FAILPOINT(FP_ANCHOR_STORED, err);
}

/* Before the stream; the stream proves more than this by itself. */
static bool
check_slot(Run *run, Error *err)
{
	const Session *session = &run->owned.session;
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

static bool
copy(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	CopyConfig config = {
		.jobs = session->options->jobs,
		.split_bytes = session->options->split_over,
		.quiet = session->options->quiet,
	};

	if (!check_slot(run, err) ||
		!copy_run(&config, session->source, session->target, &session->progress,
				  run->has_snapshot ? &run->snapshot : NULL, err))
		return false;
	session->source->ops->slot_snapshot_release(session->source);
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
	Lsn until_lsn = session->options->until_lsn;

	return until_lsn != LSN_NONE && session->progress.resume_lsn >= until_lsn;
}

/*
 * Keys that wait until the stream has passed the newest stamp.  It has once the
 * next transaction lies behind it, which may be DDL that needs these keys.
 */
static bool
stream_past_stamps(Run *run, bool *ended, Error *err)
{
	Session *session = &run->owned.session;
	StreamConfig config = session_stream_config(session->options);
	int waiting;

	*ended = false;
	config.until_lsn = session->options->until_lsn;
	config.before_lsn = session->progress.newest_stamp_lsn;
	if (!copy_waiting(session->target, &waiting, err))
		return false;
	if (waiting == 0)
		return true;
	if (!is_past_stamps(session) && !is_past_until(session) &&
		!owned_stream(&run->owned, &config, err))
		return false;
	*ended = signals_stop_requested() ||
			 (!is_past_stamps(session) && is_past_until(session));
	return *ended || copy_later(session->target, &session->progress, err);
}

static bool
stream(Run *run, Error *err)
{
	Session *session = &run->owned.session;
	StreamConfig config = session_stream_config(session->options);
	bool ended;

	config.until_caught_up = session->options->until_caught_up;
	config.until_lsn = session->options->until_lsn;
	if (!stream_past_stamps(run, &ended, err) ||
		(!ended && !owned_stream(&run->owned, &config, err)))
		return false;
	/* the WAL does not carry sequences: leave them as they are now */
	return signals_stop_requested() ||
		   copy_sequences(session->source, session->target, &session->progress,
						  err);
}

static bool
check(Session *session, Error *err)
{
	return session_check(session, err) &&
		   (session->progress.phase != PHASE_NONE ||
			preflight_distinct(session, err));
}

/* --copy-only: nothing is applied behind it, so nothing has to wait. */
static bool
copy_alone(Run *run, Error *err)
{
	Session *session = &run->owned.session;

	return (session->progress.phase >= PHASE_STREAM || copy(run, err)) &&
		   copy_finish(session->source, session->target, &session->progress,
					   err);
}

/* Everything up to and including the copy, and the stream behind it. */
static bool
advance(Owned *self, Error *err)
{
	Run *run = (Run *) self;
	Progress *progress = &self->session.progress;

	run->has_snapshot = false; /* it went with the connection, if there was */
	if (progress->phase == PHASE_NONE && !begin(run, err))
		return false;
	if (!keep_losses(&self->session, err))
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

int
command_run(const Options *options)
{
	static const OwnedWork work = { check, advance };
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
	return session_end(&run.owned.session, &err);
}

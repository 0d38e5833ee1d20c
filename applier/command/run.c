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
 * A failure that may pass leads back to the beginning with new connections: the
 * advisory lock went with the old one, so ownership is taken again.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"
#include "command/preflight.h"
#include "command/retry.h"
#include "command/session.h"
#include "copy/copy.h"
#include "owner.h"
#include "stream/stream.h"

#define STREAM_WENT_WELL_MS 10000

typedef struct Run
{
	Session session;
	Retry retry;
	bool owned_before; /* options for the first time have been used */
	int64_t epoch;	   /* when the stream was ours last; 0: never */
	bool has_snapshot; /* the slot's own is still held */
	bool hold_nothing; /* the plugin is not to defer in the next stream */
	SlotSnapshot snapshot;
} Run;

static bool
inspect_slot(Run *run, SlotInfo *info, Error *err)
{
	Source *source = run->session.source;

	return source->ops->slot_inspect(source, info, err);
}

/* The first start: look before anything is touched, then leave the intent. */
static bool
begin(Run *run, Error *err)
{
	Session *session = &run->session;
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
	ok = preflight(session, &findings, err) &&
		 preflight_verdict(&findings, err);
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
	if (!session->target->ops->state_create(session->target, err) ||
		!session->target->ops->progress_insert(session->target, progress, err))
	{
		progress->epoch = 0; /* nobody knows whether it is there */
		return false;
	}
	return FAILPOINT(FP_SLOT_INTENDED, err);
}

/* From PHASE_SLOT to PHASE_SCHEMA: slot, its snapshot, the first anchor. */
static bool
create_slot(Run *run, Error *err)
{
	Session *session = &run->session;
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
	const Session *session = &run->session;
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
	Session *session = &run->session;
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
stream_to(Run *run, StreamConfig *config, Error *err)
{
	Session *session = &run->session;
	int64_t started_ms = clock_ms();

	config->defer = !run->hold_nothing;
	if (stream_run(config, session->source, session->target, &session->progress,
				   err))
		return true;
	/*
	 * The error may have been about what the plugin held back.  A stream that
	 * went well for a while without that says it was not.
	 */
	run->hold_nothing = config->defer ||
						clock_ms() - started_ms < STREAM_WENT_WELL_MS;
	return false;
}

/* Keys that wait until the stream has passed the newest stamp. */
static bool
stream_past_stamps(Run *run, bool *ended, Error *err)
{
	Session *session = &run->session;
	const Progress *progress = &session->progress;
	const Options *options = session->options;
	StreamConfig config = session_stream_config();
	int waiting;

	*ended = false;
	config.until_lsn = progress->newest_stamp_lsn;
	if (!copy_waiting(session->target, &waiting, err))
		return false;
	if (waiting == 0)
		return true;
	if (options->until_lsn != LSN_NONE && options->until_lsn < config.until_lsn)
		config.until_lsn = options->until_lsn;
	if (progress->resume_lsn < config.until_lsn &&
		!stream_to(run, &config, err))
		return false;
	*ended = signals_stop_requested() ||
			 progress->resume_lsn < progress->newest_stamp_lsn;
	return *ended || copy_later(session->target, progress, err);
}

static bool
stream(Run *run, Error *err)
{
	Session *session = &run->session;
	StreamConfig config = session_stream_config();
	bool ended;

	config.until_caught_up = session->options->until_caught_up;
	config.until_lsn = session->options->until_lsn;
	if (!stream_past_stamps(run, &ended, err) ||
		(!ended && !stream_to(run, &config, err)))
		return false;
	/* the WAL does not carry sequences: leave them as they are now */
	return signals_stop_requested() ||
		   copy_sequences(session->source, session->target, &session->progress,
						  err);
}

/* A migration that somebody has dropped must not begin again by itself. */
static bool
check_dropped(const Run *run, Error *err)
{
	if (run->epoch == 0 || run->session.progress.phase != PHASE_NONE)
		return true;
	return error_set(err, P_PROGRESS,
					 "the migration \"%s\" was dropped while it ran",
					 run->session.options->name);
}

/* Connect both sides and own the stream; only now is the row ours to change. */
static bool
connect_and_own(Run *run, Error *err)
{
	Session *session = &run->session;
	OwnerOptions options = {
		.no_wait = session->options->no_wait && !run->owned_before,
		.takeover = session->options->takeover && !run->owned_before,
		.epoch = run->epoch,
	};

	run->has_snapshot = false;
	if (!session_connect_primary(session, err) ||
		!session_connect_target(session, err))
		return false;
	retry_connected(&run->retry);
	/* looked at before as well: a wrong URL must not take a stream over */
	if (!session_read_progress(session, err) || !check_dropped(run, err) ||
		!session_check(session, err) ||
		(session->progress.phase == PHASE_NONE &&
		 !preflight_distinct(session, err)) ||
		!owner_become(session->target, &options, &session->progress, err))
		return false;
	run->owned_before = true;
	return check_dropped(run, err) && session_check(session, err);
}

/* --copy-only: nothing is applied behind it, so nothing has to wait. */
static bool
copy_alone(Run *run, Error *err)
{
	Session *session = &run->session;

	return (session->progress.phase >= PHASE_STREAM || copy(run, err)) &&
		   copy_finish(session->source, session->target, &session->progress,
					   err);
}

/* Everything up to and including the copy, and the stream behind it. */
static bool
advance(Run *run, Error *err)
{
	Progress *progress = &run->session.progress;

	if (progress->phase == PHASE_NONE && !begin(run, err))
		return false;
	if (run->session.options->copy_only)
		return copy_alone(run, err);
	if ((progress->phase == PHASE_SLOT ||
		 (progress->phase == PHASE_SCHEMA && !run->has_snapshot)) &&
		!create_slot(run, err))
		return false;
	if (progress->phase < PHASE_STREAM && !copy(run, err))
		return false;
	return stream(run, err);
}

static bool
run_until_told(Run *run, Error *err)
{
	bool connected = connect_and_own(run, err);

	/* the first connection of a command has one try */
	if (!connected && !run->owned_before)
		return false;
	while (!connected || !advance(run, err))
	{
		if (connected)
			run->epoch = run->session.progress.epoch;
		if (!retry_again(&run->retry, err))
			return false;
		session_disconnect(&run->session);
		connected = connect_and_own(run, err);
	}
	return true;
}

int
command_run(const Options *options)
{
	Run run;
	Error err = ERROR_INIT;

	memset(&run, 0, sizeof(run));
	retry_init(&run.retry, options->retry_for_ms);
	if (session_open(&run.session, options, &err) && run_until_told(&run, &err))
	{
		if (signals_stop_requested())
			error_set(&err, P_STOPPED, "stopped");
		else
			log_info("done: the target has %s " LSN_FORMAT,
					 options->copy_only ? "the rows of a snapshot at"
										: "everything up to",
					 LSN_ARGS(run.session.progress.resume_lsn));
	}
	return session_end(&run.session, &err);
}

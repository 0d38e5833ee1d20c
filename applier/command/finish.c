/*
 * finish.c
 *		pg_portage finish: what had to wait while the stream ran.
 *
 * Nothing can be applied any more when it has begun, so what the source has
 * committed until now is applied first: nobody loses it by forgetting to.
 */
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"
#include "command/session.h"
#include "copy/copy.h"
#include "owner.h"

/* Is there something to apply, perhaps?  Without a slot (--copy-only) not. */
static bool
needs_stream(const Session *session)
{
	return session->progress.phase == PHASE_STREAM &&
		   session->progress.slot[0] != '\0';
}

static bool
check_phase(const Session *session, Error *err)
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
	if (needs_stream(session) && session->identity.standby)
		return error_set(err, P_STANDBY, "source: the server is a standby");
	return session_check_source(session, err);
}

static bool
drain(Session *session, Error *err)
{
	StreamConfig config = session_stream_config();

	if (!needs_stream(session))
		return true;
	log_info("finish: applying what the source has committed so far");
	config.until_caught_up = true;
	if (!stream_run(&config, session->source, session->target,
					&session->progress, err))
		return false;
	return !signals_stop_requested() || error_set(err, P_STOPPED, "stopped");
}

static bool
finish(Session *session, Error *err)
{
	const Options *options = session->options;
	OwnerOptions owner = {
		.no_wait = options->no_wait,
		.takeover = options->takeover,
	};

	if (!session_connect_primary(session, err) ||
		!session_connect_target(session, err) ||
		!session_read_progress(session, err) || !check_phase(session, err))
		return false;
	/* once it has ended, the target is written to by others: hands off */
	if (session->progress.phase == PHASE_DONE)
		return true;
	if (!owner_become(session->target, &owner, &session->progress, err) ||
		!check_phase(session, err))
		return false;
	if (session->progress.phase == PHASE_DONE)
		return true;
	/* what the migration was begun with, not what this command was given */
	session->source_config.tables = session->progress.tables;
	session->source_config.exclude_tables = session->progress.exclude_tables;
	return drain(session, err) && copy_finish(session->source, session->target,
											  &session->progress, err);
}

int
command_finish(const Options *options)
{
	Session session;
	Error err = ERROR_INIT;

	if (session_open(&session, options, &err) && finish(&session, &err))
		log_info("done: nothing is deferred any more; let the applications use "
				 "the target, and pg_portage drop clean up");
	return session_end(&session, &err);
}

/*
 * owned.c
 *		See owned.h.
 */
#include "command/owned.h"

#include <string.h>

#include "base/clock.h"
#include "command/session_rules.h"
#include "owner.h"

#define STREAM_WENT_WELL_MS 10000

bool
owned_open(Owned *self, const Options *options, Error *err)
{
	memset(self, 0, sizeof(*self));
	retry_init(&self->retry, options->retry_for_ms);
	return session_open(&self->session, options, err);
}

int
owned_end(Owned *self, const Error *err)
{
	put_asides_release(&self->asides);
	return session_end(&self->session, err);
}

/* A migration that somebody has dropped must not begin again by itself. */
static bool
check_dropped(const Owned *self, Error *err)
{
	if (self->epoch == 0 || self->session.progress.phase != PHASE_NONE)
		return true;
	return error_set(err, P_PROGRESS,
					 "the migration \"%s\" was dropped while it ran",
					 self->session.options->name);
}

bool
owned_connect(Owned *self, const OwnedWork *work, Error *err)
{
	Session *session = &self->session;
	OwnerOptions options = {
		.no_wait = session->options->no_wait && !self->before,
		.takeover = session->options->takeover && !self->before,
		.epoch = self->epoch,
	};

	if (!session_connect_primary(session, err) ||
		!session_connect_target(session, err))
		return false;
	retry_connected(&self->retry);
	if (!session_read_progress(session, err) || !check_dropped(self, err) ||
		!work->check(session, err))
		return false;
	if (session->progress.phase == PHASE_DONE)
		return true;
	if (!session_rules_ready(session, err))
		return false;
	if (!owner_become(session->target, &options, &session->progress, err))
		return false;
	self->before = true;
	session_adopt(session);
	return check_dropped(self, err) && work->check(session, err);
}

bool
owned_work(Owned *self, const OwnedWork *work, Error *err)
{
	bool connected = owned_connect(self, work, err);

	if (!connected && !self->before)
		return false;
	while (!connected || !work->advance(self, err))
	{
		if (connected)
			self->epoch = self->session.progress.epoch;
		if (!retry_again(&self->retry, err))
			return false;
		session_disconnect(&self->session);
		connected = owned_connect(self, work, err);
	}
	return true;
}

bool
owned_stream(Owned *self, const StreamGoal *goal, Error *err)
{
	Session *session = &self->session;
	StreamConfig config = session_stream_config(session->options);
	StreamTarget to = {
		.target = session->target,
		.progress = &session->progress,
		.rules = session->rules,
		.asides = &self->asides,
		.alone_lsn = &self->alone_lsn,
		.goal = *goal,
	};
	int64_t started_ms = clock_ms();
	bool ok;

	config.defer = !self->hold_nothing;
	ok = stream_run(&config, session->source, &to, 1, err);
	if (error_is_set(&to.error))
		*err = to.error;
	else if (ok)
		return true;
	/*
	 * The error may have been about what the plugin held back.  A stream that
	 * went well for a while without that says it was not.
	 */
	self->hold_nothing = config.defer ||
						 clock_ms() - started_ms < STREAM_WENT_WELL_MS;
	return false;
}

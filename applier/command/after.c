/*
 * after.c
 *		See after.h.
 *
 * Another migration from the same server has caught up when it has what that
 * server had written when it was asked.  Where it comes from elsewhere, positions
 * cannot be compared: then it has when its last commit, a marker at least, is of
 * this moment.
 */
#include "command/after.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "command/session.h"

#define LOOK_EVERY_MS 500
#define SAY_EVERY_MS 10000
/* markers come every second; clocks of servers differ a little */
#define RECENT_US INT64_C(5000000)

typedef enum AfterState
{
	AFTER_ABSENT, /* this target does not know it */
	AFTER_BEHIND,
	AFTER_CAUGHT_UP
} AfterState;

typedef struct After
{
	const Pair *pair;
	Options options; /* as if it were the other one's */
	Session session;
	bool connected;
	Lsn goal; /* what the source had when it was first seen to stream */
	char why[256];
} After;

static bool
after_open(After *after, const Pair *pair, const char *name, Error *err)
{
	after->pair = pair;
	after->options = pair->options;
	after->options.name = name;
	return session_open(&after->session, &after->options, err);
}

static bool
has_caught_up(After *after)
{
	const Progress *progress = &after->session.progress;
	const SourceIdentity *now = &after->session.identity;
	int64_t age_us = clock_wall_us() - progress->commit_time_us;

	if (progress->phase > PHASE_STREAM)
		return true;
	if (progress->phase < PHASE_STREAM)
		return false;
	if (strcmp(progress->source.system_id, now->system_id) != 0)
		return age_us < RECENT_US;
	if (after->goal == LSN_NONE)
		after->goal = now->wal_end;
	return progress->resume_lsn >= after->goal;
}

/* One look at one target; false if it, or the source, cannot be asked. */
static bool
look(After *after, AfterState *state, Error *err)
{
	Session *session = &after->session;
	const SourceOps *source = session->source->ops;

	if (!after->connected && (!session_connect_source(session, err) ||
							  !session_connect_target(session, err)))
		return false;
	after->connected = true;
	if (!session_read_progress(session, err) ||
		!source->identify(session->source, &session->identity, err))
		return false;
	*state = session->progress.phase == PHASE_NONE ? AFTER_ABSENT
			 : has_caught_up(after)				   ? AFTER_CAUGHT_UP
												   : AFTER_BEHIND;
	snprintf(after->why, sizeof(after->why), "phase \"%s\", at " LSN_FORMAT,
			 phase_name(session->progress.phase),
			 LSN_ARGS(session->progress.resume_lsn));
	return true;
}

/* The same; what passes is a reason to wait. */
static bool
look_again(After *after, AfterState *state, Error *err)
{
	*state = AFTER_BEHIND;
	if (look(after, state, err))
		return true;
	session_disconnect(&after->session);
	after->connected = false;
	if (!error_is_transient(err) && err->code != P_CONNECT)
		return false;
	snprintf(after->why, sizeof(after->why), "%.200s", err->message);
	error_clear(err);
	return true;
}

static void
say(const After *after, const char *name, AfterState state)
{
	const char *before = log_set_context(after->pair->context);

	if (state == AFTER_ABSENT)
		log_info("waits until the migration \"%s\" has caught up; the target "
				 "does not know it",
				 name);
	else
		log_info("waits until the migration \"%s\" has caught up: %s", name,
				 after->why);
	log_set_context(before);
}

/* One look at all of them: is there anything to wait for? */
static bool
look_at_all(After *afters, int count, const char *name, bool saying, bool *wait,
			Error *err)
{
	bool found = false;
	bool behind = false;

	for (int i = 0; i < count; i++)
	{
		AfterState state;

		if (!look_again(&afters[i], &state, err))
			return false;
		found = found || state != AFTER_ABSENT;
		behind = behind || state == AFTER_BEHIND;
		if (saying && state != AFTER_CAUGHT_UP)
			say(&afters[i], name, state);
	}
	*wait = behind || !found;
	return true;
}

static bool
wait_for(After *afters, int count, const char *name, Error *err)
{
	int64_t say_ms = clock_ms();
	bool wait = true;

	while (wait)
	{
		bool saying = clock_ms() >= say_ms;

		if (signals_stop_requested())
			return error_set(err, P_STOPPED, "stopped");
		if (!look_at_all(afters, count, name, saying, &wait, err))
			return false;
		if (saying)
			say_ms = clock_ms() + SAY_EVERY_MS;
		if (wait)
			clock_pause_ms(LOOK_EVERY_MS);
	}
	log_info("the migration \"%s\" has caught up", name);
	return true;
}

/* The other one has the same sources, or, with one name for all, one. */
static const char *
name_for(const Pairs *pairs, const Pair *pair, const char *name, Arena *arena)
{
	return pairs->source_count == 1
			   ? name
			   : arena_printf(arena, "%s_%s", name, pair->options.source_name);
}

bool
after_wait(const Pairs *pairs, const Config *config, Error *err)
{
	const char *name = config != NULL ? config->after.text : NULL;
	After *afters;
	Arena arena;
	bool ok = true;

	if (name == NULL)
		return true;
	arena_init(&arena);
	afters = ARENA_ARRAY(&arena, After, (size_t) pairs->count);
	memset(afters, 0, (size_t) pairs->count * sizeof(After));
	for (int i = 0; ok && i < pairs->count; i++)
		ok = after_open(&afters[i], &pairs->items[i],
						name_for(pairs, &pairs->items[i], name, &arena), err);
	ok = ok && wait_for(afters, pairs->count, name, err);
	for (int i = 0; i < pairs->count; i++)
		session_close(&afters[i].session);
	arena_release(&arena);
	return ok;
}

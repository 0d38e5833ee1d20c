/*
 * keeper.c
 *		The thread of one target of a group; see group.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/group.h"
#include "command/steps.h"
#include "copy/copy.h"

static void
lock(Keeper *keeper)
{
	pthread_mutex_lock(&keeper->group->mutex);
}

static void
unlock(Keeper *keeper)
{
	pthread_mutex_unlock(&keeper->group->mutex);
}

/* Is there nothing to wait for any more?  The mutex is held. */
static bool
is_over(const Keeper *keeper)
{
	return keeper->group->over || signals_stop_requested();
}

static bool
over(Error *err)
{
	return error_set(err, P_STOPPED, "stopped");
}

/* Others may go on without this target now; known: what it says was read. */
static void
note_asked(Keeper *keeper, bool known)
{
	const Session *session = &keeper->owned.session;
	const Progress *progress = &session->progress;
	char *shared = keeper->group->origin_nonce;
	Error ignored = ERROR_INIT;
	bool ours = progress->phase != PHASE_NONE &&
				session_check_source(session, &ignored);

	lock(keeper);
	keeper->asked = true;
	if (known)
	{
		keeper->known = true;
		keeper->phase = ours ? progress->phase : PHASE_NONE;
		if (ours && shared[0] == '\0')
			memcpy(shared, progress->origin_nonce, NONCE_SIZE);
	}
	group_changed(keeper->group, false);
	unlock(keeper);
}

/* Two URLs may lead to one database, where one would wait for the other. */
static bool
check_twin(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;
	Group *group = keeper->group;
	const Keeper *twin = NULL;
	char fingerprint[FINGERPRINT_MAX] = "";

	if (!session->target->ops->fingerprint(session->target, fingerprint,
										   sizeof(fingerprint), err))
		return false;
	lock(keeper);
	for (int i = 0; i < group->count; i++)
	{
		const Keeper *other = &group->keepers[i];

		if (other != keeper &&
			other->owned.session.target->ops == session->target->ops &&
			strcmp(other->fingerprint, fingerprint) == 0)
			twin = other;
	}
	/* who came first may go on */
	if (twin == NULL)
		memcpy(keeper->fingerprint, fingerprint, sizeof(fingerprint));
	unlock(keeper);
	return twin == NULL ||
		   pairs_refuse_twins(&twin->pair->options, session->options, err);
}

/* Between reading the row and owning it, which may take its time, and behind. */
static bool
keeper_check(Session *session, Error *err)
{
	/* the session is the first thing in it */
	Keeper *keeper = (Keeper *) session;

	/* what others may do depends on it, also if nothing comes of it here */
	note_asked(keeper, true);
	return step_check(session, err) && check_twin(keeper, err);
}

/* Until the source has it: P_STOPPED, or what became of it. */
static bool
wish(Keeper *keeper, KeeperWish what, Error *err)
{
	bool ok;

	lock(keeper);
	error_clear(&keeper->error);
	keeper->wish = what;
	keeper->state = KEEPER_WAITING;
	keeper->phase = keeper->owned.session.progress.phase;
	keeper->told = false;
	group_changed(keeper->group, true);
	while (keeper->state == KEEPER_WAITING && !is_over(keeper))
		group_wait(keeper->group);
	ok = keeper->state != KEEPER_WAITING;
	keeper->state = KEEPER_WORKING;
	keeper->wish = WISH_NONE;
	if (ok && error_is_set(&keeper->error))
	{
		*err = keeper->error;
		error_clear(&keeper->error);
		ok = false;
	}
	else if (!ok)
		over(err);
	unlock(keeper);
	return ok;
}

/* PHASE_NONE */
static bool
begin(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;
	char origin_nonce[NONCE_SIZE] = "";

	if (!session->options->copy_only)
	{
		if (!wish(keeper, WISH_BEGIN, err))
			return false;
		lock(keeper);
		memcpy(origin_nonce, keeper->group->origin_nonce, NONCE_SIZE);
		unlock(keeper);
	}
	return step_begin(session, origin_nonce, err);
}

/* A snapshot of its own, and an anchor behind it in the stream of the others. */
static bool
join(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;

	log_info("joins the other targets of its source");
	if (!session->source->ops->slot_join(session->source, &keeper->snapshot,
										 err))
		return false;
	keeper->next = session->progress;
	lock(keeper);
	memcpy(keeper->next.origin_nonce, keeper->group->origin_nonce, NONCE_SIZE);
	unlock(keeper);
	step_place(&keeper->snapshot, &keeper->next);
	return wish(keeper, WISH_ANCHOR, err);
}

/* From PHASE_SLOT, or PHASE_SCHEMA without a snapshot, to PHASE_SCHEMA. */
static bool
take_place(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;

	if (!wish(keeper, WISH_PLACE, err))
		return false;
	if (keeper->joins && !join(keeper, err))
		return false;
	keeper->next.phase = PHASE_SCHEMA;
	return step_save(session, &keeper->next, err) &&
		   FAILPOINT(FP_ANCHOR_STORED, err);
}

/* What was to be copied under a snapshot is, or will be under another one. */
static void
leave_snapshot(Keeper *keeper)
{
	Session *session = &keeper->owned.session;

	session->source->ops->slot_snapshot_release(session->source);
	lock(keeper);
	keeper->phase = session->progress.phase;
	keeper->placed = keeper->phase >= PHASE_COPY;
	keeper->shares = false;
	keeper->joins = false;
	keeper->beginning = false;
	group_changed(keeper->group, false);
	unlock(keeper);
}

static bool
copy(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;
	bool placed = session->progress.phase == PHASE_COPY;
	bool ok;

	ok = (placed || take_place(keeper, err)) &&
		 step_copy(session, placed ? NULL : &keeper->snapshot, err);
	leave_snapshot(keeper);
	return ok;
}

/*
 * Markers of the one stream are known by the one secret; and a migration that was
 * begun with this target alone is not that any more.
 */
static bool
share(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;
	Progress next = session->progress;

	lock(keeper);
	if (keeper->group->origin_nonce[0] == '\0')
		memcpy(keeper->group->origin_nonce, next.origin_nonce, NONCE_SIZE);
	memcpy(next.origin_nonce, keeper->group->origin_nonce, NONCE_SIZE);
	unlock(keeper);
	if (session->options->shares_slot)
		session_mark_shared(&next);
	return (strcmp(next.origin_nonce, session->progress.origin_nonce) == 0 &&
			strcmp(next.plugin_options, session->progress.plugin_options) ==
				0) ||
		   step_save(session, &next, err);
}

/* How far the stream is to bring it: to the end, or to where something waits. */
static bool
find_goal(Keeper *keeper, Error *err)
{
	const Options *options = keeper->owned.session.options;
	StreamGoal end = {
		.caught_up = options->until_caught_up,
		.lsn = options->until_lsn,
	};

	if (!step_later(&keeper->owned.session,
					keeper->on_the_way && keeper->reached, &keeper->goal, err))
		return false;
	keeper->on_the_way = keeper->goal.before_lsn != LSN_NONE &&
						 (end.lsn == LSN_NONE ||
						  end.lsn > keeper->goal.before_lsn);
	if (!keeper->on_the_way)
		keeper->goal = end;
	return true;
}

/* Everything up to the stream. */
static bool
prepare(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;
	Progress *progress = &session->progress;

	if (progress->phase == PHASE_NONE && !begin(keeper, err))
		return false;
	if (!step_keep_losses(session, err) ||
		(progress->phase < PHASE_STREAM && !copy(keeper, err)))
		return false;
	return share(keeper, err) && find_goal(keeper, err);
}

/* Without a stream. */
static bool
copy_alone(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;

	return (session->progress.phase != PHASE_NONE || begin(keeper, err)) &&
		   step_keep_losses(session, err) &&
		   (session->progress.phase >= PHASE_STREAM ||
			step_copy(session, NULL, err)) &&
		   copy_finish(session->source, session->target, session->rules,
					   &session->progress, err);
}

/* Until the stream gives the target back: P_STOPPED, or why. */
static bool
be_streamed_to(Keeper *keeper, Error *err)
{
	bool ok;

	lock(keeper);
	error_clear(&keeper->error);
	keeper->reached = false;
	keeper->phase = keeper->owned.session.progress.phase;
	keeper->state = KEEPER_READY;
	group_changed(keeper->group, true);
	while (keeper->state == KEEPER_STREAMING ||
		   (keeper->state == KEEPER_READY && !is_over(keeper)))
		group_wait(keeper->group);
	ok = keeper->reached;
	keeper->state = KEEPER_WORKING;
	if (!ok && error_is_set(&keeper->error))
		*err = keeper->error;
	else if (!ok)
		over(err);
	error_clear(&keeper->error);
	unlock(keeper);
	return ok;
}

/* What it was started for, from where it stands, on this connection. */
static bool
work(Keeper *keeper, Error *err)
{
	Session *session = &keeper->owned.session;

	if (session->options->copy_only)
		return copy_alone(keeper, err);
	do
	{
		if (!prepare(keeper, err))
			return false;
		/* a source that shuts down must not wait for a session that does nothing */
		session->source->ops->disconnect(session->source);
		if (!be_streamed_to(keeper, err) ||
			!session_connect_primary(session, err))
			return false;
	} while (keeper->on_the_way);
	/* the WAL does not carry sequences: leave them as they are now */
	return copy_sequences(session->source, session->target, session->rules,
						  &session->progress, err);
}

/* Until the source has answered; it has a thread that asks it. */
static bool
wait_for_source(Keeper *keeper, Error *err)
{
	bool ok;

	lock(keeper);
	while (!keeper->group->connected && !is_over(keeper))
		group_wait(keeper->group);
	ok = keeper->group->connected && !is_over(keeper);
	unlock(keeper);
	return ok || over(err);
}

static bool
connect(Keeper *keeper, Error *err)
{
	static const OwnedWork checks = { keeper_check, NULL };

	if (!wait_for_source(keeper, err))
		return false;
	if (owned_connect(&keeper->owned, &checks, err))
		return true;
	note_asked(keeper, false);
	return false;
}

static void
end(Keeper *keeper, KeeperState state, const Error *err)
{
	lock(keeper);
	keeper->asked = true;
	keeper->beginning = false;
	keeper->state = state;
	keeper->error = *err;
	group_changed(keeper->group, false);
	unlock(keeper);
	if (state == KEEPER_FAILED && err->kind != ERROR_STOPPED)
		log_error(err);
}

void *
keeper_main(void *arg)
{
	Keeper *keeper = arg;
	Owned *owned = &keeper->owned;
	Error err = ERROR_INIT;

	log_set_context(keeper->pair->context);
	while (!connect(keeper, &err) || !work(keeper, &err))
	{
		if (owned->session.progress.epoch > owned->epoch)
			owned->epoch = owned->session.progress.epoch;
		lock(keeper);
		keeper->beginning = false;
		/* what is finished needs no stream, and nobody's slot */
		keeper->released = err.code == P_FINISHED;
		unlock(keeper);
		if (!retry_again(&owned->retry, &err))
		{
			end(keeper, KEEPER_FAILED, &err);
			return NULL;
		}
		session_disconnect(&owned->session);
	}
	log_info("done: the target has %s " LSN_FORMAT,
			 owned->session.options->copy_only ? "the rows of a snapshot at"
											   : "everything up to",
			 LSN_ARGS(owned->session.progress.resume_lsn));
	end(keeper, KEEPER_DONE, &err);
	return NULL;
}

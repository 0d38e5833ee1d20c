/*
 * group.c
 *		The thread of a source, and what it gives its targets; see group.h.
 *
 * Who may have what:
 *
 *		WISH_BEGIN	a slot that is there must be known from some target's row; if
 *					it is not, and a target cannot be asked, the wish waits
 *		WISH_PLACE	the slot is made anew while no target has anything by it; then
 *					all that begin together share its snapshot.  Otherwise the
 *					target joins, with a temporary slot's snapshot
 *		WISH_ANCHOR	a marker is emitted and found while nothing streams
 */
#include "command/group.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "command/steps.h"

#define WAIT_MS 200
#define STREAM_WENT_WELL_MS 10000
#define GONE "the slot %s, which other targets need, is gone"

bool
group_open(Group *group, const Pair *pairs, int count, Error *err)
{
	pthread_condattr_t attr;
	Options *options = mem_alloc(sizeof(*options));

	memset(group, 0, sizeof(*group));
	group->name = pairs[0].options.source_name;
	group->count = count;
	group->keepers = mem_zalloc((size_t) count * sizeof(Keeper));
	pthread_mutex_init(&group->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&group->changed, &attr);
	pthread_condattr_destroy(&attr);
	*options = pairs[0].options;
	options->target = NULL;
	group->source_options = options;
	retry_init(&group->retry, options->retry_for_ms);
	if (!session_open(&group->session, options, err))
		return false;
	for (int i = 0; i < count; i++)
	{
		Keeper *keeper = &group->keepers[i];

		keeper->group = group;
		keeper->pair = &pairs[i];
		if (!owned_open(&keeper->owned, &pairs[i].options, err))
			return error_wrap(err, "%s", pairs[i].context);
	}
	return true;
}

/* A keeper that was told to stop says where its target stands. */
static int
keeper_close(Keeper *keeper)
{
	const char *before = log_set_context(keeper->pair->context);
	Session *session = &keeper->owned.session;
	int code = error_exit_code(&keeper->error);

	if (keeper->error.kind == ERROR_STOPPED && signals_stop_requested())
		session_end(session, &keeper->error);
	session_close(session);
	log_set_context(before);
	return code;
}

int
group_close(Group *group)
{
	int code = error_exit_code(&group->error);

	for (int i = 0; i < group->count; i++)
	{
		int its = keeper_close(&group->keepers[i]);

		code = code != 0 ? code : its;
	}
	session_close(&group->session);
	pthread_cond_destroy(&group->changed);
	pthread_mutex_destroy(&group->mutex);
	mem_free(group->keepers);
	mem_free(group->source_options);
	return code;
}

void
group_start(Group *group)
{
	if (pthread_create(&group->thread, NULL, group_main, group) != 0)
		BUG("cannot start a thread");
	for (int i = 0; i < group->count; i++)
	{
		if (pthread_create(&group->keepers[i].thread, NULL, keeper_main,
						   &group->keepers[i]) != 0)
			BUG("cannot start a thread");
	}
}

void
group_join(Group *group)
{
	pthread_join(group->thread, NULL);
	for (int i = 0; i < group->count; i++)
		pthread_join(group->keepers[i].thread, NULL);
}

void
group_wait(Group *group)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_MS * INT64_C(1000000);
	if (until.tv_nsec >= 1000000000)
	{
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&group->changed, &group->mutex, &until);
}

void
group_changed(Group *group, bool restart)
{
	/* what a wish had to wait for may have come */
	for (int i = 0; i < group->count; i++)
		restart = restart || group->keepers[i].state == KEEPER_WAITING;
	if (restart)
		atomic_store(&group->end, true);
	pthread_cond_broadcast(&group->changed);
}

/* ---- what is known of the targets; the mutex is held */

static bool
has_ended(const Keeper *keeper)
{
	return keeper->state == KEEPER_DONE || keeper->state == KEEPER_FAILED;
}

static bool
all_ended(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (!has_ended(&group->keepers[i]))
			return false;
	}
	return true;
}

bool
group_ended(Group *group)
{
	bool ended;

	pthread_mutex_lock(&group->mutex);
	ended = all_ended(group);
	pthread_mutex_unlock(&group->mutex);
	return ended;
}

static void
remind(const char *context, const Error *err, const char *what)
{
	const char *before = log_set_context(context);

	log_warning(
		"has ended, while others go on: %s [P%04d]; the source keeps its "
		"WAL for %s until run is started again, or the migration is "
		"dropped",
		err->message, (int) err->code, what);
	log_set_context(before);
}

void
group_remind(Group *group)
{
	pthread_mutex_lock(&group->mutex);
	if (error_is_set(&group->error))
		remind(group->name, &group->error, "its targets");
	for (int i = 0; i < group->count; i++)
	{
		const Keeper *keeper = &group->keepers[i];

		if (keeper->state == KEEPER_FAILED &&
			keeper->error.kind != ERROR_STOPPED)
			remind(keeper->pair->context, &keeper->error, "this target");
	}
	pthread_mutex_unlock(&group->mutex);
}

static bool
all_asked(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (!group->keepers[i].asked)
			return false;
	}
	return true;
}

/* Is there a target of which nobody knows what it has? */
static bool
some_unknown(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (!group->keepers[i].known)
			return true;
	}
	return false;
}

/* Does a target know the slot, or (placed) need what it has kept? */
static bool
some_knows_slot(const Group *group, bool placed)
{
	for (int i = 0; i < group->count; i++)
	{
		const Keeper *keeper = &group->keepers[i];

		if (!keeper->known)
			continue;
		if (keeper->placed || keeper->phase >= PHASE_COPY ||
			(!placed && keeper->phase >= PHASE_SLOT))
			return true;
	}
	return false;
}

/* Is a target about to ask for a place, so that it can begin with the others? */
static bool
some_beginning(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (group->keepers[i].beginning && group->keepers[i].wish != WISH_PLACE)
			return true;
	}
	return false;
}

static Keeper *
find_wish(Group *group, KeeperWish wish)
{
	for (int i = 0; i < group->count; i++)
	{
		if (group->keepers[i].state == KEEPER_WAITING &&
			group->keepers[i].wish == wish)
			return &group->keepers[i];
	}
	return NULL;
}

/* ---- wishes; the mutex is held, but not while the source is asked */

static void
grant(Keeper *keeper, const Error *refusal)
{
	if (refusal != NULL)
		keeper->error = *refusal;
	keeper->state = KEEPER_WORKING;
	pthread_cond_broadcast(&keeper->group->changed);
}

static bool
inspect_slot(Group *group, SlotInfo *slot, Error *err)
{
	bool ok;

	pthread_mutex_unlock(&group->mutex);
	ok = group->session.source->ops->slot_inspect(group->session.source, slot,
												  err);
	pthread_mutex_lock(&group->mutex);
	return ok;
}

static void
tell_waiting(Keeper *keeper)
{
	const char *before;

	if (keeper->told)
		return;
	keeper->told = true;
	before = log_set_context(keeper->pair->context);
	log_info(
		"waits: the source has a slot %s, and a target that cannot be asked "
		"may need it",
		keeper->owned.session.slot);
	log_set_context(before);
}

static void
may_begin(Keeper *keeper, const SlotInfo *slot)
{
	Group *group = keeper->group;
	const char *name = keeper->owned.session.slot;
	Error refusal = ERROR_INIT;

	if (slot->exists && !some_knows_slot(group, false))
	{
		if (some_unknown(group))
		{
			tell_waiting(keeper);
			return;
		}
		error_set(&refusal, P_SLOT_FOREIGN,
				  "the source has a slot %s already, and no target knows "
				  "anything of it",
				  name);
	}
	else if (!slot->exists && some_knows_slot(group, true))
		error_set(&refusal, P_SLOT_MISSING, GONE, name);
	if (!error_is_set(&refusal) && group->origin_nonce[0] == '\0')
		nonce_make(group->origin_nonce);
	keeper->beginning = !error_is_set(&refusal);
	grant(keeper, error_is_set(&refusal) ? &refusal : NULL);
}

/* The slot and the first anchor, for all that ask for a place. */
static bool
place_together(Group *group, Error *err)
{
	Session *session = &group->session;
	Progress first = { .phase = PHASE_SLOT };
	SlotSnapshot snapshot;
	bool ok;

	memcpy(first.origin_nonce, group->origin_nonce, NONCE_SIZE);
	pthread_mutex_unlock(&group->mutex);
	ok = step_make_slot(session, &snapshot, err);
	if (ok)
		step_place(&snapshot, &first);
	ok = ok && (stream_first_anchor(session->source, &first, err) ||
				error_wrap(err, "the first marker"));
	pthread_mutex_lock(&group->mutex);
	if (!ok)
		return false;
	for (int i = 0; i < group->count; i++)
	{
		Keeper *keeper = &group->keepers[i];

		if (keeper->state != KEEPER_WAITING || keeper->wish != WISH_PLACE)
			continue;
		keeper->next = keeper->owned.session.progress;
		progress_place(&keeper->next, &first);
		keeper->snapshot = snapshot;
		keeper->shares = true;
		keeper->placed = true;
		keeper->beginning = false;
		grant(keeper, NULL);
	}
	return true;
}

static bool
serve_place(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_PLACE);
	Error refusal = ERROR_INIT;
	SlotInfo slot;

	if (keeper == NULL || some_beginning(group))
		return true;
	if (!inspect_slot(group, &slot, err))
		return false;
	if (!some_knows_slot(group, true) && !(slot.exists && some_unknown(group)))
		return place_together(group, err);
	if (!slot.exists)
		error_set(&refusal, P_SLOT_MISSING, GONE, keeper->owned.session.slot);
	keeper->joins = slot.exists;
	keeper->beginning = false;
	grant(keeper, slot.exists ? NULL : &refusal);
	return true;
}

static bool
serve_anchor(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_ANCHOR);
	Progress next;
	bool ok;

	if (keeper == NULL)
		return true;
	next = keeper->next;
	pthread_mutex_unlock(&group->mutex);
	ok = stream_first_anchor(group->session.source, &next, err) ||
		 error_wrap(err, "the first marker");
	pthread_mutex_lock(&group->mutex);
	if (!ok && err->kind != ERROR_DATA)
		return false;
	keeper->next = next;
	keeper->placed = ok;
	grant(keeper, ok ? NULL : err);
	error_clear(err);
	return true;
}

/* One of each kind; more come in the next turn. */
static bool
serve(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_BEGIN);
	SlotInfo slot;

	if (keeper != NULL)
	{
		if (!inspect_slot(group, &slot, err))
			return false;
		may_begin(keeper, &slot);
	}
	return serve_place(group, err) && serve_anchor(group, err);
}

/* When nobody copies under the slot's snapshot any more it is let go. */
static void
release_snapshot(Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (group->keepers[i].shares)
			return;
	}
	group->session.source->ops->slot_snapshot_release(group->session.source);
}

/* ---- the stream */

/* Those that are ready; *missing: not all of them are here. */
static int
take_ready(Group *group, Keeper **ready, bool *missing)
{
	int count = 0;

	*missing = false;
	for (int i = 0; i < group->count; i++)
	{
		Keeper *keeper = &group->keepers[i];

		if (keeper->state != KEEPER_READY)
		{
			*missing = *missing || !keeper->released;
			continue;
		}
		keeper->state = KEEPER_STREAMING;
		ready[count++] = keeper;
	}
	return count;
}

/* Of a stream that runs: which target is whose. */
typedef struct Lent
{
	Group *group;
	Keeper **keepers;
	StreamTarget *targets;
} Lent;

/* The stream has left a target; the others may go on. */
static void
give_back(void *arg, const StreamTarget *target)
{
	const Lent *lent = arg;
	Keeper *keeper = lent->keepers[target - lent->targets];
	bool failed = error_is_set(&target->error);

	pthread_mutex_lock(&lent->group->mutex);
	keeper->error = target->error;
	keeper->reached = target->reached && !failed;
	keeper->state = keeper->reached || failed ? KEEPER_WORKING : KEEPER_READY;
	pthread_cond_broadcast(&lent->group->changed);
	pthread_mutex_unlock(&lent->group->mutex);
}

static void
lend(Keeper *keeper, StreamTarget *target)
{
	Owned *owned = &keeper->owned;

	*target = (StreamTarget){
		.target = owned->session.target,
		.progress = &owned->session.progress,
		.rules = owned->session.rules,
		.alone_lsn = &owned->alone_lsn,
		.goal = keeper->goal,
		.context = keeper->pair->context,
	};
}

/* The mutex is held, but not meanwhile. */
static bool
stream(Group *group, Keeper **ready, int count, bool missing, Error *err)
{
	StreamTarget *targets = mem_zalloc((size_t) count * sizeof(*targets));
	Lent lent = { group, ready, targets };
	StreamConfig config = session_stream_config(group->session.options);
	int64_t started_ms = clock_ms();
	bool failed;
	bool ok;

	config.defer = !group->hold_nothing;
	/* all that share the slot are here, or one is not */
	config.hold = missing;
	config.end = &group->end;
	config.left = give_back;
	config.left_arg = &lent;
	for (int i = 0; i < count; i++)
		lend(ready[i], &targets[i]);
	pthread_mutex_unlock(&group->mutex);
	ok = stream_run(&config, group->session.source, targets, count, err);
	pthread_mutex_lock(&group->mutex);
	failed = !ok;
	for (int i = 0; i < count; i++)
		failed = failed || error_is_set(&targets[i].error);
	if (failed)
		group->hold_nothing = config.defer ||
							  clock_ms() - started_ms < STREAM_WENT_WELL_MS;
	mem_free(targets);
	return ok;
}

/* One turn: wishes, then the stream until something changes. */
static bool
turn(Group *group, Keeper **ready, Error *err)
{
	bool missing;
	int count;

	if (!all_asked(group))
	{
		group_wait(group);
		return true;
	}
	atomic_store(&group->end, false);
	if (!serve(group, err))
		return false;
	release_snapshot(group);
	/* what has come meanwhile is served first */
	if (atomic_load(&group->end))
		return true;
	count = take_ready(group, ready, &missing);
	if (count > 0)
		return stream(group, ready, count, missing, err);
	group_wait(group);
	return true;
}

static bool
connect(Group *group, Error *err)
{
	bool ok;

	pthread_mutex_unlock(&group->mutex);
	session_disconnect(&group->session);
	ok = session_connect_primary(&group->session, err);
	if (ok)
		retry_connected(&group->retry);
	pthread_mutex_lock(&group->mutex);
	group->connected = ok;
	group_changed(group, false);
	return ok;
}

/* The mutex is held, but not meanwhile. */
static bool
try_again(Group *group, Error *err)
{
	bool again;

	group->connected = false;
	pthread_mutex_unlock(&group->mutex);
	again = retry_again(&group->retry, err);
	pthread_mutex_lock(&group->mutex);
	return again;
}

void *
group_main(void *arg)
{
	Group *group = arg;
	Keeper **ready = mem_alloc((size_t) group->count * sizeof(Keeper *));
	Error err = ERROR_INIT;
	bool again = true;

	log_set_context(group->name);
	pthread_mutex_lock(&group->mutex);
	while (again && !all_ended(group) && !signals_stop_requested())
	{
		if ((group->connected || connect(group, &err)) &&
			turn(group, ready, &err))
			continue;
		again = try_again(group, &err);
	}
	group->over = true;
	if (!again)
		group->error = err;
	group_changed(group, false);
	pthread_mutex_unlock(&group->mutex);
	if (!again && err.kind != ERROR_STOPPED)
		log_error(&err);
	mem_free(ready);
	return NULL;
}

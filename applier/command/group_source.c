/*
 * group_source.c
 *		The thread of a source: owns the connection to it, serves the targets'
 *		wishes, and runs the stream to those that are ready.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "command/group.h"

#define STREAM_WENT_WELL_MS 10000
#define STANDBY_WAIT_MS 500
#define SAY_EVERY_MS 10000

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
		.asides = &owned->asides,
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
	if (!group_serve(group, err))
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

/*
 * Be the one applier that reads the slot: wait as a standby for another one; give
 * up if it was ours, and another one has taken it over meanwhile.
 */
static bool
own_source(Group *group, Error *err)
{
	const Options *options = group->session.options;
	Source *source = group->session.source;
	bool takeover = options->takeover && !group->before;
	int64_t say_ms = 0;
	bool owned = false;
	char owner[256];

	while (!signals_stop_requested())
	{
		if (!source->ops->owner_acquire(source, takeover, &owned, owner,
										sizeof(owner), err))
			return false;
		if (owned)
			break;
		if (group->before)
			return error_set(err, P_FENCED,
							 "another applier has taken the stream %s over",
							 options->name) ||
				   error_detail(err, "It is %s on the source.", owner);
		if (options->no_wait)
			return error_set(err, P_OWNED, "the stream %s has an owner",
							 options->name) ||
				   error_detail(err, "It is %s on the source.", owner);
		if (clock_ms() >= say_ms)
		{
			log_info("standby: the stream %s is owned by %s; waiting",
					 options->name, owner);
			say_ms = clock_ms() + SAY_EVERY_MS;
		}
		clock_pause_ms(STANDBY_WAIT_MS);
	}
	group->before = owned;
	return owned || error_set(err, P_STOPPED, "stopped");
}

static bool
connect(Group *group, Error *err)
{
	bool ok;

	pthread_mutex_unlock(&group->mutex);
	session_disconnect(&group->session);
	ok = session_connect_primary(&group->session, err) &&
		 own_source(group, err);
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
	while (again && !group_all_ended(group) && !signals_stop_requested())
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

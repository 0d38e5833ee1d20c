/*
 * group.c
 *		A source and its targets: memory, threads, how they wait for each other;
 *		see group.h.
 */
#include "command/group.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"

#define WAIT_MS 200

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
	/* all of them are closed, whichever is the first that cannot be opened */
	for (int i = 0; i < count; i++)
	{
		group->keepers[i].group = group;
		group->keepers[i].pair = &pairs[i];
	}
	if (!session_open(&group->session, options, err))
		return false;
	for (int i = 0; i < count; i++)
	{
		if (!owned_open(&group->keepers[i].owned, &pairs[i].options, err))
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
	put_asides_release(&keeper->owned.asides);
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

static bool
has_ended(const Keeper *keeper)
{
	return keeper->state == KEEPER_DONE || keeper->state == KEEPER_FAILED;
}

bool
group_all_ended(const Group *group)
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
	ended = group_all_ended(group);
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

		if (keeper->state == KEEPER_FAILED && !keeper->released &&
			keeper->error.kind != ERROR_STOPPED)
			remind(keeper->pair->context, &keeper->error, "this target");
	}
	pthread_mutex_unlock(&group->mutex);
}

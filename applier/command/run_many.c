/*
 * run_many.c
 *		See run_many.h.
 *
 * Sources are independent of each other.  A target that fails for good, and a
 * source that does, ends for itself: the others go on, a warning says so every
 * minute, and the process ends with that error's code when they have ended.
 */
#include "command/run_many.h"

#include "base/clock.h"
#include "base/display.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "command/group.h"

#define LOOK_EVERY_MS 200
#define REMIND_EVERY_MS 60000

static bool
all_ended(Group *groups, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (!group_ended(&groups[i]))
			return false;
	}
	return true;
}

static void
watch(Group *groups, int count)
{
	int64_t remind_ms = clock_ms() + REMIND_EVERY_MS;

	while (!all_ended(groups, count) && !signals_stop_requested())
	{
		clock_pause_ms(LOOK_EVERY_MS);
		if (clock_ms() < remind_ms)
			continue;
		remind_ms = clock_ms() + REMIND_EVERY_MS;
		for (int i = 0; i < count; i++)
			group_remind(&groups[i]);
	}
}

static int
run_groups(Group *groups, int count)
{
	int code = 0;

	for (int i = 0; i < count; i++)
		group_start(&groups[i]);
	watch(groups, count);
	for (int i = 0; i < count; i++)
		group_join(&groups[i]);
	for (int i = 0; i < count; i++)
	{
		int its = group_close(&groups[i]);

		code = code != 0 ? code : its;
	}
	return code;
}

int
run_many(const Pairs *pairs)
{
	Group *groups = mem_zalloc((size_t) pairs->source_count * sizeof(Group));
	Error err = ERROR_INIT;
	int opened;
	int code;

	/* several things happen at a time: lines instead of a picture */
	display_init(false);
	for (opened = 0; opened < pairs->source_count; opened++)
	{
		if (!group_open(&groups[opened], pairs_of_source(pairs, opened),
						pairs->target_count, &err))
			break;
	}
	if (!error_is_set(&err))
		code = run_groups(groups, pairs->source_count);
	else
	{
		log_error(&err);
		code = error_exit_code(&err);
		for (int i = 0; i <= opened; i++)
			(void) group_close(&groups[i]);
	}
	mem_free(groups);
	return code;
}

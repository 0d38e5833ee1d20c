/*
 * owner.c
 *		Becoming the one applier of a stream.
 */
#include "owner.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

#define WAIT_MS 500
#define SAY_EVERY_MS 10000

/* A takeover's victim may need a moment to end. */
#define TAKEOVER_WAIT_MS 30000

/* Somebody else has the lock: only a session that we left, or a successor? */
static bool
check_successor(Target *target, const OwnerOptions *options, const char *owner,
				Error *err)
{
	Progress now;
	bool exists;

	if (options->epoch == 0)
		return true;
	if (!target->ops->state_exists(target, &exists, err))
		return false;
	if (!exists)
		return true;
	if (!target->ops->progress_read(target, &now, err))
		return false;
	if (now.epoch <= options->epoch)
		return true;
	error_set(err, P_FENCED, "another applier has taken the stream %s over",
			  target->config->stream);
	return error_detail(err, "It is %s on the target.", owner);
}

static bool
wait_for_lock(Target *target, const OwnerOptions *options, Error *err)
{
	int64_t begun_ms = clock_ms();
	int64_t said_ms = 0;
	OwnerMode mode = options->takeover ? OWNER_TAKEOVER : OWNER_TRY;
	char owner[256];
	bool owned;

	for (;;)
	{
		if (!target->ops->owner_acquire(target, mode, &owned, owner,
										sizeof(owner), err))
			return false;
		if (owned)
			return true;
		if (!check_successor(target, options, owner, err))
			return false;
		if (options->no_wait ||
			(options->takeover && clock_ms() - begun_ms > TAKEOVER_WAIT_MS))
		{
			error_set(err, P_OWNED, "the stream %s has an owner",
					  target->config->stream);
			return error_detail(err, "It is %s on the target.", owner);
		}
		if (said_ms == 0 || clock_ms() - said_ms >= SAY_EVERY_MS)
		{
			log_info("standby: the stream %s is owned by %s; waiting",
					 target->config->stream, owner);
			said_ms = clock_ms();
		}
		clock_pause_ms(WAIT_MS);
		if (signals_stop_requested())
			return error_set(err, P_STOPPED, "stopped while waiting");
	}
}

bool
owner_become(Target *target, const OwnerOptions *options, Progress *progress,
			 Error *err)
{
	bool exists;

	if (!wait_for_lock(target, options, err) ||
		!target->ops->owner_evict(target, err) ||
		!target->ops->state_exists(target, &exists, err))
		return false;
	if (exists)
		return target->ops->progress_claim(target, progress, err);
	/* nothing is created before it is known that nothing is in the way */
	memset(progress, 0, sizeof(*progress));
	return true;
}

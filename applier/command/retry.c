/*
 * retry.c
 *		See retry.h.
 *
 * The time that failures have lasted counts from the first one after things
 * went well; they did when an attempt stayed connected for a while.  Without
 * that, a server that accepts connections and always fails right behind would
 * be tried for ever.
 */
#include "command/retry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 5000
#define WENT_WELL_MS 10000

void
retry_init(Retry *retry, int64_t retry_for_ms)
{
	memset(retry, 0, sizeof(*retry));
	retry->retry_for_ms = retry_for_ms;
	retry->pause_ms = PAUSE_FIRST_MS;
}

void
retry_connected(Retry *retry)
{
	retry->connected_ms = clock_ms();
}

/* Besides what is transient anyway: a server that does not answer right now. */
static bool
can_pass(const Error *err)
{
	return error_is_transient(err) || err->code == P_CONNECT;
}

static bool
give_up(const Retry *retry, Error *err)
{
	char last[sizeof(err->message)];
	int code = (int) err->code;

	snprintf(last, sizeof(last), "%s", err->message);
	error_set(err, P_KEPT_FAILING, "gave up after %.1f s of failures",
			  (double) (clock_ms() - retry->failing_since_ms) / 1000);
	return error_detail(err, "The last one was: %s [P%04d]", last, code);
}

bool
retry_again(Retry *retry, Error *err)
{
	int64_t now_ms = clock_ms();
	int64_t pause_ms;

	if (err->kind == ERROR_STOPPED || signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped");
	/* the stream begins again and gets past the row: no failure of a server */
	if (err->code == P_PUT_ASIDE)
	{
		log_warning("%s [P%04d]", err->message, (int) err->code);
		error_clear(err);
		return true;
	}
	if (!can_pass(err))
		return false;
	if (retry->connected_ms != 0 &&
		now_ms - retry->connected_ms >= WENT_WELL_MS)
	{
		retry->failing_since_ms = 0;
		retry->pause_ms = PAUSE_FIRST_MS;
	}
	retry->connected_ms = 0;
	if (retry->failing_since_ms == 0)
		retry->failing_since_ms = now_ms;
	pause_ms = retry->pause_ms;
	if (retry->retry_for_ms > 0)
	{
		int64_t left_ms = retry->failing_since_ms + retry->retry_for_ms -
						  now_ms;

		if (left_ms <= 0)
			return give_up(retry, err);
		if (pause_ms > left_ms)
			pause_ms = left_ms;
	}
	log_error_retried(err, "trying again");
	error_clear(err);
	clock_pause_ms(pause_ms);
	retry->pause_ms = retry->pause_ms * 2 < PAUSE_MAX_MS ? retry->pause_ms * 2
														 : PAUSE_MAX_MS;
	if (signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped");
	return true;
}

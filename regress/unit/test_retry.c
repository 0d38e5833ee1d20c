/*
 * test_retry.c
 *		When a failure is tried again, and when it is not.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/retry.h"
#include "tap.h"

static Error
failure(ErrorCode code)
{
	Error err = ERROR_INIT;

	error_set(&err, code, "it failed");
	return err;
}

static void
test_what_passes(void)
{
	static const ErrorCode passing[] = { P_CONNECTION_LOST, P_SERVER_BUSY,
										 P_CONNECT };
	static const ErrorCode lasting[] = { P_LOGIN,	P_ROW_MISSING, P_HISTORY,
										 P_OPTIONS, P_FENCED,	   P_BUG };

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
	{
		Retry retry;
		Error err = failure(passing[i]);

		retry_init(&retry, 60000);
		ok(retry_again(&retry, &err), "P%04d is tried again", (int) passing[i]);
		ok(!error_is_set(&err), "and forgotten");
	}
	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
	{
		Retry retry;
		Error err = failure(lasting[i]);

		retry_init(&retry, 60000);
		ok(!retry_again(&retry, &err), "P%04d is not", (int) lasting[i]);
		is_int(err.code, lasting[i], "and stays what it is");
	}
}

static void
test_deadline(void)
{
	Retry retry;
	Error err;
	int tries = 0;
	int64_t started_ms = clock_ms();

	retry_init(&retry, 2000);
	do
	{
		err = failure(P_CONNECTION_LOST);
		tries++;
	} while (tries < 100 && retry_again(&retry, &err));
	is_int(err.code, P_KEPT_FAILING, "it ends when the time has passed");
	has(err.detail, "it failed [P0303]", "and says what the last one was");
	ok(clock_ms() - started_ms >= 2000, "not before");
	ok(tries >= 3 && tries <= 8, "pauses grow: %d tries", tries);
	is_int(error_exit_code(&err), 3, "unreachable");
}

static void
test_goes_well(void)
{
	Retry retry;
	Error err = failure(P_CONNECTION_LOST);
	int64_t first_pause_ms;

	retry_init(&retry, 0);
	first_pause_ms = retry.pause_ms;
	ok(retry_again(&retry, &err), "for ever");
	ok(retry.pause_ms > first_pause_ms, "the next pause is longer");
	retry_connected(&retry);
	err = failure(P_CONNECTION_LOST);
	ok(retry_again(&retry, &err), "a connection that fails at once");
	ok(retry.pause_ms > 2 * first_pause_ms, "changes nothing");
	retry.connected_ms = clock_ms() - 60000;
	err = failure(P_CONNECTION_LOST);
	ok(retry_again(&retry, &err), "one that held for a minute");
	ok(retry.pause_ms == 2 * first_pause_ms, "begins anew");
}

static void
test_stop(void)
{
	Retry retry;
	Error err = failure(P_CONNECTION_LOST);

	retry_init(&retry, 0);
	signals_request_stop();
	ok(!retry_again(&retry, &err), "no other try after a request to stop");
	is_int(err.kind, ERROR_STOPPED, "which is what it ends with");
}

int
main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	signals_init();
	test_what_passes();
	test_deadline();
	test_goes_well();
	test_stop();
	return done_testing();
}

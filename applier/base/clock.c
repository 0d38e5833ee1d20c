/*
 * clock.c
 *		See clock.h.
 */
#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/signals.h"

/* 2000-01-01 00:00:00 UTC in seconds since 1970 */
#define EPOCH_2000 INT64_C(946684800)

static int64_t
read_us(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		BUG("clock_gettime: %s", strerror(errno));
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME) - EPOCH_2000 * 1000000;
}

void
clock_pause_ms(int64_t ms)
{
	int64_t end_ms = clock_ms() + ms;
	struct pollfd stop = { .fd = signals_fd(), .events = POLLIN };

	/* the descriptor is -1, which poll() skips, before signals_init() */
	while (!signals_stop_requested())
	{
		int64_t left_ms = end_ms - clock_ms();

		if (left_ms <= 0)
			return;
		poll(&stop, 1, left_ms > INT_MAX ? INT_MAX : (int) left_ms);
	}
}

void
nonce_make(char out[NONCE_SIZE])
{
	unsigned char bytes[(NONCE_SIZE - 1) / 2];

	/* up to 256 bytes come whole or not at all */
	while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
	{
		if (errno != EINTR)
			BUG("getrandom: %s", strerror(errno));
	}
	*hex_put(out, bytes, sizeof(bytes)) = '\0';
}

/*
 * wake.c
 *		See wake.h.
 */
#include "base/wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signals.h"

void
wake_init(Wake *wake)
{
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake->fd < 0)
		BUG("eventfd: %s", strerror(errno));
}

void
wake_release(Wake *wake)
{
	close(wake->fd);
	wake->fd = -1;
}

void
wake_ring(const Wake *wake)
{
	uint64_t one = 1;

	/* refused only when it has rung for a very long time */
	if (write(wake->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		BUG("write to an eventfd: %s", strerror(errno));
}

void
wake_wait(const Wake *wake, int64_t until_ms)
{
	struct pollfd fds[2] = {
		{ .fd = wake->fd, .events = POLLIN },
		{ .fd = signals_fd(), .events = POLLIN },
	};
	int64_t left_ms;

	while (!signals_stop_requested() && (left_ms = until_ms - clock_ms()) > 0)
	{
		if (poll(fds, 2, left_ms > INT_MAX ? INT_MAX : (int) left_ms) > 0)
			return;
	}
}

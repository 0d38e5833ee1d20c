/*
 * signals.c
 *		See signals.h.
 *
 * The handlers only set an atomic and write to an eventfd that nobody ever
 * reads, so it stays readable for every thread that polls it.
 */
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

static atomic_bool stop_requested;
static atomic_int stop_signal;
static int stop_fd = -1;

void
signals_request_stop(void)
{
	const uint64_t one = 1;
	int saved_errno = errno;

	atomic_store(&stop_requested, true);
	if (stop_fd >= 0)
	{
		ssize_t written = write(stop_fd, &one, sizeof(one));

		(void) written; /* it can only fail by being readable already */
	}
	errno = saved_errno;
}

static void
handle_stop(int signo)
{
	int none = 0;

	if (!atomic_compare_exchange_strong(&stop_signal, &none, signo))
	{
		/* the second: die of it, once this handler has returned */
		signal(signo, SIG_DFL);
		raise(signo);
		return;
	}
	signals_request_stop();
}

void
signals_init(void)
{
	struct sigaction action;

	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0)
		BUG("eventfd: %s", strerror(errno));
	memset(&action, 0, sizeof(action));
	action.sa_handler = handle_stop;
	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	/* a closed pipe is an error of write(), not the end of the process */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

bool
signals_stop_requested(void)
{
	return atomic_load(&stop_requested);
}

int
signals_number(void)
{
	return atomic_load(&stop_signal);
}

int
signals_fd(void)
{
	return stop_fd;
}

/*
 * confirm.c
 *		See confirm.h.
 */
#include "command/confirm.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"

/* A line from the terminal; P_STOPPED if a signal comes first. */
static bool
read_answer(char *answer, size_t size, Error *err)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
							 { .fd = signals_fd(), .events = POLLIN } };
	ssize_t len;

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (signals_stop_requested())
		return error_set(err, P_STOPPED, "stopped");
	len = read(STDIN_FILENO, answer, size - 1);
	answer[len > 0 ? len : 0] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

bool
confirm(const Options *options, const char *what, Error *err, const char *fmt,
		...)
{
	char answer[16];
	va_list args;

	if (options->yes)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return error_set(err, P_CONFIRM,
						 "%s asks on the terminal, and there is none", what) ||
			   error_hint(err, "pass --yes");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("  Answer yes or no: ", stderr);
	fflush(stderr);
	if (!read_answer(answer, sizeof(answer), err))
		return false;
	if (strcmp(answer, "yes") != 0 && strcmp(answer, "y") != 0)
		return error_set(err, P_CONFIRM, "nothing was dropped");
	return true;
}

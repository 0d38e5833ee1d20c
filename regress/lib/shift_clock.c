/*
 * shift_clock.c
 *		A preloaded library that sets the wall clock of one process.
 *
 * What CLOCK_REALTIME says is shifted by the seconds in the file that
 * SHIFT_CLOCK names, which is read every time, so that a test can set the clock
 * back and forth while the process runs.  The monotonic clock is left alone, as
 * it is when somebody sets the clock of a machine.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
shift_seconds(void)
{
	const char *path = getenv("SHIFT_CLOCK");
	char text[32] = "";
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
	{
		ssize_t len = read(fd, text, sizeof(text) - 1);

		text[len > 0 ? len : 0] = '\0';
		close(fd);
	}
	return atol(text);
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int (*real)(clockid_t, struct timespec *) = (int (*)(
		clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	int rc = real(clock, out);

	if (rc == 0 && clock == CLOCK_REALTIME)
		out->tv_sec += shift_seconds();
	return rc;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void) zone;
	clock_gettime(CLOCK_REALTIME, &now);
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

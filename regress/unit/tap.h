/*
 * tap.h
 *		Tests that print TAP, for prove.
 *
 * A test program calls ok() and its kin, then ends main() with
 * return done_testing().  Every check prints what it expected when it fails.
 */
#ifndef PORTAGE_TAP_H
#define PORTAGE_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failures;

static inline bool
tap_result(bool passed, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static inline bool
tap_result(bool passed, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	if (!passed)
	{
		tap_failures++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return passed;
}

static inline bool
tap_is_int(long long got, long long want, const char *file, int line,
		   const char *what)
{
	if (tap_result(got == want, file, line, "%s", what))
		return true;
	printf("# got %lld, expected %lld\n", got, want);
	return false;
}

static inline bool
tap_is_str(const char *got, const char *want, const char *file, int line,
		   const char *what)
{
	bool same = got == want ||
				(got != NULL && want != NULL && strcmp(got, want) == 0);

	if (tap_result(same, file, line, "%s", what))
		return true;
	printf("# got \"%s\", expected \"%s\"\n", got != NULL ? got : "(null)",
		   want != NULL ? want : "(null)");
	return false;
}

static inline bool
tap_has(const char *got, const char *part, const char *file, int line,
		const char *what)
{
	if (tap_result(strstr(got, part) != NULL, file, line, "%s", what))
		return true;
	printf("# \"%s\" does not contain \"%s\"\n", got, part);
	return false;
}

static inline int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0 || tap_count == 0 ? 1 : 0;
}

#define ok(condition, ...) \
	tap_result((condition), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, what) \
	tap_is_int((long long) (got), (long long) (want), __FILE__, __LINE__, what)
#define is_str(got, want, what) \
	tap_is_str((got), (want), __FILE__, __LINE__, what)
#define has(got, part, what) tap_has((got), (part), __FILE__, __LINE__, what)

#endif /* PORTAGE_TAP_H */

/*
 * log.h
 *		What the process says on stderr.
 *
 * Lines are "pg_portage: LEVEL: text", errors with their code and with detail
 * and hint on lines of their own.  Each line is one write, so lines of several
 * threads do not mix.  Secrets never come here: conninfo strings are shown only
 * through what the connection module has cleaned.
 */
#ifndef PORTAGE_LOG_H
#define PORTAGE_LOG_H

#include <stdbool.h>

#include "base/error.h"

typedef enum LogLevel
{
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
} LogLevel;

/*
 * What lines of this thread are about, put before their text: "shop > eu: ...";
 * NULL for nothing.  The string lives as long as it is set.  Whoever starts a
 * thread hands its own over.  Returns what it was before.
 */
const char *log_set_context(const char *context);
const char *log_context(void);

/* Print this level and above; default LOG_LEVEL_INFO. */
void log_set_level(LogLevel level);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "pg_portage: error: MESSAGE [P0413]", then detail: and hint: lines. */
void log_error(const Error *err);

/* The same as a warning: an error that is being retried. */
void log_error_retried(const Error *err, const char *what);

#endif /* PORTAGE_LOG_H */

/*
 * log.c
 *		See log.h.
 *
 * A message is formatted on the stack and leaves with one write; an error's
 * detail and hint go with it, so that they stay together.  What a server says
 * may span lines; here it becomes one, so that every line of ours begins with
 * "pg_portage: ".
 */
#include "base/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/display.h"

#define TEXT_SIZE 4096

static atomic_int lowest_level = LOG_LEVEL_INFO;
static _Thread_local const char *thread_context;

const char *
log_set_context(const char *context)
{
	const char *before = thread_context;

	thread_context = context;
	return before;
}

const char *
log_context(void)
{
	return thread_context;
}

void
log_set_level(LogLevel level)
{
	atomic_store(&lowest_level, (int) level);
}

static bool
is_printed(LogLevel level)
{
	return (int) level >= atomic_load(&lowest_level);
}

/* Append "pg_portage: KIND: TEXT", as one line, to out at len. */
static size_t
add_line(char *out, size_t size, size_t len, const char *kind, const char *text)
{
	bool is_text = strcmp(kind, "detail") != 0 && strcmp(kind, "hint") != 0;
	bool about = thread_context != NULL && is_text;
	int printed;

	printed = snprintf(out + len, size - len, "pg_portage: %s: %s%s", kind,
					   about ? thread_context : "", about ? ": " : "");
	len += (size_t) printed;
	for (; *text != '\0' && len + 2 < size; text++)
	{
		if (*text != '\n' && *text != '\r')
			out[len++] = *text;
		else if (text[1] != '\0')
		{
			out[len++] = ' ';
			while (isspace((unsigned char) text[1]))
				text++;
		}
	}
	out[len++] = '\n';
	return len;
}

static void
log_text(LogLevel level, const char *kind, const char *fmt, va_list args)
{
	char text[TEXT_SIZE];
	char line[TEXT_SIZE + 256];
	size_t len;

	if (!is_printed(level))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	len = add_line(line, sizeof(line), 0, kind, text);
	display_print(line, len);
}

void
log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_text(LOG_LEVEL_DEBUG, "debug", fmt, args);
	va_end(args);
}

void
log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_text(LOG_LEVEL_INFO, "info", fmt, args);
	va_end(args);
}

void
log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_text(LOG_LEVEL_WARNING, "warning", fmt, args);
	va_end(args);
}

/* The table's remedy, for errors that carry no hint of their own. */
static const char *
hint_of(const Error *err)
{
	const char *remedy;
	int number;
	int i;

	if (err->hint[0] != '\0')
		return err->hint;
	for (i = 0; error_table_entry(i, &number, NULL, NULL, NULL, &remedy); i++)
	{
		if (number == (int) err->code)
			return remedy;
	}
	return "";
}

static void
log_with_details(const char *kind, const Error *err, const char *before,
				 const char *hint)
{
	char text[TEXT_SIZE];
	char lines[3 * TEXT_SIZE];
	size_t len;

	snprintf(text, sizeof(text), "%s%s%s [P%04d]", before,
			 before[0] != '\0' ? ": " : "", err->message, (int) err->code);
	len = add_line(lines, sizeof(lines), 0, kind, text);
	if (err->detail[0] != '\0')
		len = add_line(lines, sizeof(lines), len, "detail", err->detail);
	if (hint[0] != '\0')
		len = add_line(lines, sizeof(lines), len, "hint", hint);
	display_print(lines, len);
}

void
log_error(const Error *err)
{
	if (is_printed(LOG_LEVEL_ERROR))
		log_with_details("error", err, "", hint_of(err));
}

void
log_error_retried(const Error *err, const char *what)
{
	/* no default hint: somebody is already doing what it would advise */
	if (is_printed(LOG_LEVEL_WARNING))
		log_with_details("warning", err, what, err->hint);
}

/*
 * error.c
 *		See error.h.
 *
 * Every text is formatted into an array of its own before the error is
 * touched, because arguments often point into the error itself.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

typedef struct ErrorEntry
{
	int number;
	const char *name;
	ErrorKind kind;
	const char *cause;
	const char *remedy;
} ErrorEntry;

static const ErrorEntry entries[] = {
#define ERROR_CODE(number, name, kind, cause, remedy) \
	{ number, #name, kind, cause, remedy },
#include "base/error_codes.def"
#undef ERROR_CODE
};

#define ENTRY_COUNT ((int) (sizeof(entries) / sizeof(entries[0])))

typedef char ErrorText[sizeof(((Error *) NULL)->message)];

/* End a text that was cut before a character that was cut in half (UTF-8). */
static void
trim_to_character(char *text, size_t len)
{
	size_t start = len;
	unsigned char lead;
	size_t want;

	while (start > 0 && len - start < 3 &&
		   ((unsigned char) text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	lead = (unsigned char) text[start - 1];
	if (lead < 0xC0)
		return;
	want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (len - (start - 1) < want)
		text[start - 1] = '\0';
}

static void
format_text(ErrorText text, const char *fmt, va_list args)
{
	int len = vsnprintf(text, sizeof(ErrorText), fmt, args);

	if (len < 0)
		text[0] = '\0';
	else if ((size_t) len >= sizeof(ErrorText))
		trim_to_character(text, sizeof(ErrorText) - 1);
}

bool
error_set(Error *err, ErrorCode code, const char *fmt, ...)
{
	ErrorText text;
	va_list args;
	int i;

	va_start(args, fmt);
	format_text(text, fmt, args);
	va_end(args);
	error_clear(err);
	for (i = 0; i < ENTRY_COUNT && entries[i].number != (int) code; i++)
		;
	if (i == ENTRY_COUNT)
		BUG("error code %d is not in the table: %s", (int) code, text);
	err->code = code;
	err->kind = entries[i].kind;
	memcpy(err->message, text, sizeof(text));
	return false;
}

bool
error_detail(Error *err, const char *fmt, ...)
{
	ErrorText text;
	va_list args;

	va_start(args, fmt);
	format_text(text, fmt, args);
	va_end(args);
	memcpy(err->detail, text, sizeof(text));
	return false;
}

bool
error_hint(Error *err, const char *fmt, ...)
{
	ErrorText text;
	va_list args;

	va_start(args, fmt);
	format_text(text, fmt, args);
	va_end(args);
	memcpy(err->hint, text, sizeof(text));
	return false;
}

bool
error_wrap(Error *err, const char *fmt, ...)
{
	ErrorText context;
	ErrorText text;
	va_list args;
	int len;

	if (!error_is_set(err))
		BUG("context for an error that is not set");
	va_start(args, fmt);
	format_text(context, fmt, args);
	va_end(args);
	len = snprintf(text, sizeof(text), "%s: %s", context, err->message);
	if (len >= (int) sizeof(text))
		trim_to_character(text, sizeof(text) - 1);
	memcpy(err->message, text, sizeof(text));
	return false;
}

bool
error_as(Error *err, ErrorKind kind)
{
	err->kind = kind;
	return false;
}

void
error_clear(Error *err)
{
	memset(err, 0, sizeof(*err));
}

bool
error_is_set(const Error *err)
{
	return err->kind != ERROR_NONE;
}

bool
error_is_transient(const Error *err)
{
	return err->kind == ERROR_TRANSIENT;
}

int
error_exit_code(const Error *err)
{
	switch (err->kind)
	{
		case ERROR_NONE:
		case ERROR_STOPPED:
			return 0;
		case ERROR_USAGE:
			return 2;
		case ERROR_TRANSIENT:
		case ERROR_UNREACHABLE:
			return 3;
		case ERROR_DATA:
			return 4;
		case ERROR_INTERNAL:
			break;
	}
	return 70;
}

bool
error_table_entry(int index, int *number, const char **name, ErrorKind *kind,
				  const char **cause, const char **remedy)
{
	const ErrorEntry *entry;

	if (index < 0 || index >= ENTRY_COUNT)
		return false;
	entry = &entries[index];
	if (number != NULL)
		*number = entry->number;
	if (name != NULL)
		*name = entry->name;
	if (kind != NULL)
		*kind = entry->kind;
	if (cause != NULL)
		*cause = entry->cause;
	if (remedy != NULL)
		*remedy = entry->remedy;
	return true;
}

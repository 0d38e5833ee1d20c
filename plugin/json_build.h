/*
 * json_build.h
 *		JSON objects and arrays in a StringInfo, without any state beside it.
 *
 * Whether a comma is due shows in the character before: nothing else than an
 * opening bracket can stand where none is.
 */
#ifndef PORTAGE_JSON_BUILD_H
#define PORTAGE_JSON_BUILD_H

#include "lib/stringinfo.h"
#include "utils/json.h"

/* Go on with the next element of an array or member of an object. */
static inline void
json_next(StringInfo out)
{
	char last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		appendStringInfoChar(out, ',');
}

/* "key":  -- keys are our own words and need no escape */
static inline void
json_key(StringInfo out, const char *key)
{
	json_next(out);
	appendStringInfo(out, "\"%s\":", key);
}

/* A string, or null. */
static inline void
json_text(StringInfo out, const char *key, const char *value)
{
	json_key(out, key);
	if (value != NULL)
		escape_json(out, value);
	else
		appendStringInfoString(out, "null");
}

static inline void
json_bool(StringInfo out, const char *key, bool value)
{
	json_key(out, key);
	appendStringInfoString(out, value ? "true" : "false");
}

static inline void
json_oid(StringInfo out, const char *key, Oid value)
{
	json_key(out, key);
	appendStringInfo(out, "%u", value);
}

static inline void
json_int(StringInfo out, const char *key, int value)
{
	json_key(out, key);
	appendStringInfo(out, "%d", value);
}

/* A string of one character, empty if there is none. */
static inline void
json_char(StringInfo out, const char *key, char value)
{
	char text[2] = { value, '\0' };

	json_text(out, key, text);
}

#endif /* PORTAGE_JSON_BUILD_H */

/*
 * json_words.c
 *		See json_words.h.
 */
#include "command/json_words.h"

#include <stdio.h>

json_t *
json_words(const char *s)
{
	json_t *value = json_string(s);

	return value != NULL ? value : json_string("(not in UTF-8)");
}

json_t *
json_words_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? json_words(s) : json_null();
}

json_t *
json_finding(const Finding *f)
{
	char code[8] = "";

	if (f->code != 0)
		snprintf(code, sizeof(code), "P%04d", (int) f->code);
	return json_pack(
		"{s:s, s:o, s:s, s:o, s:o, s:o, s:b}", "severity",
		severity_name(f->severity), "code", json_words_or_null(code), "side",
		finding_side_name(f->side), "object", json_words(f->object), "message",
		json_words(f->message), "remedy", json_words_or_null(f->remedy),
		"left_behind", (int) f->left_behind);
}

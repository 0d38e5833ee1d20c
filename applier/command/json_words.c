/*
 * json_words.c
 *		See json_words.h.
 */
#include "command/json_words.h"

json_t *
json_words(const char *s)
{
	json_t *value = json_string(s);

	return value != NULL ? value : json_string("(not in UTF-8)");
}

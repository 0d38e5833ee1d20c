/*
 * json_words.h
 *		Strings of servers in the JSON that commands print.
 */
#ifndef PORTAGE_JSON_WORDS_H
#define PORTAGE_JSON_WORDS_H

#include <jansson.h>

/*
 * A name or a message, a new reference.  It may be in any encoding: what is not
 * UTF-8 is said not to be.
 */
json_t *json_words(const char *s);

#endif /* PORTAGE_JSON_WORDS_H */

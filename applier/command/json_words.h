/*
 * json_words.h
 *		Strings of servers, and findings, in the JSON that commands print.
 */
#ifndef PORTAGE_JSON_WORDS_H
#define PORTAGE_JSON_WORDS_H

#include <jansson.h>

#include "finding.h"

/*
 * A name or a message, a new reference.  It may be in any encoding: what is not
 * UTF-8 is said not to be.
 */
json_t *json_words(const char *s);

/* null for NULL and for "". */
json_t *json_words_or_null(const char *s);

/* As check --json shows it. */
json_t *json_finding(const Finding *finding);

#endif /* PORTAGE_JSON_WORDS_H */

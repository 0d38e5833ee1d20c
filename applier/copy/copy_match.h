/*
 * copy_match.h
 *		Rules with match, in the copy; see copy_match.c.
 */
#ifndef PORTAGE_COPY_MATCH_H
#define PORTAGE_COPY_MATCH_H

#include "copy/copy_pool.h"

/*
 * Once all tables are loaded: change the rows that rules with match find, as far as
 * that is not done yet.
 */
bool copy_matches(CopyPool *pool, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_MATCH_H */

/*
 * walk.h
 *		Commands that do the same for each pair of source and target, one after
 *		the other.
 *
 * With one pair nothing is added to what the command prints.  With several, text
 * is headed by the names of source and target, and JSON is one object with a list:
 *
 *		{ "format": 1, "name": ..., "pairs": [
 *			{ "source": ..., "target": ..., "exit_code": 0, "result": ... } ] }
 */
#ifndef PORTAGE_WALK_H
#define PORTAGE_WALK_H

#include <jansson.h>

#include "command/pairs.h"

/* What is done for a pair; its exit code. */
typedef int (*PairCommand)(const Options *options);

typedef enum WalkMode
{
	WALK_ALL,	 /* each, whatever became of others */
	WALK_SUCCESS /* until one has failed */
} WalkMode;

/* The exit code: the greatest of theirs. */
int walk_pairs(const Options *options, PairCommand command, WalkMode mode);

/* What a pair's command prints as JSON; takes the object over. */
void walk_print_json(json_t *result, size_t flags);

#endif /* PORTAGE_WALK_H */

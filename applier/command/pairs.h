/*
 * pairs.h
 *		The sources and targets of a migration, each with each.
 *
 * For every source and every target there is a pair: options as if it were a
 * migration of those two alone, so that whatever works on one works on each.  The
 * stream of a source has one name on all targets: the migration's, or with several
 * sources the migration's and the source's.
 */
#ifndef PORTAGE_PAIRS_H
#define PORTAGE_PAIRS_H

#include "base/arena.h"
#include "command/options.h"

typedef struct Pair
{
	Options options;	 /* source, target and name are this pair's */
	const char *context; /* for log lines; NULL for the only pair */
} Pair;

typedef struct Pairs
{
	Pair *items; /* by source, then by target */
	int count;
	int source_count;
	int target_count;
} Pairs;

/*
 * From the options, and the configuration that they name.  P_CONFIG where a name
 * would be too long.
 */
bool pairs_make(const Options *options, Arena *arena, Pairs *pairs,
				Error *err) MUST_CHECK;

/* P_SAME_DATABASE: their targets turned out to be one database. */
bool
pairs_refuse_twins(const Options *first, const Options *second, Error *err);

/* The pairs of a source: target_count of them. */
Pair *pairs_of_source(const Pairs *pairs, int source);

#endif /* PORTAGE_PAIRS_H */

/*
 * split.h
 *		What of a plan may be written while older plans are not committed yet.
 *
 * A plan's key set says which rows it touches.  A row of a younger plan that is
 * in none of the older sets is early: it commutes with everything that is still
 * to happen before it.  Everything else is late, and waits for its turn.
 */
#ifndef PORTAGE_SPLIT_H
#define PORTAGE_SPLIT_H

#include "plan/plan.h"

/* The rows that a plan touches: hashes of table and key. */
typedef struct KeySet
{
	uint64_t *slots; /* 0: free */
	size_t capacity; /* a power of two */
	size_t count;
	bool everything; /* nothing passes it */
} KeySet;

void key_set_init(KeySet *set);
void key_set_release(KeySet *set);

/* Make it the set of this plan. */
void key_set_fill(KeySet *set, const Plan *plan);

/* A plan in two parts; both point into it. */
typedef struct PlanSplit
{
	Plan early;
	Plan late;
	uint64_t early_rows; /* operations */
} PlanSplit;

/* older: the sets of all plans that are not committed; the result lives in the
 * arena. */
void plan_split(const Plan *plan, const KeySet *const *older, int older_count,
				Arena *arena, PlanSplit *split);

#endif /* PORTAGE_SPLIT_H */

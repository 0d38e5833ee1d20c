/*
 * pending.h
 *		Commits on the target that are not known to be durable yet.
 *
 * The target says up to where its log is on disk; by that the commits become
 * durable in the order in which they were made.
 */
#ifndef PORTAGE_PENDING_H
#define PORTAGE_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lsn.h"

/* Later commits are merged into the last entry: durable is what they all are. */
#define MAX_PENDING 64

/* What becomes true when the target's log is flushed up to a position. */
typedef struct PendingCommit
{
	uint64_t written;
	Lsn resume_lsn;	 /* everything before it is durable */
	Lsn confirm_lsn; /* may be told to the source */
} PendingCommit;

/* All zeros is empty. */
typedef struct PendingCommits
{
	PendingCommit commits[MAX_PENDING];
	int count;
} PendingCommits;

void pending_add(PendingCommits *pending, const PendingCommit *commit);

/*
 * The target's log is on disk up to there.  True if that settles something:
 * *settled is the newest of it.
 */
bool pending_settle(PendingCommits *pending, uint64_t durable,
					PendingCommit *settled);

#endif /* PORTAGE_PENDING_H */

/*
 * pending.c
 *		See pending.h.
 */
#include "stream/pending.h"

#include <string.h>

void
pending_add(PendingCommits *pending, const PendingCommit *commit)
{
	if (pending->count < MAX_PENDING)
		pending->count++;
	pending->commits[pending->count - 1] = *commit;
}

bool
pending_settle(PendingCommits *pending, uint64_t durable,
			   PendingCommit *settled)
{
	int done = 0;

	while (done < pending->count && pending->commits[done].written <= durable)
		done++;
	if (done == 0)
		return false;
	*settled = pending->commits[done - 1];
	pending->count -= done;
	memmove(pending->commits, pending->commits + done,
			(size_t) pending->count * sizeof(*pending->commits));
	return true;
}

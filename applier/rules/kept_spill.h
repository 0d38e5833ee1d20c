/*
 * kept_spill.h
 *		Kept rows that have to wait: while a target loads rows it takes nothing
 *		else.
 *
 * A few are in memory, more of them in a temporary file without a name; so is what
 * is given back.
 */
#ifndef PORTAGE_KEPT_SPILL_H
#define PORTAGE_KEPT_SPILL_H

#include "kept.h"

typedef struct KeptSpill KeptSpill;

/* spill_bytes: so much stays in memory. */
KeptSpill *kept_spill_open(size_t spill_bytes);
void kept_spill_close(KeptSpill *spill);

/* Add a copy of the row.  P_COPY: there is no room for the file. */
bool
kept_spill_add(KeptSpill *spill, const KeptRow *row, Error *err) MUST_CHECK;

/*
 * Some of them, in the order in which they were added, until the next call; *count
 * is 0 behind the last.  Nothing is added any more.
 */
bool kept_spill_next(KeptSpill *spill, KeptRow **rows, int *count,
					 Error *err) MUST_CHECK;

#endif /* PORTAGE_KEPT_SPILL_H */

/*
 * copy_show.h
 *		How far the copy is, for a person who looks on.
 *
 * On a terminal a line for each table that is being copied or indexed and one
 * for all, drawn again every second; elsewhere a line in the log every ten
 * seconds; nothing with --quiet.  All calls are made under the pool's lock.
 */
#ifndef PORTAGE_COPY_SHOW_H
#define PORTAGE_COPY_SHOW_H

#include "base/meter.h"
#include "copy/copy_pool.h"

typedef struct CopyShow
{
	const CopyPool *pool;
	int64_t shown_ms;
	Meter total;   /* bytes sent */
	Meter *tables; /* the same for each table of the plan */
} CopyShow;

void copy_show_init(CopyShow *show, const CopyPool *pool);
void copy_show_release(CopyShow *show);

/* When the next turn is due, on clock_ms(). */
int64_t copy_show_due_ms(const CopyShow *show);

/* Measure, and show what there is. */
void copy_show_turn(CopyShow *show);

/* The last word: totals over the whole time, unless the copy has failed. */
void copy_show_end(CopyShow *show);

#endif /* PORTAGE_COPY_SHOW_H */

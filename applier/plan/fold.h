/*
 * fold.h
 *		Two changes of one row become one.
 */
#ifndef PORTAGE_FOLD_H
#define PORTAGE_FOLD_H

#include "plan/plan.h"

/*
 * What op and a later change of the same row, under the same key, come to; op
 * becomes it.  False if the change cannot follow: op is as it was then.  Values
 * that have to be put together are allocated in the arena.
 */
bool fold_change(PlanOp *op, const Txn *txn, const Change *change, Arena *arena,
				 PlanStats *stats);

/* What a row's first change is, before anything is folded into it. */
void fold_first(PlanOp *op, const Txn *txn, const Change *change);

#endif /* PORTAGE_FOLD_H */

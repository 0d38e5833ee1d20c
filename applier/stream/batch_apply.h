/*
 * batch_apply.h
 *		A batch becomes a target transaction, whatever the target says to its
 *		plan.
 *
 * Written as planned, all of a batch's rows, or none, are where they should be:
 * each vector proves its number of rows, and the target its constraints.  Where
 * one of them says no, the order of the source's changes may have mattered (two
 * rows that exchange a unique value), or the target is not what the source's
 * was.  Then the batch is halved at the boundaries of transactions until what
 * fails is one of them, which is applied row by row in the source's order.
 * Either that succeeds, or its error names the row.
 */
#ifndef PORTAGE_BATCH_APPLY_H
#define PORTAGE_BATCH_APPLY_H

#include "stream/batch.h"

/*
 * Write the batch's rows in one target transaction, which is left open.  On an
 * error nothing of the batch is there: what was written is rolled back, or gone
 * with the connection.  What became of the rows is added to counts.
 */
bool batch_write(StreamBatch *batch, const TargetOps *ops, TargetWriter *writer,
				 ApplyCounts *counts, Error *err) MUST_CHECK;

/* A plan was written as it is: add what became of its rows. */
void apply_counts_plan(ApplyCounts *counts, const Plan *plan);

#endif /* PORTAGE_BATCH_APPLY_H */

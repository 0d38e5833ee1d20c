/*
 * planner.h
 *		Changes in the source's order become a plan with the same effect.
 *
 * Changes are added one by one, whole transactions or a part of one; the plan
 * is finished when the target is free to write it.  Changes of the same row are
 * folded into one, what is left is grouped into vectors, and what would change
 * its meaning by moving is a barrier:
 *
 * - an UPDATE of a key stands alone in its table: other rows may come from, or
 *   go to, either of its keys;
 * - an UPDATE or DELETE without a usable key stands alone in its table: which
 *   row it means depends on all that went before;
 * - a change that cannot follow on what is known of its row, such as an INSERT
 *   of a row that is there, begins a new generation of its table, so that the
 *   target refuses it as it would by itself;
 * - an event (TRUNCATE, DDL) stands alone in the batch;
 * - so do changes that mean rows by other columns than their key, and INSERTs
 *   that may find their key taken (change_is_barrier()).
 *
 * Between two barriers of its table a key occurs in one operation at most; that
 * is what makes the number of rows that a vector affected prove anything.  It
 * is asserted over every plan.
 */
#ifndef PORTAGE_PLANNER_H
#define PORTAGE_PLANNER_H

#include "plan/plan.h"

typedef struct Planner Planner;

Planner *planner_new(void);
void planner_free(Planner *planner);

/* Forget plan and changes; what the last plan gave is gone. */
void planner_reset(Planner *planner);

/* From here to the next reset, every change stands by itself. */
void planner_serial(Planner *planner);

/*
 * From here to the next reset, changes of the table stand by themselves, in the
 * source's order.
 */
void planner_in_order(Planner *planner, const PlanTable *table);

/*
 * One more change of a row: anything but TRUNCATE and NOKEY.  Table, txn and change
 * live until the reset.
 */
void planner_add(Planner *planner, const PlanTable *table, const Txn *txn,
				 const Change *change);

/*
 * The table is announced with another storage, which the target has to note.
 * Said again before the next relation of the table, it is one step.
 */
void planner_relation(Planner *planner, const PlanTable *table,
					  const Relation *relation);

/* What nothing may pass. */
void planner_event(Planner *planner, const Txn *txn, const Event *event);

/* Memory for what is to live as long as the plan. */
Arena *planner_arena(Planner *planner);

/* Of what was added so far. */
const PlanStats *planner_stats(const Planner *planner);

/* All that was added; nothing may be added before the next reset. */
const Plan *planner_finish(Planner *planner);

#endif /* PORTAGE_PLANNER_H */

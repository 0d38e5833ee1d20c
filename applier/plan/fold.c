/*
 * fold.c
 *		The table of folds.
 *
 * An operation says what becomes of the row as it was before the batch.  The
 * source's changes of one row can only follow each other in some ways: none but
 * an INSERT after the row was deleted, none after which it exists twice.  What
 * follows otherwise is no fold, and left to the target to refuse.
 */
#include "plan/fold.h"

#include <string.h>

#define MISFIT (-1)

/* [what it is][what comes]; DELETE + INSERT is decided by the table. */
static const int becomes[][3] = {
	/*                      INSERT        UPDATE              DELETE */
	[PLAN_NOTHING] = { PLAN_INSERT, MISFIT, MISFIT },
	[PLAN_INSERT] = { MISFIT, PLAN_INSERT, PLAN_NOTHING },
	[PLAN_UPDATE] = { MISFIT, PLAN_UPDATE, PLAN_DELETE },
	[PLAN_DELETE] = { PLAN_REPLACE, MISFIT, MISFIT },
	[PLAN_REPLACE] = { MISFIT, PLAN_REPLACE, PLAN_DELETE },
	[PLAN_DELETE_INSERT] = { MISFIT, PLAN_DELETE_INSERT, PLAN_DELETE },
};

static bool
value_kept(const Value *later)
{
	return later->state == WIRE_COL_UNCHANGED ||
		   later->state == WIRE_COL_ABSENT;
}

/* The later row, with what is known of the earlier where it says nothing. */
static void
merge_values(PlanOp *op, const Change *change, Arena *arena)
{
	const Value *later = change->new_values;
	int count = change->relation->column_count;
	bool kept = false;
	Value *merged;

	for (int i = 0; i < count && !kept; i++)
		kept = value_kept(&later[i]);
	if (!kept)
	{
		op->values = later;
		op->own_values = false;
		return;
	}
	if (!op->own_values)
	{
		merged = ARENA_ARRAY(arena, Value, (size_t) count);
		memcpy(merged, op->values, sizeof(*merged) * (size_t) count);
		op->values = merged;
		op->own_values = true;
	}
	merged = (Value *) op->values;
	for (int i = 0; i < count; i++)
	{
		if (!value_kept(&later[i]))
			merged[i] = later[i];
	}
}

static void
count_fold(PlanStats *stats, PlanKind kind, const Change *change)
{
	bool inserted = kind == PLAN_INSERT;

	if (change->kind == CHANGE_INSERT)
		stats->delete_insert += kind == PLAN_DELETE;
	else if (change->kind == CHANGE_UPDATE)
		*(inserted ? &stats->insert_update : &stats->update_update) += 1;
	else
		*(inserted ? &stats->insert_delete : &stats->update_delete) += 1;
}

bool
fold_change(PlanOp *op, const Txn *txn, const Change *change, Arena *arena,
			PlanStats *stats)
{
	int result = becomes[op->kind][change->kind];

	if (result == MISFIT)
		return false;
	count_fold(stats, op->kind, change);
	if (result == PLAN_REPLACE && op->kind == PLAN_DELETE && !op->table->exact)
		result = PLAN_DELETE_INSERT;
	if (change->kind == CHANGE_INSERT)
	{
		op->values = change->new_values;
		op->own_values = false;
	}
	else if (change->kind == CHANGE_UPDATE)
		merge_values(op, change, arena);
	op->kind = (PlanKind) result;
	op->change = change;
	op->txn = txn;
	return true;
}

void
fold_first(PlanOp *op, const Txn *txn, const Change *change)
{
	op->kind = change->kind == CHANGE_INSERT   ? PLAN_INSERT
			   : change->kind == CHANGE_UPDATE ? PLAN_UPDATE
											   : PLAN_DELETE;
	op->values = change->new_values;
	op->change = change;
	op->txn = txn;
}

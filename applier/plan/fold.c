/*
 * fold.c
 *		The table of folds.
 *
 * An operation says what becomes of the row as it was before the batch.  The
 * source's changes of one row can only follow each other in some ways: none but
 * an INSERT after the row was deleted, none after which it exists twice.  What
 * follows otherwise is no fold, and left to the target to refuse.
 *
 * A put and a maybe-delete say nothing of what was there, so they can follow on
 * everything.  What was known before stays known: behind an UPDATE a put is an
 * UPDATE of every column, behind an INSERT it is the INSERT, and so either still
 * proves its row.  Where nothing was known nothing is: a row that was put and is
 * deleted is a maybe-delete.
 *
 * Where the row goes and comes again, columns that only the target has are to
 * have what a new row has.  So it is one UPDATE, or one put, only in an exact
 * table; elsewhere it goes first and is inserted then.
 */
#include "plan/fold.h"

#include <string.h>

#include "base/mem.h"

#define MISFIT (-1)

/* Columns of the table of folds. */
enum
{
	COMES_INSERT,
	COMES_UPDATE,
	COMES_DELETE,
	COMES_PUT,
	COMES_MAYBE_DELETE,
	COMES
};

/* [what it is][what comes]; what comes anew is decided by the table. */
static const int becomes[][COMES] = {
	/* INSERT, UPDATE, DELETE, put, maybe-delete */
	[PLAN_NOTHING] = { PLAN_INSERT, MISFIT, MISFIT, PLAN_INSERT, PLAN_NOTHING },
	[PLAN_INSERT] = { MISFIT, PLAN_INSERT, PLAN_NOTHING, PLAN_INSERT,
					  PLAN_NOTHING },
	[PLAN_UPDATE] = { MISFIT, PLAN_UPDATE, PLAN_DELETE, PLAN_UPDATE,
					  PLAN_DELETE },
	[PLAN_DELETE] = { PLAN_REPLACE, MISFIT, MISFIT, PLAN_REPLACE, PLAN_DELETE },
	[PLAN_REPLACE] = { MISFIT, PLAN_REPLACE, PLAN_DELETE, PLAN_REPLACE,
					   PLAN_DELETE },
	[PLAN_DELETE_INSERT] = { MISFIT, PLAN_DELETE_INSERT, PLAN_DELETE,
							 PLAN_DELETE_INSERT, PLAN_DELETE },
	[PLAN_PUT] = { MISFIT, PLAN_PUT, PLAN_MAYBE_DELETE, PLAN_PUT,
				   PLAN_MAYBE_DELETE },
	[PLAN_MAYBE_DELETE] = { PLAN_PUT, MISFIT, MISFIT, PLAN_PUT,
							PLAN_MAYBE_DELETE },
	[PLAN_MAYBE_DELETE_INSERT] = { MISFIT, PLAN_MAYBE_DELETE_INSERT,
								   PLAN_MAYBE_DELETE, PLAN_MAYBE_DELETE_INSERT,
								   PLAN_MAYBE_DELETE },
};

static int
column_of(ChangeKind kind)
{
	switch (kind)
	{
		case CHANGE_INSERT:
			return COMES_INSERT;
		case CHANGE_UPDATE:
			return COMES_UPDATE;
		case CHANGE_DELETE:
			return COMES_DELETE;
		case CHANGE_PUT:
			return COMES_PUT;
		case CHANGE_MAYBE_DELETE:
			return COMES_MAYBE_DELETE;
		default:
			BUG("a change of kind %d is not folded", (int) kind);
	}
}

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

static bool
is_tolerant(PlanKind kind, int comes)
{
	return comes == COMES_PUT || comes == COMES_MAYBE_DELETE ||
		   kind == PLAN_PUT || kind == PLAN_MAYBE_DELETE ||
		   kind == PLAN_MAYBE_DELETE_INSERT;
}

static void
count_fold(PlanStats *stats, PlanKind kind, int comes)
{
	bool inserted = kind == PLAN_INSERT;

	if (is_tolerant(kind, comes))
		stats->tolerant++;
	else if (comes == COMES_INSERT)
		stats->delete_insert += kind == PLAN_DELETE;
	else if (comes == COMES_UPDATE)
		*(inserted ? &stats->insert_update : &stats->update_update) += 1;
	else
		*(inserted ? &stats->insert_delete : &stats->update_delete) += 1;
}

/* A row that goes and comes again, where that cannot be one statement. */
static int
anew(const PlanOp *op, int result)
{
	if (op->table->exact)
		return result;
	if (op->kind == PLAN_DELETE && result == PLAN_REPLACE)
		return PLAN_DELETE_INSERT;
	if (op->kind == PLAN_MAYBE_DELETE && result == PLAN_PUT)
		return PLAN_MAYBE_DELETE_INSERT;
	return result;
}

bool
fold_change(PlanOp *op, const Txn *txn, const Change *change, Arena *arena,
			PlanStats *stats)
{
	int comes = column_of(change->kind);
	int result = becomes[op->kind][comes];

	if (result == MISFIT)
		return false;
	count_fold(stats, op->kind, comes);
	if (comes == COMES_INSERT || comes == COMES_PUT)
	{
		op->values = change->new_values;
		op->own_values = false;
	}
	else if (comes == COMES_UPDATE)
		merge_values(op, change, arena);
	op->kind = (PlanKind) anew(op, result);
	op->change = change;
	op->txn = txn;
	return true;
}

void
fold_first(PlanOp *op, const Txn *txn, const Change *change)
{
	static const PlanKind kinds[COMES] = {
		[COMES_INSERT] = PLAN_INSERT,
		[COMES_UPDATE] = PLAN_UPDATE,
		[COMES_DELETE] = PLAN_DELETE,
		[COMES_PUT] = PLAN_PUT,
		[COMES_MAYBE_DELETE] = PLAN_MAYBE_DELETE,
	};

	op->kind = kinds[column_of(change->kind)];
	op->values = change->new_values;
	op->change = change;
	op->txn = txn;
}

/*
 * plan_check.c
 *		See plan_check.h.
 *
 * Without it, an UPDATE of two rows by one statement and one of the same row
 * twice have the same count, and the counts would prove nothing.  It goes by
 * the finished steps and a map of its own, not by how the planner made them.
 */
#include "plan/plan_check.h"

#include "base/mem.h"

/* DELETE and INSERT of one operation are the one pair that is meant. */
static bool
is_second(const PlanVector *vector, const PlanOp *op)
{
	return vector->kind == PLAN_INSERT &&
		   (op->kind == PLAN_DELETE_INSERT ||
			op->kind == PLAN_MAYBE_DELETE_INSERT);
}

static void
check_op(const PlanVector *vector, PlanOp *op, KeyMap *seen)
{
	PlanOp *other;

	if (!op->in_map)
	{
		BUG_UNLESS(vector->kind == PLAN_INSERT);
		return;
	}
	if (is_second(vector, op))
		return;
	other = key_map_find(seen, vector->table, op->generation, op->hash,
						 op->key);
	if (other != NULL)
		BUG("table %s.%s: two operations on one key between barriers",
			vector->table->relation->schema, vector->table->relation->name);
	key_map_put(seen, op);
}

static void
check_vector(const PlanVector *vector, KeyMap *seen)
{
	const Relation *relation = vector->table->relation;

	BUG_UNLESS(vector->count > 0);
	for (int i = 0; vector->kind == PLAN_UPDATE && i < relation->column_count;
		 i++)
		BUG_UNLESS(!plan_column_in(vector->columns, i) ||
				   (relation->columns[i].flags & WIRE_COLUMN_KEY) == 0);
	/* what it may have to insert is there as a whole */
	for (int i = 0; vector->kind == PLAN_PUT && i < relation->column_count; i++)
		BUG_UNLESS(plan_column_in(vector->columns, i) ||
				   (relation->columns[i].flags & GENERATED_FLAGS) != 0);
	for (int i = 0; i < vector->count; i++)
		check_op(vector, vector->ops[i], seen);
}

void
plan_check(const Plan *plan, KeyMap *seen)
{
	key_map_reset(seen);
	for (int i = 0; i < plan->count; i++)
	{
		if (plan->steps[i].kind == PLAN_STEP_VECTOR)
			check_vector(&plan->steps[i].vector, seen);
	}
	key_map_reset(seen);
}

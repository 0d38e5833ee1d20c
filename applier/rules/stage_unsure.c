/*
 * stage_unsure.c
 *		A table that no rule changes, and a row of it that may be here or not: its
 *		key is in quarantine.
 *
 * The same as rule_move.h's table without the old row, with the source's own
 * values.
 */
#include "rules/stage_parts.h"

static Change *
add(RuleMoves *moves, const Change *change, ChangeKind kind)
{
	Change *made = &moves->changes[moves->count++];

	*made = *change;
	made->kind = kind;
	made->manner = NULL;
	if (kind == CHANGE_PUT)
	{
		made->old_values = NULL;
		made->old_kind = WIRE_OLD_NONE;
	}
	else
		made->new_values = NULL;
	return made;
}

/* Values that did not change are in the old row, if that is whole. */
static bool
add_put(RuleMoves *moves, const Change *change, Arena *arena, Error *err)
{
	const Relation *relation = change->relation;
	const Value *old = change->old_kind == WIRE_OLD_FULL ? change->old_values
														 : NULL;
	Value *values = ARENA_ARRAY(arena, Value, (size_t) relation->column_count);

	for (int i = 0; i < relation->column_count; i++)
	{
		values[i] = change->new_values[i];
		if (values[i].state == WIRE_COL_UNCHANGED && old != NULL)
			values[i] = old[i];
		if (values[i].state == WIRE_COL_UNCHANGED ||
			(values[i].state == WIRE_COL_ABSENT &&
			 (relation->columns[i].flags & GENERATED_FLAGS) == 0))
			return error_set(err, P_RULE_VALUE,
							 "the value of column \"%s\" is not in the WAL",
							 relation->columns[i].name);
	}
	add(moves, change, CHANGE_PUT)->new_values = values;
	return true;
}

bool
stage_move_unsure(const Change *change, Arena *arena, RuleMoves *moves,
				  Error *err)
{
	moves->count = 0;
	moves->settled = true;
	if (change->old_values != NULL)
		(void) add(moves, change, CHANGE_MAYBE_DELETE);
	return change->kind == CHANGE_DELETE || add_put(moves, change, arena, err);
}

const Change *
stage_not_shown(RuleStage *stage, const Change *change)
{
	Arena *arena = &stage->out.frame->arena;

	switch (stage->filter->verdict(stage->filter, &stage->txn, change,
								   change->relation))
	{
		case VERDICT_AS_INSERT:
			return change_half(change, CHANGE_INSERT, arena);
		case VERDICT_AS_DELETE:
			return change_half(change, CHANGE_DELETE, arena);
		default:
			return change;
	}
}

/*
 * rule_move.c
 *		See rule_move.h.
 */
#include "rules/rule_move.h"

#include <string.h>

#include "base/mem.h"

static void
count(const RuleMove *move, LedgerKind kind)
{
	if (move->ledger != NULL)
		move->ledger->counts[kind]++;
}

/* A version that does not belong here. */
static void
count_place(const RuleMove *move, RulePlace place)
{
	if (place == PLACE_FILTERED)
		count(move, LEDGER_FILTERED);
	else if (place == PLACE_DROPPED)
		count(move, LEDGER_DROPPED);
	else
		count(move, LEDGER_ELSEWHERE);
}

static Value *
values_new(const RuleMove *move)
{
	return ARENA_ARRAY(move->arena, Value,
					   (size_t) move->derived->column_count);
}

static Change *
add(const RuleMove *move, RuleMoves *moves, ChangeKind kind,
	const Change *source)
{
	Change *change = &moves->changes[moves->count++];

	BUG_UNLESS(moves->count <= 2);
	memset(change, 0, sizeof(*change));
	change->kind = kind;
	change->relation = move->relation;
	change->bytes = source->bytes;
	change->number = source->number;
	return change;
}

/* What makes an INSERT more than one. */
static const ChangeManner *
manner_of(const RuleMove *move)
{
	const ConfigRule *rule = move->derived->rule;
	ChangeManner *manner;

	if (rule->on_conflict == CONFLICT_ERROR)
		return NULL;
	manner = ARENA_NEW(move->arena, ChangeManner);
	manner->conflict = rule->on_conflict == CONFLICT_SOURCE ? CONFLICT_OVERWRITE
					   : rule->on_conflict == CONFLICT_TARGET
						   ? CONFLICT_KEEP
						   : CONFLICT_IF_GREATER;
	manner->latest = move->derived->latest;
	manner->entry = move->ledger;
	return manner;
}

static bool
has_operations(const Derived *derived, unsigned operations)
{
	return (derived->operations & operations) == operations;
}

/* The whole row comes. */
static bool
add_whole(const RuleMove *move, RuleMoves *moves, bool sure,
		  const Change *source, Error *err)
{
	/* a row that may be here already is our own: it comes, whoever wins else */
	const ChangeManner *manner = sure && !move->unsure ? manner_of(move) : NULL;
	/* rows that the source deleted, or gave another key, may still be here */
	bool strict = sure && !move->unsure &&
				  has_operations(move->derived, RULE_UPDATE | RULE_DELETE);
	Value *values = values_new(move);
	Change *change;

	if (!rule_row(move->derived, source->new_values,
				  source->old_kind == WIRE_OLD_FULL ? source->old_values : NULL,
				  PURPOSE_WHOLE, move->context, move->arena, values, err))
		return false;
	change = add(move, moves,
				 manner != NULL || strict ? CHANGE_INSERT : CHANGE_PUT, source);
	change->new_values = values;
	change->manner = manner;
	return true;
}

/* It goes, by the key that it had. */
static bool
add_delete(const RuleMove *move, RuleMoves *moves, bool sure,
		   const Change *source, Error *err)
{
	const Derived *derived = move->derived;
	/*
	 * what the source has done to the row before may not have come, and who else
	 * has a row of this key may have deleted it
	 */
	bool strict = sure && !move->unsure &&
				  has_operations(derived, RULE_INSERT | RULE_UPDATE) &&
				  derived->rule->on_conflict == CONFLICT_ERROR;
	const Value *had = source->old_values != NULL ? source->old_values
												  : source->new_values;
	RulePurpose purpose = derived->key_count > 0 ? PURPOSE_KEY : PURPOSE_WHOLE;
	Value *values = values_new(move);
	Change *change;

	if (!rule_row(derived, had, NULL, purpose, move->context, move->arena,
				  values, err))
		return false;
	change = add(move, moves, strict ? CHANGE_DELETE : CHANGE_MAYBE_DELETE,
				 source);
	change->old_values = values;
	change->old_kind = purpose == PURPOSE_KEY ? WIRE_OLD_KEY : WIRE_OLD_FULL;
	return true;
}

/* Do both name the same row by the derived key? */
static bool
same_key(const Derived *derived, const Value *a, const Value *b)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		if ((derived->columns[i].as.flags & WIRE_COLUMN_KEY) == 0)
			continue;
		if (a[i].state != b[i].state || a[i].len != b[i].len ||
			(a[i].state == WIRE_COL_PRESENT &&
			 memcmp(a[i].data, b[i].data, a[i].len) != 0))
			return false;
	}
	return true;
}

/* The row stays here. */
static bool
add_update(const RuleMove *move, RuleMoves *moves, const Change *source,
		   Error *err)
{
	const Derived *derived = move->derived;
	bool by_row = derived->key_count == 0;
	Value *values = values_new(move);
	Value *old = NULL;
	Change *change;

	if (!rule_row(derived, source->new_values, source->old_values,
				  PURPOSE_UPDATE, move->context, move->arena, values, err))
		return false;
	if (source->old_values != NULL)
	{
		old = values_new(move);
		if (!rule_row(derived, source->old_values, NULL,
					  by_row ? PURPOSE_WHOLE : PURPOSE_KEY, move->context,
					  move->arena, old, err))
			return false;
	}
	change = add(move, moves, CHANGE_UPDATE, source);
	change->new_values = values;
	if (old != NULL && (by_row || !same_key(derived, old, values)))
	{
		change->old_values = old;
		change->old_kind = by_row ? WIRE_OLD_FULL : WIRE_OLD_KEY;
	}
	return true;
}

/* Rows of the target that have the same values in the columns of match. */
static bool
move_match(const RuleMove *move, const Change *source, RuleMoves *moves,
		   Error *err)
{
	const Derived *derived = move->derived;
	ChangeManner *manner = ARENA_NEW(move->arena, ChangeManner);
	Value *values = values_new(move);
	RulePlace place;
	Change *change;

	if (source->kind != CHANGE_UPDATE)
	{
		count(move, LEDGER_SKIPPED);
		return true;
	}
	if (!rule_place(derived, source->new_values, move->context, &place, err))
		return false;
	if (place != PLACE_HERE)
	{
		count_place(move, place);
		return true;
	}
	if (!rule_row(derived, source->new_values, source->old_values,
				  PURPOSE_UPDATE, move->context, move->arena, values, err))
		return false;
	manner->match = derived->match;
	manner->match_count = derived->match_count;
	manner->entry = move->ledger;
	change = add(move, moves, CHANGE_MATCH, source);
	change->new_values = values;
	change->manner = manner;
	moves->settled = true;
	count(move, LEDGER_APPLIED);
	return true;
}

static bool
move_insert(const RuleMove *move, const Change *source, RuleMoves *moves,
			Error *err)
{
	RulePlace place;

	if (!rule_place(move->derived, source->new_values, move->context, &place,
					err))
		return false;
	moves->after = place;
	if (place != PLACE_HERE)
	{
		count_place(move, place);
		return true;
	}
	count(move, LEDGER_APPLIED);
	return add_whole(move, moves, true, source, err);
}

static bool
move_delete(const RuleMove *move, const Change *source, RuleMoves *moves,
			Error *err)
{
	const Derived *derived = move->derived;
	/* where UPDATE does not come, the old row is not the one that has come */
	bool known = derived->decided_by_key ||
				 (derived->old_known && has_operations(derived, RULE_UPDATE));
	RulePlace place = PLACE_HERE;

	if (known &&
		!rule_place(derived, source->old_values, move->context, &place, err))
		return false;
	moves->before = known ? place : PLACE_UNKNOWN;
	if (place != PLACE_HERE)
	{
		count_place(move, place);
		return true;
	}
	count(move, LEDGER_APPLIED);
	return add_delete(move, moves, known, source, err);
}

/* Old and new place are known. */
static bool
update_known(const RuleMove *move, const Change *source, RuleMoves *moves,
			 Error *err)
{
	const Derived *derived = move->derived;
	const Value *old = source->old_values != NULL ? source->old_values
												  : source->new_values;
	RulePlace before;
	RulePlace after;

	if (!rule_place(derived, source->new_values, move->context, &after, err) ||
		!rule_place(derived, old, move->context, &before, err))
		return false;
	moves->before = before;
	moves->after = after;
	if (after != PLACE_HERE)
		count_place(move, after);
	else
		count(move, LEDGER_APPLIED);
	if (before == PLACE_HERE && after == PLACE_HERE)
		return add_update(move, moves, source, err);
	if (after == PLACE_HERE)
	{
		count(move, LEDGER_MOVED_IN);
		return add_whole(move, moves, true, source, err);
	}
	if (before == PLACE_HERE)
	{
		count(move, LEDGER_MOVED_OUT);
		return add_delete(move, moves, true, source, err);
	}
	return true;
}

/*
 * The row may have been here or not: what comes is put, what goes is deleted if
 * it is there.
 */
static bool
update_unknown(const RuleMove *move, const Change *source, RuleMoves *moves,
			   Error *err)
{
	RulePlace after;

	if (!rule_place(move->derived, source->new_values, move->context, &after,
					err))
		return false;
	moves->after = after;
	if (after != PLACE_HERE)
	{
		count_place(move, after);
		return add_delete(move, moves, false, source, err);
	}
	count(move, LEDGER_APPLIED);
	if (source->old_values != NULL &&
		!add_delete(move, moves, false, source, err))
		return false;
	return add_whole(move, moves, false, source, err);
}

/* A change of the row that has the key, if there is one. */
static void
match_by_key(const RuleMove *move, Change *change)
{
	const Derived *derived = move->derived;
	ChangeManner *manner = ARENA_NEW(move->arena, ChangeManner);
	int *key = ARENA_ARRAY(move->arena, int, (size_t) derived->key_count);

	for (int i = 0; i < derived->column_count; i++)
	{
		if ((derived->columns[i].as.flags & WIRE_COLUMN_KEY) != 0)
			key[manner->match_count++] = i;
	}
	manner->match = key;
	change->kind = CHANGE_MATCH;
	change->manner = manner;
}

/*
 * An UPDATE of rows that INSERT does not bring: of those that are there.  Where
 * nobody knows where the row was, it may be one of them.
 */
static bool
update_only(const RuleMove *move, const Change *source, RuleMoves *moves,
			Error *err)
{
	const Derived *derived = move->derived;
	bool known = derived->decided_by_key || derived->old_known;
	const Value *old = source->old_values != NULL ? source->old_values
												  : source->new_values;
	RulePlace before = PLACE_UNKNOWN;
	RulePlace after;

	if (!rule_place(derived, source->new_values, move->context, &after, err) ||
		(known && !rule_place(derived, old, move->context, &before, err)))
		return false;
	moves->before = before;
	moves->after = after;
	if (after != PLACE_HERE)
	{
		count_place(move, after);
		if (known && before != PLACE_HERE)
			return true;
		if (known)
			count(move, LEDGER_MOVED_OUT);
		return add_delete(move, moves, false, source, err);
	}
	count(move, LEDGER_APPLIED);
	if (!add_update(move, moves, source, err))
		return false;
	if (derived->key_count > 0)
		match_by_key(move, &moves->changes[0]);
	return true;
}

static bool
move_update(const RuleMove *move, const Change *source, RuleMoves *moves,
			Error *err)
{
	const Derived *derived = move->derived;

	if ((derived->operations & RULE_INSERT) == 0)
		return update_only(move, source, moves, err);
	if (move->unsure || !(derived->decided_by_key || derived->old_known))
		return update_unknown(move, source, moves, err);
	return update_known(move, source, moves, err);
}

bool
rule_move(const RuleMove *move, const Change *change, RuleMoves *moves,
		  Error *err)
{
	static const unsigned operations[] = {
		[CHANGE_INSERT] = RULE_INSERT,
		[CHANGE_UPDATE] = RULE_UPDATE,
		[CHANGE_DELETE] = RULE_DELETE,
	};

	BUG_UNLESS(change->kind <= CHANGE_DELETE);
	moves->count = 0;
	moves->settled = false;
	moves->before = PLACE_UNKNOWN;
	moves->after = PLACE_UNKNOWN;
	count(move, LEDGER_SEEN);
	if (move->derived->match != NULL)
		return move_match(move, change, moves, err);
	if ((move->derived->operations & operations[change->kind]) == 0)
	{
		count(move, LEDGER_SKIPPED);
		return true;
	}
	moves->settled = true;
	switch (change->kind)
	{
		case CHANGE_INSERT:
			return move_insert(move, change, moves, err);
		case CHANGE_UPDATE:
			return move_update(move, change, moves, err);
		default:
			return move_delete(move, change, moves, err);
	}
}

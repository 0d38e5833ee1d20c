/*
 * stage_ledger.c
 *		ledger: keys.  Which rows of the source are not here is kept on the target,
 *		in the transaction that leaves them out: kept_area.h.
 *
 * What is kept is changed where a row may have come to or gone from it.  Where a
 * rule does not know whether the row was here, its key is removed in any case.
 */
#include <string.h>

#include "rules/kept_area.h"
#include "rules/stage_parts.h"

static const Value *
old_of(const Change *change)
{
	return change->old_values != NULL ? change->old_values : change->new_values;
}

static void
put_key(RuleStage *stage, ChangeKind kind, const StageDerived *item,
		const Change *change, const Value *values, Slice body)
{
	const Relation *relation = change->relation;
	Arena *arena = &stage->out.frame->arena;
	char hash[KEPT_HASH_SIZE];
	KeptRow row = {
		.area = ledger_area(item->derived, arena),
		.key_hash = hash,
		.key = slice_of(ledger_table(relation->schema, relation->name, arena)),
		.body = body,
	};

	ledger_key_hash(item->derived, values, hash);
	stage_put_kept_row(stage, kind, &row);
}

/* The row that it was is not left out any more: it has come, or gone. */
static void
remove_key(RuleStage *stage, const StageDerived *item, const Change *change)
{
	put_key(stage, CHANGE_MAYBE_DELETE, item, change, old_of(change),
			slice_of(""));
}

static bool
same_row(const Derived *derived, const Change *change)
{
	char before[KEPT_HASH_SIZE];
	char after[KEPT_HASH_SIZE];

	if (change->old_values == NULL)
		return true;
	ledger_key_hash(derived, change->old_values, before);
	ledger_key_hash(derived, change->new_values, after);
	return strcmp(before, after) == 0;
}

static bool
is_left_out(RulePlace place)
{
	return place != PLACE_HERE && place != PLACE_UNKNOWN;
}

void
stage_ledger_keys(RuleStage *stage, const StageDerived *item,
				  const Change *change, const RuleMoves *moves)
{
	bool was_row = change->kind != CHANGE_INSERT;
	char body[LEDGER_BODY_SIZE];

	if (!ledger_has_keys(item->derived))
		return;
	if (change->kind == CHANGE_UPDATE && moves->after == PLACE_UNKNOWN)
		return; /* not among the operations: the row is what it was */
	if (is_left_out(moves->after))
	{
		was_row = was_row && change->kind == CHANGE_UPDATE &&
				  !same_row(item->derived, change);
		ledger_body(moves->after, stage->txn.commit_lsn, body);
		put_key(stage, CHANGE_PUT, item, change, change->new_values,
				slice_of(body));
	}
	if (was_row && moves->before != PLACE_HERE)
		remove_key(stage, item, change);
}

void
stage_ledger_quarantined(RuleStage *stage, const StageDerived *item,
						 const Change *change)
{
	if (ledger_has_keys(item->derived) && change->kind != CHANGE_INSERT)
		remove_key(stage, item, change);
}

void
stage_ledger_truncate(RuleStage *stage, const StageDerived *item,
					  const Relation *relation)
{
	static const int match[] = { KEPT_STREAM, KEPT_AREA, KEPT_KEY };
	Arena *arena = &stage->out.frame->arena;

	if (ledger_has_keys(item->derived))
		stage_empty_kept(stage, match, 3, ledger_area(item->derived, arena),
						 ledger_table(relation->schema, relation->name, arena));
}

/*
 * rule_stage.c
 *		See rule_stage.h.
 *
 * A ledger stands before each commit and at the end of a frame that ends within a
 * transaction, so that whatever becomes a batch has what its rows came to.
 */
#include "rules/rule_stage.h"

#include <string.h>

#include "base/mem.h"
#include "plan/row_error.h"
#include "rules/quarantined.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_parts.h"

RuleStage *
rule_stage_open(const RuleSet *set, Target *target, const ChangeFilter *filter,
				Error *err)
{
	RuleStage *stage = mem_zalloc(sizeof(*stage));

	stage->set = set;
	stage->target = target;
	stage->filter = filter;
	stage->kept = kept_relation_new();
	arena_init(&stage->names_arena);
	stage->engine = rule_engine_new(set, err);
	if (stage->engine != NULL && stage_kept_load(stage, err) &&
		stage_references_load(stage, err))
		return stage;
	rule_stage_close(stage);
	return NULL;
}

void
rule_stage_close(RuleStage *stage)
{
	if (stage == NULL)
		return;
	stage_tables_release(stage);
	stage_references_release(stage);
	relation_release(stage->kept);
	rule_engine_free(stage->engine);
	kept_map_release(&stage->quarantined);
	kept_map_release(&stage->counters);
	arena_release(&stage->names_arena);
	mem_free(stage->names);
	mem_free(stage->held);
	mem_free(stage->out.events);
	mem_free(stage);
}

void
rule_stage_put_aside(RuleStage *stage, const PutAsides *asides)
{
	stage->asides = asides;
}

void
rule_stage_ddl(RuleStage *stage, const DdlKey *key)
{
	stage->ddl_key = key;
}

void
rule_stage_retry(RuleStage *stage, const char *rule, const char *kept_area,
				 const char *kept_key)
{
	stage->retry_rule = rule;
	stage->retry_area = kept_area;
	stage->retry_key = kept_key;
}

bool
rule_stage_quarantines(const RuleStage *stage, const Error *why)
{
	if (why->code != P_VALUE && why->code != P_ROW_CONFLICT)
		return false;
	for (int i = 0; i < stage->table_capacity; i++)
	{
		const StageTable *table = stage->tables[i];

		for (int k = 0; table != NULL && k < table->count; k++)
		{
			if (table->derived[k].relation->oid == why->table)
				return quarantine_wanted(table->derived[k].derived);
		}
	}
	return false;
}

static const char *
operation_of(const Change *change)
{
	switch (change->kind)
	{
		case CHANGE_INSERT:
			return "insert";
		case CHANGE_UPDATE:
			return "update";
		default:
			return "delete";
	}
}

/*
 * The copy of what this rule makes shows the change already.  Other rules of the
 * table may have been copied under another snapshot: their stamps say nothing here.
 */
static bool
is_shown(const RuleStage *stage, const StageDerived *item, const Change *change)
{
	return stage->filter->verdict(stage->filter, &stage->txn, change,
								  item->stamped) == VERDICT_SKIP;
}

/* Rule, table, key and LSN. */
static bool
row_failed(const RuleStage *stage, const StageDerived *item,
		   const Change *change, Error *err)
{
	(void) row_error(err, &stage->txn, change);
	return error_wrap(err, "%s", item->derived->rule_name);
}

/* Without an identity an UPDATE or DELETE means nothing, to any rule. */
static void
pass_nokey(RuleStage *stage, const StageDerived *item, const Change *change)
{
	unsigned operation = change->nokey_op == 'U' ? RULE_UPDATE : RULE_DELETE;
	Change copy = *change;

	copy.relation = item->relation;
	if ((item->derived->operations & operation) != 0)
		stage_out_change(stage, &copy);
	else
		stage_out_ledger(stage, item->derived, change->relation)
			->counts[LEDGER_SKIPPED]++;
}

static void
put_moves(RuleStage *stage, const StageDerived *item, const Change *change,
		  const RuleMoves *moves, bool was_quarantined)
{
	for (int i = 0; i < moves->count; i++)
		stage_out_change(stage, &moves->changes[i]);
	/* what an operation that does not come has not changed is still to come */
	if (was_quarantined && (moves->settled || stage->retry_rule != NULL))
		stage_release(stage, item, change);
}

static void
quarantine(RuleStage *stage, const StageDerived *item, const Change *change,
		   const Error *why)
{
	stage_quarantine(stage, item, change, why);
	stage_ledger_quarantined(stage, item, change);
	stage_out_ledger(stage, item->derived, change->relation)
		->counts[LEDGER_QUARANTINED]++;
}

/* The rule has failed for the row: does it go into quarantine? */
static bool
rule_failed(RuleStage *stage, const StageDerived *item, const Change *change,
			Error *err)
{
	bool aside = quarantine_takes(item->derived, err) &&
				 stage->retry_rule == NULL;

	(void) row_failed(stage, item, change, err);
	if (!aside)
		return false;
	quarantine(stage, item, change, err);
	error_clear(err);
	return true;
}

/* The target has refused it when it came before. */
static const PutAside *
find_aside(const RuleStage *stage, const StageDerived *item,
		   const Change *change)
{
	if (stage->asides == NULL || stage->asides->count == 0)
		return NULL;
	return put_asides_find(stage->asides, stage->txn.commit_lsn, change->number,
						   item->relation->oid);
}

/*
 * What comes of the change, by the rule, or as it is where the rule says so.  If it
 * fails the row was seen, and nothing else.
 */
static bool
move_row(RuleStage *stage, RuleMove *move, const Change *change,
		 RuleMoves *moves, Error *err)
{
	LedgerEntry before;

	if (move->derived->unchanged)
		return stage_move_unsure(change, move->arena, moves, err);
	stage->deriving = move->derived;
	if (move->again)
		return rule_move(move, change, moves, err);
	move->ledger = stage_out_ledger(stage, move->derived, change->relation);
	before = *move->ledger;
	if (rule_move(move, change, moves, err))
		return true;
	*move->ledger = before;
	move->ledger->counts[LEDGER_SEEN]++;
	return false;
}

/* One change and one rule. */
static bool
apply_rule(RuleStage *stage, const StageDerived *item, const Change *change,
		   Error *err)
{
	const Derived *derived = item->derived;
	ExprContext context = {
		.op = operation_of(change),
		.lsn = stage->txn.commit_lsn,
		.xid = stage->txn.xid,
		.commit_time_us = stage->txn.commit_time_us,
		.source = stage->set->config.source,
		.counter = stage_counter,
		.counter_arg = stage,
	};
	RuleMove move = {
		.derived = derived,
		.relation = item->relation,
		.context = &context,
		.arena = &stage->out.frame->arena,
		.unsure = stage_is_quarantined(stage, item, change),
		.again = is_shown(stage, item, change),
	};
	const PutAside *aside = find_aside(stage, item, change);
	RuleMoves moves;

	/* what match has changed in the copy may not have been all: rows come later */
	if (move.again && (derived->match == NULL || change->kind != CHANGE_UPDATE))
		return true;
	if (aside != NULL)
	{
		quarantine(stage, item, change, &aside->why);
		if (!derived->unchanged)
			stage_out_ledger(stage, derived, change->relation)
				->counts[LEDGER_SEEN]++;
		return true;
	}
	if (derived->unchanged && !move.unsure)
	{
		stage_out_change(stage, change);
		return true;
	}
	if (derived->unchanged)
		change = stage_not_shown(stage, change);
	if (change->kind == CHANGE_NOKEY)
	{
		pass_nokey(stage, item, change);
		return true;
	}
	if (!move_row(stage, &move, change, &moves, err))
		return rule_failed(stage, item, change, err);
	put_moves(stage, item, change, &moves, move.unsure);
	stage_ledger_keys(stage, item, change, &moves);
	return true;
}

/* Another rule than the one that a row is tried again for. */
static bool
is_left_out(const RuleStage *stage, const StageDerived *item)
{
	return stage->retry_rule != NULL &&
		   strcmp(stage->retry_rule, item->derived->rule_name) != 0;
}

static bool
stage_change(RuleStage *stage, const Change *change, Error *err)
{
	StageTable *table = stage_table(stage, change->relation, err);

	if (table == NULL)
		return row_error(err, &stage->txn, change);
	if (stage->retry_rule == NULL && !stage_follow(stage, table, change, err))
		return false;
	if (table->ignored)
		return true;
	if (table->count > 0)
		stage_out_hold(stage, table);
	for (int i = 0; i < table->count; i++)
	{
		if (!is_left_out(stage, &table->derived[i]) &&
			!apply_rule(stage, &table->derived[i], change, err))
			return false;
	}
	return true;
}

/* Of a partition alone: its rows cannot be told from the others there. */
static bool
is_part(const Change *change, const Relation *relation)
{
	if (relation->root_oid == 0)
		return false;
	for (int i = 0; i < change->truncated_count; i++)
	{
		if (change->truncated[i]->oid == relation->root_oid)
			return false;
	}
	return true;
}

static bool
truncate_table(RuleStage *stage, const Change *change, const Relation *relation,
			   Change *out, Error *err)
{
	StageTable *table = stage_table(stage, relation, err);

	if (table == NULL)
		return row_error(err, &stage->txn, change);
	if (!stage_follow_truncate(stage, table, change, err))
		return false;
	if (table->count > 0)
		stage_out_hold(stage, table);
	for (int i = 0; i < table->count; i++)
	{
		const StageDerived *item = &table->derived[i];
		ChangeVerdict verdict = stage->filter->verdict(
			stage->filter, &stage->txn, change, item->stamped);

		if (table->ignored || verdict == VERDICT_SKIP)
			continue;
		stage_ledger_truncate(stage, item, relation);
		if ((item->derived->operations & RULE_TRUNCATE) == 0)
		{
			stage_out_ledger(stage, item->derived, relation)
				->counts[LEDGER_SKIPPED]++;
			continue;
		}
		if (!item->derived->unchanged && is_part(change, relation))
		{
			error_set(err, P_RULE_VALUE,
					  "TRUNCATE of one partition of %s.%s, which has become one"
					  " table",
					  relation->root_schema, relation->root_name);
			return row_failed(stage, item, change, err);
		}
		if (verdict == VERDICT_APPLY)
			stage_quarantine_truncate(stage, item, relation);
		out->truncated[out->truncated_count++] = item->relation;
	}
	return true;
}

static bool
stage_truncate(RuleStage *stage, const Change *change, Error *err)
{
	Change out = *change;
	size_t most = (size_t) change->truncated_count *
				  ((size_t) stage->set->config.config->rule_count + 1);

	out.truncated = ARENA_ARRAY(&stage->out.frame->arena, const Relation *,
								most);
	out.truncated_count = 0;
	for (int i = 0; i < change->truncated_count; i++)
	{
		if (!truncate_table(stage, change, change->truncated[i], &out, err))
			return false;
	}
	if (out.truncated_count > 0)
		stage_out_change(stage, &out);
	return true;
}

/* Do rows of the table pass as they are, also those that were put aside? */
static bool
table_passes(const RuleStage *stage, const StageTable *table)
{
	return table->passes &&
		   (!quarantine_wanted(table->derived[0].derived) ||
			(stage->quarantined.count == 0 &&
			 (stage->asides == NULL || stage->asides->count == 0)));
}

/* Every relation of the change is known from now on: *passes if none matters. */
static bool
know_tables(RuleStage *stage, const Change *change, bool *passes, Error *err)
{
	bool truncate = change->kind == CHANGE_TRUNCATE;
	int count = truncate ? change->truncated_count : 1;

	for (int i = 0; i < count; i++)
	{
		const StageTable *table = stage_table(
			stage, truncate ? change->truncated[i] : change->relation, err);

		if (table == NULL)
			return row_error(err, &stage->txn, change);
		*passes = *passes && table_passes(stage, table);
	}
	return true;
}

static void
note_txn(RuleStage *stage, const Event *event)
{
	if (event->kind == EVENT_BEGIN)
		stage->txn = event->txn;
	if (event->kind == EVENT_BEGIN || event->kind == EVENT_COMMIT)
		stage->in_txn = event->kind == EVENT_BEGIN;
}

/* Does nothing of the frame change?  Then it is not made anew. */
static bool
frame_passes(RuleStage *stage, const QueueItem *item, bool *passes, Error *err)
{
	const Frame *frame = item->frame;
	Txn txn = stage->txn;
	bool in_txn = stage->in_txn;

	*passes = true;
	for (int i = item->keep_from; i < frame->event_count && *passes; i++)
	{
		const Event *event = &frame->events[i];

		note_txn(stage, event);
		/* what follows may be about other tables than it was before */
		if (event->kind == EVENT_MESSAGE && ddl_event_is(&event->message))
			*passes = false;
		else if (event->kind == EVENT_CHANGE &&
				 !know_tables(stage, &event->change, passes, err))
			return false;
	}
	/* it is looked at again, from its beginning */
	if (!*passes)
	{
		stage->txn = txn;
		stage->in_txn = in_txn;
	}
	return true;
}

static bool
stage_event(RuleStage *stage, const Event *event, Error *err)
{
	bool passes = true;

	note_txn(stage, event);
	if (event->kind == EVENT_BEGIN)
		rule_engine_refresh(stage->engine);
	if (event->kind == EVENT_CHANGE)
		return event->change.kind == CHANGE_TRUNCATE
				   ? stage_truncate(stage, &event->change, err)
				   : stage_change(stage, &event->change, err);
	if (event->kind == EVENT_COMMIT)
		stage_out_tally(stage);
	if (event->kind == EVENT_MESSAGE && ddl_event_is(&event->message) &&
		!stage_ddl(stage, &event->message, &passes, err))
		return false;
	if (passes)
		stage_out_event(stage, event);
	return true;
}

bool
rule_stage_frame(RuleStage *stage, QueueItem *item, Error *err)
{
	Frame *frame = item->frame;
	bool passes;

	if (!frame_passes(stage, item, &passes, err))
	{
		frame_release(frame);
		return false;
	}
	if (passes)
		return true;
	stage_out_begin(stage, frame);
	for (int i = item->keep_from; i < frame->event_count; i++)
	{
		if (!stage_event(stage, &frame->events[i], err))
		{
			stage_out_discard(stage);
			return false;
		}
	}
	stage_out_tally(stage);
	item->frame = stage_out_end(stage);
	item->keep_from = 0;
	return true;
}

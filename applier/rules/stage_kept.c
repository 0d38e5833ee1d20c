/*
 * stage_kept.c
 *		What the stage keeps on the target: counters, and rows put aside.
 *
 * Both are changes of the kept table, in the transaction of the row that they
 * belong to; in memory there is as much of them as is asked for with each row.
 *
 * A row in quarantine is known by rule, table and the identity's columns
 * (quarantined.h).  As long as it is there, the target may have an older version of it or none: its changes
 * are puts and maybe-deletes, and the first that goes well lets it go.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/row_error.h"
#include "rules/kept_area.h"
#include "rules/quarantined.h"
#include "rules/stage_parts.h"

/* ---- reading */

static bool
take_row(void *arg, const KeptRow *row, Error *err)
{
	RuleStage *stage = arg;

	(void) err;
	/* those that are not to be tried again, too: see quarantined.h */
	if (strncmp(row->area, KEPT_AREA_QUARANTINE,
				strlen(KEPT_AREA_QUARANTINE)) == 0)
		kept_map_put(&stage->quarantined, row->area, row->key, 1);
	else
		kept_map_put(&stage->counters, row->area, row->key,
					 strtoll(row->body.data, NULL, 10));
	return true;
}

bool
stage_kept_load(RuleStage *stage, Error *err)
{
	const TargetOps *ops = stage->target->ops;

	return ops->kept_visit(stage->target, KEPT_AREA_QUARANTINE, take_row, stage,
						   err) &&
		   ops->kept_visit(stage->target, KEPT_AREA_COUNTER, take_row, stage,
						   err);
}

/* ---- writing */

void
stage_put_kept(RuleStage *stage, ChangeKind kind, const char *area, Slice key,
			   Slice body)
{
	char hash[KEPT_HASH_SIZE];
	KeptRow row = { area, hash, key, body };

	kept_hash(key, hash);
	stage_put_kept_row(stage, kind, &row);
}

void
stage_put_kept_row(RuleStage *stage, ChangeKind kind, const KeptRow *row)
{
	Change change = kept_change(kind, stage->kept,
								stage->target->config->stream, row,
								&stage->out.frame->arena);

	stage_out_relation(stage, stage->kept);
	stage_out_change(stage, &change);
}

static Value
text_value(const char *text)
{
	return (Value){ text, (uint32_t) strlen(text), WIRE_COL_PRESENT };
}

void
stage_empty_kept(RuleStage *stage, const int *match, int match_count,
				 const char *area, const char *key)
{
	Arena *arena = &stage->out.frame->arena;
	ChangeManner *manner = ARENA_NEW(arena, ChangeManner);
	Value *values = ARENA_ARRAY(arena, Value, KEPT_COLUMNS);
	Change change = { .kind = CHANGE_MATCH,
					  .relation = stage->kept,
					  .new_values = values,
					  .manner = manner };

	manner->match = match;
	manner->match_count = match_count;
	for (int i = 0; i < KEPT_COLUMNS; i++)
		values[i].state = WIRE_COL_UNCHANGED;
	values[KEPT_STREAM] = text_value(stage->target->config->stream);
	values[KEPT_AREA] = text_value(area);
	if (key != NULL)
		values[KEPT_KEY] = text_value(key);
	values[KEPT_BODY] = text_value("");
	stage_out_relation(stage, stage->kept);
	stage_out_change(stage, &change);
}

/* ---- counters */

bool
stage_counter(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	RuleStage *stage = arg;
	Arena *arena = &stage->out.frame->arena;
	const char *area = counter_area(stage->deriving, expression, arena);
	char number[24];

	*next = 0;
	(void) kept_map_find(&stage->counters, area, key, next);
	if (*next == INT64_MAX)
		return error_set(err, P_RULE_VALUE, "the counter has no next number");
	*next += 1;
	kept_map_put(&stage->counters, area, key, *next);
	snprintf(number, sizeof(number), "%" PRId64, *next);
	stage_put_kept(stage, CHANGE_PUT, area,
				   (Slice){ arena_strndup(arena, key.data, key.len), key.len },
				   slice_of(number));
	return true;
}

/* ---- quarantine */

static bool
find_key(const RuleStage *stage, const StageDerived *item, uint32_t stored_oid,
		 const char *key)
{
	char area[QUARANTINE_AREA_SIZE];
	int64_t number;

	quarantine_area(item->derived, stored_oid, area);
	return kept_map_find(&stage->quarantined, area, slice_of(key), &number);
}

static bool
has_key(const RuleStage *stage, const StageDerived *item, const Change *change,
		const Value *values)
{
	char *key;
	bool found;

	if (values == NULL)
		return false;
	key = quarantine_key(item->derived, values);
	found = find_key(stage, item, change->relation->oid, key);
	free(key);
	return found;
}

bool
stage_is_quarantined(RuleStage *stage, const StageDerived *item,
					 const Change *change)
{
	if (stage->retry_rule != NULL)
		return true;
	if (stage->quarantined.count == 0 || !quarantine_wanted(item->derived) ||
		change->kind > CHANGE_DELETE)
		return false;
	return has_key(stage, item, change, change->old_values) ||
		   has_key(stage, item, change, change->new_values);
}

static void
let_out(RuleStage *stage, const char *area, const char *key)
{
	kept_map_remove(&stage->quarantined, area, slice_of(key));
	stage_put_kept(stage, CHANGE_MAYBE_DELETE, area, slice_of(key),
				   slice_of(""));
}

static void
let_key_out(RuleStage *stage, const StageDerived *item, const Change *change,
			const Value *values)
{
	char area[QUARANTINE_AREA_SIZE];
	char *key;

	if (values == NULL)
		return;
	key = quarantine_key(item->derived, values);
	quarantine_area(item->derived, change->relation->oid, area);
	if (find_key(stage, item, change->relation->oid, key))
		let_out(stage, area, key);
	free(key);
}

void
stage_release(RuleStage *stage, const StageDerived *item, const Change *change)
{
	if (stage->retry_rule != NULL)
	{
		let_out(stage, stage->retry_area, stage->retry_key);
		return;
	}
	let_key_out(stage, item, change, change->old_values);
	let_key_out(stage, item, change, change->new_values);
}

/* delete: of an UPDATE, that its old row is to go. */
static void
put_row(RuleStage *stage, const StageDerived *item, const Change *change,
		bool delete, const Error *why)
{
	bool full = change->old_kind == WIRE_OLD_FULL;
	Quarantined row = {
		.derived = item->derived,
		.stored_oid = change->relation->oid,
		.operation = delete ? "DELETE" : change_verb(change),
		.commit_lsn = stage->txn.commit_lsn,
		.number = change->number,
		.xid = stage->txn.xid,
		.commit_time_us = stage->txn.commit_time_us,
		.values = delete ? change->old_values : change->new_values,
		.old = full ? change->old_values : NULL,
	};
	char area[QUARANTINE_AREA_SIZE];
	char *key = quarantine_key(item->derived, row.values);
	char *body = quarantine_body(&row, why);

	quarantine_area(item->derived, row.stored_oid, area);
	kept_map_put(&stage->quarantined, area, slice_of(key), 1);
	stage_put_kept(stage, CHANGE_PUT, area, slice_of(key), slice_of(body));
	free(key);
	free(body);
}

/* An UPDATE that changes the key is two rows: one that goes and one that comes. */
void
stage_quarantine(RuleStage *stage, const StageDerived *item,
				 const Change *change, const Error *why)
{
	char *before;
	char *after;

	if (change->kind != CHANGE_UPDATE || change->old_values == NULL)
	{
		put_row(stage, item, change, change->kind == CHANGE_DELETE, why);
		return;
	}
	before = quarantine_key(item->derived, change->old_values);
	after = quarantine_key(item->derived, change->new_values);
	if (strcmp(before, after) != 0)
		put_row(stage, item, change, true, why);
	put_row(stage, item, change, false, why);
	free(before);
	free(after);
}

void
stage_quarantine_truncate(RuleStage *stage, const StageDerived *item,
						  const Relation *relation)
{
	static const int match[] = { KEPT_STREAM, KEPT_AREA };
	char area[QUARANTINE_AREA_SIZE];

	if (stage->quarantined.count == 0 || !quarantine_wanted(item->derived))
		return;
	quarantine_area(item->derived, relation->oid, area);
	stage_empty_kept(stage, match, 2,
					 arena_strdup(&stage->out.frame->arena, area), NULL);
}

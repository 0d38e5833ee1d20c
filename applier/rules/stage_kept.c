/*
 * stage_kept.c
 *		What the stage keeps on the target: counters, and rows put aside.
 *
 * Both are changes of the kept table, in the transaction of the row that they
 * belong to; in memory there is as much of them as is asked for with each row.
 *
 * A row in quarantine is known by rule, table and the identity's columns.  As long
 * as it is there, the target may have an older version of it or none: its changes
 * are puts and maybe-deletes, and the first that goes well lets it go.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "plan/row_error.h"
#include "rules/kept_area.h"
#include "rules/stage_parts.h"

#define AREA_QUARANTINE "quarantine"

/* ---- reading */

static bool
take_row(void *arg, const KeptRow *row, Error *err)
{
	RuleStage *stage = arg;

	(void) err;
	if (strcmp(row->area, AREA_QUARANTINE) == 0)
		kept_map_put(&stage->quarantined, AREA_QUARANTINE, row->key, 1);
	else
		kept_map_put(&stage->counters, row->area, row->key,
					 strtoll(row->body.data, NULL, 10));
	return true;
}

bool
stage_kept_load(RuleStage *stage, Error *err)
{
	const TargetOps *ops = stage->target->ops;

	return ops->kept_visit(stage->target, AREA_QUARANTINE, take_row, stage,
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

static json_t *
json_hex(const Value *value)
{
	Buffer hex;
	json_t *json;

	buffer_init(&hex);
	buffer_puts(&hex, "\\x");
	for (uint32_t i = 0; i < value->len; i++)
		buffer_printf(&hex, "%02x", (unsigned char) value->data[i]);
	json = json_stringn(hex.data, hex.len);
	buffer_release(&hex);
	return json;
}

/*
 * Bytes that are no text are shown as PostgreSQL shows them; text that is not
 * UTF-8, in the source's encoding, as an object with its bytes.
 */
static json_t *
json_value(const Column *column, const Value *value)
{
	json_t *json;

	if (value->state == WIRE_COL_NULL)
		return json_null();
	if (column->base_type_oid == BYTEA_OID)
		return json_hex(value);
	json = json_stringn(value->data, value->len);
	return json != NULL ? json : json_pack("{s:o}", "hex", json_hex(value));
}

/*
 * The row, or its key.  What did not change is taken from the old row, if that is
 * given; values that are not in the WAL are left out.
 */
static json_t *
json_row(const Relation *relation, const Value *values, const Value *old,
		 bool key_only)
{
	json_t *row = json_object();

	for (int i = 0; values != NULL && i < relation->column_count; i++)
	{
		const Column *column = &relation->columns[i];
		const Value *value = &values[i];

		if (value->state == WIRE_COL_UNCHANGED && old != NULL)
			value = &old[i];
		if ((key_only && relation->key_count > 0 &&
			 (column->flags & WIRE_COLUMN_KEY) == 0) ||
			value->state == WIRE_COL_ABSENT ||
			value->state == WIRE_COL_UNCHANGED)
			continue;
		json_object_set_new_nocheck(row, column->name,
									json_value(column, value));
	}
	return row;
}

/* What the row is known by; lives as long as the frame, or until freed. */
static char *
quarantine_key(const StageDerived *item, const Relation *relation,
			   const Value *values)
{
	json_t *key = json_pack("[s, s++, o]", item->derived->rule_name,
							item->derived->input->schema, ".",
							item->derived->input->name,
							json_row(relation, values, NULL, true));
	char *text = json_dumps(key,
							JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	json_decref(key);
	BUG_UNLESS(text != NULL);
	return text;
}

static bool
has_key(const RuleStage *stage, const StageDerived *item,
		const Relation *relation, const Value *values)
{
	int64_t number;
	char *key;
	bool found;

	if (values == NULL)
		return false;
	key = quarantine_key(item, relation, values);
	found = kept_map_find(&stage->quarantined, AREA_QUARANTINE, slice_of(key),
						  &number);
	free(key);
	return found;
}

bool
stage_is_quarantined(RuleStage *stage, const StageDerived *item,
					 const Change *change)
{
	const Relation *relation = change->relation;

	if (stage->retry_rule != NULL)
		return true;
	if (stage->quarantined.count == 0 || change->kind > CHANGE_DELETE)
		return false;
	return has_key(stage, item, relation, change->old_values) ||
		   has_key(stage, item, relation, change->new_values);
}

static void
let_out(RuleStage *stage, const char *key)
{
	kept_map_remove(&stage->quarantined, AREA_QUARANTINE, slice_of(key));
	stage_put_kept(stage, CHANGE_MAYBE_DELETE, AREA_QUARANTINE, slice_of(key),
				   slice_of(""));
}

static void
let_key_out(RuleStage *stage, const StageDerived *item,
			const Relation *relation, const Value *values)
{
	char *key;

	if (!has_key(stage, item, relation, values))
		return;
	key = quarantine_key(item, relation, values);
	let_out(stage, key);
	free(key);
}

void
stage_release(RuleStage *stage, const StageDerived *item, const Change *change)
{
	if (stage->retry_rule != NULL)
	{
		let_out(stage, stage->retry_key);
		return;
	}
	let_key_out(stage, item, change->relation, change->old_values);
	let_key_out(stage, item, change->relation, change->new_values);
}

/* delete: of an UPDATE, that its old row is to go. */
static char *
quarantine_body(const RuleStage *stage, const StageDerived *item,
				const Change *change, bool delete, const Error *why)
{
	const Relation *relation = change->relation;
	const Value *row = delete ? change->old_values : change->new_values;
	const Value *old = change->old_kind == WIRE_OLD_FULL ? change->old_values
														 : NULL;
	json_t *message = json_string(why->message);
	char lsn[32];
	json_t *body;
	char *text;

	snprintf(lsn, sizeof(lsn), LSN_FORMAT, LSN_ARGS(stage->txn.commit_lsn));
	body = json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o}",
		"format", 1, "rule", item->derived->rule_name, "schema",
		item->derived->input->schema, "table", item->derived->input->name,
		"operation", delete ? "DELETE" : change_verb(change), "commit_lsn", lsn,
		"number", (json_int_t) change->number, "xid",
		(json_int_t) stage->txn.xid, "commit_time_us",
		(json_int_t) stage->txn.commit_time_us, "error",
		message != NULL ? message : json_string("(not in UTF-8)"), "key",
		json_row(relation, row, old, true), "row",
		json_row(relation, row, old, false));
	BUG_UNLESS(body != NULL);
	text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(body);
	BUG_UNLESS(text != NULL);
	return text;
}

static void
put_row(RuleStage *stage, const StageDerived *item, const Change *change,
		bool delete, const Error *why)
{
	const Value *row = delete ? change->old_values : change->new_values;
	char *key = quarantine_key(item, change->relation, row);
	char *body = quarantine_body(stage, item, change, delete, why);

	kept_map_put(&stage->quarantined, AREA_QUARANTINE, slice_of(key), 1);
	stage_put_kept(stage, CHANGE_PUT, AREA_QUARANTINE, slice_of(key),
				   slice_of(body));
	free(key);
	free(body);
}

/* An UPDATE that changes the key is two rows: one that goes and one that comes. */
void
stage_quarantine(RuleStage *stage, const StageDerived *item,
				 const Change *change, const Error *why)
{
	const Relation *relation = change->relation;
	char *before;
	char *after;

	if (change->kind != CHANGE_UPDATE || change->old_values == NULL)
	{
		put_row(stage, item, change, change->kind == CHANGE_DELETE, why);
		return;
	}
	before = quarantine_key(item, relation, change->old_values);
	after = quarantine_key(item, relation, change->new_values);
	if (strcmp(before, after) != 0)
		put_row(stage, item, change, true, why);
	put_row(stage, item, change, false, why);
	free(before);
	free(after);
}

/*
 * stage_reference.c
 *		Tables that rules follow: kept current at the LSN of the row that asks.
 *
 * A change of such a table is applied to the reference first, and then goes
 * through the rules of its own.  The same change of the kept row travels with the
 * transaction, so what is read at the next start is as of the progress row.
 *
 * Keys are unique and the WAL has them (see rule_reference.h): what the target
 * keeps is known, and the changes of it are strict.  A TRUNCATE empties all kept
 * rows by one statement instead of naming each, and leaves them there; from then
 * on nobody knows which there are, and changes are puts and maybe-deletes.
 *
 * A row whose key has a null cannot be asked for, and is none.
 */
#include <string.h>

#include "base/mem.h"
#include "plan/row_error.h"
#include "rules/reference_json.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_parts.h"

/* ---- reading */

static StageReference *
reference_of_area(RuleStage *stage, const char *area)
{
	for (int i = 0; i < stage->reference_count; i++)
	{
		if (strcmp(stage->references[i].reference->area, area) == 0)
			return &stage->references[i];
	}
	return NULL;
}

static bool
take_row(void *arg, const KeptRow *row, Error *err)
{
	RuleStage *stage = arg;
	StageReference *to = reference_of_area(stage, row->area);
	const ExprReference *shape;
	Value *values;
	Arena arena;
	bool ok;

	/* one that a rule has asked for once */
	if (to == NULL)
		return true;
	if (row->body.len == 0)
	{
		to->tolerant = true;
		return true;
	}
	shape = &to->reference->shape;
	arena_init(&arena);
	values = ARENA_ARRAY(&arena, Value, (size_t) shape->column_count);
	ok = reference_json_values(shape, row->body, &arena, values, err) &&
		 expr_reference_put(rule_engine_db(stage->engine), shape->name, values,
							err);
	arena_release(&arena);
	return ok;
}

static void
find_followed(RuleStage *stage)
{
	const RuleSet *set = stage->set;

	stage->references = mem_zalloc((size_t) (set->reference_count + 1) *
								   sizeof(*stage->references));
	for (int i = 0; i < set->reference_count; i++)
	{
		StageReference *to = &stage->references[stage->reference_count];
		Relation *stamped;

		if (set->references[i].input == NULL)
			continue;
		stamped = relation_new();
		stamped->oid = set->references[i].oid;
		stamped->kind = 'r';
		to->reference = &set->references[i];
		to->stamped = stamped;
		stage->reference_count++;
	}
}

bool
stage_references_load(RuleStage *stage, Error *err)
{
	ExprDb *db = rule_engine_db(stage->engine);

	find_followed(stage);
	if (!rule_engine_read(stage->engine, err))
		return false;
	if (stage->reference_count == 0)
		return true;
	if (!expr_reference_begin(db, err))
		return false;
	if (stage->target->ops->kept_visit(stage->target, KEPT_AREA_REFERENCE,
									   take_row, stage, err) &&
		expr_reference_commit(db, err))
		return true;
	expr_reference_rollback(db);
	return false;
}

void
stage_references_release(RuleStage *stage)
{
	for (int i = 0; i < stage->reference_count; i++)
		relation_release(stage->references[i].stamped);
	mem_free(stage->references);
}

/* ---- relations */

bool
reference_follows(const RuleReference *reference, const char *schema,
				  const char *name)
{
	return strcmp(reference->input->schema, schema) == 0 &&
		   strcmp(reference->input->name, name) == 0;
}

/* Where its columns are in this relation. */
static bool
map_columns(const ExprReference *shape, const Relation *relation, int *from,
			Error *err)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		int k = relation->column_count - 1;

		while (k >= 0 &&
			   strcmp(relation->columns[k].name, shape->columns[i].name) != 0)
			k--;
		if (k < 0)
			return error_set(err, P_REFERENCE,
							 "reference %s: table %s.%s has no column \"%s\""
							 " any more",
							 shape->name, relation->schema, relation->name,
							 shape->columns[i].name);
		from[i] = k;
	}
	return true;
}

bool
stage_follow_table(RuleStage *stage, StageTable *table, const RuleInput *input,
				   Error *err)
{
	for (int i = 0; i < stage->reference_count; i++)
	{
		StageReference *to = &stage->references[i];
		const ExprReference *shape = &to->reference->shape;
		StageFollow *follow;

		if (!reference_follows(to->reference, input->schema, input->name))
			continue;
		table->follows = mem_realloc(table->follows,
									 (size_t) (table->follow_count + 1) *
										 sizeof(*table->follows));
		follow = &table->follows[table->follow_count++];
		follow->to = to;
		follow->from = mem_zalloc((size_t) (shape->column_count + 1) *
								  sizeof(int));
		if (!map_columns(shape, table->relation, follow->from, err))
			return false;
	}
	table->passes = table->passes && table->follow_count == 0;
	return true;
}

void
stage_unfollow_table(StageTable *table)
{
	for (int i = 0; i < table->follow_count; i++)
		mem_free(table->follows[i].from);
	mem_free(table->follows);
}

/* ---- changes of rows */

typedef struct FollowRow
{
	RuleStage *stage;
	const StageFollow *follow;
	const Change *change;
	const ExprReference *shape;
	ExprDb *db;
	Arena *arena; /* the frame's */
} FollowRow;

/* The values of the reference's columns. */
static Value *
pick(const FollowRow *row, const Value *values)
{
	Value *picked = ARENA_ARRAY(row->arena, Value,
								(size_t) row->shape->column_count);

	for (int i = 0; i < row->shape->column_count; i++)
		picked[i] = values[row->follow->from[i]];
	return picked;
}

static bool
is_missing(const Value *value)
{
	return value->state == WIRE_COL_UNCHANGED ||
		   value->state == WIRE_COL_ABSENT;
}

static bool
has_key(const FollowRow *row, const Value *values)
{
	for (int i = 0; i < row->shape->key_count; i++)
	{
		if (values[row->shape->key[i]].state != WIRE_COL_PRESENT)
			return false;
	}
	return true;
}

static bool
same_key(const FollowRow *row, const Value *a, const Value *b)
{
	for (int i = 0; i < row->shape->key_count; i++)
	{
		const Value *x = &a[row->shape->key[i]];
		const Value *y = &b[row->shape->key[i]];

		if (!slice_equal((Slice){ x->data, x->len },
						 (Slice){ y->data, y->len }))
			return false;
	}
	return true;
}

static bool
fill_from(const FollowRow *row, Value *values, const Value *known)
{
	bool whole = true;

	for (int i = 0; i < row->shape->column_count; i++)
	{
		if (is_missing(&values[i]) && known != NULL)
			values[i] = known[i];
		whole = whole && !is_missing(&values[i]);
	}
	return whole;
}

/* What the WAL does not repeat is in the old row, or as it was. */
static bool
complete(const FollowRow *row, Value *values, const Value *old, Error *err)
{
	const Value *key = old != NULL ? old : values;
	Value *known;
	bool found = false;

	if (fill_from(row, values, old) || !has_key(row, values))
		return true;
	known = ARENA_ARRAY(row->arena, Value, (size_t) row->shape->column_count);
	if (has_key(row, key) &&
		!expr_reference_get(row->db, row->shape->name, key, row->arena, known,
							&found, err))
		return false;
	if (found && fill_from(row, values, known))
		return true;
	error_set(err, P_REFERENCE,
			  "reference %s: the WAL does not carry a large value that did not"
			  " change, and the row was not known before",
			  row->shape->name);
	return error_hint(err, "ALTER TABLE %s.%s REPLICA IDENTITY FULL",
					  row->change->relation->schema,
					  row->change->relation->name);
}

static void
keep(const FollowRow *row, ChangeKind kind, const Value *values)
{
	const StageReference *to = row->follow->to;
	bool deletes = kind == CHANGE_DELETE;

	if (to->tolerant)
		kind = deletes ? CHANGE_MAYBE_DELETE : CHANGE_PUT;
	stage_put_kept(row->stage, kind, to->reference->area,
				   reference_json_key(row->shape, values, row->arena),
				   deletes
					   ? (Slice){ "", 0 }
					   : reference_json_body(row->shape, values, row->arena));
}

static bool
row_goes(const FollowRow *row, const Value *old, Error *err)
{
	if (!has_key(row, old))
		return true;
	if (!expr_reference_delete(row->db, row->shape->name, old, err))
		return false;
	keep(row, CHANGE_DELETE, old);
	return true;
}

static bool
row_comes(const FollowRow *row, ChangeKind kind, const Value *values,
		  Error *err)
{
	if (!has_key(row, values))
		return true;
	if (!expr_reference_put(row->db, row->shape->name, values, err))
		return false;
	keep(row, kind, values);
	return true;
}

static bool
row_changes(const FollowRow *row, Error *err)
{
	const Change *change = row->change;
	Value *values = pick(row, change->new_values);
	Value *old = change->old_values != NULL ? pick(row, change->old_values)
											: NULL;

	if (!complete(row, values, old, err))
		return false;
	if (old == NULL || (has_key(row, old) && has_key(row, values) &&
						same_key(row, old, values)))
		return row_comes(row, CHANGE_UPDATE, values, err);
	return row_goes(row, old, err) &&
		   row_comes(row, CHANGE_INSERT, values, err);
}

static bool
follow_row(const FollowRow *row, Error *err)
{
	const Change *change = row->change;

	switch (change->kind)
	{
		case CHANGE_INSERT:
			return row_comes(row, CHANGE_INSERT, pick(row, change->new_values),
							 err);
		case CHANGE_UPDATE:
			return row_changes(row, err);
		case CHANGE_DELETE:
			return row_goes(row, pick(row, change->old_values), err);
		default:
			error_set(err, P_REFERENCE,
					  "reference %s: the WAL does not say which row of %s.%s"
					  " it was",
					  row->shape->name, change->relation->schema,
					  change->relation->name);
			return error_hint(err, "Give the table a REPLICA IDENTITY that has"
								   " the reference's key.");
	}
}

/* Does the copy show it already? */
static bool
is_shown(const RuleStage *stage, const StageFollow *follow,
		 const Change *change)
{
	return stage->filter->verdict(stage->filter, &stage->txn, change,
								  follow->to->stamped) == VERDICT_SKIP;
}

bool
stage_follow(RuleStage *stage, const StageTable *table, const Change *change,
			 Error *err)
{
	for (int i = 0; i < table->follow_count; i++)
	{
		const StageFollow *follow = &table->follows[i];
		FollowRow row = { stage,
						  follow,
						  change,
						  &follow->to->reference->shape,
						  rule_engine_db(stage->engine),
						  &stage->out.frame->arena };

		if (!is_shown(stage, follow, change) && !follow_row(&row, err))
			return row_error(err, &stage->txn, change);
	}
	return true;
}

/* ---- TRUNCATE */

/* Every kept row of the area has an empty body from now on. */
static void
empty_kept(RuleStage *stage, const StageReference *to)
{
	static const int match[] = { KEPT_STREAM, KEPT_AREA };

	stage_empty_kept(stage, match, 2, to->reference->area, NULL);
}

bool
stage_follow_truncate(RuleStage *stage, const StageTable *table,
					  const Change *change, Error *err)
{
	for (int i = 0; i < table->follow_count; i++)
	{
		StageReference *to = table->follows[i].to;

		if (is_shown(stage, &table->follows[i], change))
			continue;
		if (!expr_reference_clear(rule_engine_db(stage->engine),
								  to->reference->shape.name, err))
			return row_error(err, &stage->txn, change);
		to->tolerant = true;
		empty_kept(stage, to);
	}
	return true;
}

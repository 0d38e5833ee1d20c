/*
 * stage_table.c
 *		Relations of the source, and what is derived from each.
 *
 * A relation never changes once it was announced, so what was found out about it
 * holds until the stage is closed.
 */
#include <string.h>

#include "base/mem.h"
#include "rules/derived.h"
#include "rules/rule_derive.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_parts.h"

/* The numbers of a partition's columns are its own: take those of its root. */
static void
number_as_root(const RuleSet *set, RuleInput *input)
{
	const RuleInput *root = rule_set_input(set, input->oid);

	if (!input->partitioned || root == NULL)
		return;
	for (int i = 0; i < input->column_count; i++)
	{
		int column = rule_input_column(root, input->columns[i].name);

		if (column >= 0)
			input->columns[i].num = root->columns[column].num;
	}
}

static void
take_derived(StageTable *table, const Derived *const *derived, int count)
{
	const Relation *relation = table->relation;

	table->derived = mem_zalloc((size_t) (count + 1) * sizeof(*table->derived));
	table->count = count;
	for (int i = 0; i < count; i++)
	{
		StageDerived *item = &table->derived[i];

		item->derived = derived[i];
		item->stamped = relation_new();
		item->stamped->oid = derived_oid(derived[i], relation->oid);
		item->stamped->kind = 'r';
		if (derived[i]->unchanged)
		{
			relation_retain(relation);
			item->relation = relation;
		}
		else
			item->relation = derived_relation_new(derived[i], relation);
	}
	table->passes = count == 1 && derived[0]->unchanged;
}

/* Whatever is shown by a copy, behind all of them the table is left out. */
static bool
is_ignored(const RuleStage *stage, const Relation *relation)
{
	const ChangeFilter *filter = stage->filter;
	const Txn last = { .commit_lsn = UINT64_MAX };
	const Change all = { .kind = CHANGE_TRUNCATE };

	return filter->verdict(filter, &last, &all, relation) == VERDICT_SKIP;
}

/* Serial numbers count up, so their low bits differ. */
static StageTable **
slot_of(StageTable **tables, int capacity, uint64_t serial)
{
	size_t i = (size_t) serial & ((size_t) capacity - 1);

	while (tables[i] != NULL && tables[i]->relation->serial != serial)
		i = (i + 1) & ((size_t) capacity - 1);
	return &tables[i];
}

static void
grow(RuleStage *stage)
{
	int capacity = stage->table_capacity == 0 ? 64 : stage->table_capacity * 2;
	StageTable **tables = mem_zalloc((size_t) capacity * sizeof(*tables));

	for (int i = 0; i < stage->table_capacity; i++)
	{
		StageTable *table = stage->tables[i];

		if (table != NULL)
			*slot_of(tables, capacity, table->relation->serial) = table;
	}
	mem_free(stage->tables);
	stage->tables = tables;
	stage->table_capacity = capacity;
}

static StageTable *
add_table(RuleStage *stage, const Relation *relation)
{
	StageTable *table = mem_zalloc(sizeof(*table));

	if (stage->table_count * 2 >= stage->table_capacity)
		grow(stage);
	relation_retain(relation);
	table->relation = relation;
	*slot_of(stage->tables, stage->table_capacity, relation->serial) = table;
	stage->table_count++;
	return table;
}

/* It was altered since its rules were looked at. */
static void
hint_other_table(Error *err)
{
	if (err->hint[0] == '\0')
		error_hint(err,
				   "The table is not what the rule was written for any more,"
				   " and its rows cannot come as those before.  Drop the"
				   " migration and begin again with rules that fit.");
}

StageTable *
stage_table(RuleStage *stage, const Relation *relation, Error *err)
{
	const Derived *const *derived;
	RuleInput input;
	StageTable *table;
	Arena arena;
	int count;
	bool ok;

	if (stage->last != NULL && stage->last->relation == relation)
		return stage->last;
	if (stage->table_count > 0)
	{
		table = *slot_of(stage->tables, stage->table_capacity,
						 relation->serial);
		if (table != NULL)
			return stage->last = table;
	}
	arena_init(&arena);
	rule_input_of_relation(relation, &arena, &input);
	number_as_root(stage->set, &input);
	table = NULL;
	ok = stage_name_relation(stage, relation, &input, err) &&
		 rule_engine_derive(stage->engine, &input, &derived, &count, err);
	if (ok)
	{
		table = add_table(stage, relation);
		take_derived(table, derived, count);
		table->ignored = is_ignored(stage, relation);
		stage_name_hold(stage, relation);
		ok = stage_follow_table(stage, table, &input, err);
	}
	arena_release(&arena);
	if (!ok)
	{
		hint_other_table(err);
		return NULL;
	}
	stage->ledger_room += count;
	return stage->last = table;
}

void
stage_tables_release(RuleStage *stage)
{
	for (int i = 0; i < stage->table_capacity; i++)
	{
		StageTable *table = stage->tables[i];

		if (table == NULL)
			continue;
		for (int k = 0; k < table->count; k++)
		{
			relation_release(table->derived[k].relation);
			relation_release(table->derived[k].stamped);
		}
		relation_release(table->relation);
		stage_unfollow_table(table);
		mem_free(table->derived);
		mem_free(table);
	}
	mem_free(stage->tables);
}

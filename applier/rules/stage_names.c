/*
 * stage_names.c
 *		What tables are called while the stream goes on.
 *
 * Rules know tables by their names.  A table that gets another one may be the
 * business of other rules from then on, or of none: its rows would come in another
 * form, or not at all, and nobody would notice.
 */
#include <string.h>

#include "base/lsn.h"
#include "base/mem.h"
#include "rules/rule_derive.h"
#include "rules/rule_match.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_parts.h"

/* The rules that make something of it here; rules has room for all. */
static int
rules_here(const RuleStage *stage, const char *schema, const char *name,
		   const ConfigRule **rules)
{
	const RuleSetConfig *config = &stage->set->config;
	int count = rules_for_table(config->config, config->source, schema, name,
								rules);
	int here = 0;

	for (int i = 0; i < count; i++)
	{
		if (rule_goes_to(rules[i], config->target))
			rules[here++] = rules[i];
	}
	return here;
}

static const RuleReference *
reference_of(const RuleStage *stage, const char *schema, const char *name)
{
	for (int i = 0; i < stage->reference_count; i++)
	{
		if (reference_follows(stage->references[i].reference, schema, name))
			return stage->references[i].reference;
	}
	return NULL;
}

static const ConfigRule **
room_for_rules(const RuleStage *stage, Arena *arena)
{
	arena_init(arena);
	return ARENA_ARRAY(arena, const ConfigRule *,
					   (size_t) stage->set->config.config->rule_count + 1);
}

StageFate
stage_fate(const RuleStage *stage, const char *schema, const char *name)
{
	StageFate fate = { .follows = reference_of(stage, schema, name) };
	Arena arena;
	const ConfigRule **rules = room_for_rules(stage, &arena);
	int count = rules_here(stage, schema, name, rules);

	for (int i = 0; i < count; i++)
	{
		if (i == 0 && rule_leaves(stage->set, rules[i], schema, name))
			fate.unchanged = true;
		else if (fate.rule == NULL)
			fate.rule = rules[i];
	}
	arena_release(&arena);
	return fate;
}

bool
stage_same_rules(const RuleStage *stage, const char *schema, const char *name,
				 const char *other_schema, const char *other_name)
{
	Arena arena;
	Arena other_arena;
	const ConfigRule **rules = room_for_rules(stage, &arena);
	const ConfigRule **others = room_for_rules(stage, &other_arena);
	int count = rules_here(stage, schema, name, rules);
	bool same = rules_here(stage, other_schema, other_name, others) == count &&
				reference_of(stage, schema, name) ==
					reference_of(stage, other_schema, other_name);

	for (int i = 0; same && i < count; i++)
		same = rules[i] == others[i];
	arena_release(&arena);
	arena_release(&other_arena);
	return same;
}

bool
stage_is_copied(const RuleStage *stage, uint32_t oid)
{
	Change all = { .kind = CHANGE_TRUNCATE };
	Relation probe = { .oid = oid };

	return stage->filter->verdict(stage->filter, &stage->txn, &all, &probe) ==
		   VERDICT_SKIP;
}

StageName *
stage_name(const RuleStage *stage, uint32_t oid)
{
	for (int i = 0; i < stage->name_count; i++)
	{
		if (stage->names[i].oid == oid)
			return &stage->names[i];
	}
	return NULL;
}

void
stage_name_put(RuleStage *stage, uint32_t oid, const char *schema,
			   const char *name)
{
	StageName *known = stage_name(stage, oid);

	if (known != NULL && strcmp(known->schema, schema) == 0 &&
		strcmp(known->name, name) == 0)
		return;
	if (known == NULL)
	{
		stage->names = mem_room(stage->names, stage->name_count,
								&stage->name_capacity, sizeof(*stage->names));
		known = &stage->names[stage->name_count++];
		memset(known, 0, sizeof(*known));
		known->oid = oid;
	}
	known->schema = arena_strdup(&stage->names_arena, schema);
	known->name = arena_strdup(&stage->names_arena, name);
}

/* A column that is there in both, with another type. */
static const Column *
retyped(const Relation *before, const Relation *now)
{
	for (int i = 0; i < now->column_count; i++)
	{
		for (int k = 0; k < before->column_count; k++)
		{
			const Column *was = &before->columns[k];

			if (was->attnum == now->columns[i].attnum &&
				(was->type_oid != now->columns[i].type_oid ||
				 was->typmod != now->columns[i].typmod))
				return &now->columns[i];
		}
	}
	return NULL;
}

/*
 * No message needs to have told of it, and where the column is only asked by an
 * expression, what the rule makes of the table shows nothing of it.
 */
static bool
rows_were_rewritten(const RuleStage *stage, const Relation *before,
					const Relation *now, const RuleInput *input, Error *err)
{
	StageFate fate = stage_fate(stage, input->schema, input->name);
	const Column *column;

	if (before->storage == now->storage ||
		(fate.rule == NULL && fate.follows == NULL) ||
		stage->target->config->ddl_done == stage->txn.commit_lsn)
		return false;
	column = retyped(before, now);
	if (column == NULL)
		return false;
	error_set(err, P_DDL_STREAM,
			  "the rows of %s.%s were written anew with another type of column "
			  "\"%s\", and what %s has made of them is from before",
			  now->schema, now->name, column->name,
			  fate.rule != NULL ? fate.rule->name : "a reference");
	error_hint(err,
			   "Change the table on the target by hand and run again with "
			   "--ddl-done " LSN_FORMAT
			   ", or drop the migration and begin again.",
			   LSN_ARGS(stage->txn.commit_lsn));
	return true;
}

static bool
has_other_rules(const RuleStage *stage, const StageName *known,
				const RuleInput *input, Error *err)
{
	if (stage_same_rules(stage, known->schema, known->name, input->schema,
						 input->name))
		return false;
	error_set(err, P_RULE,
			  "table %s.%s was %s.%s before, and other rules see it now",
			  input->schema, input->name, known->schema, known->name);
	error_hint(err,
			   "Rows that were written under the new name have no form that"
			   " fits those before.  Drop the migration and begin again"
			   " with rules for the new name.");
	return true;
}

bool
stage_name_relation(RuleStage *stage, const Relation *relation,
					const RuleInput *input, Error *err)
{
	StageName *known;

	if (stage->ddl_key == NULL)
		return true;
	known = stage_name(stage, relation->oid);
	if (known != NULL && !stage_is_copied(stage, relation->oid) &&
		(has_other_rules(stage, known, input, err) ||
		 (known->relation != NULL &&
		  rows_were_rewritten(stage, known->relation, relation, input, err))))
		return false;
	stage_name_put(stage, relation->oid, input->schema, input->name);
	return true;
}

void
stage_name_hold(RuleStage *stage, const Relation *relation)
{
	StageName *known = stage_name(stage, relation->oid);

	if (known != NULL)
		known->relation = relation;
}

/*
 * plan_rules.c
 *		See plan_rules.h; what is the same in text and JSON is here.
 */
#include "command/plan_rules.h"

#include <stdlib.h>
#include <string.h>

#include "command/session.h"
#include "rules/rule_match.h"

static int
by_name(const void *left, const void *right)
{
	const PlanRuleTable *a = left;
	const PlanRuleTable *b = right;
	int order = strcmp(a->input->schema, b->input->schema);

	return order != 0 ? order : strcmp(a->input->name, b->input->name);
}

static bool
take_table(PlanRules *rules, const SchemaTable *table, Arena *arena, Error *err)
{
	const RuleSetConfig *config = rule_set_config(rules->set);
	PlanRuleTable *item = &rules->tables[rules->table_count++];
	const ConfigRule **named = ARENA_ARRAY(
		arena, const ConfigRule *, (size_t) config->config->rule_count + 1);
	RuleInput *input = ARENA_NEW(arena, RuleInput);

	rule_input_of_schema(table, arena, input);
	item->table = table;
	item->input = input;
	item->named = rules_for_table(config->config, config->source, input->schema,
								  input->name, named) > 0;
	return rule_engine_derive(rules->engine, input, &item->derived,
							  &item->count, err);
}

bool
plan_rules_gather(PlanRules *rules, Session *session, Arena *arena, Error *err)
{
	static const SnapshotRef now = { .id = NULL };
	Schema *schema = &rules->schema;

	memset(rules, 0, sizeof(*rules));
	rules->set = session->rules;
	rules->engine = rule_engine_new(session->rules, err);
	if (rules->engine == NULL || !session->source->ops->schema_read(
									 session->source, &now, arena, schema, err))
		return false;
	rules->tables = ARENA_ARRAY(arena, PlanRuleTable,
								(size_t) schema->table_count);
	for (int i = 0; i < schema->table_count; i++)
	{
		if (schema->tables[i].root_oid == 0 &&
			!take_table(rules, &schema->tables[i], arena, err))
			return false;
	}
	qsort(rules->tables, (size_t) rules->table_count, sizeof(*rules->tables),
		  by_name);
	return true;
}

void
plan_rules_close(PlanRules *rules)
{
	rule_engine_free(rules->engine);
	rules->engine = NULL;
}

/* ---- of one derived table */

static bool
is_key(const Derived *derived, int input_column)
{
	return (derived->input->columns[input_column].flags & WIRE_COLUMN_KEY) != 0;
}

/* Does it look at old values that are not the identity's? */
static bool
looks_back(const Derived *derived)
{
	const ExprUses *uses;

	if (derived->compute == NULL)
		return false;
	uses = expr_uses(derived->compute);
	for (int i = 0; i < derived->input->column_count; i++)
	{
		if (uses->old_columns[i] && !is_key(derived, i))
			return true;
	}
	return false;
}

/* Is the derived key made of the identity alone? */
static bool
key_by_key(const Derived *derived)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		const ExprUses *uses;

		if ((column->as.flags & WIRE_COLUMN_KEY) == 0)
			continue;
		if (column->from >= 0)
		{
			if (!is_key(derived, column->from))
				return false;
			continue;
		}
		uses = expr_uses_of(derived->compute, column->expression);
		for (int k = 0; k < derived->input->column_count; k++)
		{
			if (uses->columns[k] && !is_key(derived, k))
				return false;
		}
	}
	return true;
}

IdentityNeed
plan_rules_need(const Derived *derived)
{
	if (looks_back(derived))
		return NEED_FULL;
	if ((derived->operations & (RULE_UPDATE | RULE_DELETE)) == 0)
		return NEED_NONE;
	if (derived->match != NULL)
		return NEED_NONE;
	if (derived->key_count == 0 || !key_by_key(derived))
		return NEED_FULL;
	return derived->decided_by_key ? NEED_KEY : NEED_BETTER;
}

const char *
identity_need_name(IdentityNeed need)
{
	static const char *const names[] = {
		[NEED_NONE] = "none",
		[NEED_KEY] = "key",
		[NEED_BETTER] = "key, better full",
		[NEED_FULL] = "full",
	};

	return names[need];
}

const char *
plan_rules_identity(const RuleInput *input)
{
	switch (input->identity)
	{
		case 'f':
			return "full";
		case 'i':
			return "index";
		case 'n':
			return "nothing";
		default:
			return "default";
	}
}

const char *
plan_rules_type(const PlanRuleTable *table, const DerivedColumn *column)
{
	const char *name = column->from >= 0
						   ? table->input->columns[column->from].name
						   : column->as.name;

	if (column->type != NULL)
		return column->type->sql;
	for (int i = 0; i < table->table->column_count; i++)
	{
		if (strcmp(table->table->columns[i].name, name) == 0)
			return table->table->columns[i].type.sql;
	}
	return column->as.type_name;
}

const char *
plan_rules_expression(const Derived *derived, const DerivedColumn *column)
{
	if (column->expr == NULL)
		return NULL;
	for (int i = 0; i < derived->rule->column_count; i++)
	{
		if (strcmp(derived->rule->columns[i].name.text, column->as.name) == 0)
			return derived->rule->columns[i].expr.shown;
	}
	return NULL;
}

int
plan_rules_operations(const Derived *derived, const char *names[4])
{
	static const struct
	{
		unsigned bit;
		const char *name;
	} operations[] = {
		{ RULE_INSERT, "insert" },
		{ RULE_UPDATE, "update" },
		{ RULE_DELETE, "delete" },
		{ RULE_TRUNCATE, "truncate" },
	};
	int count = 0;

	for (int i = 0; i < 4; i++)
	{
		if ((derived->operations & operations[i].bit) != 0)
			names[count++] = operations[i].name;
	}
	return count;
}

const char *
plan_rules_conflict(const Derived *derived)
{
	static const char *const names[] = {
		[CONFLICT_ERROR] = "error",
		[CONFLICT_SOURCE] = "source_wins",
		[CONFLICT_TARGET] = "target_wins",
		[CONFLICT_LATEST] = "latest_wins",
	};

	return derived->rule == NULL ? "error" : names[derived->rule->on_conflict];
}

const char *
reference_kind_name(ReferenceKind kind)
{
	static const char *const names[] = {
		[REFERENCE_QUERY] = "query",
		[REFERENCE_FILE] = "file",
		[REFERENCE_TABLE] = "table",
	};

	return names[kind];
}

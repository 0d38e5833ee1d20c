/*
 * plan_rules_json.c
 *		What the rules make of the tables, for programs; see doc/json.md.
 */
#include "base/mem.h"
#include "command/json_words.h"
#include "command/plan_rules.h"

static json_t *
list_json(const ConfigList *list)
{
	json_t *names = json_array();

	for (int i = 0; i < list->count; i++)
		json_array_append_new(names, json_words(list->items[i].shown));
	return names;
}

static json_t *
columns_json(const PlanRuleTable *table, const Derived *derived)
{
	json_t *list = json_array();

	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		const char *from = column->from >= 0
							   ? derived->input->columns[column->from].name
							   : NULL;

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:b, s:b}", "name",
							json_words(column->as.name), "type",
							json_words(plan_rules_type(table, column)), "from",
							json_words_or_null(from), "expression",
							json_words_or_null(
								plan_rules_expression(derived, column)),
							"key", (column->as.flags & WIRE_COLUMN_KEY) != 0,
							"verified", !column->volatile_value));
	}
	return list;
}

static json_t *
operations_json(const Derived *derived)
{
	const char *names[4];
	int count = plan_rules_operations(derived, names);
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *
match_json(const Derived *derived)
{
	json_t *list = json_array();

	for (int i = 0; i < derived->match_count; i++)
		json_array_append_new(
			list, json_words(derived->columns[derived->match[i]].as.name));
	return list;
}

static json_t *
derived_json(const PlanRuleTable *table, const Derived *derived)
{
	const ConfigRule *rule = derived->rule;
	json_t *json = json_pack(
		"{s:o, s:i, s:i, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:s, s:o,"
		" s:o, s:s, s:s, s:s, s:s}",
		"rule", json_words(derived->rule_name), "line", rule->place.line,
		"column", rule->place.column, "targets", list_json(&rule->targets),
		"schema", json_words(derived->schema), "name",
		json_words(derived->name), "unchanged", (int) derived->unchanged,
		"columns", columns_json(table, derived), "where",
		json_words_or_null(rule->where.shown), "route",
		json_words_or_null(rule->route.shown), "operations",
		operations_json(derived), "on_conflict", plan_rules_conflict(derived),
		"latest", json_words_or_null(rule->latest.shown), "match",
		match_json(derived), "identity_needed",
		identity_need_name(plan_rules_need(derived)), "counts",
		derived->tolerant ? "tolerant" : "strict", "on_error",
		rule->on_error == RULE_QUARANTINE ? "quarantine" : "stop", "ledger",
		rule->ledger == RULE_LEDGER_KEYS ? "keys" : "counts");

	BUG_UNLESS(json != NULL);
	return json;
}

static json_t *
table_json(const PlanRuleTable *table)
{
	json_t *list = json_array();

	for (int i = 0; i < table->count; i++)
		json_array_append_new(list, derived_json(table, table->derived[i]));
	return json_pack("{s:o, s:o, s:s, s:b, s:o}", "schema",
					 json_words(table->input->schema), "name",
					 json_words(table->input->name), "identity",
					 plan_rules_identity(table->input), "named",
					 (int) table->named, "becomes", list);
}

static json_t *
reference_json(const ConfigReference *reference)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:I, s:b}", "name",
					 json_words(reference->name.text), "kind",
					 reference_kind_name(reference->kind), "table",
					 json_words_or_null(reference->table.shown), "key",
					 list_json(&reference->key), "refresh_ms",
					 (json_int_t) reference->refresh_ms, "required",
					 (int) reference->required);
}

json_t *
plan_rules_json(const PlanRules *rules)
{
	const RuleSetConfig *config = rule_set_config(rules->set);
	json_t *tables = json_array();
	json_t *references = json_array();
	char digest[33];

	rule_set_digest(rules->set, digest);
	for (int i = 0; i < rules->table_count; i++)
		json_array_append_new(tables, table_json(&rules->tables[i]));
	for (int i = 0; i < config->config->reference_count; i++)
		json_array_append_new(references,
							  reference_json(&config->config->references[i]));
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "file",
					 json_words(config->config->path), "source",
					 json_words(config->source), "target",
					 json_words(config->target), "digest", digest, "tables",
					 tables, "references", references);
}

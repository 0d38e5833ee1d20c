/*
 * rule_set.c
 *		See rule_set.h.
 */
#include "rules/rule_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "rules/rule_check.h"
#include "rules/rule_derive.h"
#include "rules/rule_match.h"
#include "rules/rule_schema.h"
#include "rules/rule_set_parts.h"
#include "rules/rule_share.h"

RuleSet *
rule_set_new(const RuleSetConfig *config)
{
	RuleSet *set = mem_zalloc(sizeof(*set));

	set->config = *config;
	arena_init(&set->arena);
	return set;
}

void
rule_set_free(RuleSet *set)
{
	if (set == NULL)
		return;
	arena_release(&set->arena);
	mem_free(set);
}

const RuleSetConfig *
rule_set_config(const RuleSet *set)
{
	return &set->config;
}

static bool
has_rules(const RuleSet *set)
{
	return set->config.config != NULL && set->config.config->has_rules;
}

bool
rule_set_is_identity(const RuleSet *set)
{
	const RuleSetConfig *config = &set->config;

	/* what several sources have may come to the same table */
	return !has_rules(set) ||
		   (config->config->source_count == 1 &&
			config->config->reference_count == 0 &&
			rules_change_nothing(config->config, config->source,
								 config->target));
}

static int
compare_types(const void *left, const void *right)
{
	return strcmp(((const ResolvedType *) left)->text,
				  ((const ResolvedType *) right)->text);
}

const SchemaType *
rule_set_type(const RuleSet *set, const char *text)
{
	ResolvedType key = { .text = text };
	const ResolvedType *found;

	if (set->type_count == 0)
		return NULL;
	found = bsearch(&key, set->types, (size_t) set->type_count, sizeof(key),
					compare_types);
	return found != NULL ? &found->type : NULL;
}

static int
compare_inputs(const void *left, const void *right)
{
	const RuleInput *a = left;
	const RuleInput *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

const RuleInput *
rule_set_input(const RuleSet *set, uint32_t oid)
{
	RuleInput key = { .oid = oid };

	if (set->input_count == 0)
		return NULL;
	return bsearch(&key, set->inputs, (size_t) set->input_count, sizeof(key),
				   compare_inputs);
}

static int
compare_parts(const void *left, const void *right)
{
	const RulePart *a = left;
	const RulePart *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

const RuleInput *
rule_set_root(const RuleSet *set, uint32_t oid)
{
	RulePart key = { .oid = oid };
	const RulePart *part = NULL;

	if (set->part_count > 0)
		part = bsearch(&key, set->parts, (size_t) set->part_count, sizeof(key),
					   compare_parts);
	return rule_set_input(set, part != NULL ? part->root_oid : oid);
}

bool
rule_set_has_sequence(const RuleSet *set, const char *schema, const char *name)
{
	size_t len = strlen(schema);

	for (int i = 0; i < set->lost_count; i++)
	{
		const char *lost = set->lost_sequences[i];

		if (strncmp(lost, schema, len) == 0 && lost[len] == '.' &&
			strcmp(lost + len + 1, name) == 0)
			return false;
	}
	return true;
}

/* ---- prepare */

typedef struct Prepare
{
	RuleSet *set;
	const Schema *schema;
	TypeResolver resolver;
	void *arg;
	Findings *findings;
	bool failed; /* a table could not be derived at all */
} Prepare;

static bool
type_known(const RuleSet *set, const char *text)
{
	for (int i = 0; i < set->type_count; i++)
	{
		if (strcmp(set->types[i].text, text) == 0)
			return true;
	}
	return false;
}

static void
find_type(Prepare *prepare, const ConfigRule *rule, const ConfigColumn *column)
{
	RuleSet *set = prepare->set;
	ResolvedType *type = &set->types[set->type_count];
	Error why = ERROR_INIT;
	Error err = ERROR_INIT;

	if (column->type.text == NULL || type_known(set, column->type.text))
		return;
	type->text = column->type.text;
	if (prepare->resolver(prepare->arg, type->text, &set->arena, &type->type,
						  &why))
	{
		set->type_count++;
		return;
	}
	/* what the source says repeats the name, which may be secret */
	if (why.code == P_RULE &&
		strcmp(column->type.text, column->type.shown) != 0)
		error_set(&why, P_RULE,
				  "with what stands for ${...}, \"%s\" is not the name of a"
				  " type of a column",
				  column->type.shown);
	config_error(set->config.config, column->type.place, &err,
				 "%s, column \"%s\": %s", rule->name, column->name.shown,
				 why.message);
	finding_add_error(prepare->findings, SEVERITY_ERROR, rule->name, &err);
}

static void
resolve_types(Prepare *prepare)
{
	RuleSet *set = prepare->set;
	const Config *config = set->config.config;
	size_t most = 0;

	for (int i = 0; i < config->rule_count; i++)
		most += (size_t) config->rules[i].column_count;
	set->types = ARENA_ARRAY(&set->arena, ResolvedType, most);
	for (int i = 0; i < config->rule_count; i++)
	{
		for (int k = 0; k < config->rules[i].column_count; k++)
			find_type(prepare, &config->rules[i], &config->rules[i].columns[k]);
	}
	qsort(set->types, (size_t) set->type_count, sizeof(*set->types),
		  compare_types);
}

static void
keep_inputs(Prepare *prepare)
{
	RuleSet *set = prepare->set;
	const Schema *schema = prepare->schema;

	set->inputs = ARENA_ARRAY(&set->arena, RuleInput,
							  (size_t) schema->table_count);
	set->parts = ARENA_ARRAY(&set->arena, RulePart,
							 (size_t) schema->table_count);
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *table = &schema->tables[i];

		if (table->root_oid != 0)
			set->parts[set->part_count++] = (RulePart){ table->oid,
														table->root_oid };
		else
			rule_input_of_schema(table, &set->arena,
								 &set->inputs[set->input_count++]);
	}
	qsort(set->parts, (size_t) set->part_count, sizeof(*set->parts),
		  compare_parts);
	qsort(set->inputs, (size_t) set->input_count, sizeof(*set->inputs),
		  compare_inputs);
}

/* A table of the source whose name is near to the rule's, or NULL. */
static const char *
near_table(const RuleSet *set, const ConfigRule *rule, Arena *arena)
{
	const char **names = ARENA_ARRAY(arena, const char *,
									 (size_t) set->input_count + 1);

	for (int i = 0; i < set->input_count; i++)
		names[i] = arena_printf(arena, "%s.%s", set->inputs[i].schema,
								set->inputs[i].name);
	return suggest(rule->table.shown, names);
}

/* A rule that names a table which is not there is most likely misspelt. */
static void
check_exact_rule(Prepare *prepare, const ConfigRule *rule)
{
	const RuleSet *set = prepare->set;
	const char *meant;
	Error err = ERROR_INIT;

	for (int i = 0; i < set->input_count; i++)
	{
		if (rule_names_table(rule, set->inputs[i].schema, set->inputs[i].name))
			return;
	}
	config_error(set->config.config, rule->table.place, &err,
				 rule_is_exact(rule)
					 ? "%s: there is no table \"%s\" on the source"
					 : "%s: no table of the source matches \"%s\"",
				 rule->name, rule->table.shown);
	meant = near_table(set, rule, prepare->findings->arena);
	if (meant != NULL)
		error_hint(&err, "Did you mean %s?", meant);
	finding_add_error(prepare->findings,
					  rule_is_exact(rule) && !set->config.begun
						  ? SEVERITY_ERROR
						  : SEVERITY_WARNING,
					  rule->name, &err);
}

static bool
prepare_table(Prepare *prepare, RuleEngine *engine, const RuleInput *input,
			  Error *err)
{
	const RuleSetConfig *config = &prepare->set->config;
	const ConfigRule **rules;
	const Derived *const *derived;
	Error why = ERROR_INIT;
	char object[160];
	int count;

	snprintf(object, sizeof(object), "table %s.%s", input->schema, input->name);
	rules = mem_zalloc((size_t) (config->config->rule_count + 1) *
					   sizeof(*rules));
	count = rules_for_table(config->config, config->source, input->schema,
							input->name, rules);
	mem_free(rules);
	if (count == 0)
		finding_add(prepare->findings, SEVERITY_NOTE, 0, object,
					"Add a rule for it if it is to be.",
					"no rule names it: it is not migrated");
	if (rule_engine_derive(engine, input, &derived, &count, &why))
	{
		for (int i = 0; i < count; i++)
			rule_check_derived(derived[i], prepare->schema,
							   schema_table(prepare->schema, input->oid),
							   prepare->findings);
	}
	else
	{
		if (why.code != P_RULE)
		{
			*err = why;
			return false;
		}
		prepare->failed = true;
		finding_add_error(prepare->findings, SEVERITY_ERROR, object, &why);
	}
	return true;
}

static bool
numbers_some(const Schema *schema, const char *sequence)
{
	for (int i = 0; i < schema->table_count; i++)
	{
		const SchemaTable *table = &schema->tables[i];

		for (int k = 0; k < table->column_count; k++)
		{
			if (table->columns[k].sequence != NULL &&
				strcmp(table->columns[k].sequence, sequence) == 0)
				return true;
		}
	}
	return false;
}

/* Sequences whose columns stay behind. */
static void
lose_sequences(RuleSet *set, const Schema *from, const Schema *made)
{
	size_t most = 0;

	for (int i = 0; i < from->table_count; i++)
		most += (size_t) from->tables[i].column_count;
	set->lost_sequences = ARENA_ARRAY(&set->arena, const char *, most);
	for (int i = 0; i < from->table_count; i++)
	{
		const SchemaTable *table = &from->tables[i];

		for (int k = 0; k < table->column_count; k++)
		{
			const char *sequence = table->columns[k].sequence;

			if (sequence != NULL && !numbers_some(made, sequence))
				set->lost_sequences[set->lost_count++] = arena_strdup(
					&set->arena, sequence);
		}
	}
}

/* Do the tables agree that become one?  Notes are for who makes the schema. */
static bool
check_schema(Prepare *prepare, RuleEngine *engine, Error *err)
{
	Findings findings;
	RuleSchema made;
	Arena arena;
	bool ok;

	arena_init(&arena);
	findings_init(&findings, &arena);
	ok = rule_schema_make(engine, prepare->schema, &arena, &made, &findings,
						  err);
	if (ok)
		lose_sequences(prepare->set, prepare->schema, &made.schema);
	for (int i = 0; ok && i < findings.count; i++)
	{
		const Finding *finding = &findings.items[i];

		if (finding->severity == SEVERITY_ERROR)
			finding_add(prepare->findings, SEVERITY_ERROR, finding->code,
						finding->object, finding->remedy, "%s",
						finding->message);
	}
	arena_release(&arena);
	return ok;
}

bool
rule_set_prepare(RuleSet *set, const Schema *schema, TypeResolver resolver,
				 void *arg, Findings *findings, Error *err)
{
	Prepare prepare = { set, schema, resolver, arg, findings, false };
	const Config *config = set->config.config;
	RuleEngine *engine;
	bool ok = true;

	if (!has_rules(set))
		return true;
	resolve_types(&prepare);
	keep_inputs(&prepare);
	rule_share_learn(set);
	for (int i = 0; i < config->rule_count; i++)
	{
		if (rule_is_for_source(&config->rules[i], set->config.source))
			check_exact_rule(&prepare, &config->rules[i]);
	}
	if (!rule_references_prepare(set, schema, findings, err))
		return false;
	/* against tables that are not there every expression would be wrong */
	if (set->references_wrong)
		return true;
	engine = rule_engine_new(set, err);
	for (int i = 0; engine != NULL && ok && i < set->input_count; i++)
		ok = prepare_table(&prepare, engine, &set->inputs[i], err);
	ok = ok && engine != NULL &&
		 (prepare.failed || check_schema(&prepare, engine, err));
	rule_engine_free(engine);
	return ok;
}

/*
 * rule_engine.c
 *		One thread's compiled rules; see rule_set.h.
 *
 * What was derived is kept by the table's OID and all that expressions see of it,
 * and never forgotten: a table that is altered under the stream is another input,
 * and frames that wait may still hold the older one.
 */
#include "rules/rule_set.h"

#include <string.h>

#include "base/mem.h"
#include "rules/rule_derive.h"
#include "rules/rule_match.h"
#include "rules/rule_set_parts.h"
#include "rules/rule_share.h"

typedef struct EngineTable
{
	const RuleInput *input;
	const Derived **derived;
	int count;
} EngineTable;

struct RuleEngine
{
	const RuleSet *set;
	ExprDb *db;
	ReferenceReads *reads;
	Arena arena;
	EngineTable *tables;
	int table_count;
	int table_capacity;
};

RuleEngine *
rule_engine_new(const RuleSet *set, Error *err)
{
	RuleEngine *engine = mem_zalloc(sizeof(*engine));

	engine->set = set;
	arena_init(&engine->arena);
	engine->reads = reference_reads_new(set);
	engine->db = expr_db_open(err);
	if (engine->db != NULL && rule_references_create(set, engine->db, err))
		return engine;
	rule_engine_free(engine);
	return NULL;
}

void
rule_engine_free(RuleEngine *engine)
{
	if (engine == NULL)
		return;
	for (int i = 0; i < engine->table_count; i++)
	{
		for (int k = 0; k < engine->tables[i].count; k++)
		{
			expr_program_free(engine->tables[i].derived[k]->decide);
			expr_program_free(engine->tables[i].derived[k]->compute);
		}
	}
	if (engine->db != NULL)
		expr_db_close(engine->db);
	reference_reads_free(engine->reads);
	arena_release(&engine->arena);
	mem_free(engine->tables);
	mem_free(engine);
}

const RuleSet *
rule_engine_set(const RuleEngine *engine)
{
	return engine->set;
}

ExprDb *
rule_engine_db(RuleEngine *engine)
{
	return engine->db;
}

bool
rule_engine_read(RuleEngine *engine, Error *err)
{
	return reference_reads_all(engine->reads, engine->db, err);
}

void
rule_engine_refresh(RuleEngine *engine)
{
	reference_reads_due(engine->reads, engine->db);
}

static bool
same_column(const RuleColumn *a, const RuleColumn *b)
{
	return a->num == b->num && a->type_oid == b->type_oid &&
		   a->base_type_oid == b->base_type_oid && a->typmod == b->typmod &&
		   a->flags == b->flags && strcmp(a->name, b->name) == 0;
}

static bool
same_input(const RuleInput *a, const RuleInput *b)
{
	if (a->oid != b->oid || a->identity != b->identity ||
		a->column_count != b->column_count ||
		strcmp(a->schema, b->schema) != 0 || strcmp(a->name, b->name) != 0)
		return false;
	for (int i = 0; i < a->column_count; i++)
	{
		if (!same_column(&a->columns[i], &b->columns[i]))
			return false;
	}
	return true;
}

/* A copy whose strings live as long as the engine. */
static const RuleInput *
keep_input(RuleEngine *engine, const RuleInput *input)
{
	Arena *arena = &engine->arena;
	RuleInput *kept = ARENA_NEW(arena, RuleInput);

	*kept = *input;
	kept->schema = arena_strdup(arena, input->schema);
	kept->name = arena_strdup(arena, input->name);
	kept->columns = ARENA_ARRAY(arena, RuleColumn,
								(size_t) input->column_count);
	for (int i = 0; i < input->column_count; i++)
	{
		RuleColumn *column = &kept->columns[i];

		*column = input->columns[i];
		column->name = arena_strdup(arena, column->name);
		column->type_schema = arena_strdup(arena, column->type_schema);
		column->type_name = arena_strdup(arena, column->type_name);
		column->base_schema = arena_strdup(arena, column->base_schema);
		column->base_name = arena_strdup(arena, column->base_name);
	}
	return kept;
}

static EngineTable *
add_table(RuleEngine *engine, const RuleInput *input, int most)
{
	EngineTable *table;

	if (engine->table_count == engine->table_capacity)
	{
		engine->table_capacity = engine->table_capacity * 2 + 16;
		engine->tables = mem_realloc(engine->tables,
									 (size_t) engine->table_capacity *
										 sizeof(*engine->tables));
	}
	table = &engine->tables[engine->table_count++];
	table->input = input;
	table->count = 0;
	table->derived = ARENA_ARRAY(&engine->arena, const Derived *,
								 (size_t) most + 1);
	return table;
}

static bool
derive_all(RuleEngine *engine, EngineTable *table, const ConfigRule **rules,
		   int count, Error *err)
{
	DeriveContext context = { engine->set, engine->db, &engine->arena, true };

	for (int i = 0; i < count; i++)
	{
		const Derived *derived;

		if (!rule_goes_to(rules[i], engine->set->config.target))
			continue;
		derived = rule_derive(&context, rules[i], table->input, err);
		if (derived == NULL)
			return false;
		((Derived *) derived)->shared = derived->match == NULL &&
										rule_is_shared(engine->set, derived);
		((Derived *) derived)->conflicts = rule_may_conflict(engine->set,
															 derived);
		table->derived[table->count++] = derived;
		context.first = false;
	}
	return true;
}

/* Compile what the rules make of it; on failure nothing is kept. */
static const EngineTable *
derive(RuleEngine *engine, const RuleInput *input, Error *err)
{
	const RuleSetConfig *config = &engine->set->config;
	const RuleInput *kept = keep_input(engine, input);
	int most = config->config->rule_count;
	const ConfigRule **rules = ARENA_ARRAY(&engine->arena, const ConfigRule *,
										   (size_t) most + 1);
	int count = rules_for_table(config->config, config->source, input->schema,
								input->name, rules);
	EngineTable *table = add_table(engine, kept, most);

	if (derive_all(engine, table, rules, count, err))
		return table;
	for (int i = 0; i < table->count; i++)
	{
		expr_program_free(table->derived[i]->decide);
		expr_program_free(table->derived[i]->compute);
	}
	engine->table_count--;
	return NULL;
}

static const EngineTable *
derive_nothing(RuleEngine *engine, const RuleInput *input)
{
	DeriveContext context = { engine->set, engine->db, &engine->arena, true };
	EngineTable *table = add_table(engine, keep_input(engine, input), 1);

	table->derived[table->count++] = rule_derive_nothing(&context,
														 table->input);
	return table;
}

bool
rule_engine_derive(RuleEngine *engine, const RuleInput *input,
				   const Derived *const **derived, int *count, Error *err)
{
	const Config *config = rule_set_config(engine->set)->config;
	const EngineTable *table = NULL;

	for (int i = engine->table_count - 1; table == NULL && i >= 0; i--)
	{
		if (same_input(engine->tables[i].input, input))
			table = &engine->tables[i];
	}
	if (table == NULL && (config == NULL || !config->has_rules))
		table = derive_nothing(engine, input);
	if (table == NULL)
		table = derive(engine, input, err);
	if (table == NULL)
		return false;
	*derived = table->derived;
	*count = table->count;
	return true;
}

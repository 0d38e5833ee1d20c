/*
 * plan_json.c
 *		A RunPlan for programs; see doc/json.md.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "command/json_words.h"
#include "command/plan.h"
#include "command/walk.h"

static json_t *
table_json(const RunPlanTable *item)
{
	const Table *table = item->table;
	json_t *indexes = json_array();

	for (int i = 0; i < item->index_count; i++)
		json_array_append_new(indexes, json_words(item->indexes[i]->name));
	return json_pack(
		"{s:o, s:o, s:I, s:o, s:s, s:i, s:i, s:o}", "schema",
		json_words(table->schema), "name", json_words(table->name), "bytes",
		(json_int_t) table->bytes, "rows",
		table->rows >= 0 ? json_integer((json_int_t) table->rows) : json_null(),
		"chunk_kind", chunk_kind_name(item->kind), "chunks", item->chunks,
		"chunks_done", item->chunks_done, "indexes", indexes);
}

static json_t *
entries_json(const RunPlan *plan, DdlState state)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		if (entry->state == state)
			json_array_append_new(
				list, json_pack("{s:s, s:o, s:o}", "type", entry->type,
								"schema", json_words(entry->schema), "name",
								json_words(entry->name)));
	}
	return list;
}

static json_t *
schema_json(const RunPlan *plan)
{
	json_t *counts = json_object();

	for (int state = DDL_TODO; state <= DDL_DEFERRED; state++)
		json_object_set_new(counts, ddl_state_name(state),
							json_integer(plan_entries(plan, (DdlState) state)));
	return counts;
}

static json_t *
sequences_json(const RunPlan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->sequence_count; i++)
		json_array_append_new(
			list, json_pack("{s:o, s:o}", "schema",
							json_words(plan->sequences[i].schema), "name",
							json_words(plan->sequences[i].name)));
	return list;
}

static json_t *
behind_json(const RunPlan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->behind.count; i++)
	{
		const Finding *f = &plan->behind.items[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "object",
											  json_words(f->object), "message",
											  json_words(f->message), "remedy",
											  json_words_or_null(f->remedy)));
	}
	return list;
}

static json_t *
column_json(const TranslatedColumn *column)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "name",
					 json_words(column->name), "source_type",
					 json_words(column->source_type), "target_name",
					 json_words(column->target_name), "target_type",
					 json_words(column->target_type), "severity",
					 severity_name(column->severity), "note",
					 json_words_or_null(column->note));
}

static json_t *
mapping_json(const Translation *translation)
{
	json_t *list = json_array();

	for (int i = 0; i < translation->table_count; i++)
	{
		const TranslatedTable *table = &translation->tables[i];
		json_t *columns = json_array();

		for (int k = 0; k < table->column_count; k++)
			json_array_append_new(columns, column_json(&table->columns[k]));
		json_array_append_new(list,
							  json_pack("{s:o, s:o, s:o, s:b, s:o, s:o}",
										"schema", json_words(table->schema),
										"name", json_words(table->name),
										"target", json_words(table->target),
										"exists", (int) table->exists, "note",
										json_words_or_null(table->note),
										"columns", columns));
	}
	return list;
}

static json_t *
decisions_json(const Findings *decisions)
{
	json_t *list = json_array();

	for (int i = 0; i < decisions->count; i++)
		json_array_append_new(list, json_finding(&decisions->items[i]));
	return list;
}

static json_t *
ddl_json(const RunPlan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:s, s:o}", "type", entry->type,
							"schema", json_words(entry->schema), "name",
							json_words(entry->name), "when", plan_when(entry),
							"sql", json_words(entry->sql)));
	}
	return list;
}

void
plan_print_json(const RunPlan *plan)
{
	json_t *tables = json_array();
	json_t *root;

	for (int i = 0; i < plan->table_count; i++)
		json_array_append_new(tables, table_json(&plan->tables[i]));
	root = json_pack(
		"{s:i, s:s, s:o, s:b, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
		"format", 1, "name", plan->name, "phase",
		plan->phase == PHASE_NONE ? json_null()
								  : json_string(phase_name(plan->phase)),
		"copy_only", (int) plan->copy_only, "jobs", plan->jobs, "bytes",
		(json_int_t) plan->bytes, "schema", schema_json(plan), "tables", tables,
		"sequences", sequences_json(plan), "waits_for_stream",
		entries_json(plan, DDL_WAITING), "waits_for_finish",
		entries_json(plan, DDL_DEFERRED), "not_migrated", behind_json(plan));
	BUG_UNLESS(root != NULL);
	if (plan->translation != NULL)
	{
		json_object_set_new(root, "mapping", mapping_json(plan->translation));
		json_object_set_new(root, "decisions",
							decisions_json(&plan->translation->decisions));
	}
	if (plan->rules.set != NULL)
		json_object_set_new(root, "rules", plan_rules_json(&plan->rules));
	if (plan->with_ddl)
		json_object_set_new(root, "ddl", ddl_json(plan));
	walk_print_json(root, 0);
}

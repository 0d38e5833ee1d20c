/*
 * plan_print.c
 *		A Plan for people and for programs.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/json_words.h"
#include "command/plan.h"

/* ------------------------------------------------------------- for people */

static void
print_chunks(const PlanTable *item, char *out, size_t size)
{
	if (item->chunks_done == item->chunks)
		snprintf(out, size, "done");
	else if (item->kind == CHUNK_WHOLE)
		snprintf(out, size, "whole");
	else if (item->chunks_done > 0)
		snprintf(out, size, "%d of %d %s", item->chunks - item->chunks_done,
				 item->chunks, chunk_kind_name(item->kind));
	else
		snprintf(out, size, "%d by %s", item->chunks,
				 chunk_kind_name(item->kind));
}

static void
print_tables(const Plan *plan)
{
	char size[UNITS_SIZE];
	char chunks[64];
	char rows[24];
	int indexes = 0;

	printf("\nTables, %d at a time, the largest first:\n"
		   "        size        rows  pieces          indexes  table\n",
		   plan->jobs);
	for (int i = 0; i < plan->table_count; i++)
	{
		const PlanTable *item = &plan->tables[i];
		const Table *table = item->table;

		print_chunks(item, chunks, sizeof(chunks));
		snprintf(rows, sizeof(rows), "%" PRId64, table->rows);
		printf("%12s %11s  %-15s %7d  %s.%s\n",
			   units_bytes((double) table->bytes, size),
			   table->rows >= 0 ? rows : "?", chunks, item->index_count,
			   table->schema, table->name);
		indexes += item->index_count;
	}
	printf("To copy: %s; %d tables, %d indexes, %d sequences\n",
		   units_bytes((double) plan->bytes, size), plan->table_count, indexes,
		   plan->sequence_count);
}

static void
print_entries(const Plan *plan, DdlState state, const char *heading)
{
	if (plan_entries(plan, state) == 0)
		return;
	printf("\n%s\n", heading);
	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		if (entry->state == state)
			printf("  %-22s %s%s%s\n", entry->type, entry->schema,
				   entry->schema[0] != '\0' ? "." : "", entry->name);
	}
}

static void
print_behind(const Plan *plan)
{
	if (plan->behind.count == 0)
		return;
	printf("\nNot migrated:\n");
	for (int i = 0; i < plan->behind.count; i++)
	{
		const Finding *f = &plan->behind.items[i];

		printf("  %s\n      %s\n", f->object, f->message);
	}
}

void
plan_print_text(const Plan *plan)
{
	if (plan->phase == PHASE_NONE)
		printf("migration \"%s\": not begun\n", plan->name);
	else
		printf("migration \"%s\": in phase %s\n", plan->name,
			   phase_name(plan->phase));
	printf("schema: %d objects to create, %d created, %d wait\n",
		   plan_entries(plan, DDL_TODO), plan_entries(plan, DDL_DONE),
		   plan_entries(plan, DDL_DEFERRED) + plan_entries(plan, DDL_WAITING));
	print_tables(plan);
	print_entries(plan, DDL_WAITING,
				  "Waits until the stream has passed what was copied last:");
	print_entries(plan, DDL_DEFERRED, "Waits for pg_portage finish:");
	print_behind(plan);
	if (plan->copy_only)
		printf("\nThere is no stream: changes made after the snapshot are not "
			   "carried.\n");
	else if (plan->sequence_count > 0)
		printf("\nSequences are set after the copy, whenever run --until has "
			   "reached its end,\nand by pg_portage finish.\n");
}

/* ----------------------------------------------------------- for programs */

static json_t *
table_json(const PlanTable *item)
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
entries_json(const Plan *plan, DdlState state)
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
schema_json(const Plan *plan)
{
	json_t *counts = json_object();

	for (int state = DDL_TODO; state <= DDL_DEFERRED; state++)
		json_object_set_new(counts, ddl_state_name(state),
							json_integer(plan_entries(plan, (DdlState) state)));
	return counts;
}

static json_t *
sequences_json(const Plan *plan)
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
behind_json(const Plan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->behind.count; i++)
	{
		const Finding *f = &plan->behind.items[i];

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o}", "object", json_words(f->object),
							"message", json_words(f->message), "remedy",
							f->remedy[0] != '\0' ? json_words(f->remedy)
												 : json_null()));
	}
	return list;
}

void
plan_print_json(const Plan *plan)
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
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

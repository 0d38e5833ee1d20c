/*
 * plan_print.c
 *		A RunPlan for people.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "command/plan.h"

static void
print_chunks(const RunPlanTable *item, char *out, size_t size)
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
print_tables(const RunPlan *plan)
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
		const RunPlanTable *item = &plan->tables[i];
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
print_entries(const RunPlan *plan, DdlState state, const char *heading)
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
print_behind(const RunPlan *plan)
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
plan_print_text(const RunPlan *plan)
{
	if (plan->phase == PHASE_NONE)
		printf("migration \"%s\": not begun\n", plan->name);
	else
		printf("migration \"%s\": in phase %s\n", plan->name,
			   phase_name(plan->phase));
	printf("schema: %d objects to create, %d created, %d wait\n",
		   plan_entries(plan, DDL_TODO), plan_entries(plan, DDL_DONE),
		   plan_entries(plan, DDL_DEFERRED) + plan_entries(plan, DDL_WAITING));
	if (plan->rules.set != NULL)
		plan_rules_print(&plan->rules);
	if (plan->translation != NULL)
		plan_print_mapping(plan);
	print_tables(plan);
	print_entries(plan, DDL_WAITING,
				  "Waits until the stream has passed what was copied last:");
	print_entries(plan, DDL_DEFERRED, "Waits for pg_portage finish:");
	if (plan->translation != NULL)
		plan_print_decisions(plan);
	else
		print_behind(plan);
	if (plan->copy_only)
		printf("\nThere is no stream: changes made after the snapshot are not "
			   "carried.\n");
	else if (plan->sequence_count > 0)
		printf("\nSequences are set after the copy, whenever run --until has "
			   "reached its end,\nand by pg_portage finish.\n");
}

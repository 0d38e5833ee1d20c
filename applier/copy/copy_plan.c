/*
 * copy_plan.c
 *		See copy_plan.h.
 */
#include "copy/copy_plan.h"

#include <string.h>

void
copy_plan_init(CopyPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	arena_init(&plan->arena);
}

void
copy_plan_release(CopyPlan *plan)
{
	arena_release(&plan->arena);
}

/* Unlogged tables are in no WAL, so they could never be kept up to date. */
int
copy_plan_chunks(const Table *tables, int count, Arena *arena, Chunk **chunks)
{
	int n = 0;

	*chunks = ARENA_ARRAY(arena, Chunk, (size_t) count);
	for (int i = 0; i < count; i++)
	{
		Chunk *chunk = &(*chunks)[n];

		if (tables[i].unlogged)
			continue;
		chunk->number = 1;
		chunk->table_oid = tables[i].oid;
		chunk->schema = tables[i].schema;
		chunk->name = tables[i].name;
		chunk->state = CHUNK_TODO;
		n++;
	}
	return n;
}

static bool
type_is(const DdlEntry *entry, const char *type)
{
	return strcmp(entry->type, type) == 0;
}

/* The entry that creates the table, if it is a table. */
static const DdlEntry *
table_entry(const CopyPlan *plan, uint32_t oid)
{
	for (int i = 0; oid != 0 && i < plan->entry_count; i++)
	{
		if (plan->entries[i].table_oid == oid &&
			type_is(&plan->entries[i], "TABLE"))
			return &plan->entries[i];
	}
	return NULL;
}

/* Does it fire even where triggers and rules are switched off? */
static bool
fires_always(const DdlEntry *entry)
{
	return strstr(entry->sql, " ENABLE ALWAYS ") != NULL ||
		   strstr(entry->sql, " ENABLE REPLICA ") != NULL;
}

bool
copy_plan_fires_always(const CopyPlan *plan)
{
	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		if (type_is(entry, "TRIGGER") && fires_always(entry))
			return true;
	}
	return false;
}

/*
 * Looking for words in an entry's text may find them in a comment or a name as
 * well; then something waits that would not have had to.
 */
bool
copy_plan_defers(const CopyPlan *plan, const DdlEntry *entry,
				 const DeferRules *rules)
{
	const DdlEntry *table;

	if (type_is(entry, "FK CONSTRAINT"))
		return !rules->triggers_off || !rules->one_snapshot;
	/* one may alter another that stands on a parent: all wait or none */
	if (type_is(entry, "TRIGGER"))
		return !rules->triggers_off || rules->some_always;
	/* its rows would be stale at once, and need the tables as they end */
	if (type_is(entry, "MATERIALIZED VIEW DATA"))
		return true;
	if (type_is(entry, "RULE"))
		/* a view's rules never meet the stream: it writes to tables */
		return table_entry(plan, entry->table_oid) != NULL &&
			   (!rules->triggers_off || fires_always(entry));
	if (type_is(entry, "ROW SECURITY"))
	{
		/* policies hold for the owner, which we are, only if forced */
		table = table_entry(plan, entry->table_oid);
		return table == NULL ||
			   strstr(table->sql, " FORCE ROW LEVEL SECURITY") != NULL;
	}
	return false;
}

static Chunk *
chunk_find(const CopyPlan *plan, uint32_t oid)
{
	for (int i = 0; i < plan->chunk_count; i++)
	{
		if (plan->chunks[i].table_oid == oid)
			return &plan->chunks[i];
	}
	return NULL;
}

/* Indexes need nothing but their table; what else there is keeps its order. */
static void
item_indexes(CopyPlan *plan, CopyItem *item, uint32_t oid)
{
	item->indexes = ARENA_ARRAY(&plan->arena, DdlEntry *, 0);
	for (int pass = 0; pass < 2; pass++)
	{
		int n = 0;

		for (int i = 0; i < plan->entry_count; i++)
		{
			DdlEntry *entry = &plan->entries[i];

			if (entry->section != DDL_POST_DATA || entry->table_oid != oid ||
				entry->state != DDL_TODO ||
				!(type_is(entry, "INDEX") || type_is(entry, "CONSTRAINT")))
				continue;
			if (pass == 1)
				item->indexes[n] = entry;
			n++;
		}
		if (pass == 0)
			item->indexes = ARENA_ARRAY(&plan->arena, DdlEntry *, (size_t) n);
		item->index_count = n;
	}
}

static bool
plan_items(CopyPlan *plan, Error *err)
{
	plan->items = ARENA_ARRAY(&plan->arena, CopyItem,
							  (size_t) plan->table_count);
	for (int i = 0; i < plan->table_count; i++)
	{
		CopyItem *item = &plan->items[plan->item_count];
		Chunk *chunk = chunk_find(plan, plan->tables[i].oid);

		if (chunk == NULL)
			continue;
		item->table = &plan->tables[i];
		item->chunk = chunk->state == CHUNK_TODO ? chunk : NULL;
		item_indexes(plan, item, chunk->table_oid);
		if (item->chunk != NULL)
		{
			plan->todo_count++;
			plan->todo_bytes += plan->tables[i].bytes;
		}
		if (item->chunk != NULL || item->index_count > 0)
			plan->item_count++;
	}
	for (int i = 0; i < plan->chunk_count; i++)
	{
		const Chunk *chunk = &plan->chunks[i];
		bool found = chunk->state == CHUNK_DONE;

		for (int j = 0; !found && j < plan->item_count; j++)
			found = plan->items[j].chunk == chunk;
		if (!found)
			return error_set(err, P_COPY,
							 "table %s.%s is not on the source any"
							 " more",
							 chunk->schema, chunk->name);
	}
	return true;
}

bool
copy_plan_load(CopyPlan *plan, Source *source, Target *target,
			   const SnapshotRef *snapshot, Error *err)
{
	return source->ops->tables_list(source, snapshot, &plan->arena,
									&plan->tables, &plan->table_count, err) &&
		   target->ops->ddl_list(target, &plan->arena, &plan->entries,
								 &plan->entry_count, err) &&
		   target->ops->chunks_list(target, &plan->arena, &plan->chunks,
									&plan->chunk_count, err) &&
		   plan_items(plan, err);
}

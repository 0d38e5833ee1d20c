/*
 * copy_plan.c
 *		See copy_plan.h.
 */
#include "copy/copy_plan.h"

#include <string.h>

#include "base/mem.h"
#include "copy/copy_chunks.h"
#include "copy/copy_order.h"

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

static const Table *
table_find(const CopyPlan *plan, uint32_t oid)
{
	for (int i = 0; i < plan->table_count; i++)
	{
		if (plan->tables[i].oid == oid)
			return &plan->tables[i];
	}
	return NULL;
}

static bool
same_stamp(const Chunk *a, const Chunk *b)
{
	if (a->state != b->state)
		return false;
	if (a->state == CHUNK_TODO || a->stamp.slot || b->stamp.slot)
		return a->stamp.slot == b->stamp.slot;
	return strcmp(a->stamp.snapshot, b->stamp.snapshot) == 0;
}

bool
copy_plan_mixed(const Chunk *chunks, int count)
{
	for (int i = 1; i < count; i++)
	{
		if (!same_stamp(&chunks[0], &chunks[i]))
			return true;
	}
	return false;
}

/* pg_dump names a constraint by its table and its own name. */
static bool
is_identity_index(const Table *table, const DdlEntry *entry)
{
	const char *name = entry->name;
	size_t len = strlen(table->name);

	if (type_is(entry, "CONSTRAINT") && strncmp(name, table->name, len) == 0 &&
		name[len] == ' ')
		name += len + 1;
	return table->identity_index != NULL &&
		   strcmp(name, table->identity_index) == 0;
}

bool
copy_plan_second_key(const Table *table, const DdlEntry *entry)
{
	bool unique = type_is(entry, "CONSTRAINT") ||
				  (type_is(entry, "INDEX") &&
				   strstr(entry->sql, "CREATE UNIQUE INDEX ") != NULL);

	return unique && !is_identity_index(table, entry);
}

/* The chunks of a table, which are consecutive. */
static Chunk *
table_chunks(const CopyPlan *plan, uint32_t oid, int *count)
{
	int first = 0;

	while (first < plan->chunk_count && plan->chunks[first].table_oid != oid)
		first++;
	*count = 0;
	while (first + *count < plan->chunk_count &&
		   plan->chunks[first + *count].table_oid == oid)
		(*count)++;
	return &plan->chunks[first];
}

static bool
key_waits(const CopyPlan *plan, const DdlEntry *entry)
{
	const Table *table = table_find(plan, entry->table_oid);
	const Chunk *chunks;
	int count;

	if (table == NULL || !copy_plan_second_key(table, entry))
		return false;
	chunks = table_chunks(plan, table->oid, &count);
	return copy_plan_mixed(chunks, count);
}

bool
copy_plan_some_wait(const CopyPlan *plan)
{
	for (int i = 0; i < plan->entry_count; i++)
	{
		if (plan->entries[i].state == DDL_WAITING ||
			(plan->entries[i].state == DDL_TODO &&
			 key_waits(plan, &plan->entries[i])))
			return true;
	}
	return false;
}

static DdlState
wait_if(bool wait, DdlState state)
{
	return wait ? state : DDL_TODO;
}

/* Nothing of this would stand in the way of rows, but of our applying them. */
static bool
acts_in_stream(const CopyPlan *plan, const DdlEntry *entry,
			   const DeferRules *rules)
{
	const DdlEntry *table;

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

/*
 * Looking for words in an entry's text may find them in a comment or a name as
 * well; then something waits that would not have had to.
 */
DdlState
copy_plan_defers(const CopyPlan *plan, const DdlEntry *entry,
				 const DeferRules *rules)
{
	if (type_is(entry, "FK CONSTRAINT"))
		return !rules->triggers_off || rules->some_aside
				   ? DDL_DEFERRED
				   : wait_if(!rules->one_snapshot, DDL_WAITING);
	/* a partition's index is attached to its parent's: it may wait itself */
	if (type_is(entry, "INDEX ATTACH"))
		return wait_if(rules->some_wait, DDL_WAITING);
	if (key_waits(plan, entry))
		return DDL_WAITING;
	return wait_if(acts_in_stream(plan, entry, rules), DDL_DEFERRED);
}

/*
 * Pieces by keys that are done stay, if the rows lie under the same storage
 * still: a rewrite may have changed them all, without a word in the WAL.  If the
 * table was altered they go, too: what the stream brings for them speaks of
 * columns that the target's table cannot have at the same time as the others'.
 */
TableStart
copy_plan_start(const Table *table, const Chunk *chunks, int count,
				bool slot_snapshot)
{
	bool same_key = chunks[0].kind != CHUNK_KEYS ||
					(table->key != NULL && chunks[0].key != NULL &&
					 strcmp(table->key, chunks[0].key) == 0);
	int done = 0;

	if (chunks[0].kind == CHUNK_WHOLE)
		return START_READY;
	for (int i = 0; i < count; i++)
	{
		if (chunks[i].state != CHUNK_DONE)
			continue;
		done++;
		same_key &= chunks[i].storage == table->storage;
	}
	if (done == count)
		return START_READY;
	if (chunks[0].kind == CHUNK_KEYS && !same_key)
		return START_RESET_WHOLE;
	if (done == 0)
		return START_PROVE_EMPTY;
	BUG_UNLESS(!slot_snapshot);
	return chunks[0].kind == CHUNK_KEYS && table->altered == NULL ? START_READY
																  : START_RESET;
}

/*
 * Entries that also alter something lock the table against everything; those
 * that only build an index let others of the table be built.
 */
static bool
builds_alone(const DdlEntry *entry)
{
	return !type_is(entry, "INDEX") || strstr(entry->sql, "ALTER ") != NULL;
}

/* Indexes need nothing but their table; what else there is keeps its order. */
static void
todo_indexes(CopyPlan *plan, CopyTable *todo)
{
	/* those of a table that others write to, too, follow the rows of all */
	bool later = todo->table->shared;
	bool mixed = todo->start == START_READY &&
				 copy_plan_mixed(todo->chunks, todo->chunk_count);
	int n = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		todo->indexes = ARENA_ARRAY(&plan->arena, IndexJob, (size_t) n);
		n = 0;
		for (int i = 0; i < plan->entry_count; i++)
		{
			DdlEntry *entry = &plan->entries[i];

			if (later || !copy_order_is_index(entry, todo->table) ||
				(mixed && copy_plan_second_key(todo->table, entry)))
				continue;
			if (pass == 1)
			{
				todo->indexes[n].entry = entry;
				todo->indexes[n].alone = builds_alone(entry);
			}
			n++;
		}
	}
	todo->index_count = n;
	plan->todo_indexes += n;
}

/* Extended statistics are created behind the indexes, and filled by ANALYZE. */
static AnalyzeState
todo_analyze(const CopyPlan *plan, const Table *table)
{
	if (table->reference != NULL)
		return ANALYZE_DONE;
	if (table->shared)
		return ANALYZE_LATER;
	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		if (entry->table_oid == table->oid && entry->state == DDL_TODO &&
			type_is(entry, "STATISTICS"))
			return ANALYZE_LATER;
	}
	return ANALYZE_TODO;
}

/* A reset table is to be copied again in all its pieces. */
static void
todo_start(CopyTable *todo)
{
	if (todo->start == START_RESET_WHOLE)
	{
		copy_chunk_whole(todo->table, &todo->whole);
		todo->chunks = &todo->whole;
		todo->chunk_count = 1;
	}
	for (int i = 0; todo->start == START_RESET && i < todo->chunk_count; i++)
	{
		todo->chunks[i].schema = todo->table->schema;
		todo->chunks[i].name = todo->table->name;
		todo->chunks[i].state = CHUNK_TODO;
		todo->chunks[i].rows = 0;
		todo->chunks[i].bytes = 0;
	}
	for (int i = 0; i < todo->chunk_count; i++)
		todo->chunks_done += todo->chunks[i].state == CHUNK_DONE;
	todo->bytes_expected = todo->table->bytes / todo->chunk_count *
						   (todo->chunk_count - todo->chunks_done);
}

static bool
is_match(const CopyPlan *plan, uint32_t oid)
{
	const Table *table = table_find(plan, oid);

	return table != NULL && table->match;
}

static bool
has_matches(const CopyPlan *plan)
{
	for (int i = 0; i < plan->table_count; i++)
	{
		if (plan->tables[i].match)
			return true;
	}
	return false;
}

/*
 * Some are done, and what is left would be of a later snapshot?  What changes rows
 * by match is later than all of them in any case.
 */
static bool
chunks_disagree(const CopyPlan *plan)
{
	bool matches = has_matches(plan);
	int done = 0;
	int todo = 0;

	for (int i = 0; i < plan->chunk_count; i++)
	{
		if (matches && is_match(plan, plan->chunks[i].table_oid))
			continue;
		done += plan->chunks[i].state == CHUNK_DONE;
		todo += plan->chunks[i].state != CHUNK_DONE;
	}
	return done > 0 && todo > 0;
}

static bool
some_done(const CopyTable *todo)
{
	for (int i = 0; i < todo->chunk_count; i++)
	{
		if (todo->chunks[i].state == CHUNK_DONE)
			return true;
	}
	return false;
}

static void
plan_todo(CopyPlan *plan, const SnapshotRef *snapshot, bool one_snapshot)
{
	bool all_again = one_snapshot && chunks_disagree(plan);

	plan->todo = ARENA_ARRAY(&plan->arena, CopyTable,
							 (size_t) plan->table_count);
	for (int i = 0; i < plan->table_count; i++)
	{
		CopyTable *todo = &plan->todo[plan->todo_count];

		memset(todo, 0, sizeof(*todo));
		todo->table = &plan->tables[i];
		/* behind all of them: copy_match.c */
		if (todo->table->match)
			continue;
		todo->chunks = table_chunks(plan, todo->table->oid, &todo->chunk_count);
		if (todo->chunk_count == 0)
			continue;
		todo->start = copy_plan_start(todo->table, todo->chunks,
									  todo->chunk_count, snapshot->slot);
		if (all_again && some_done(todo) && todo->start != START_RESET_WHOLE)
			todo->start = START_RESET;
		todo_start(todo);
		todo_indexes(plan, todo);
		todo->analyze = todo_analyze(plan, todo->table);
		plan->todo_chunks += todo->chunk_count - todo->chunks_done;
		plan->todo_bytes += todo->bytes_expected;
		if (todo->chunks_done < todo->chunk_count || todo->index_count > 0)
			plan->todo_count++;
	}
}

/* What is to be copied must be there. */
static bool
plan_complete(const CopyPlan *plan, bool one_snapshot, Error *err)
{
	bool all_again = one_snapshot && chunks_disagree(plan);

	for (int i = 0; i < plan->chunk_count; i++)
	{
		const Chunk *chunk = &plan->chunks[i];

		if ((chunk->state != CHUNK_DONE || all_again) &&
			table_find(plan, chunk->table_oid) == NULL)
		{
			error_set(err, P_COPY, "table %s.%s is not on the source any more",
					  chunk->schema, chunk->name);
			return error_hint(err, "It was dropped, or taken from the"
								   " selection, while it was copied: drop the"
								   " migration and begin again.");
		}
	}
	return true;
}

static const Shape *
shape_find(const Shape *shapes, int count, uint32_t oid)
{
	for (int i = 0; i < count; i++)
	{
		if (shapes[i].oid == oid)
			return &shapes[i];
	}
	return NULL;
}

bool
copy_plan_altered(CopyPlan *plan, CopyView *view, Target *target, Arena *arena,
				  Error *err)
{
	Shape *noted;
	Shape *now;
	int noted_count;
	int now_count;

	if (!chunks_disagree(plan))
		return true;
	if (!copy_view_shapes(view, arena, &now, &now_count, err) ||
		!target->ops->shapes_list(target, arena, &noted, &noted_count, err))
		return false;
	for (int i = 0; i < plan->table_count; i++)
	{
		Table *table = &plan->tables[i];
		const Shape *was = shape_find(noted, noted_count, table->oid);
		const Shape *is = shape_find(now, now_count, table->oid);

		if (was != NULL && is != NULL && !shape_same_table(was, is))
			table->altered = is;
	}
	return true;
}

void
copy_plan_fit(const Target *target, Table *tables, int count)
{
	const TargetFeatures *features = &target->ops->features;

	for (int i = 0; i < count; i++)
	{
		tables[i].binary &= features->binary_rows;
		if (features->own_schema && !tables[i].key_primary)
			tables[i].key_ordered = false;
		if (!features->merges_partitions || !tables[i].partition)
			continue;
		tables[i].key_ordered = false;
		tables[i].blocks = 0;
	}
}

/* Generated columns that the target cannot compute are read like others. */
static void
add_generated(Target *target, Table *table, Arena *arena)
{
	size_t max = (size_t) table->column_count + (size_t) table->generated_count;
	const char **columns = ARENA_ARRAY(arena, const char *, max);
	const char **types = ARENA_ARRAY(arena, const char *, max);
	int n = table->column_count;

	for (int i = 0; i < n; i++)
	{
		columns[i] = table->columns[i];
		types[i] = table->types[i];
	}
	for (int i = 0; i < table->generated_count; i++)
	{
		if (!target->ops->wants_generated(target, table->oid,
										  table->generated[i]))
			continue;
		columns[n] = table->generated[i];
		types[n++] = table->generated_types[i];
	}
	table->computed_count = n - table->column_count;
	table->columns = columns;
	table->types = types;
	table->column_count = n;
}

bool
copy_plan_load(CopyPlan *plan, CopyView *view, Target *target,
			   bool one_snapshot, Error *err)
{
	if (!copy_view_tables(view, &plan->arena, &plan->tables, &plan->table_count,
						  err))
		return false;
	copy_view_add_followed(view, &plan->arena, &plan->tables,
						   &plan->table_count);
	if (!copy_view_add_matches(view, &plan->arena, &plan->tables,
							   &plan->table_count, err) ||
		!target->ops->ddl_list(target, &plan->arena, &plan->entries,
							   &plan->entry_count, err) ||
		!target->ops->chunks_list(target, &plan->arena, &plan->chunks,
								  &plan->chunk_count, err) ||
		!plan_complete(plan, one_snapshot, err) ||
		!copy_plan_altered(plan, view, target, &plan->arena, err))
		return false;
	copy_plan_fit(target, plan->tables, plan->table_count);
	for (int i = 0; i < plan->table_count; i++)
	{
		if (plan->tables[i].generated_count > 0 &&
			target->ops->features.own_schema)
			add_generated(target, &plan->tables[i], &plan->arena);
	}
	copy_order_tables(plan->tables, plan->table_count, plan->entries,
					  plan->entry_count, plan->chunks, plan->chunk_count);
	plan_todo(plan, &view->snapshot, one_snapshot);
	return true;
}

/*
 * plan.c
 *		pg_portage plan: what run would do, or still has to do.
 *
 * Nothing is changed on either side, not even a slot is made: what the copy
 * would see is read under a snapshot of our own.  Once the schema is stored on
 * the target, what is stored there is the plan.
 */
#include "command/plan.h"

#include <string.h>
#include <strings.h>

#include "command/commands.h"
#include "command/preflight.h"
#include "command/session_rules.h"
#include "command/walk.h"
#include "copy/copy_chunks.h"
#include "copy/copy_plan.h"
#include "copy/copy_schema.h"

static const SnapshotRef now = { .id = NULL };

int
plan_entries(const RunPlan *plan, DdlState state)
{
	int count = 0;

	for (int i = 0; i < plan->entry_count; i++)
		count += plan->entries[i].state == state;
	return count;
}

/* Indexes and the constraints that bring one of their own. */
static void
find_indexes(const RunPlan *plan, RunPlanTable *item, Arena *arena)
{
	item->indexes = ARENA_ARRAY(arena, const DdlEntry *,
								(size_t) plan->entry_count);
	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];

		if (entry->section == DDL_POST_DATA &&
			entry->table_oid == item->table->oid &&
			(strcmp(entry->type, "INDEX") == 0 ||
			 strcmp(entry->type, "CONSTRAINT") == 0))
			item->indexes[item->index_count++] = entry;
	}
}

/*
 * The pieces of a table that are stored on the target.  Those that are done
 * count only if a copy that began now could leave them as they are.
 */
static void
stored_pieces(RunPlanTable *item, const CopyPlan *copy, bool all_again)
{
	const Chunk *chunks = copy->chunks;
	TableStart start;
	int end;

	while (chunks < copy->chunks + copy->chunk_count &&
		   chunks->table_oid != item->table->oid)
		chunks++;
	end = copy->chunk_count - (int) (chunks - copy->chunks);
	while (item->chunks < end &&
		   chunks[item->chunks].table_oid == item->table->oid)
		item->chunks_done += chunks[item->chunks++].state == CHUNK_DONE;
	if (item->chunks == 0)
		return;
	item->kind = chunks[0].kind;
	start = copy_plan_start(item->table, chunks, item->chunks, false);
	if (start == START_RESET || start == START_RESET_WHOLE || all_again)
		item->chunks_done = 0;
	if (start == START_RESET_WHOLE)
	{
		item->kind = CHUNK_WHOLE;
		item->chunks = 1;
	}
}

/* A copy alone is of one snapshot: what an earlier one left is of another. */
static bool
begins_again(const RunPlan *plan, const CopyPlan *copy)
{
	for (int i = 0; plan->copy_only && i < copy->chunk_count; i++)
	{
		if (copy->chunks[i].state != CHUNK_DONE)
			return true;
	}
	return false;
}

/*
 * copy has the tables, and what is stored of their chunks; before anything is,
 * it is foreseen how they will be split.
 */
static void
plan_tables(RunPlan *plan, const CopyPlan *copy, int64_t split_bytes,
			Arena *arena)
{
	bool all_again = begins_again(plan, copy);

	plan->tables = ARENA_ARRAY(arena, RunPlanTable, (size_t) copy->table_count);
	for (int i = 0; i < copy->table_count; i++)
	{
		RunPlanTable *item = &plan->tables[plan->table_count];
		const Table *table = &copy->tables[i];

		*item = (RunPlanTable){ .table = table };
		if (plan->phase >= PHASE_COPY)
			stored_pieces(item, copy, all_again);
		else if (!table->unlogged)
		{
			item->kind = copy_split_kind(table, split_bytes);
			item->chunks = copy_split_pieces(table, split_bytes);
		}
		if (item->chunks == 0)
			continue; /* unlogged, or made since */
		find_indexes(plan, item, arena);
		plan->bytes += table->bytes / item->chunks *
					   (item->chunks - item->chunks_done);
		plan->table_count++;
	}
}

/* What the entries that are not created yet will wait for. */
static bool
foresee_entries(RunPlan *plan, const CopyPlan *copy, Session *session,
				Error *err)
{
	DeferRules rules = {
		.one_snapshot = !copy_plan_mixed(copy->chunks, copy->chunk_count),
		.some_always = copy_plan_fires_always(copy),
		.some_wait = copy_plan_some_wait(copy),
	};

	if (plan->copy_only) /* nothing is applied that could be disturbed */
		return true;
	if (!session->target->ops->can_disable_triggers(session->target,
													&rules.triggers_off, err))
		return false;
	for (int i = 0; i < plan->entry_count; i++)
	{
		DdlEntry *entry = &plan->entries[i];

		if (entry->section == DDL_POST_DATA && entry->state == DDL_TODO)
			entry->state = copy_plan_defers(copy, entry, &rules);
	}
	return true;
}

/* Is something of this name said not to be carried? */
static bool
is_behind(const Findings *behind, const char *object)
{
	for (int i = 0; i < behind->count; i++)
	{
		if (strcasecmp(behind->items[i].object, object) == 0)
			return true;
	}
	return false;
}

/* Of what was found, what is not carried; of the dump, tables left out, too. */
static void
take_behind(RunPlan *plan, const Findings *findings, bool of_dump)
{
	for (int i = 0; i < findings->count; i++)
	{
		const Finding *f = &findings->items[i];
		bool told = of_dump ? f->severity != SEVERITY_OK ||
								  (strncmp(f->object, "TABLE ", 6) == 0 &&
								   strncmp(f->object, "TABLE ATTACH", 12) != 0)
							: f->left_behind;

		if (told && !is_behind(&plan->behind, f->object))
			finding_add(&plan->behind, f->severity, f->code, f->object,
						f->remedy, "%s", f->message);
	}
}

/* The same for a target of another kind. */
static bool
translate_source(RunPlan *plan, Session *session, CopyView *view,
				 CopyPlan *copy, Arena *arena, Error *err)
{
	Translation *translation = ARENA_NEW(arena, Translation);

	if (!copy_schema_translate(view, session->target, arena, translation, err))
		return false;
	copy->entries = translation->entries;
	copy->entry_count = translation->entry_count;
	plan->translation = translation;
	take_behind(plan, &translation->decisions, false);
	return true;
}

/* Nothing is stored yet: what a run that begins now would store. */
static bool
read_source(RunPlan *plan, Session *session, CopyView *view, CopyPlan *copy,
			Arena *arena, Error *err)
{
	Findings left_out;

	if (session->target->ops->features.own_schema)
		return translate_source(plan, session, view, copy, arena, err);
	if (!copy_view_entries(view, arena, &copy->entries, &copy->entry_count,
						   &left_out, err))
		return false;
	take_behind(plan, &left_out, true);
	return true;
}

/* The plan is what the target has stored. */
static bool
read_target(Session *session, CopyPlan *copy, Arena *arena, Error *err)
{
	const TargetOps *ops = session->target->ops;

	return ops->ddl_list(session->target, arena, &copy->entries,
						 &copy->entry_count, err) &&
		   ops->chunks_list(session->target, arena, &copy->chunks,
							&copy->chunk_count, err);
}

static bool
make_plan(RunPlan *plan, Session *session, CopyView *view, Arena *arena,
		  Error *err)
{
	CopyPlan copy = { .entries = NULL };

	if (!(plan->phase < PHASE_COPY
			  ? read_source(plan, session, view, &copy, arena, err)
			  : read_target(session, &copy, arena, err)) ||
		!copy_view_tables(view, arena, &copy.tables, &copy.table_count, err) ||
		!copy_plan_altered(&copy, view, session->target, arena, err))
		return false;
	copy_plan_fit(session->target, copy.tables, copy.table_count);
	plan->entries = copy.entries;
	plan->entry_count = copy.entry_count;
	plan_tables(plan, &copy, session->options->split_over, arena);
	return foresee_entries(plan, &copy, session, err);
}

static bool
gather(Session *session, RunPlan *plan, CopyView *view, Arena *arena,
	   Error *err)
{
	const SourceOps *source = session->source->ops;
	Findings findings;

	findings_init(&findings, arena);
	findings_init(&plan->behind, arena);
	if (!session_connect_source(session, err) ||
		!session_connect_target(session, err) ||
		!preflight_distinct(session, err) ||
		!session_read_progress(session, err) || !session_check(session, err) ||
		!session_rules_ready(session, err))
		return false;
	if (session->rules != NULL &&
		!plan_rules_gather(&plan->rules, session, arena, err))
		return false;
	plan->phase = session->progress.phase;
	if (!source->check_objects(session->source, &findings, err))
		return false;
	take_behind(plan, &findings, false);
	if (!copy_view_open(view, session->source, session->rules, &now, err) ||
		!make_plan(plan, session, view, arena, err))
		return false;
	return source->sequences_list(session->source, arena, &plan->sequences,
								  &plan->sequence_count, err);
}

static int
plan_pair(const Options *options)
{
	Session session;
	RunPlan plan = { .name = options->name,
					 .copy_only = options->copy_only,
					 .jobs = options->jobs,
					 .with_ddl = options->print_ddl };
	CopyView view = { .source = NULL };
	Arena arena;
	Error err = ERROR_INIT;
	int code;

	arena_init(&arena);
	if (session_open(&session, options, &err) &&
		gather(&session, &plan, &view, &arena, &err))
	{
		if (options->json)
			plan_print_json(&plan);
		else if (options->print_ddl)
			plan_print_ddl(&plan);
		else
			plan_print_text(&plan);
	}
	plan_rules_close(&plan.rules);
	copy_view_close(&view);
	code = session_end(&session, &err);
	arena_release(&arena);
	return code;
}

int
command_plan(const Options *options)
{
	return walk_pairs(options, plan_pair, WALK_ALL);
}

/*
 * copy.c
 *		The phases of the initial copy; see copy.h.
 *
 * PHASE_SCHEMA: the schema is read and stored together with the list of tables,
 * both under the slot's snapshot.  PHASE_COPY: what is stored is done, step by
 * step; each step is marked in its own transaction, so after a crash the same
 * code goes on.
 *
 * The slot's snapshot ends with the session that made the slot.  Without it the
 * chunks that are left are read as they are now, all under one snapshot, which is
 * later than the slot: each chunk's stamp says how much later, and the stream
 * applies to it only what its stamp does not show.
 */
#include "copy/copy.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "copy/copy_changes.h"
#include "copy/copy_chunks.h"
#include "copy/copy_match.h"
#include "copy/copy_plan.h"
#include "copy/copy_pool.h"
#include "copy/copy_schema.h"
#include "rules/quarantined.h"

/* how long a commit may stay invisible on the source */
#define SETTLE_TIMEOUT_MS 60000

typedef struct CopyRun
{
	const CopyConfig *config;
	Source *source;
	Target *target;
	Progress *progress;
	SnapshotRef snapshot; /* everything that is left is read under it */
	CopyView view;		  /* of it */
	bool alone;			  /* no stream follows */
} CopyRun;

static bool
not_stopped(Error *err)
{
	return !signals_stop_requested() ||
		   error_set(err, P_STOPPED, "stopped while the schema was created");
}

static void
tell_left_out(const Findings *left_out)
{
	for (int i = 0; i < left_out->count; i++)
	{
		const Finding *finding = &left_out->items[i];

		if (finding->severity == SEVERITY_OK)
			log_debug("%s: %s", finding->object, finding->message);
		else
			log_info("%s: %s", finding->object, finding->message);
	}
}

/* What is decided about objects, and is not as one would expect. */
static void
tell_decisions(const Findings *decisions)
{
	for (int i = 0; i < decisions->count; i++)
	{
		const Finding *finding = &decisions->items[i];

		if (finding->severity == SEVERITY_WARNING)
			log_warning("%s: %s", finding->object, finding->message);
		else if (finding->severity < SEVERITY_WARNING)
			log_debug("%s: %s", finding->object, finding->message);
	}
}

/* The entries of the schema: translated, or dumped. */
static bool
read_entries(CopyRun *run, Arena *arena, DdlEntry **entries, int *count,
			 Findings *told, Error *err)
{
	Translation translation;

	if (run->target->ops->features.own_schema)
	{
		if (!copy_schema_translate(&run->view, run->target, arena, &translation,
								   err) ||
			!FAILPOINT(FP_SCHEMA_DUMPED, err))
			return false;
		*entries = translation.entries;
		*count = translation.entry_count;
		*told = translation.decisions;
		return findings_verdict(told, err);
	}
	return copy_view_entries(&run->view, arena, entries, count, told, err);
}

/* Refused before anything is touched. */
static bool
target_is_free(CopyRun *run, const Table *tables, int count, Arena *arena,
			   Error *err)
{
	const char *what = NULL;

	if (!run->target->ops->occupied(run->target, tables, count, &what, arena,
									err))
		return false;
	if (what == NULL || what[0] == '\0')
		return true;
	error_set(err, P_TARGET_NOT_EMPTY, "the target has tables already: %s",
			  what);
	return error_hint(err, "Use an empty database, or drop these tables;"
						   " nothing was touched.");
}

/* Where tables are split by keys: the values that separate the pieces. */
static bool
find_bounds(CopyRun *run, const Table *tables, int count, KeyBounds *bounds,
			Arena *arena, Error *err)
{
	int64_t split_bytes = run->config->split_bytes;

	for (int i = 0; i < count; i++)
	{
		if (tables[i].unlogged ||
			copy_split_kind(&tables[i], split_bytes) != CHUNK_KEYS)
			continue;
		if (!not_stopped(err) ||
			!run->source->ops->key_bounds(
				run->source, &run->snapshot, &tables[i],
				copy_split_pieces(&tables[i], split_bytes), arena,
				&bounds[i].values, &bounds[i].count, err))
			return false;
	}
	return true;
}

static bool
store_plan(CopyRun *run, const DdlEntry *entries, int entry_count,
		   Table *tables, int table_count, Arena *arena, Error *err)
{
	const TargetOps *target = run->target->ops;
	KeyBounds *bounds = ARENA_ARRAY(arena, KeyBounds, (size_t) table_count);
	Progress next = *run->progress;
	Chunk *chunks;
	int chunk_count;

	copy_plan_fit(run->target, tables, table_count);
	if (!find_bounds(run, tables, table_count, bounds, arena, err))
		return false;
	chunk_count = copy_chunks_make(tables, table_count, bounds,
								   run->config->split_bytes, arena, &chunks);
	/* until the phase changes all of this is replaced by the next try */
	next.phase = PHASE_COPY;
	if (!target->ddl_store(run->target, run->progress, entries, entry_count,
						   err) ||
		!target->chunks_store(run->target, run->progress, chunks, chunk_count,
							  err) ||
		!target->progress_save(run->target, &next, err))
		return false;
	*run->progress = next;
	log_info("schema: %d objects, %d chunks of tables to copy", entry_count,
			 chunk_count);
	return true;
}

/* What the stream's changes of the schema begin from. */
static bool
store_shapes(CopyRun *run, Arena *arena, Error *err)
{
	Shape *shapes;
	int count;

	return copy_view_shapes(&run->view, arena, &shapes, &count, err) &&
		   run->target->ops->shapes_store(run->target, run->progress, shapes,
										  count, err);
}

/* PHASE_SCHEMA */
static bool
read_schema(CopyRun *run, Error *err)
{
	Arena arena;
	DdlEntry *entries;
	int entry_count;
	Findings told;
	Table *tables;
	int table_count;
	bool ok;

	/* without the slot's snapshot the caller makes a new slot */
	BUG_UNLESS(run->snapshot.id != NULL);
	arena_init(&arena);
	ok = read_entries(run, &arena, &entries, &entry_count, &told, err) &&
		 copy_view_tables(&run->view, &arena, &tables, &table_count, err) &&
		 target_is_free(run, tables, table_count, &arena, err) &&
		 store_shapes(run, &arena, err);
	/* without a stream nobody asks for what is kept */
	if (ok && !run->alone)
		copy_view_add_followed(&run->view, &arena, &tables, &table_count);
	ok =
		ok &&
		copy_view_add_matches(&run->view, &arena, &tables, &table_count, err) &&
		store_plan(run, entries, entry_count, tables, table_count, &arena, err);
	if (ok && run->target->ops->features.own_schema)
		tell_decisions(&told);
	else if (ok)
		tell_left_out(&told);
	arena_release(&arena);
	return ok;
}

static bool
create_pre_data(CopyRun *run, CopyPlan *plan, Error *err)
{
	for (int i = 0; i < plan->entry_count; i++)
	{
		DdlEntry *entry = &plan->entries[i];

		if (entry->section != DDL_PRE_DATA || entry->state != DDL_TODO)
			continue;
		if (!not_stopped(err) ||
			!run->target->ops->ddl_run(run->target, run->progress, entry, err))
			return false;
		entry->state = DDL_DONE;
	}
	return true;
}

/* The newest stamp, and whether all are of one snapshot. */
static bool
read_stamps(CopyRun *run, CopyPlan *plan, Lsn *newest, bool *one_snapshot,
			Error *err)
{
	if (!run->target->ops->chunks_list(run->target, &plan->arena, &plan->chunks,
									   &plan->chunk_count, err))
		return false;
	*newest = run->progress->consistent_lsn;
	*one_snapshot = !copy_plan_mixed(plan->chunks, plan->chunk_count);
	for (int i = 0; i < plan->chunk_count; i++)
	{
		const Chunk *chunk = &plan->chunks[i];

		if (chunk->state != CHUNK_DONE)
			return error_set(err, P_PROGRESS, "table %s.%s was not copied",
							 chunk->schema, chunk->name);
		if (!chunk->stamp.slot && chunk->stamp.lsn > *newest)
			*newest = chunk->stamp.lsn;
	}
	return true;
}

/* Counted on the target: some were put off by an earlier start. */
static bool
tell_put_off(CopyRun *run, Error *err)
{
	Arena arena;
	DdlEntry *entries;
	int count;
	int deferred = 0;
	int waiting = 0;
	bool ok;

	arena_init(&arena);
	ok = run->target->ops->ddl_list(run->target, &arena, &entries, &count, err);
	for (int i = 0; ok && i < count; i++)
	{
		deferred += entries[i].state == DDL_DEFERRED;
		waiting += entries[i].state == DDL_WAITING;
	}
	arena_release(&arena);
	if (waiting > 0)
		log_info("schema: %d objects wait until the stream has passed the"
				 " newest part of the copy",
				 waiting);
	if (deferred > 0)
		log_info("schema: %d objects wait for pg_portage finish", deferred);
	return ok;
}

static bool
see_aside(void *some, const KeptRow *row, Error *err)
{
	(void) err;
	*(bool *) some |= row->body.len > 0;
	return true;
}

static bool
create_post_data(CopyRun *run, CopyPlan *plan, bool one_snapshot, Error *err)
{
	const TargetOps *target = run->target->ops;
	DeferRules rules = { .one_snapshot = one_snapshot };

	if (!target->can_disable_triggers(run->target, &rules.triggers_off, err) ||
		!target->kept_visit(run->target, KEPT_AREA_QUARANTINE, see_aside,
							&rules.some_aside, err))
		return false;
	/* nothing is applied any more that they could act on */
	if (run->alone)
		rules.triggers_off = true;
	rules.some_always = !run->alone && copy_plan_fires_always(plan);
	rules.some_wait = copy_plan_some_wait(plan);
	for (int i = 0; i < plan->entry_count; i++)
	{
		DdlEntry *entry = &plan->entries[i];
		DdlState state;

		if (entry->section != DDL_POST_DATA || entry->state != DDL_TODO)
			continue;
		state = copy_plan_defers(plan, entry, &rules);
		if (!not_stopped(err))
			return false;
		if (state == DDL_TODO
				? !target->ddl_run(run->target, run->progress, entry, err)
				: !target->ddl_postpone(run->target, run->progress, entry,
										state, err))
			return false;
	}
	return tell_put_off(run, err);
}

void
copy_no_statistics(const Table *table, Error *err)
{
	log_warning("no statistics for table %s.%s: %s", table->schema, table->name,
				err->message);
	error_clear(err);
}

/* What workers have left to be done behind the rest. */
static bool
analyze_tables(CopyRun *run, const CopyPlan *plan, Error *err)
{
	for (int i = 0; i < plan->todo_count; i++)
	{
		const Table *table = plan->todo[i].table;

		if (plan->todo[i].analyze != ANALYZE_LATER)
			continue;
		if (!not_stopped(err))
			return false;
		if (run->target->ops->analyze(run->target, table, err))
			continue;
		if (error_is_transient(err))
			return false;
		copy_no_statistics(table, err);
	}
	return true;
}

static bool
save_stream_phase(CopyRun *run, Lsn newest_stamp_lsn, Error *err)
{
	Progress next = *run->progress;

	next.phase = PHASE_STREAM;
	next.newest_stamp_lsn = newest_stamp_lsn;
	if (run->alone)
		next.resume_lsn = newest_stamp_lsn;
	if (!run->target->ops->progress_save(run->target, &next, err))
		return false;
	*run->progress = next;
	return FAILPOINT(FP_STREAM_PHASE, err);
}

static bool
copy_tables(CopyRun *run, CopyPlan *plan, Error *err)
{
	CopyPool pool = { .config = run->config,
					  .source = run->source,
					  .target = run->target,
					  .progress = run->progress,
					  .snapshot = run->snapshot,
					  .view = &run->view,
					  .plan = plan };
	bool ok;

	if (plan->todo_chunks > 0)
		log_info("copy: %d tables in %d chunks, about %.1f MB",
				 plan->todo_count, plan->todo_chunks,
				 (double) plan->todo_bytes / 1e6);
	copy_pool_init(&pool);
	ok = copy_changes_prepare(&pool, err) && copy_pool_run(&pool, err) &&
		 copy_matches(&pool, err);
	/* indexes follow, of which what was looked at knows nothing */
	copy_changes_forget(&pool);
	copy_pool_release(&pool);
	return ok;
}

/* PHASE_COPY */
static bool
copy_planned(CopyRun *run, CopyPlan *plan, Error *err)
{
	Lsn newest;
	bool one_snapshot;

	return copy_plan_load(plan, &run->view, run->target, run->alone, err) &&
		   create_pre_data(run, plan, err) &&
		   run->target->ops->identity_relax(run->target, run->progress, err) &&
		   copy_tables(run, plan, err) &&
		   read_stamps(run, plan, &newest, &one_snapshot, err) &&
		   create_post_data(run, plan, one_snapshot, err) &&
		   FAILPOINT(FP_COPY_FINISHED, err) && analyze_tables(run, plan, err) &&
		   copy_sequences(run->source, run->target, run->config->rules,
						  run->progress, err) &&
		   save_stream_phase(run, newest, err);
}

static bool
copy_all(CopyRun *run, Error *err)
{
	CopyPlan plan;
	bool ok;

	copy_plan_init(&plan);
	ok = copy_planned(run, &plan, err);
	copy_plan_release(&plan);
	run->source->ops->snapshot_release(run->source);
	return ok;
}

bool
copy_run(const CopyConfig *config, Source *source, Target *target,
		 Progress *progress, const SlotSnapshot *snapshot, Error *err)
{
	CopyRun run = { .config = config,
					.source = source,
					.target = target,
					.progress = progress,
					.alone = progress->slot[0] == '\0' };
	bool ok;

	if (snapshot != NULL)
	{
		run.snapshot.id = snapshot->snapshot_id;
		run.snapshot.slot = true;
		run.snapshot.lsn = snapshot->consistent_lsn;
	}
	else if (!source->ops->snapshot_export(source, &run.snapshot, err))
		return false;
	if (!source->ops->snapshot_settle(source, &run.snapshot, SETTLE_TIMEOUT_MS,
									  err))
		return false;
	if (!copy_view_open(&run.view, source, config->rules, &run.snapshot, err))
		return false;
	ok = (progress->phase != PHASE_SCHEMA || read_schema(&run, err)) &&
		 (progress->phase != PHASE_COPY || copy_all(&run, err));
	copy_view_close(&run.view);
	return ok;
}

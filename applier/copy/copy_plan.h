/*
 * copy_plan.h
 *		What is left to do: schema entries, tables with their indexes.
 *
 * Made anew from the target's rows and the source's catalog each time the copy
 * starts, so that the first start and every later one are the same code.
 */
#ifndef PORTAGE_COPY_PLAN_H
#define PORTAGE_COPY_PLAN_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog.h"
#include "source/source.h"
#include "target/target.h"

/* A table: its rows, then the indexes that can follow at once. */
typedef struct CopyItem
{
	const Table *table; /* NULL when only indexes are left */
	Chunk *chunk;		/* NULL when its rows are in */
	DdlEntry **indexes; /* entries to run behind it */
	int index_count;
} CopyItem;

typedef struct CopyPlan
{
	Arena arena;
	Table *tables; /* biggest first */
	int table_count;
	DdlEntry *entries; /* in order */
	int entry_count;
	Chunk *chunks;
	int chunk_count;
	CopyItem *items; /* in the order of tables */
	int item_count;
	int todo_count;		/* items with rows to copy */
	int64_t todo_bytes; /* their size on the source */
} CopyPlan;

/* What decides whether an entry has to wait for pg_portage finish. */
typedef struct DeferRules
{
	bool triggers_off; /* triggers, rules, foreign keys: none acts while we
						* apply */
	bool some_always;  /* but there are triggers that do all the same */
	bool one_snapshot; /* every table was read under the slot's */
} DeferRules;

void copy_plan_init(CopyPlan *plan);
void copy_plan_release(CopyPlan *plan);

/* P_COPY if a table that is still to be copied is not on the source. */
bool copy_plan_load(CopyPlan *plan, Source *source, Target *target,
					const SnapshotRef *snapshot, Error *err) MUST_CHECK;

/* Would this entry, if it existed, disturb the stream, or fail for now? */
bool copy_plan_defers(const CopyPlan *plan, const DdlEntry *entry,
					  const DeferRules *rules);

/* Is there a trigger that fires even where triggers are switched off? */
bool copy_plan_fires_always(const CopyPlan *plan);

/* One chunk for each table that has rows to copy; in arena. */
int
copy_plan_chunks(const Table *tables, int count, Arena *arena, Chunk **chunks);

#endif /* PORTAGE_COPY_PLAN_H */

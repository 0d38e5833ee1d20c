/*
 * copy_plan.h
 *		What is left to do: schema entries, tables with their chunks and
 *		indexes.
 *
 * Made anew from the target's rows and the source's catalog each time the copy
 * starts, so that the first start and every later one are the same code.
 */
#ifndef PORTAGE_COPY_PLAN_H
#define PORTAGE_COPY_PLAN_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog.h"
#include "copy/copy_view.h"

/* What has to be done before the next chunk of a table. */
typedef enum TableStart
{
	START_READY,	   /* nothing */
	START_PROVE_EMPTY, /* no piece is done: nobody else's rows must be there */
	START_RESET,	   /* some are done, and worth nothing without the others */
	START_RESET_WHOLE  /* the same, and the pieces as well */
} TableStart;

/* An index to build, and whether others of its table can be built meanwhile. */
typedef struct IndexJob
{
	DdlEntry *entry;
	bool alone;
} IndexJob;

/*
 * When a table's statistics are made: by a worker, once it has its indexes, or
 * behind all the rest, because they include what is created then.
 */
typedef enum AnalyzeState
{
	ANALYZE_TODO,
	ANALYZE_RUNNING,
	ANALYZE_DONE,
	ANALYZE_LATER
} AnalyzeState;

/*
 * A table: its rows, then the indexes that can follow at once, then its
 * statistics.  What workers change is guarded by the pool's lock.
 */
typedef struct CopyTable
{
	const Table *table;
	Chunk *chunks; /* by number */
	int chunk_count;
	Chunk whole; /* what chunks becomes when the table is copied again */
	TableStart start;
	IndexJob *indexes;
	int index_count;

	int next_chunk;		 /* to be looked at next */
	int next_index;		 /* to be taken next */
	int chunks_done;	 /* all: the indexes can be built */
	int indexes_done;	 /* all: nothing is left to do */
	int copying;		 /* workers with a chunk */
	int building;		 /* workers with an index */
	bool building_alone; /* no other index now */
	AnalyzeState analyze;
	bool rewritten; /* is to be copied again as a whole */

	/* for a display */
	int64_t started_ms;		/* on clock_ms(); 0: not yet */
	int64_t rows;			/* sent so far */
	int64_t bytes;			/* sent so far */
	int64_t bytes_expected; /* the source's size of what was todo */
} CopyTable;

typedef struct CopyPlan
{
	Arena arena;
	Table *tables; /* in the order in which they are begun; see copy_order.h */
	int table_count;
	DdlEntry *entries; /* in order */
	int entry_count;
	Chunk *chunks; /* by table and number */
	int chunk_count;
	CopyTable *todo; /* with something to do, in the order of tables */
	int todo_count;
	int todo_chunks;	/* still to be copied */
	int todo_indexes;	/* still to be built by workers */
	int64_t todo_bytes; /* size of the chunks on the source, about */
} CopyPlan;

/* What decides whether an entry has to wait, and for what. */
typedef struct DeferRules
{
	bool triggers_off; /* triggers, rules, foreign keys: none acts while we
						* apply */
	bool some_always;  /* but there are triggers that do all the same */
	bool one_snapshot; /* every table was read under the same */
	bool some_wait;	   /* there are entries that wait for the stream */
	bool some_aside; /* rows are in quarantine, and others may refer to them */
} DeferRules;

void copy_plan_init(CopyPlan *plan);
void copy_plan_release(CopyPlan *plan);

/*
 * P_COPY if a table that is still to be copied is not on the source.
 * one_snapshot: no stream will reconcile what was read under several, so what
 * is done is worth nothing if anything is left.
 */
bool copy_plan_load(CopyPlan *plan, CopyView *view, Target *target,
					bool one_snapshot, Error *err) MUST_CHECK;

/*
 * What the target asks of how tables are read: it has no use for binary rows,
 * cannot take the rows of a part of a partition back, or has the primary key
 * while rows are loaded, so that pieces of different snapshots must not have two
 * rows of the same.
 */
void copy_plan_fit(const Target *target, Table *tables, int count);

/*
 * DDL_DEFERRED: if it existed it would disturb the stream until its end.
 * DDL_WAITING: until the stream has passed the newest stamp, as rows of
 * different stamps need not agree with each other.  DDL_TODO: now.
 */
DdlState copy_plan_defers(const CopyPlan *plan, const DdlEntry *entry,
						  const DeferRules *rules);

/* Do these chunks of one table differ in their stamps? todo: a new one. */
bool copy_plan_mixed(const Chunk *chunks, int count);

/*
 * Of a table whose chunks have different stamps: is it a second unique key?
 * The identity's own is safe, as each of its values is in one chunk.
 */
bool copy_plan_second_key(const Table *table, const DdlEntry *entry);

/* Does such a key wait, or an entry from an earlier start? */
bool copy_plan_some_wait(const CopyPlan *plan);

/* Is there a trigger that fires even where triggers are switched off? */
bool copy_plan_fires_always(const CopyPlan *plan);

/*
 * Which of the tables were altered since the snapshot that what is noted of them
 * is of?  Only where a copy goes on.
 */
bool copy_plan_altered(CopyPlan *plan, CopyView *view, Target *target,
					   Arena *arena, Error *err) MUST_CHECK;

/* What has to be done before these chunks of a table can be copied. */
TableStart copy_plan_start(const Table *table, const Chunk *chunks, int count,
						   bool slot_snapshot);

#endif /* PORTAGE_COPY_PLAN_H */

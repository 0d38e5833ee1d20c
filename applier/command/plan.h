/*
 * plan.h
 *		What run would do, or still has to do: gathered, then shown.
 */
#ifndef PORTAGE_PLAN_H
#define PORTAGE_PLAN_H

#include "base/arena.h"
#include "catalog.h"
#include "finding.h"
#include "progress.h"

/* A table with rows to copy, or that were copied. */
typedef struct PlanTable
{
	const Table *table;
	ChunkKind kind;
	int chunks; /* pieces, by now or about */
	int chunks_done;
	const DdlEntry **indexes; /* indexes, and constraints with one */
	int index_count;
} PlanTable;

typedef struct Plan
{
	const char *name;
	Phase phase;
	bool copy_only;
	int jobs;
	PlanTable *tables; /* in the order in which their copy begins */
	int table_count;
	int64_t bytes;	   /* of the tables that are not copied yet */
	DdlEntry *entries; /* of the schema; states as they will be or are */
	int entry_count;
	Sequence *sequences;
	int sequence_count;
	Findings behind; /* what is not carried, and why */
} Plan;

/* How many entries have this state? */
int plan_entries(const Plan *plan, DdlState state);

void plan_print_text(const Plan *plan);
void plan_print_json(const Plan *plan);

#endif /* PORTAGE_PLAN_H */

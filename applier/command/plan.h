/*
 * plan.h
 *		What run would do, or still has to do: gathered, then shown.
 */
#ifndef PORTAGE_COMMAND_PLAN_H
#define PORTAGE_COMMAND_PLAN_H

#include "base/arena.h"
#include "catalog.h"
#include "command/plan_rules.h"
#include "finding.h"
#include "progress.h"
#include "schema/translation.h"

/* A table with rows to copy, or that were copied. */
typedef struct RunPlanTable
{
	const Table *table;
	ChunkKind kind;
	int chunks; /* pieces, by now or about */
	int chunks_done;
	const DdlEntry **indexes; /* indexes, and constraints with one */
	int index_count;
} RunPlanTable;

typedef struct RunPlan
{
	const char *name;
	Phase phase;
	bool copy_only;
	int jobs;
	RunPlanTable *tables; /* in the order in which their copy begins */
	int table_count;
	int64_t bytes;	   /* of the tables that are not copied yet */
	DdlEntry *entries; /* of the schema; states as they will be or are */
	int entry_count;
	Sequence *sequences;
	int sequence_count;
	Findings behind; /* what is not carried, and why */
	PlanRules rules; /* set is NULL: there are none */

	/* for a target of another kind that has no schema of ours yet; or NULL */
	const Translation *translation;
	bool with_ddl; /* --ddl */
} RunPlan;

/* How many entries have this state? */
int plan_entries(const RunPlan *plan, DdlState state);

/* plan_print.c */
void plan_print_text(const RunPlan *plan);

/* plan_print_mapping.c: the translation, for people; there is one */
void plan_print_mapping(const RunPlan *plan);
void plan_print_decisions(const RunPlan *plan);

/* plan_ddl.c: the SQL alone */
void plan_print_ddl(const RunPlan *plan);
/* When an entry is carried out, as a word and as a sentence. */
const char *plan_when(const DdlEntry *entry);

/* plan_json.c */
void plan_print_json(const RunPlan *plan);

#endif /* PORTAGE_COMMAND_PLAN_H */

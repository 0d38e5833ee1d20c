/*
 * tables.h
 *		The tables of the target as the planner has to know them, by relation.
 *
 * Kept by the thread that collects batches, which asks the target once for each
 * relation that the source announces.
 */
#ifndef PORTAGE_TABLES_H
#define PORTAGE_TABLES_H

#include "base/error.h"
#include "plan/plan.h"
#include "target/target.h"

typedef struct Tables Tables;

Tables *tables_new(Target *target);
void tables_free(Tables *tables);

/* The table, or NULL: it is not known, or not as the relation says. */
const PlanTable *tables_find(const Tables *tables, const Relation *relation);

/* Was the target asked, with this result or that? */
bool tables_asked(const Tables *tables, const Relation *relation);

/*
 * Rows of the relation come next.  True if the target is to note that they lie
 * under another storage; that is told once.
 */
bool tables_renewed(Tables *tables, const Relation *relation);

/* Ask the target; nobody else may be using its connection. */
bool
tables_ask(Tables *tables, const Relation *relation, Error *err) MUST_CHECK;

/* Tables may have been altered: ask again. */
void tables_forget(Tables *tables);

/* Between two units: a table that is announced often is not kept each time. */
void tables_trim(Tables *tables);

/* The relations of a batch and their tables; each once. */
typedef struct TableUse
{
	const Relation *relation;
	const PlanTable *table;
	bool renewed;	/* its storage is to be noted */
	bool in_order;	/* its rows are to be kept in the source's order */
	uint64_t batch; /* which one of the table's own it is: orders.h */
} TableUse;

typedef struct TableUses
{
	TableUse *items;
	int count;
	int capacity;
	int last; /* neighbours are often of the same table */
} TableUses;

void table_uses_add(TableUses *uses, TableUse use);

/* NULL if it was not added. */
const TableUse *table_uses_find(TableUses *uses, const Relation *relation);

void table_uses_release(TableUses *uses);

#endif /* PORTAGE_TABLES_H */

/*
 * plan_history.h
 *		Random transactions as a source would send them.
 *
 * Each is valid where it happened: unique values and foreign keys are kept at
 * the end of every statement or transaction, as PostgreSQL keeps them.  Few
 * keys, so that transactions meet each other's rows.  Some changes are said as
 * rules say them that do not know what the target has.
 */
#ifndef PORTAGE_PLAN_HISTORY_H
#define PORTAGE_PLAN_HISTORY_H

#include "plan_model.h"

#define HISTORY_CHANGES 400

typedef struct HistoryChange
{
	ModelTable table;
	int txn; /* number within the batch */
	Change *change;
} HistoryChange;

typedef struct History
{
	Arena arena; /* of the batch */
	unsigned seed;
	Model source;
	Relation relations[MODEL_TABLES];
	HistoryChange changes[HISTORY_CHANGES]; /* of the batch */
	int count;
	int txn_count;
} History;

/* Tables and their first rows. */
void history_init(History *history, unsigned seed);
void history_release(History *history);

/* Forget the batch and make another one of up to that many transactions. */
void history_batch(History *history, int txns);

#endif /* PORTAGE_PLAN_HISTORY_H */

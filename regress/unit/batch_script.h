/*
 * batch_script.h
 *		Batches from a text, for tests with the target of mock_target.h.
 *
 * A change is an operation, a table, an id, and a value: "+p1:10" inserts,
 * "=p1:11" updates, "=p1>2:11" changes the id as well, "-p1" deletes, "*p"
 * truncates, "^p1:10" puts, "~p1" deletes what may be there, "#p1:10" inserts and
 * wins if the id is taken.  Each unit's ledger says how many changes it has.  A
 * blank is between the changes of a transaction, a semicolon
 * between transactions.
 */
#ifndef PORTAGE_BATCH_SCRIPT_H
#define PORTAGE_BATCH_SCRIPT_H

#include "mock_target.h"
#include "plan_fixture.h"
#include "stream/batch.h"

#define SCRIPT_TXN_MAX 400 /* characters */

typedef struct Script
{
	Fixture tables[MOCK_TABLES];
	Tables *known;
	Progress progress; /* behind all that was collected */
	uint32_t xid;	   /* of the last transaction */
} Script;

/* Every change is to be applied. */
extern const ChangeFilter script_filter;

/* Its tables become the target's. */
void script_init(Script *script, MockTarget *target);
void script_release(Script *script);

/* From the beginning, with no progress. */
void script_reset(Script *script);

/* Make the batch one of these whole transactions. */
void script_fill(Script *script, StreamBatch *batch, const char *txns);

/* Make the batch a piece of a transaction. */
void script_piece(Script *script, StreamBatch *batch, const char *changes,
				  bool first, bool last);

/*
 * The oracle: each change by itself, in order.  A change that cannot be is a bug of
 * the test.
 */
void script_apply(MockRows *rows, const char *txns);

/* How many changes the text has. */
int script_changes(const char *txns);

/* How many transactions. */
int script_count(const char *txns);

/*
 * Do they change the row, which is there before them or not?  Not if it is only made
 * and removed again, as long as nothing that keeps its place is in between.
 */
bool script_changes_row(const char *txns, bool there, MockTable table, int id);

/* Is there a change of the table that nothing may pass? */
bool script_has_barrier(const char *txns, MockTable table);

/* The end_lsn of the n-th transaction, from 1. */
Lsn script_end_lsn(uint32_t xid);

/* Transactions that a source can make, often of the same rows and values. */
typedef struct ScriptRandom
{
	unsigned seed;
	MockRows rows; /* of the source, behind the last batch */
	Buffer txns;   /* the last batch */
} ScriptRandom;

/* Another batch. */
void script_random(ScriptRandom *random);

#endif /* PORTAGE_BATCH_SCRIPT_H */

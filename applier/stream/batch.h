/*
 * batch.h
 *		Work for one target transaction, or one piece of it, and its plan.
 *
 * A batch collects units and plans their changes as they come, so that the plan
 * is there when a writer is free.  It holds the frames that it points into, and
 * can be planned again in parts, which is what happens when the target refuses
 * it (batch_apply.h).  One thread at a time uses it: the one that collects, then
 * the writer, then the one that collects again.
 */
#ifndef PORTAGE_BATCH_H
#define PORTAGE_BATCH_H

#include "plan/orders.h"
#include "plan/planner.h"
#include "stream/assembler.h"
#include "stream/tables.h"

/* What came with the transactions of a batch. */
typedef struct BatchNews
{
	bool marker;		   /* a marker of ours was in it */
	int64_t marker_age_ms; /* of the last one: the lag */
	Lsn marker_end_lsn;	   /* end of its transaction */
} BatchNews;

/* One unit's part of a batch. */
typedef struct BatchUnit
{
	const Txn *txn;
	int first_span;
	int span_count;
} BatchUnit;

typedef struct StreamBatch
{
	Arena arena; /* transactions and units */
	Planner *planner;
	const ChangeFilter *filter;
	Orders *orders; /* not of this batch alone */
	bool serial;
	BatchSpan *spans;
	Frame **frames; /* each once, in order */
	BatchUnit *units;
	int span_count;
	int span_capacity;
	int frame_count;
	int frame_capacity;
	int unit_count;
	int unit_capacity;
	TableUses tables; /* those that it touches */
	Ledger ledger;	  /* sum of the units', however often they are written */
	uint64_t rows;
	uint64_t bytes;

	const Plan *finished; /* the plan of all of it, if there is one */

	bool first; /* begins the target transaction */
	bool last;	/* ends it */
	bool alone; /* one unit, for the target's own way of carrying it out */
	Progress before;
	Progress after;
	BatchNews news;
} StreamBatch;

/* serial: every change by itself. */
StreamBatch *batch_new(const ChangeFilter *filter, Orders *orders, bool serial);
void batch_free(StreamBatch *batch);

/* Empty it, to collect what follows on progress. */
void batch_begin(StreamBatch *batch, const Progress *progress);

bool batch_empty(const StreamBatch *batch);

/* So many of its changes are to be written by themselves, in their order. */
uint64_t batch_singles(const StreamBatch *batch);

/* Ask for the tables of a change that are new and matter; see batch_can_plan. */
bool
batch_ask_tables(const StreamBatch *batch, const Txn *txn, const Change *change,
				 Tables *tables, Error *err) MUST_CHECK;

/*
 * Can the unit be planned?  False where only the target itself knows how to
 * carry it out: it has DDL, or changes that a copy shows in part, or rows of
 * tables that are not as their relations say.  Its relations have been asked for.
 */
bool batch_can_plan(const StreamBatch *batch, const Unit *unit,
					const Tables *tables);

/*
 * Take a unit in; what it changes is planned by what tables know.  With alone it
 * is not planned, and the batch takes no other.
 */
void batch_add(StreamBatch *batch, const Unit *unit, bool alone, Tables *tables,
			   const char *plugin_version);

/*
 * The plan of the units [first, end); serial: every change by itself, in the
 * source's order.  Valid until the next plan of the batch.
 */
const Plan *batch_plan(StreamBatch *batch, int first, int end, bool serial);

/*
 * A part of the batch went well only in the source's order, because of the table
 * with this OID on the source: it may be kept in order from now on.
 */
void batch_order_mattered(StreamBatch *batch, uint32_t oid);

/* The plan of all that was collected; the same when asked again. */
const Plan *batch_finish(StreamBatch *batch);

/* Plan all of it anew: parts of it have been planned meanwhile. */
void batch_again(StreamBatch *batch);

#endif /* PORTAGE_BATCH_H */

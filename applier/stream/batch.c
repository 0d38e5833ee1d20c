/*
 * batch.c
 *		See batch.h.
 */
#include "stream/batch.h"

#include <string.h>

#include "base/mem.h"
#include "stream/history.h"

StreamBatch *
batch_new(const ChangeFilter *filter, Orders *orders, bool serial)
{
	StreamBatch *batch = mem_zalloc(sizeof(*batch));

	arena_init(&batch->arena);
	batch->planner = planner_new();
	batch->filter = filter;
	batch->orders = orders;
	batch->serial = serial;
	return batch;
}

static void
release_frames(StreamBatch *batch)
{
	for (int i = 0; i < batch->frame_count; i++)
		frame_release(batch->frames[i]);
	batch->frame_count = 0;
}

void
batch_free(StreamBatch *batch)
{
	if (batch == NULL)
		return;
	release_frames(batch);
	planner_free(batch->planner);
	arena_release(&batch->arena);
	table_uses_release(&batch->tables);
	ledger_release(&batch->ledger);
	mem_free(batch->spans);
	mem_free(batch->frames);
	mem_free(batch->units);
	mem_free(batch);
}

void
batch_begin(StreamBatch *batch, const Progress *progress)
{
	planner_reset(batch->planner);
	if (batch->serial)
		planner_serial(batch->planner);
	batch->finished = NULL;
	release_frames(batch);
	arena_reset(&batch->arena);
	batch->tables.count = 0;
	ledger_reset(&batch->ledger);
	batch->span_count = 0;
	batch->unit_count = 0;
	batch->rows = 0;
	batch->bytes = 0;
	batch->alone = false;
	batch->before = *progress;
	batch->after = *progress;
	memset(&batch->news, 0, sizeof(batch->news));
}

bool
batch_empty(const StreamBatch *batch)
{
	return batch->unit_count == 0;
}

uint64_t
batch_singles(const StreamBatch *batch)
{
	return planner_stats(batch->planner)->single_rows;
}

static void
hold_frame(StreamBatch *batch, Frame *frame)
{
	if (batch->frame_count > 0 &&
		batch->frames[batch->frame_count - 1] == frame)
		return;
	batch->frames = mem_room(batch->frames, batch->frame_count,
							 &batch->frame_capacity, sizeof(*batch->frames));
	frame_retain(frame);
	batch->frames[batch->frame_count++] = frame;
}

static void
add_span(StreamBatch *batch, const Txn *txn, const BatchSpan *span)
{
	batch->spans = mem_room(batch->spans, batch->span_count,
							&batch->span_capacity, sizeof(*batch->spans));
	batch->spans[batch->span_count++] = (BatchSpan){ txn, span->events,
													 span->count };
}

static BatchUnit *
add_unit(StreamBatch *batch, const Txn *txn)
{
	BatchUnit *unit;

	batch->units = mem_room(batch->units, batch->unit_count,
							&batch->unit_capacity, sizeof(*batch->units));
	unit = &batch->units[batch->unit_count++];
	*unit = (BatchUnit){ txn, batch->span_count, 0 };
	return unit;
}

/* What of the change is not in the copy already; NULL: nothing. */
static const Change *
change_left(StreamBatch *batch, const Txn *txn, const Change *change)
{
	Arena *arena = planner_arena(batch->planner); /* as long as the plan */

	switch (
		batch->filter->verdict(batch->filter, txn, change, change->relation))
	{
		case VERDICT_APPLY:
			return change;
		case VERDICT_SKIP:
			return NULL;
		case VERDICT_AS_INSERT:
			return change_half(change, CHANGE_INSERT, arena);
		case VERDICT_AS_DELETE:
			return change_half(change, CHANGE_DELETE, arena);
		default:
			BUG("a change that only the target understands was planned");
	}
}

/* NULL: nothing of the relation is to be planned. */
static const TableUse *
use_of(StreamBatch *batch, const Relation *relation)
{
	const TableUse *use = table_uses_find(&batch->tables, relation);

	if (use != NULL && use->renewed)
		planner_relation(batch->planner, use->table, relation);
	if (use != NULL && use->in_order)
		planner_in_order(batch->planner, use->table);
	return use;
}

static void
plan_truncate(StreamBatch *batch, const Txn *txn, const Event *event)
{
	planner_event(batch->planner, txn, event);
	for (int i = 0; i < event->change.truncated_count; i++)
		(void) use_of(batch, event->change.truncated[i]);
}

static void
plan_change(StreamBatch *batch, const Txn *txn, const Event *event)
{
	const Change *change = &event->change;
	const TableUse *use;

	if (change->kind == CHANGE_TRUNCATE)
	{
		plan_truncate(batch, txn, event);
		return;
	}
	change = change_left(batch, txn, change);
	if (change == NULL)
		return;
	use = use_of(batch, change->relation);
	BUG_UNLESS(use != NULL);
	planner_add(batch->planner, use->table, txn, change);
}

static void
plan_unit(StreamBatch *batch, const BatchUnit *unit)
{
	for (int i = 0; i < unit->span_count; i++)
	{
		const BatchSpan *span = &batch->spans[unit->first_span + i];

		for (int k = 0; k < span->count; k++)
			plan_change(batch, unit->txn, &span->events[k]);
	}
}

static bool
ask_table(const StreamBatch *batch, const Txn *txn, const Change *change,
		  const Relation *relation, Tables *tables, Error *err)
{
	return tables_asked(tables, relation) ||
		   batch->filter->verdict(batch->filter, txn, change, relation) ==
			   VERDICT_SKIP ||
		   tables_ask(tables, relation, err);
}

bool
batch_ask_tables(const StreamBatch *batch, const Txn *txn, const Change *change,
				 Tables *tables, Error *err)
{
	if (change->kind != CHANGE_TRUNCATE)
		return ask_table(batch, txn, change, change->relation, tables, err);
	for (int i = 0; i < change->truncated_count; i++)
	{
		if (change->truncated[i]->kind == 'r' &&
			!ask_table(batch, txn, change, change->truncated[i], tables, err))
			return false;
	}
	return true;
}

static bool
can_plan_truncate(const StreamBatch *batch, const Txn *txn,
				  const Change *change, const Tables *tables)
{
	for (int i = 0; i < change->truncated_count; i++)
	{
		const Relation *relation = change->truncated[i];
		ChangeVerdict verdict = batch->filter->verdict(batch->filter, txn,
													   change, relation);

		if (verdict != VERDICT_SKIP &&
			(verdict != VERDICT_APPLY ||
			 (relation->kind == 'r' && tables_find(tables, relation) == NULL)))
			return false;
	}
	return true;
}

static bool
can_plan_change(const StreamBatch *batch, const Txn *txn, const Change *change,
				const Tables *tables)
{
	if (change->kind == CHANGE_TRUNCATE)
		return can_plan_truncate(batch, txn, change, tables);
	switch (
		batch->filter->verdict(batch->filter, txn, change, change->relation))
	{
		case VERDICT_SKIP:
			return true;
		case VERDICT_AS_INSERT:
			if (change_unchanged_column(change) >= 0)
				return false;
			break;
		case VERDICT_APPLY:
		case VERDICT_AS_DELETE:
			break;
		default:
			return false;
	}
	return change->kind != CHANGE_NOKEY &&
		   tables_find(tables, change->relation) != NULL;
}

bool
batch_can_plan(const StreamBatch *batch, const Unit *unit, const Tables *tables)
{
	if (unit->ddl)
		return false;
	for (int i = 0; i < unit->span_count; i++)
	{
		const BatchSpan *span = &unit->spans[i];

		for (int k = 0; k < span->count; k++)
		{
			if (!can_plan_change(batch, &unit->txn, &span->events[k].change,
								 tables))
				return false;
		}
	}
	return true;
}

/* Its first change in this batch that counts; a copy may show earlier ones. */
static void
use_table(StreamBatch *batch, const Txn *txn, const Change *change,
		  const Relation *relation, Tables *tables)
{
	const PlanTable *table;
	TableUse use;

	if (table_uses_find(&batch->tables, relation) != NULL)
		return;
	table = tables_find(tables, relation);
	if (table == NULL || batch->filter->verdict(batch->filter, txn, change,
												relation) == VERDICT_SKIP)
		return;
	use.relation = relation;
	use.table = table;
	use.renewed = tables_renewed(tables, relation);
	use.batch = orders_count(batch->orders, table);
	use.in_order = orders_kept(batch->orders, table, use.batch);
	table_uses_add(&batch->tables, use);
}

static void
use_tables(StreamBatch *batch, const Txn *txn, const BatchSpan *span,
		   Tables *tables)
{
	for (int i = 0; i < span->count; i++)
	{
		const Change *change = &span->events[i].change;

		if (change->kind != CHANGE_TRUNCATE)
			use_table(batch, txn, change, change->relation, tables);
		else
			for (int k = 0; k < change->truncated_count; k++)
				use_table(batch, txn, change, change->truncated[k], tables);
	}
}

static void
note_news(StreamBatch *batch, const Unit *unit, const char *plugin_version)
{
	progress_advance(&batch->after, &unit->txn,
					 unit->nonce[0] != '\0' ? unit->nonce : NULL,
					 plugin_version);
	if (unit->nonce[0] == '\0' || !unit->nonce_ours)
		return;
	batch->news.marker = true;
	batch->news.marker_age_ms = unit->nonce_age_ms;
	batch->news.marker_end_lsn = unit->txn.end_lsn;
}

void
batch_add(StreamBatch *batch, const Unit *unit, bool alone, Tables *tables,
		  const char *plugin_version)
{
	Txn *txn = ARENA_NEW(&batch->arena, Txn);
	BatchUnit *added;

	BUG_UNLESS(batch_empty(batch) || (!alone && !batch->alone));
	*txn = unit->txn;
	if (batch_empty(batch))
		batch->first = unit->first;
	batch->last = unit->last;
	batch->alone = alone;
	added = add_unit(batch, txn);
	for (int i = 0; i < unit->span_count; i++)
	{
		hold_frame(batch, unit->frames[i]);
		add_span(batch, txn, &unit->spans[i]);
		if (!alone)
			use_tables(batch, txn, &unit->spans[i], tables);
	}
	added->span_count = unit->span_count;
	if (!alone)
		plan_unit(batch, added);
	ledger_add(&batch->ledger, unit->ledger.entries, unit->ledger.count);
	batch->rows += unit->rows;
	batch->bytes += unit->bytes;
	if (unit->last)
		note_news(batch, unit, plugin_version);
}

/* What was found out since the batch was collected. */
static void
look_at_orders(StreamBatch *batch)
{
	for (int i = 0; i < batch->tables.count; i++)
	{
		TableUse *use = &batch->tables.items[i];

		if (!use->in_order)
			use->in_order = orders_kept(batch->orders, use->table, use->batch);
	}
}

void
batch_order_mattered(StreamBatch *batch, uint32_t oid)
{
	for (int i = 0; i < batch->tables.count; i++)
	{
		const TableUse *use = &batch->tables.items[i];

		/* several relations may be one table there, named by any of them */
		if (use->relation->oid == oid || use->table->relation->oid == oid)
		{
			orders_mattered(batch->orders, use->table, use->batch);
			return;
		}
	}
}

const Plan *
batch_plan(StreamBatch *batch, int first, int end, bool serial)
{
	batch->finished = NULL;
	look_at_orders(batch);
	planner_reset(batch->planner);
	if (serial || batch->serial)
		planner_serial(batch->planner);
	for (int i = first; i < end; i++)
		plan_unit(batch, &batch->units[i]);
	return planner_finish(batch->planner);
}

const Plan *
batch_finish(StreamBatch *batch)
{
	if (batch->finished == NULL)
		batch->finished = planner_finish(batch->planner);
	return batch->finished;
}

void
batch_again(StreamBatch *batch)
{
	batch->finished = batch_plan(batch, 0, batch->unit_count, false);
}

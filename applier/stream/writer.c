/*
 * writer.c
 *		The writing half of the stream: collects whole transactions into batches
 *		while the writers write the ones before.
 *
 * No timer: a batch goes on as soon as somebody is free to write it, so an idle
 * stream applies each transaction at once, and a backlog makes its own batches.
 */
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "stream/writer_parts.h"

#define IDLE_WAIT_MS 200
#define DURABLE_WAIT_MS 20
#define DURABLE_ASK_MS 50

/* so long may a batch grow while an older one is written; enough to fill it */
#define GROW_MS 100

/* Take back what the writers have finished. */
static bool
take_finished(Writer *writer, bool *busy, Error *err)
{
	BatchResult result;
	bool taken = true;

	while (taken)
	{
		if (!writers_take(writer->writers, &result, &taken, err))
			return false;
		if (!taken)
			break;
		*busy = true;
		if (!writer_note_applied(writer, result.batch, &result.durability, err))
			return false;
		writer->spare[writer->spare_count++] = result.batch;
		report_turn(&writer->report, writer->lag_ms);
	}
	return true;
}

/* Ask the target for the tables of the unit that are new. */
static bool
ask_tables(Writer *writer, const Unit *unit, Error *err)
{
	const Relation *last = NULL;

	for (int i = 0; i < unit->span_count; i++)
	{
		const BatchSpan *span = &unit->spans[i];

		for (int k = 0; k < span->count; k++)
		{
			const Change *change = &span->events[k].change;

			if (span->events[k].kind != EVENT_CHANGE ||
				change->relation == last)
				continue;
			last = change->relation;
			if (!batch_ask_tables(writer->open, &unit->txn, change,
								  writer->tables, err))
				return false;
		}
	}
	return true;
}

/* Does the open batch have room for the unit? */
static bool
has_room(const Writer *writer, const Unit *unit)
{
	const StreamConfig *config = writer->lane->session->config;
	const StreamBatch *open = writer->open;

	if (writer->closed || writer_planned_to_end(writer))
		return false;
	if (batch_empty(open))
		return true;
	return unit->first && unit->last &&
		   batch_singles(open) < (uint64_t) config->batch_singles &&
		   open->rows + unit->rows <= (uint64_t) config->batch_rows &&
		   open->bytes + unit->bytes <= config->batch_bytes;
}

/*
 * What the target carries out by itself: alone, on its own connection, when
 * nobody writes.
 */
static bool
apply_alone(Writer *writer, Error *err)
{
	Lane *lane = writer->lane;
	Target *target = lane->target;
	StreamBatch *batch = writer->open;
	TargetDurability durability;
	Batch work = {
		.spans = batch->spans,
		.span_count = batch->span_count,
		.first = batch->first,
		.last = batch->last,
		.rows = batch->rows,
		.bytes = batch->bytes,
	};

	if (batch->first)
		ledger_reset(&writer->ledger);
	ledger_add(&writer->ledger, batch->ledger.entries, batch->ledger.count);
	if (batch->last && writer->ledger.count > 0)
		work.ledger = &writer->ledger;
	writer->alone = !batch->last;
	if (!target->ops->apply(target, &work, batch->filter, &batch->before,
							&batch->after, err) ||
		!target->ops->durability(target, DURABILITY_KNOWN, &durability, err) ||
		!writer_note_applied(writer, batch, &durability, err))
		return false;
	tables_forget(writer->tables);
	batch_begin(batch, &writer->planned);
	writer->closed = false;
	return true;
}

/* The target transaction of its earlier pieces is open with a writer. */
static bool
restart_alone(Writer *writer, const Unit *unit, Error *err)
{
	*writer->lane->to->alone_lsn = unit->txn.commit_lsn;
	return error_set(err, P_SERVER_BUSY,
					 "transaction %u has to be begun again, to be applied row "
					 "by row",
					 unit->txn.xid);
}

static bool
must_be_alone(const Writer *writer, const Unit *unit)
{
	return writer->alone ||
		   *writer->lane->to->alone_lsn == unit->txn.commit_lsn ||
		   !batch_can_plan(writer->open, unit, writer->tables);
}

/* Collect the unit, if it fits: *taken. */
static bool
take_unit(Writer *writer, const Unit *unit, bool *taken, Error *err)
{
	bool alone;

	*taken = false;
	if (lsn_reaches(unit->txn.commit_lsn, writer->lane->to->goal.before_lsn))
		writer->passed = true;
	if (!has_room(writer, unit))
		return true;
	tables_trim(writer->tables);
	if (!writer->alone && !ask_tables(writer, unit, err))
		return false;
	alone = must_be_alone(writer, unit);
	if (alone && !unit->first && !writer->alone)
		return restart_alone(writer, unit, err);
	if (alone && !batch_empty(writer->open))
		return true;
	if (batch_empty(writer->open))
		writer->begun_ms = clock_ms();
	batch_add(writer->open, unit, alone, writer->tables,
			  writer->lane->session->plugin_version);
	writer->planned = writer->open->after;
	writer->closed = alone || !unit->first || !unit->last;
	*taken = true;
	return true;
}

static bool
collect(Writer *writer, bool *busy, Error *err)
{
	Unit unit;
	bool taken = true;

	while (taken && writer->open != NULL &&
		   assembler_next(writer->assembler, &unit))
	{
		if (!take_unit(writer, &unit, &taken, err))
			return false;
		if (taken)
		{
			assembler_taken(writer->assembler);
			*busy = true;
		}
	}
	return true;
}

/* Is there as much as may be collected?  Then a unit waits, or the end is near. */
static bool
is_full(const Writer *writer)
{
	Unit unit;

	return writer->open == NULL || writer_planned_to_end(writer) ||
		   assembler_next(writer->assembler, &unit);
}

/*
 * While an older batch is written there is no great hurry: this one is committed
 * behind it.  A small one would only take up a writer until then.
 */
static bool
may_grow(const Writer *writer)
{
	return writers_busy(writer->writers) > 0 && !writer->closed &&
		   !is_full(writer) && clock_ms() - writer->begun_ms < GROW_MS;
}

/* What was collected goes on, if somebody is free for it. */
static bool
give(Writer *writer, bool *busy, Error *err)
{
	StreamBatch *open = writer->open;

	if (open == NULL || batch_empty(open))
		return true;
	if (open->alone)
	{
		if (writers_busy(writer->writers) > 0)
			return true;
		*busy = true;
		return apply_alone(writer, err);
	}
	if (!writers_ready(writer->writers) || may_grow(writer))
		return true;
	writers_give(writer->writers, open);
	writer->open = NULL;
	writer->closed = false;
	*busy = true;
	return true;
}

static void
open_batch(Writer *writer)
{
	if (writer->open != NULL || writer->spare_count == 0)
		return;
	writer->open = writer->spare[--writer->spare_count];
	batch_begin(writer->open, &writer->planned);
}

/* A frame that has arrived becomes units, if there is room for them. */
static bool
take_frame(Writer *writer, bool *busy, Error *err)
{
	QueueItem item;

	if (is_full(writer) || !queue_pop(writer->lane->queue, &item, 0))
		return true;
	*busy = true;
	if (writer->rules != NULL && !rule_stage_frame(writer->rules, &item, err))
		return false;
	return assembler_add(writer->assembler, item, err) &&
		   collect(writer, busy, err);
}

/* Until there is something to do; what takes its time is durability. */
static bool
wait_for_work(Writer *writer, Error *err)
{
	int64_t wait_ms = writer_durability_open(writer) ? DURABLE_WAIT_MS
													 : IDLE_WAIT_MS;

	return queue_await(writer->lane->queue, !is_full(writer), wait_ms) ||
		   writer_check_durable(writer, err);
}

/* One turn: what has arrived, what can go on, what is finished. */
static bool
writer_turn(Writer *writer, Error *err)
{
	bool busy = false;

	open_batch(writer);
	if (!collect(writer, &busy, err) || !take_frame(writer, &busy, err) ||
		!give(writer, &busy, err) || !take_finished(writer, &busy, err))
		return false;
	if (!busy)
		return wait_for_work(writer, err);
	return (clock_ms() - writer->asked_ms < DURABLE_ASK_MS &&
			!writer_applied_to_end(writer)) ||
		   writer_check_durable(writer, err);
}

static bool
writer_loop(Writer *writer, Error *err)
{
	Lane *lane = writer->lane;

	while (!writer_goal_reached(writer))
	{
		if (signals_stop_requested())
			return true;
		if (!writer_turn(writer, err))
			return false;
		report_turn(&writer->report, writer->lag_ms);
		if (lane_ending(lane))
			return true;
	}
	lane->to->reached = true;
	return true;
}

static bool
writer_open(Writer *writer, Error *err)
{
	Lane *lane = writer->lane;
	const StreamConfig *config = lane->session->config;

	writer->planned = *lane->progress;
	writer->assembler = assembler_new(lane->markers, &lane->session->ddl_key,
									  lane->progress, config->batch_rows,
									  config->batch_bytes);
	writer->tables = tables_new(lane->target);
	writer->orders = orders_new();
	for (; writer->batch_count < config->writers + 1; writer->batch_count++)
		writer->batches[writer->batch_count] =
			writer->spare[writer->spare_count++] = batch_new(
				stamps_filter(lane->stamps), writer->orders, config->serial);
	report_init(&writer->report, lane);
	if (lane->to->rules != NULL && !rule_set_is_identity(lane->to->rules))
	{
		writer->rules = rule_stage_open(lane->to->rules, lane->target,
										stamps_filter(lane->stamps), err);
		if (writer->rules == NULL)
			return false;
		put_asides_trim(lane->to->asides, lane->progress->resume_lsn);
		rule_stage_put_aside(writer->rules, lane->to->asides);
		rule_stage_ddl(writer->rules, &lane->session->ddl_key);
	}
	writer->writers = writers_open(lane->target, config->writers, lane->queue,
								   err);
	return writer->writers != NULL;
}

/*
 * What the writers have begun becomes ours, too: progress must not lag behind
 * what is on the target.
 */
static bool
finish_writers(Writer *writer, Error *err)
{
	bool busy = false;

	while (writers_busy(writer->writers) > 0)
	{
		if (!take_finished(writer, &busy, err))
			return false;
		if (writers_busy(writer->writers) > 0)
			(void) queue_await(writer->lane->queue, false, IDLE_WAIT_MS);
	}
	return true;
}

static void
writer_close(Writer *writer)
{
	/* a piece of a large transaction may be open */
	writers_close(writer->writers);
	writer->lane->target->ops->rollback(writer->lane->target);
	for (int i = 0; i < writer->batch_count; i++)
		batch_free(writer->batches[i]);
	tables_free(writer->tables);
	orders_free(writer->orders);
	ledger_release(&writer->ledger);
	assembler_free(writer->assembler);
	rule_stage_close(writer->rules);
}

/* The target refuses a row: begin again and put it aside, if its rule says so. */
static bool
put_aside(const Writer *writer, Error *err)
{
	char why[sizeof(err->message)];

	if (writer->rules == NULL || !rule_stage_quarantines(writer->rules, err) ||
		!put_asides_add(writer->lane->to->asides, err))
		return false;
	memcpy(why, err->message, sizeof(why));
	return error_set(err, P_PUT_ASIDE, "put aside: %s", why);
}

bool
writer_run(Lane *lane, Error *err)
{
	Writer writer = { .lane = lane, .lag_ms = -1 };
	bool ok;

	ok = writer_open(&writer, err) && writer_loop(&writer, err) &&
		 finish_writers(&writer, err);
	report_end();
	if (!ok)
		(void) put_aside(&writer, err);
	writer_close(&writer);
	return ok;
}

/*
 * quarantine_retry.c
 *		Rows in quarantine go through the rules again, and to the target.
 *
 * Each is a frame of its own for the rule stage, which does with it what it would do
 * in the stream: the row is put, since the target may have an older version or none,
 * and its kept row goes in the same transaction.  While the stream is ours nobody
 * else writes a newer version: what the stream had brought before has taken the
 * kept row away already.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "command/quarantine.h"
#include "rules/rule_stage.h"

typedef struct Again
{
	Session *session;
	Arena arena;
	Schema schema;
	Shape *shapes;
	int shape_count;
	RuleStage *stage;
	QuarantineWriter *writer;
} Again;

/* What it keeps in memory is that of the target again. */
static bool
open_stage(Again *again, Error *err)
{
	rule_stage_close(again->stage);
	again->stage = rule_stage_open(again->session->rules,
								   again->session->target, &change_filter_none,
								   err);
	return again->stage != NULL;
}

static void
keep_nothing(void *handle)
{
	(void) handle;
}

static unsigned
operations_of(const Again *again, const char *rule)
{
	const Config *config = again->session->options->config;

	for (int i = 0; i < config->rule_count; i++)
	{
		if (strcmp(config->rules[i].name, rule) == 0)
			return config->rules[i].operations;
	}
	return RULE_ALL_OPERATIONS;
}

/* A transaction with the row alone; takes over the reference on the relation. */
static Frame *
frame_of(const QuarantineRow *row, const Relation *relation,
		 const Change *change)
{
	Frame *frame = frame_new(NULL, 0, NULL, keep_nothing);
	Txn txn = { .xid = (uint32_t) row->xid,
				.commit_time_us = row->commit_time_us,
				.rows = 1 };

	(void) lsn_parse(row->commit_lsn, &txn.commit_lsn);
	txn.end_lsn = txn.commit_lsn + 1;
	frame->events = ARENA_ARRAY(&frame->arena, Event, 3);
	frame->events[0] = (Event){ .kind = EVENT_BEGIN, .txn = txn };
	frame->events[1] = (Event){ .kind = EVENT_CHANGE, .change = *change };
	frame->events[2] = (Event){ .kind = EVENT_COMMIT, .txn = txn };
	frame->event_count = 3;
	frame->relations = ARENA_ARRAY(&frame->arena, const Relation *, 1);
	frame->relations[0] = relation;
	frame->relation_count = 1;
	return frame;
}

/* The row was counted as seen when it came. */
static void
take_ledger(Ledger *ledger, const Ledger *from)
{
	ledger_add(ledger, from->entries, from->count);
	for (int i = 0; i < ledger->count; i++)
		ledger->entries[i].counts[LEDGER_SEEN] = 0;
}

/* Write what the stage has made of it. */
static bool
write_frame(Again *again, const QuarantineRow *row, const Frame *frame,
			Error *err)
{
	const Txn *txn = &frame->events[0].txn;
	Ledger ledger = { .entries = NULL };
	int changes = 0;
	bool ok = true;

	for (int i = 0; ok && i < frame->event_count; i++)
	{
		const Event *event = &frame->events[i];

		if (event->kind == EVENT_LEDGER)
			take_ledger(&ledger, event->ledger);
		if (event->kind != EVENT_CHANGE)
			continue;
		changes++;
		ok = quarantine_writer_add(again->writer, txn, &event->change, err);
	}
	if (ok && changes == 0)
		ok = error_set(err, P_RULE_VALUE,
					   "no rule %s sends the table %s.%s to this target",
					   row->rule, row->schema, row->table);
	ok = ok && quarantine_writer_commit(again->writer,
										ledger.count > 0 ? &ledger : NULL, err);
	ledger_release(&ledger);
	return ok;
}

static bool
again_row(Again *again, const QuarantineRow *row, Error *err)
{
	const Relation *relation = quarantine_relation(
		row, &again->schema, again->shapes, again->shape_count, err);
	QueueItem item = { .keep_from = 0 };
	Change change;
	Arena arena;
	bool ok;

	if (relation == NULL)
		return false;
	arena_init(&arena);
	ok = quarantine_change(row, relation, operations_of(again, row->rule),
						   &arena, &change, err);
	if (ok)
	{
		item.frame = frame_of(row, relation, &change);
		rule_stage_retry(again->stage, row->rule, row->area, row->key);
		ok = rule_stage_frame(again->stage, &item, err);
		if (ok)
		{
			ok = write_frame(again, row, item.frame, err);
			frame_release(item.frame);
		}
	}
	else
		relation_release(relation);
	arena_release(&arena);
	return ok;
}

static bool
again_all(Again *again, const QuarantineRows *rows, int *failed, Error *err)
{
	for (int i = 0; i < rows->count; i++)
	{
		const QuarantineRow *row = &rows->items[i];

		if (again_row(again, row, err))
			continue;
		if (err->kind != ERROR_DATA || err->code == P_PROGRESS)
			return false;
		log_warning("stays in quarantine: %s [P%04d]", err->message,
					(int) err->code);
		++*failed;
		error_clear(err);
		/* a failed transaction's plan and counters are void */
		quarantine_writer_close(again->writer);
		again->writer = quarantine_writer_open(again->session, err);
		if (again->writer == NULL || !open_stage(again, err))
			return false;
	}
	return true;
}

bool
quarantine_retry(Session *session, const QuarantineRows *rows, int *failed,
				 Error *err)
{
	static const SnapshotRef now = { .id = NULL };
	Again again = { .session = session };
	bool ok;

	*failed = 0;
	arena_init(&again.arena);
	ok = session->source->ops->schema_read(session->source, &now, &again.arena,
										   &again.schema, err) &&
		 session->target->ops->shapes_list(session->target, &again.arena,
										   &again.shapes, &again.shape_count,
										   err) &&
		 open_stage(&again, err);
	if (ok)
	{
		again.writer = quarantine_writer_open(session, err);
		ok = again.writer != NULL && again_all(&again, rows, failed, err);
	}
	quarantine_writer_close(again.writer);
	rule_stage_close(again.stage);
	arena_release(&again.arena);
	return ok;
}

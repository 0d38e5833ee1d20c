/*
 * target_pg_apply.c
 *		Batches of changes, row by row in the source's order.
 *
 * This path is the specification of what applying means: every row by its own
 * statement, each of which must change exactly one row.  It stays when faster
 * ones come, and they must equal it.
 *
 * A batch is one target transaction: BEGIN, the message that marks it as ours,
 * the rows, then, once every row's answer is known, the compare-and-set of the
 * progress row and COMMIT.  A transaction larger than a batch arrives in pieces
 * within one open target transaction.
 */
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/column_watch.h"
#include "postgres/ddl_work.h"
#include "postgres/pg_chunk.h"
#include "postgres/pipeline_pg.h"
#include "plan/row_error.h"
#include "postgres/statement_pg.h"
#include "postgres/target_pg_kept.h"

const char target_pg_positions_sql[] =
	"SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()";

/* Statements of old relations go when there are too many. */
static bool
forget_statements(TargetPg *self, Error *err)
{
	if (!statement_cache_full(self->statements))
		return true;
	statement_cache_clear(self->statements);
	return pg_exec(self->conn, err, "DEALLOCATE ALL");
}

static bool
batch_begin(TargetPg *self, Error *err)
{
	const char *params[] = { self->origin_nonce };

	target_pg_facts_release(self);
	self->open_rows = 0;
	column_watch_begin(&self->watch);
	ledger_tally_reset(&self->tally);
	if (!forget_statements(self, err) || !pipeline_enter(self->pipeline, err))
		return false;
	return pipeline_send(self->pipeline, STEP_COMMAND, "BEGIN", 0, NULL, err) &&
		   pipeline_send(
			   self->pipeline, STEP_COMMAND,
			   "SELECT pg_logical_emit_message(true, 'portage.origin',"
			   " $1::text)",
			   1, params, err) &&
		   pipeline_send(self->pipeline, STEP_COMMAND,
						 "SET CONSTRAINTS ALL DEFERRED", 0, NULL, err) &&
		   FAILPOINT(FP_BATCH_BEGUN, err);
}

/* The rows of those chunks that were copied before the TRUNCATE. */
static bool
apply_truncate_partly(TargetPg *self, const Txn *txn, const Change *change,
					  const Relation *relation, const ChangeFilter *filter,
					  Error *err)
{
	const Chunk *chunk;
	Buffer sql;
	bool ok = true;

	buffer_init(&sql);
	for (int i = 0;
		 ok && (chunk = filter->emptied(filter, txn, relation, i)) != NULL; i++)
	{
		buffer_reset(&sql);
		buffer_puts(&sql, "DELETE FROM ONLY ");
		pg_quote_table(&sql, relation->schema, relation->name);
		pg_chunk_where(&sql, chunk, NULL);
		ok = pipeline_send_change(self->pipeline, txn, change, sql.data, err);
	}
	buffer_release(&sql);
	return ok;
}

static bool
apply_truncate(TargetPg *self, const Txn *txn, const Change *change,
			   const ChangeFilter *filter, Error *err)
{
	bool *wanted = mem_zalloc((size_t) change->truncated_count + 1);
	Buffer sql;
	bool ok = true;

	buffer_init(&sql);
	for (int i = 0; ok && i < change->truncated_count; i++)
	{
		const Relation *relation = change->truncated[i];
		ChangeVerdict verdict = filter->verdict(filter, txn, change, relation);

		wanted[i] = verdict == VERDICT_APPLY;
		if (verdict != VERDICT_SKIP)
			ok = relation_check(self, txn, relation, filter, err);
		if (ok && verdict == VERDICT_PARTLY)
			ok = apply_truncate_partly(self, txn, change, relation, filter,
									   err);
	}
	if (ok && truncate_sql(change, wanted, &sql))
		ok = pipeline_send_change(self->pipeline, txn, change, sql.data, err);
	buffer_release(&sql);
	mem_free(wanted);
	return ok;
}

/* Half of an UPDATE: a change of its own, which lives as long as the batch. */
static bool
apply_half(TargetPg *self, const Txn *txn, const Change *change,
		   ChangeKind kind, Error *err)
{
	const Change *half = row_half(txn, change, kind, &self->halves, err);

	return half != NULL &&
		   pipeline_send_row(self->pipeline, txn, half,
							 statement_for(self->statements, half, false), err);
}

static bool
apply_change(TargetPg *self, const Txn *txn, const Change *change,
			 const ChangeFilter *filter, Error *err)
{
	ChangeVerdict verdict;

	if (change->kind == CHANGE_TRUNCATE)
		return apply_truncate(self, txn, change, filter, err);
	verdict = filter->verdict(filter, txn, change, change->relation);
	if (verdict == VERDICT_SKIP)
		return true;
	if (!relation_check(self, txn, change->relation, filter, err))
		return false;
	if (change->kind == CHANGE_NOKEY)
		return row_nokey_error(txn, change, err);
	if (verdict == VERDICT_UNKNOWN)
		return row_unknown_error(txn, change, err);
	if (verdict == VERDICT_AS_INSERT)
		return apply_half(self, txn, change, CHANGE_INSERT, err);
	if (verdict == VERDICT_AS_DELETE)
		return apply_half(self, txn, change, CHANGE_DELETE, err);
	return pipeline_send_row(self->pipeline, txn, change,
							 statement_for(self->statements, change, false),
							 err);
}

/* Of messages only those that carry DDL are in a batch. */
static bool
apply_event(TargetPg *self, const Txn *txn, const Event *event,
			const ChangeFilter *filter, Error *err)
{
	if (event->kind == EVENT_CHANGE)
		return apply_change(self, txn, &event->change, filter, err);
	return event->kind != EVENT_MESSAGE ||
		   ddl_replay(self, txn, &event->message, filter, err);
}

static bool
apply_spans(TargetPg *self, const Batch *batch, const ChangeFilter *filter,
			Error *err)
{
	const BatchSpan *span;
	int i;
	int k;

	for (i = 0; i < batch->span_count; i++)
	{
		span = &batch->spans[i];
		for (k = 0; k < span->count; k++)
		{
			if (!apply_event(self, span->txn, &span->events[k], filter, err))
				return false;
		}
	}
	if (!pipeline_finish(self->pipeline, err) || error_is_set(err))
		return false;
	arena_release(&self->halves);
	return true;
}

static bool
batch_commit(TargetPg *self, const Progress *before, const Progress *after,
			 Error *err)
{
	Pipeline *pipeline = self->pipeline;
	ApplyCounts counts = { .batches = 1, .single_rows = self->open_rows };
	bool ok;

	ok = column_watch_send(&self->watch, self->shapes, pipeline, err) &&
		 ledger_pg_send(pipeline, before->stream, &self->tally.counts, err) &&
		 target_pg_progress_send(self->conn, before, after, &counts, err) &&
		 pipeline_note(pipeline, STEP_PROGRESS, err);
	/* a test that stops here must find the row set: wait for it */
	if (ok && failpoint_active)
		ok = pipeline_finish(pipeline, err) &&
			 FAILPOINT(FP_PROGRESS_UPDATED, err);
	ok = ok && pipeline_send(pipeline, STEP_COMMIT, "COMMIT", 0, NULL, err) &&
		 pipeline_send(pipeline, STEP_POSITIONS, target_pg_positions_sql, 0,
					   NULL, err) &&
		 pipeline_finish(pipeline, err);
	if (!ok && pipeline_failed_step(pipeline) == STEP_COLUMNS)
		return column_watch_failed(err);
	if (!ok)
		return pipeline_failed_step(pipeline) == STEP_PROGRESS
				   ? target_pg_progress_failed(before, err)
				   : false;
	self->stored_resume = after->resume_lsn;
	pipeline_positions(pipeline, &self->written, &self->durable);
	return pipeline_leave(pipeline, err) && FAILPOINT(FP_BATCH_COMMITTED, err);
}

/* What is open of a command ends with its transaction. */
static bool
batch_settle(TargetPg *self, const Batch *batch, const ChangeFilter *filter,
			 Error *err)
{
	const Txn *txn = batch->span_count > 0
						 ? batch->spans[batch->span_count - 1].txn
						 : NULL;

	if (txn != NULL && !ddl_replay_finish(self, txn, filter, err))
		return false;
	relation_tell_created(self);
	return true;
}

bool
target_pg_apply(Target *target, const Batch *batch, const ChangeFilter *filter,
				const Progress *before, const Progress *after, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	bool ok;

	error_clear(err);
	ok = (!batch->first || batch_begin(self, err)) &&
		 apply_spans(self, batch, filter, err) &&
		 FAILPOINT(FP_BATCH_APPLIED, err);
	self->open_rows += batch->rows;
	if (batch->ledger != NULL)
		ledger_add(&self->tally.counts, batch->ledger->entries,
				   batch->ledger->count);
	if (ok && batch->last)
		ok = batch_settle(self, batch, filter, err) &&
			 batch_commit(self, before, after, err);
	else if (ok)
		ok = FAILPOINT(FP_PIECE_APPLIED, err);
	if (!ok)
		target_pg_rollback(target);
	return ok;
}

void
target_pg_rollback(Target *target)
{
	TargetPg *self = (TargetPg *) target;
	Error ignored = ERROR_INIT;

	arena_release(&self->halves);
	target_pg_ddl_forget(self);
	if (self->conn == NULL)
		return;
	(void) !pipeline_leave(self->pipeline, &ignored);
	if (!pg_conn_alive(self->conn))
		return;
	pg_rollback(self->conn);
	/* a PREPARE that was skipped after the error is unknown to the server */
	statement_cache_clear(self->statements);
	(void) !pg_exec(self->conn, &ignored, "DEALLOCATE ALL");
}

/* A commit that waits for the disk, and so for all that is before it. */
static bool
flush(PgConn *conn, Error *err)
{
	return pg_exec(conn, err,
				   "BEGIN; SET LOCAL synchronous_commit = local;"
				   "SELECT pg_logical_emit_message(true, 'portage.flush', '');"
				   "COMMIT");
}

/*
 * With synchronous_commit=off a commit is durable once the log has been flushed
 * beyond it; the WAL writer does that within three times wal_writer_delay.
 */
/*
 * Have the WAL writer work now.  Small transactions wake it with every
 * asynchronous commit; a large one would fill the WAL buffers before it wakes by
 * itself, and then write, and flush each segment, in the middle of its rows
 * (XLogSetAsyncXactLSN() and AdvanceXLInsertBuffer(), xlog.c).
 */
static const char wake_and_ask_sql[] =
	"SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn(),"
	" pg_logical_emit_message(false, 'portage.flush', '')";

bool
target_pg_durability(Target *target, DurabilityWish wish,
					 TargetDurability *durability, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res;

	if (wish == DURABILITY_FORCED && !flush(self->conn, err))
		return false;
	if (wish != DURABILITY_KNOWN)
	{
		res = pg_query(self->conn, err,
					   wish == DURABILITY_ASKED ? wake_and_ask_sql
												: target_pg_positions_sql);
		if (res == NULL)
			return false;
		self->durable = pg_value_lsn(res, 0, 1);
		PQclear(res);
	}
	durability->written = self->written;
	durability->durable = self->durable;
	return true;
}

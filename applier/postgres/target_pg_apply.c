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
#include "postgres/pipeline_pg.h"
#include "postgres/row_error.h"
#include "postgres/statement_pg.h"
#include "postgres/target_pg.h"

static const char positions_sql[] =
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

static bool
nokey_error(const Txn *txn, const Change *change, Error *err)
{
	const Relation *relation = change->relation;

	error_set(err, P_NO_IDENTITY, "the WAL does not say which row was meant");
	error_hint(err,
			   "On the source: ALTER TABLE \"%s\".\"%s\" REPLICA IDENTITY "
			   "FULL, or give it a primary key; this change is in the WAL "
			   "already, so the table has to be copied again.",
			   relation->schema, relation->name);
	return row_error(err, txn, change);
}

static bool
apply_truncate(TargetPg *self, const Txn *txn, const Change *change,
			   const ChangeFilter *filter, Error *err)
{
	bool *wanted = mem_zalloc((size_t) change->truncated_count + 1);
	Buffer sql;
	bool ok = true;
	int i;

	buffer_init(&sql);
	for (i = 0; i < change->truncated_count; i++)
		wanted[i] = filter->applies(filter, txn, change, change->truncated[i]);
	if (truncate_sql(change, wanted, &sql))
		ok = pipeline_send_change(self->pipeline, txn, change, sql.data, err);
	buffer_release(&sql);
	mem_free(wanted);
	return ok;
}

static bool
apply_change(TargetPg *self, const Txn *txn, const Change *change,
			 const ChangeFilter *filter, Error *err)
{
	if (change->kind == CHANGE_TRUNCATE)
		return apply_truncate(self, txn, change, filter, err);
	if (!filter->applies(filter, txn, change, change->relation))
		return true;
	if (change->kind == CHANGE_NOKEY)
		return nokey_error(txn, change, err);
	return pipeline_send_row(self->pipeline, txn, change,
							 statement_for(self->statements, change), err);
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
			if (span->events[k].kind == EVENT_CHANGE &&
				!apply_change(self, span->txn, &span->events[k].change, filter,
							  err))
				return false;
		}
	}
	return pipeline_finish(self->pipeline, err) && error_is_set(err) == false;
}

static bool
batch_commit(TargetPg *self, const Progress *before, const Progress *after,
			 Error *err)
{
	Pipeline *pipeline = self->pipeline;
	bool ok;

	ok = target_pg_progress_send(self->conn, before, after, err) &&
		 pipeline_note(pipeline, STEP_PROGRESS, err);
	/* a test that stops here must find the row set: wait for it */
	if (ok && failpoint_active)
		ok = pipeline_finish(pipeline, err) &&
			 FAILPOINT(FP_PROGRESS_UPDATED, err);
	ok = ok && pipeline_send(pipeline, STEP_COMMIT, "COMMIT", 0, NULL, err) &&
		 pipeline_send(pipeline, STEP_POSITIONS, positions_sql, 0, NULL, err) &&
		 pipeline_finish(pipeline, err);
	if (!ok)
		return pipeline_failed_step(pipeline) == STEP_PROGRESS
				   ? target_pg_progress_failed(before, err)
				   : false;
	self->stored_resume = after->resume_lsn;
	pipeline_positions(pipeline, &self->written, &self->durable);
	return pipeline_leave(pipeline, err) && FAILPOINT(FP_BATCH_COMMITTED, err);
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
	if (ok && batch->last)
		ok = batch_commit(self, before, after, err);
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

/*
 * With synchronous_commit=off a commit is durable once the log has been flushed
 * beyond it; the WAL writer does that within three times wal_writer_delay.
 */
bool
target_pg_durability(Target *target, bool ask, TargetDurability *durability,
					 Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res;

	if (ask && self->durable < self->written)
	{
		res = pg_query(self->conn, err, positions_sql);
		if (res == NULL)
			return false;
		self->durable = pg_value_lsn(res, 0, 1);
		PQclear(res);
	}
	durability->written = self->written;
	durability->durable = self->durable;
	return true;
}

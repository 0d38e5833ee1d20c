/*
 * target_pg_writer.c
 *		Plans, on connections of their own.
 *
 * A target transaction is the one of target_pg_apply.c: BEGIN, the message that
 * marks it as ours, the rows, then, once every answer is known, the check of the
 * columns, the compare-and-set of the progress row and COMMIT.  What differs is
 * how the rows get there.  Nothing here looks at or changes what is known of the
 * tables: a plan names facts that hold while it is written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/column_watch.h"
#include "postgres/pipeline_pg.h"
#include "plan/row_error.h"
#include "postgres/statement_pg.h"
#include "postgres/table_facts.h"
#include "postgres/target_pg_copy.h"
#include "postgres/target_pg_kept.h"
#include "postgres/vector_pg.h"

/* so few rows of a vector are written by their own statements */
#define FEW_ROWS 3

/* what a row by an array costs more than one by COPY, about */
#define COPY_GAIN_US 2
#define COPY_ROUND_TRIPS 3
#define COPY_MIN_ROWS 32

struct TargetWriter
{
	TargetPg *target;
	PgConn *conn;
	LedgerTally tally; /* of this transaction */
	StatementCache *statements;
	Pipeline *pipeline;
	VectorSender *vectors;
	bool piped;			 /* the pipeline is entered */
	Arena rows;			 /* changes that rows of vectors become */
	uint64_t altered;	 /* the target's count, at the last BEGIN */
	int64_t copy_rows;	 /* as many are worth a COPY */
	ColumnMarks touched; /* tables of this transaction */
	uint8_t *seen;		 /* a bit for each of them, by id */
	size_t seen_bytes;
};

/* a target whose answers take longer is far away */
#define FAR_US 2000
#define ROUND_TRIPS_MEASURED 3

/*
 * How long the shortest of some round trips takes: a server that is busy is slow
 * once, one that is far away is slow each time.
 */
static bool
measure_round_trip(PgConn *conn, int64_t *us, Error *err)
{
	*us = INT64_MAX;
	for (int i = 0; i < ROUND_TRIPS_MEASURED; i++)
	{
		int64_t begun_us = clock_us();
		int64_t took_us;

		if (!pg_exec(conn, err, "SELECT 1"))
			return false;
		took_us = clock_us() - begun_us;
		if (took_us < *us)
			*us = took_us;
	}
	return true;
}

TargetWriter *
target_pg_writer_open(Target *target, bool many, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	TargetWriter *writer = mem_zalloc(sizeof(*writer));
	bool replica_role;
	int64_t us;

	writer->target = self;
	arena_init(&writer->rows);
	column_marks_init(&writer->touched);
	writer->conn = target_pg_session(self, "writer", &replica_role, err);
	if (writer->conn == NULL || !target_pg_prefer_indexes(writer->conn, err) ||
		(many && !pg_exec(writer->conn, err, "SET lock_timeout = '5s'")) ||
		!measure_round_trip(writer->conn, &us, err))
	{
		target_pg_writer_close(writer);
		return NULL;
	}
	pg_conn_send_ahead(writer->conn);
	writer->copy_rows = us * COPY_ROUND_TRIPS / COPY_GAIN_US;
	if (writer->copy_rows < COPY_MIN_ROWS)
		writer->copy_rows = COPY_MIN_ROWS;
	writer->statements = statement_cache_new();
	writer->pipeline = pipeline_new(writer->conn);
	pipeline_set_tally(writer->pipeline, &writer->tally);
	if (us > FAR_US)
		pipeline_set_far(writer->pipeline);
	writer->vectors = vector_sender_new(writer->conn, writer->pipeline,
										writer->statements);
	return writer;
}

void
target_pg_writer_close(TargetWriter *writer)
{
	if (writer == NULL)
		return;
	pg_conn_close(writer->conn);
	vector_sender_free(writer->vectors);
	statement_cache_free(writer->statements);
	pipeline_free(writer->pipeline);
	ledger_tally_release(&writer->tally);
	arena_release(&writer->rows);
	column_marks_release(&writer->touched);
	mem_free(writer->seen);
	mem_free(writer);
}

/* Statements of tables that were altered, or too many of them. */
static bool
forget_statements(TargetWriter *writer, Error *err)
{
	if (writer->altered == writer->target->altered &&
		!statement_cache_full(writer->statements))
		return true;
	writer->altered = writer->target->altered;
	statement_cache_clear(writer->statements);
	return pg_exec(writer->conn, err, "DEALLOCATE ALL");
}

static bool
pipe_enter(TargetWriter *writer, Error *err)
{
	if (!writer->piped && !pipeline_enter(writer->pipeline, err))
		return false;
	writer->piped = true;
	return true;
}

static bool
pipe_leave(TargetWriter *writer, Error *err)
{
	if (!writer->piped)
		return true;
	writer->piped = false;
	return pipeline_settle(writer->pipeline, err);
}

bool
target_pg_writer_begin(TargetWriter *writer, Error *err)
{
	const char *params[] = { writer->target->origin_nonce };

	column_marks_release(&writer->touched);
	column_marks_init(&writer->touched);
	ledger_tally_reset(&writer->tally);
	if (writer->seen_bytes > 0)
		memset(writer->seen, 0, writer->seen_bytes);
	if (!forget_statements(writer, err) || !pipe_enter(writer, err))
		return false;
	return pipeline_send(writer->pipeline, STEP_COMMAND, "BEGIN", 0, NULL,
						 err) &&
		   pipeline_send(
			   writer->pipeline, STEP_COMMAND,
			   "SELECT pg_logical_emit_message(true, 'portage.origin',"
			   " $1::text)",
			   1, params, err) &&
		   pipeline_send(writer->pipeline, STEP_COMMAND,
						 "SET CONSTRAINTS ALL DEFERRED", 0, NULL, err) &&
		   FAILPOINT(FP_BATCH_BEGUN, err);
}

/* Its columns are compared at the end; the state's are nobody's to alter. */
static void
touch(TargetWriter *writer, const PlanTable *table)
{
	const TableFacts *facts = (const TableFacts *) table;
	size_t byte = table->id / 8;

	if (table->relation->internal)
		return;
	if (byte >= writer->seen_bytes)
	{
		writer->seen = mem_realloc(writer->seen, byte * 2 + 64);
		memset(writer->seen + writer->seen_bytes, 0,
			   byte * 2 + 64 - writer->seen_bytes);
		writer->seen_bytes = byte * 2 + 64;
	}
	if ((writer->seen[byte] & (1 << (table->id % 8))) != 0)
		return;
	writer->seen[byte] |= (uint8_t) (1 << (table->id % 8));
	column_marks_add(&writer->touched, facts->target_oid, facts->mark);
}

static bool
write_row(TargetWriter *writer, const PlanTable *table, const Txn *txn,
		  const Change *change, Error *err)
{
	touch(writer, table);
	return pipe_enter(writer, err) &&
		   pipeline_send_row(
			   writer->pipeline, txn, change,
			   statement_for(writer->statements, change, table->keyed), err);
}

/* What the row came to, as if the source had said it at once. */
static bool
write_op(TargetWriter *writer, const PlanVector *vector, const PlanOp *op,
		 Error *err)
{
	static const ChangeKind kinds[] = {
		[PLAN_INSERT] = CHANGE_INSERT,
		[PLAN_UPDATE] = CHANGE_UPDATE,
		[PLAN_DELETE] = CHANGE_DELETE,
		[PLAN_PUT] = CHANGE_PUT,
		[PLAN_MAYBE_DELETE] = CHANGE_MAYBE_DELETE,
	};
	bool by_key = vector->kind != PLAN_INSERT && vector->kind != PLAN_PUT;
	Change *change = ARENA_NEW(&writer->rows, Change);

	change->kind = kinds[vector->kind];
	change->relation = vector->table->relation;
	if (by_key)
	{
		change->old_kind = WIRE_OLD_KEY;
		change->old_values = op->key;
	}
	if (vector->kind != PLAN_DELETE && vector->kind != PLAN_MAYBE_DELETE)
		change->new_values = op->values;
	return write_row(writer, vector->table, op->txn, change, err);
}

static bool
inserts_nothing(const PlanVector *vector)
{
	for (int i = 0; i < vector->table->relation->column_count; i++)
	{
		if (plan_column_in(vector->columns, i))
			return false;
	}
	return vector->kind == PLAN_INSERT;
}

static bool
write_vector(TargetWriter *writer, const PlanVector *vector, Error *err)
{
	bool ok = true;

	if (vector->count <= FEW_ROWS || inserts_nothing(vector))
	{
		for (int i = 0; ok && i < vector->count; i++)
			ok = write_op(writer, vector, vector->ops[i], err);
		return ok;
	}
	touch(writer, vector->table);
	if (vector->kind == PLAN_INSERT && vector->count >= writer->copy_rows)
		return pipe_leave(writer, err) &&
			   vector_copy(writer->vectors, vector, err);
	return pipe_enter(writer, err) && vector_send(writer->vectors, vector, err);
}

/* All that it truncates is as the relations say, and no copy shows it. */
static bool
write_truncate(TargetWriter *writer, const Txn *txn, const Change *change,
			   const ChangeFilter *filter, Error *err)
{
	bool *wanted = mem_zalloc((size_t) change->truncated_count + 1);
	Buffer sql;
	bool ok = true;

	buffer_init(&sql);
	for (int i = 0; i < change->truncated_count; i++)
		wanted[i] = filter->verdict(filter, txn, change,
									change->truncated[i]) == VERDICT_APPLY;
	if (truncate_sql(change, wanted, &sql))
		ok = pipe_enter(writer, err) &&
			 pipeline_send_change(writer->pipeline, txn, change, sql.data, err);
	buffer_release(&sql);
	mem_free(wanted);
	return ok;
}

/* For who compares the table with what is announced later. */
static bool
write_relation(TargetWriter *writer, const Relation *relation, Error *err)
{
	char oid[16];
	char storage[16];
	const char *params[] = { writer->target->base.config->stream, oid,
							 storage };

	snprintf(oid, sizeof(oid), "%" PRIu32, relation->oid);
	snprintf(storage, sizeof(storage), "%" PRIu32, relation->storage);
	return pipe_enter(writer, err) &&
		   pipeline_send(writer->pipeline, STEP_COMMAND,
						 "UPDATE portage.relation SET storage = $3::oid"
						 " WHERE stream = $1 AND table_oid = $2::oid",
						 3, params, err);
}

static bool
write_step(TargetWriter *writer, const PlanStep *step,
		   const ChangeFilter *filter, Error *err)
{
	switch (step->kind)
	{
		case PLAN_STEP_VECTOR:
			return write_vector(writer, &step->vector, err);
		case PLAN_STEP_ROW:
			return write_row(writer, step->table, step->txn, step->change, err);
		case PLAN_STEP_EVENT:
			BUG_UNLESS(step->event->kind == EVENT_CHANGE);
			return write_truncate(writer, step->txn, &step->event->change,
								  filter, err);
		case PLAN_STEP_RELATION:
			return write_relation(writer, step->relation, err);
	}
	return true;
}

bool
target_pg_writer_write(TargetWriter *writer, const Plan *plan,
					   const ChangeFilter *filter, Error *err)
{
	bool ok = true;

	for (int i = 0; ok && i < plan->count; i++)
		ok = write_step(writer, &plan->steps[i], filter, err);
	ok = ok && (!writer->piped || pipeline_finish(writer->pipeline, err));
	arena_reset(&writer->rows);
	return ok;
}

bool
target_pg_writer_savepoint(TargetWriter *writer, SavepointVerb verb, Error *err)
{
	static const char *const commands[] = {
		[SAVEPOINT_SET] = "SAVEPOINT piece",
		[SAVEPOINT_RELEASE] = "RELEASE SAVEPOINT piece",
		[SAVEPOINT_ROLLBACK] =
			"ROLLBACK TO SAVEPOINT piece; RELEASE SAVEPOINT piece",
	};
	Error ignored = ERROR_INIT;

	if (verb == SAVEPOINT_ROLLBACK)
	{
		/* after an error nothing but the end of the pipeline is answered */
		writer->piped = false;
		(void) !pipeline_leave(writer->pipeline, &ignored);
		ledger_tally_back(&writer->tally);
		/* a PREPARE that was skipped after the error is unknown to the server */
		statement_cache_clear(writer->statements);
		return pg_exec(writer->conn, err, commands[verb]) &&
			   pg_exec(writer->conn, err, "DEALLOCATE ALL");
	}
	if (!pipe_leave(writer, err) || !pg_exec(writer->conn, err, commands[verb]))
		return false;
	if (verb == SAVEPOINT_SET)
		ledger_tally_set(&writer->tally);
	else
		ledger_tally_keep(&writer->tally);
	return true;
}

/* ---- a chunk of the copy */

/*
 * In a mode that excludes itself and all who write.  A try that fails takes back the
 * savepoint, and not the transaction.
 */
static bool
lock_table(TargetWriter *writer, const PlanTable *table, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "LOCK TABLE ONLY ");
	pg_quote_table(&sql, table->relation->schema, table->relation->name);
	buffer_puts(&sql, " IN SHARE ROW EXCLUSIVE MODE");
	ok = pg_exec(writer->conn, err,
				 "SAVEPOINT lock; SET LOCAL lock_timeout = '2s'") &&
		 pg_exec(writer->conn, err, sql.data) &&
		 pg_exec(writer->conn, err,
				 "RELEASE SAVEPOINT lock; SET LOCAL lock_timeout TO DEFAULT");
	buffer_release(&sql);
	return ok;
}

bool
target_pg_writer_lock(TargetWriter *writer, const PlanTable *table,
					  bool *locked, Error *err)
{
	*locked = false;
	if (!pipe_leave(writer, err))
		return false;
	*locked = lock_table(writer, table, err);
	if (*locked)
		return true;
	if (!err->lock_wait)
		return false;
	error_clear(err);
	return pg_exec(writer->conn, err,
				   "ROLLBACK TO SAVEPOINT lock; RELEASE SAVEPOINT lock");
}

bool
target_pg_writer_keep(TargetWriter *writer, const KeptRow *rows, int count,
					  Error *err)
{
	return pipe_leave(writer, err) &&
		   kept_pg_put(writer->conn, writer->target->base.config->stream, rows,
					   count, err);
}

bool
target_pg_writer_chunk(TargetWriter *writer, const Chunk *chunk, Error *err)
{
	return pipe_leave(writer, err) &&
		   target_pg_chunk_done(
			   writer->conn, writer->target->base.config->stream, chunk, err);
}

static bool
send_commit(TargetWriter *writer, const Progress *before, const Progress *after,
			const ApplyCounts *counts, Error *err)
{
	Pipeline *pipeline = writer->pipeline;
	bool ok;

	ok = pipe_enter(writer, err) &&
		 column_marks_send(&writer->touched, pipeline, err) &&
		 ledger_pg_send(pipeline, before->stream, &writer->tally.counts, err) &&
		 target_pg_progress_send(writer->conn, before, after, counts, err) &&
		 pipeline_note(pipeline, STEP_PROGRESS, err);
	/* a test that stops here must find the row set: wait for it */
	if (ok && failpoint_active)
		ok = pipeline_finish(pipeline, err) &&
			 FAILPOINT(FP_PROGRESS_UPDATED, err);
	return ok && pipeline_send(pipeline, STEP_COMMIT, "COMMIT", 0, NULL, err) &&
		   pipeline_send(pipeline, STEP_POSITIONS, target_pg_positions_sql, 0,
						 NULL, err) &&
		   pipe_leave(writer, err);
}

bool
target_pg_writer_commit(TargetWriter *writer, const Progress *before,
						const Progress *after, const ApplyCounts *counts,
						const Ledger *ledger, TargetDurability *durability,
						Error *err)
{
	StepKind failed;

	if (ledger != NULL)
		ledger_add(&writer->tally.counts, ledger->entries, ledger->count);
	if (!send_commit(writer, before, after, counts, err))
	{
		failed = pipeline_failed_step(writer->pipeline);
		if (failed == STEP_COLUMNS)
			return column_watch_failed(err);
		return failed == STEP_PROGRESS ? target_pg_progress_failed(before, err)
									   : false;
	}
	writer->target->stored_resume = after->resume_lsn;
	pipeline_positions(writer->pipeline, &durability->written,
					   &durability->durable);
	return FAILPOINT(FP_BATCH_COMMITTED, err);
}

void
target_pg_writer_rollback(TargetWriter *writer)
{
	Error ignored = ERROR_INIT;

	arena_reset(&writer->rows);
	writer->piped = false;
	(void) !pipeline_leave(writer->pipeline, &ignored);
	if (!pg_conn_alive(writer->conn))
		return;
	pg_rollback(writer->conn);
	statement_cache_clear(writer->statements);
	(void) !pg_exec(writer->conn, &ignored, "DEALLOCATE ALL");
}

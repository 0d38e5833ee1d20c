/*
 * pipeline_pg.c
 *		Sending without waiting, and giving every answer its name.
 *
 * Answers are asked for every FLUSH_EVERY steps and read when twice as many
 * are open, so that the server always has work while we read.  Between errors
 * and the next sync the server skips what was sent; the first error is the one
 * that counts.
 */
#include "postgres/pipeline_pg.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/row_error.h"

#define FLUSH_EVERY 256
#define RING_SIZE 1024
#define MAX_QUEUED_BYTES (1024 * 1024)
#define FAR_QUEUED_BYTES (2 * 1024 * 1024)
/* so that a few vectors fill the queue, however short their values are */
#define VECTOR_BYTES (256 * 1024)

struct Pipeline
{
	PgConn *conn;
	Step ring[RING_SIZE];
	unsigned head;
	unsigned count;
	unsigned since_flush;
	size_t queued_bytes;
	LedgerTally *tally; /* NULL: nothing is counted */
	bool far;
	bool open;
	bool synced; /* the end was sent already */
	StepKind failed;
	uint64_t written;
	uint64_t durable;
	const char **values; /* parameters of one row */
	int *lengths;
	int value_capacity;
};

Pipeline *
pipeline_new(PgConn *conn)
{
	Pipeline *pipeline = mem_zalloc(sizeof(*pipeline));

	pipeline->conn = conn;
	return pipeline;
}

void
pipeline_set_far(Pipeline *pipeline)
{
	pipeline->far = true;
}

void
pipeline_set_tally(Pipeline *pipeline, LedgerTally *tally)
{
	pipeline->tally = tally;
}

void
pipeline_free(Pipeline *pipeline)
{
	if (pipeline == NULL)
		return;
	mem_free(pipeline->values);
	mem_free(pipeline->lengths);
	mem_free(pipeline);
}

StepKind
pipeline_failed_step(const Pipeline *pipeline)
{
	return pipeline->failed;
}

void
pipeline_positions(const Pipeline *pipeline, uint64_t *written,
				   uint64_t *durable)
{
	*written = pipeline->written;
	*durable = pipeline->durable;
}

bool
pipeline_enter(Pipeline *pipeline, Error *err)
{
	error_clear(err);
	if (!PQenterPipelineMode(pipeline->conn->pq))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	pipeline->open = true;
	pipeline->synced = false;
	pipeline->failed = STEP_COMMAND;
	pipeline->head = 0;
	pipeline->count = 0;
	pipeline->since_flush = 0;
	pipeline->queued_bytes = 0;
	return true;
}

static int64_t
rows_of(const PGresult *res)
{
	return strtoll(PQcmdTuples((PGresult *) res), NULL, 10);
}

/* Rows that may not be there: how many were says nothing. */
static bool
vector_counts(const Step *step, const PGresult *res)
{
	return step->vector->kind == PLAN_MAYBE_DELETE ? rows_of(res) <= step->rows
												   : rows_of(res) == step->rows;
}

/* An INSERT that found its key taken: it says so, or there is no row. */
static bool
conflict_counts(Pipeline *pipeline, const ChangeManner *manner,
				const PGresult *res)
{
	int64_t rows = rows_of(res);

	if (rows == 0 && manner->conflict != CONFLICT_OVERWRITE)
		ledger_tally_count(pipeline->tally, manner->entry, LEDGER_KEPT, 1);
	else if (rows != 1)
		return false;
	else if (PQnfields(res) > 0 && pg_value_bool(res, 0, 0))
		ledger_tally_count(pipeline->tally, manner->entry, LEDGER_OVERWRITTEN,
						   1);
	return true;
}

static bool
row_counts(Pipeline *pipeline, const Step *step, const PGresult *res)
{
	const Change *change = step->change;

	if (change->kind == CHANGE_MATCH)
	{
		ledger_tally_count(pipeline->tally, change->manner->entry,
						   LEDGER_MERGED, rows_of(res));
		return true;
	}
	if (change->kind == CHANGE_MAYBE_DELETE)
		return rows_of(res) <= 1;
	if (change_is_barrier(change) && change->relation->key_count > 0)
		return conflict_counts(pipeline, change->manner, res);
	return rows_of(res) == 1;
}

/* Was this answer what its step demands? */
static bool
check_answer(Pipeline *pipeline, const Step *step, const PGresult *res,
			 Error *err)
{
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
	{
		pg_error(pipeline->conn, res, P_APPLY, err);
		if (step->vector != NULL)
			return vector_error(err, step->vector, step->rows);
		return step->change != NULL ? row_error(err, step->txn, step->change)
									: false;
	}
	if (step->kind == STEP_VECTOR && !vector_counts(step, res))
	{
		error_set(err, P_ROW_MISSING, "%s rows were changed instead of %d",
				  PQcmdTuples((PGresult *) res), step->rows);
		return vector_error(err, step->vector, step->rows);
	}
	if (step->kind == STEP_ROW && !row_counts(pipeline, step, res))
	{
		error_set(err, P_ROW_MISSING, "%s rows were changed instead of one",
				  PQcmdTuples((PGresult *) res));
		return row_error(err, step->txn, step->change);
	}
	if (step->kind == STEP_COMMIT &&
		strcmp(PQcmdStatus((PGresult *) res), "COMMIT") != 0)
		return error_set(err, P_APPLY, "the target answered COMMIT with %s",
						 PQcmdStatus((PGresult *) res));
	if (step->kind == STEP_POSITIONS)
	{
		pipeline->written = pg_value_lsn(res, 0, 0);
		pipeline->durable = pg_value_lsn(res, 0, 1);
	}
	return true;
}

/* Read the answer of the oldest step. */
static bool
read_answer(Pipeline *pipeline, Error *err)
{
	Step *step = &pipeline->ring[pipeline->head];
	PGresult *res = NULL;
	PGresult *end = NULL;
	bool ok;

	if (!pg_next_result(pipeline->conn, &res, err))
		return false;
	if (res == NULL)
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	ok = check_answer(pipeline, step, res, err);
	PQclear(res);
	if (!ok)
	{
		pipeline->failed = step->kind;
		return false;
	}
	/* every answer is followed by a NULL */
	if (!pg_next_result(pipeline->conn, &end, err))
		return false;
	if (end != NULL)
		BUG("an answer too many in the pipeline");
	pipeline->head = (pipeline->head + 1) % RING_SIZE;
	pipeline->count--;
	return true;
}

static bool
read_down_to(Pipeline *pipeline, unsigned left, Error *err)
{
	while (pipeline->count > left)
	{
		if (!read_answer(pipeline, err))
			return false;
	}
	return true;
}

static bool
request_flush(Pipeline *pipeline, Error *err)
{
	pipeline->since_flush = 0;
	pipeline->queued_bytes = 0;
	if (!PQsendFlushRequest(pipeline->conn->pq) ||
		PQflush(pipeline->conn->pq) < 0)
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return true;
}

static bool
note_step(Pipeline *pipeline, Step step, size_t bytes, Error *err)
{
	pipeline->ring[(pipeline->head + pipeline->count) % RING_SIZE] = step;
	pipeline->count++;
	pipeline->since_flush++;
	pipeline->queued_bytes += bytes;
	/*
	 * The newest may be at work while the caller makes the next.  From far away
	 * more has to be on its way, so that it lasts until that is there.
	 */
	if (pipeline->queued_bytes >
		(pipeline->far ? FAR_QUEUED_BYTES : MAX_QUEUED_BYTES))
		return request_flush(pipeline, err) &&
			   read_down_to(pipeline, pipeline->far ? pipeline->count / 2 : 1,
							err);
	if (pipeline->since_flush < FLUSH_EVERY)
		return true;
	return request_flush(pipeline, err) &&
		   read_down_to(pipeline, FLUSH_EVERY, err);
}

bool
pipeline_note(Pipeline *pipeline, StepKind kind, Error *err)
{
	Step step = { .kind = kind };

	return note_step(pipeline, step, 0, err);
}

bool
pipeline_send(Pipeline *pipeline, StepKind kind, const char *sql, int nparams,
			  const char *const *params, Error *err)
{
	if (!PQsendQueryParams(pipeline->conn->pq, sql, nparams, NULL, params, NULL,
						   NULL, 0))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return pipeline_note(pipeline, kind, err);
}

bool
pipeline_send_change(Pipeline *pipeline, const Txn *txn, const Change *change,
					 const char *sql, Error *err)
{
	Step step = { .kind = STEP_COMMAND, .change = change, .txn = txn };

	if (!PQsendQueryParams(pipeline->conn->pq, sql, 0, NULL, NULL, NULL, NULL,
						   0))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return note_step(pipeline, step, strlen(sql), err);
}

static void
reserve_values(Pipeline *pipeline, int count)
{
	if (count <= pipeline->value_capacity)
		return;
	pipeline->value_capacity = count * 2;
	pipeline->values = mem_realloc(
		pipeline->values, sizeof(char *) * (size_t) pipeline->value_capacity);
	pipeline->lengths = mem_realloc(
		pipeline->lengths, sizeof(int) * (size_t) pipeline->value_capacity);
}

/* Values are NUL-terminated in the frame: text goes out as it lies there. */
static size_t
collect_values(Pipeline *pipeline, const Change *change,
			   const Statement *statement)
{
	const Value *value;
	size_t bytes = 0;
	int i;

	reserve_values(pipeline, statement->param_count);
	for (i = 0; i < statement->param_count; i++)
	{
		value = &(statement->params[i].old
					  ? change->old_values
					  : change->new_values)[statement->params[i].column];
		pipeline->values[i] = value->state == WIRE_COL_PRESENT ? value->data
															   : NULL;
		pipeline->lengths[i] = (int) value->len;
		bytes += value->len;
	}
	return bytes;
}

/* On its way before the first use; step says whose it is. */
static bool
prepare(Pipeline *pipeline, Statement *statement, Step step, Error *err)
{
	if (statement->prepared)
		return true;
	if (!PQsendPrepare(pipeline->conn->pq, statement->name, statement->sql, 0,
					   NULL))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	statement->prepared = true;
	step.kind = STEP_COMMAND;
	return note_step(pipeline, step, strlen(statement->sql), err);
}

bool
pipeline_send_row(Pipeline *pipeline, const Txn *txn, const Change *change,
				  Statement *statement, Error *err)
{
	Step step = { .kind = STEP_ROW, .change = change, .txn = txn };
	size_t bytes;

	if (!prepare(pipeline, statement, step, err))
		return false;
	bytes = collect_values(pipeline, change, statement);
	if (!PQsendQueryPrepared(pipeline->conn->pq, statement->name,
							 statement->param_count, pipeline->values,
							 pipeline->lengths, statement->formats, 0))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return note_step(pipeline, step, bytes, err);
}

bool
pipeline_send_vector(Pipeline *pipeline, const PlanVector *vector, int rows,
					 Statement *statement, const VectorArrays *arrays,
					 Error *err)
{
	Step step = { .kind = STEP_VECTOR, .vector = vector, .rows = rows };
	size_t bytes = 0;

	if (!prepare(pipeline, statement, step, err))
		return false;
	for (int i = 0; i < statement->param_count; i++)
		bytes += (size_t) arrays->lengths[i];
	bytes += VECTOR_BYTES;
	if (!PQsendQueryPrepared(pipeline->conn->pq, statement->name,
							 statement->param_count, arrays->values,
							 arrays->lengths, arrays->formats, 0))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return note_step(pipeline, step, bytes, err);
}

bool
pipeline_finish(Pipeline *pipeline, Error *err)
{
	return pipeline->count == 0 ||
		   (request_flush(pipeline, err) && read_down_to(pipeline, 0, err));
}

bool
pipeline_settle(Pipeline *pipeline, Error *err)
{
	if (!pipeline->open)
		return true;
	if (!PQpipelineSync(pipeline->conn->pq))
		return pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	pipeline->synced = true;
	return read_down_to(pipeline, 0, err) && pipeline_leave(pipeline, err);
}

bool
pipeline_leave(Pipeline *pipeline, Error *err)
{
	Error ignored = ERROR_INIT;
	PGresult *res = NULL;
	ExecStatusType status = PGRES_COMMAND_OK;

	if (!pipeline->open)
		return true;
	pipeline->open = false;
	if (!pipeline->synced && !PQpipelineSync(pipeline->conn->pq))
		return error_is_set(err)
				   ? false
				   : pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	while (status != PGRES_PIPELINE_SYNC)
	{
		if (!pg_conn_alive(pipeline->conn) ||
			!pg_next_result(pipeline->conn, &res, &ignored))
			return error_is_set(err) ? false
									 : error_set(err, P_CONNECTION_LOST, "%s",
												 ignored.message);
		status = res != NULL ? PQresultStatus(res) : PGRES_COMMAND_OK;
		PQclear(res);
	}
	if (!PQexitPipelineMode(pipeline->conn->pq))
		return error_is_set(err)
				   ? false
				   : pg_error(pipeline->conn, NULL, P_CONNECTION_LOST, err);
	return true;
}

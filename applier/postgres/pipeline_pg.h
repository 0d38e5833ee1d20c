/*
 * pipeline_pg.h
 *		Statements that were sent and not yet answered, in order.
 *
 * libpq's pipeline mode (client 14 or newer) lets us send without waiting; the
 * server answers in order, so a ring of what was sent gives every answer its
 * name: which row it belongs to and what it must have done.
 */
#ifndef PORTAGE_PIPELINE_PG_H
#define PORTAGE_PIPELINE_PG_H

#include "change.h"
#include "ledger.h"
#include "plan/plan.h"
#include "postgres/pg_conn.h"
#include "postgres/statement_pg.h"

typedef enum StepKind
{
	STEP_COMMAND,  /* must succeed */
	STEP_ROW,	   /* must affect one row; what rules make may, or none */
	STEP_VECTOR,   /* must affect as many rows as it has; or may, at most */
	STEP_COLUMNS,  /* column_watch.h */
	STEP_PROGRESS, /* the compare-and-set */
	STEP_COMMIT,   /* must answer COMMIT */
	STEP_POSITIONS /* written and flushed log positions */
} StepKind;

typedef struct Step
{
	StepKind kind;
	const Change *change; /* ROW, and TRUNCATE as COMMAND */
	const Txn *txn;
	const PlanVector *vector; /* VECTOR, or a part of it */
	int rows;
} Step;

typedef struct Pipeline Pipeline;

Pipeline *pipeline_new(PgConn *conn);
void pipeline_free(Pipeline *pipeline);

/* Where rows that matched, and conflicts, are counted; lives as long as it. */
void pipeline_set_tally(Pipeline *pipeline, LedgerTally *tally);

/* A round trip takes longer than most statements: more of them are sent ahead. */
void pipeline_set_far(Pipeline *pipeline);

bool pipeline_enter(Pipeline *pipeline, Error *err) MUST_CHECK;

/* Send one statement; may read some answers meanwhile. */
bool
pipeline_send(Pipeline *pipeline, StepKind kind, const char *sql, int nparams,
			  const char *const *params, Error *err) MUST_CHECK;
bool
pipeline_send_change(Pipeline *pipeline, const Txn *txn, const Change *change,
					 const char *sql, Error *err) MUST_CHECK;
bool pipeline_send_row(Pipeline *pipeline, const Txn *txn, const Change *change,
					   Statement *statement, Error *err) MUST_CHECK;

/* One parameter for each array; format is 1 for those that are binary. */
typedef struct VectorArrays
{
	const char **values;
	int *lengths;
	int *formats;
} VectorArrays;

/* So many rows of a vector. */
bool pipeline_send_vector(Pipeline *pipeline, const PlanVector *vector,
						  int rows, Statement *statement,
						  const VectorArrays *arrays, Error *err) MUST_CHECK;

/* Note what was sent by other means. */
bool pipeline_note(Pipeline *pipeline, StepKind kind, Error *err) MUST_CHECK;

/* Read every answer; the first that is not as it must be is the error. */
bool pipeline_finish(Pipeline *pipeline, Error *err) MUST_CHECK;

/* The same and leave, in one round trip; after an error it is still to be left. */
bool pipeline_settle(Pipeline *pipeline, Error *err) MUST_CHECK;

/* The answer of STEP_POSITIONS. */
void pipeline_positions(const Pipeline *pipeline, uint64_t *written,
						uint64_t *durable);

/* Which step's answer was the error. */
StepKind pipeline_failed_step(const Pipeline *pipeline);

/* Sync, read what is left, leave pipeline mode; after errors, too. */
bool pipeline_leave(Pipeline *pipeline, Error *err);

#endif /* PORTAGE_PIPELINE_PG_H */

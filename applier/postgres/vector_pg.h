/*
 * vector_pg.h
 *		Vectors on their way to a PostgreSQL target.
 *
 * Statements take their rows from arrays and go through the pipeline; COPY, which
 * is faster for many rows, does not: libpq knows no COPY within one, so it costs
 * round trips.  Each must affect exactly the rows that the vector has.
 */
#ifndef PORTAGE_VECTOR_PG_H
#define PORTAGE_VECTOR_PG_H

#include "plan/plan.h"
#include "postgres/pipeline_pg.h"

typedef struct VectorSender VectorSender;

VectorSender *
vector_sender_new(PgConn *conn, Pipeline *pipeline, StatementCache *statements);
void vector_sender_free(VectorSender *sender);

/* By arrays: sends, may read answers of what was sent before. */
bool vector_send(VectorSender *sender, const PlanVector *vector,
				 Error *err) MUST_CHECK;

/* INSERT by COPY, with the pipeline left; at least one column is inserted. */
bool vector_copy(VectorSender *sender, const PlanVector *vector,
				 Error *err) MUST_CHECK;

#endif /* PORTAGE_VECTOR_PG_H */

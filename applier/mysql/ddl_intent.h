/*
 * ddl_intent.h
 *		A plan on the target: portage_intent.
 *
 * DDL commits by itself, so the whole plan is noted before its first statement,
 * and each step when it has been carried out, together with what holds of the
 * tables from then on.  A step that is found and not noted as done is looked for
 * in the target's catalog.  The plan stays until its source transaction is
 * committed: whoever begins that again knows by it what is done already.
 *
 * kind: "before" and "after" are to be done before and behind the rows, "done"
 * says it.  Rows of one number are one step, the first has its statement.
 */
#ifndef PORTAGE_DDL_INTENT_H
#define PORTAGE_DDL_INTENT_H

#include "mysql/ddl_plan.h"

/* Note the plan, in a transaction of its own. */
bool ddl_intent_store(TargetMysql *self, const Progress *progress,
					  const DdlPlan *plan, Error *err) MUST_CHECK;

/* What is noted of the stream; no steps if nothing is.  P_PROGRESS. */
bool ddl_intent_load(TargetMysql *self, DdlPlan *plan, Error *err) MUST_CHECK;

/*
 * Carry out all steps of that state.  found: they were noted by somebody else, so
 * the first may have been through.  P_DDL_STREAM.
 */
bool ddl_intent_run(TargetMysql *self, const Progress *progress, DdlPlan *plan,
					DdlStepState state, bool found, Error *err) MUST_CHECK;

/* The source transaction is committed and all is done: forget the plan. */
bool ddl_intent_forget(TargetMysql *self, const Progress *progress,
					   Error *err) MUST_CHECK;

/* Inside a transaction: what holds of a table from now on. */
bool ddl_noted_store(MyConn *conn, const char *stream, const DdlNoted *noted,
					 Error *err) MUST_CHECK;

#endif /* PORTAGE_DDL_INTENT_H */

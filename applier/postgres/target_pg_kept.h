/*
 * target_pg_kept.h
 *		What rules leave on a PostgreSQL target: portage.ledger, portage.kept.
 */
#ifndef PORTAGE_TARGET_PG_KEPT_H
#define PORTAGE_TARGET_PG_KEPT_H

#include "postgres/pipeline_pg.h"
#include "postgres/target_pg.h"

/* Send it as part of a transaction, to be added to what is there; or wait. */
bool ledger_pg_send(Pipeline *pipeline, const char *stream,
					const Ledger *ledger, Error *err) MUST_CHECK;
bool ledger_pg_add(PgConn *conn, const char *stream, const Ledger *ledger,
				   Error *err) MUST_CHECK;

/* Those of a table that is emptied, and what is counted of its rows. */
bool kept_pg_remove(PgConn *conn, const char *stream, const Table *table,
					Error *err) MUST_CHECK;

/* Add or replace these rows in the open transaction. */
bool kept_pg_put(PgConn *conn, const char *stream, const KeptRow *rows,
				 int count, Error *err) MUST_CHECK;

/* How rows of portage.kept are planned for; read once per connection. */
bool kept_pg_look(TargetPg *self, const Relation *relation,
				  const PlanTable **table, Error *err) MUST_CHECK;
void kept_pg_forget(TargetPg *self);

/* Is there such a table?  A state may be older than these. */
bool table_pg_exists(PgConn *conn, const char *name, bool *exists,
					 Error *err) MUST_CHECK;

/* TargetOps */
bool target_pg_ledger_list(Target *target, Arena *arena, LedgerEntry **entries,
						   int *count, Error *err);
bool target_pg_kept_visit(Target *target, const char *area, KeptVisitor visitor,
						  void *arg, Error *err);

#endif /* PORTAGE_TARGET_PG_KEPT_H */

/*
 * pg_check.h
 *		What the preflights of a PostgreSQL source and target share.
 */
#ifndef PORTAGE_PG_CHECK_H
#define PORTAGE_PG_CHECK_H

#include "finding.h"
#include "needs.h"
#include "postgres/pg_conn.h"

/*
 * Is the server that answers (its pg_backend_pid() is pid) the one that greeted
 * us?  Something in between that hands out sessions breaks what they hold.
 */
void pg_check_pooler(const PgConn *conn, const char *pid, Findings *findings);

/* Are there connections left for so many jobs and those beside them? */
bool pg_check_connections(PgConn *conn, int jobs, int beside,
						  Findings *findings, Error *err) MUST_CHECK;

/*
 * Version, encoding and locale of the database that we are connected to; the
 * rest of needs is empty.
 */
bool
pg_locale_read(PgConn *conn, Arena *arena, Needs *needs, Error *err) MUST_CHECK;

#endif /* PORTAGE_PG_CHECK_H */

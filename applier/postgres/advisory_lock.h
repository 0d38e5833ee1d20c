/*
 * advisory_lock.h
 *		Who holds an advisory lock that sessions take by the hash of a name.
 */
#ifndef PORTAGE_ADVISORY_LOCK_H
#define PORTAGE_ADVISORY_LOCK_H

#include "postgres/pg_conn.h"

/* The lock of a name, which is $1; kind: a literal that tells its locks apart. */
#define ADVISORY_LOCK_KEY(kind) "hashtextextended('" kind "' || $1, 0)"

/*
 * The backend that has the lock, and who that is, in words; *pid is 0 if nobody has
 * it any more.
 */
bool
advisory_lock_holder(PgConn *conn, const char *kind, const char *name, int *pid,
					 char *owner, size_t owner_size, Error *err) MUST_CHECK;

/* Have the server end the session of that backend; does not wait for it. */
bool advisory_lock_end(PgConn *conn, int pid, Error *err) MUST_CHECK;

#endif /* PORTAGE_ADVISORY_LOCK_H */

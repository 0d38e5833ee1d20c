/*
 * copy_in.h
 *		Data on its way to COPY FROM STDIN, on a connection that has begun one.
 */
#ifndef PORTAGE_COPY_IN_H
#define PORTAGE_COPY_IN_H

#include "base/slice.h"
#include "postgres/pg_conn.h"

/*
 * Send some of it, and wait until libpq holds nothing of it any more: memory is
 * bounded by what the caller sends at once.
 */
bool copy_in_data(PgConn *conn, Slice data, Error *err) MUST_CHECK;

/*
 * End of data, or with a reason an error that the server shall take it for.
 * copy_in_result tells what came of it: *rows as the server counted them.
 */
bool copy_in_end(PgConn *conn, const char *reason, Error *err) MUST_CHECK;
bool copy_in_result(PgConn *conn, int64_t *rows, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_IN_H */

/*
 * load_write.h
 *		Rows into a table by LOAD DATA LOCAL or by INSERT, and the proof that the
 *		server has taken each of them as it was.
 *
 * Rows are what load_rows_convert() has made of them, for both: LOAD DATA turns
 * errors into warnings and leaves rows out, whatever sql_mode says, so one that
 * warns has failed.  All is within the transaction of the caller.
 */
#ifndef PORTAGE_LOAD_WRITE_H
#define PORTAGE_LOAD_WRITE_H

#include "mysql/load_pipe.h"
#include "mysql/load_table.h"

typedef enum LoadVerdict
{
	LOAD_ACCEPTED,
	LOAD_REFUSED,	  /* some row or all of it: err says why */
	LOAD_UNAVAILABLE, /* LOAD DATA LOCAL is not allowed: nothing is changed */
	LOAD_FAILED		  /* the connection, the server, or we have given up */
} LoadVerdict;

/* The segment that is read next, while it is filled. */
LoadVerdict load_data_segment(MyConn *conn, const LoadTable *table,
							  LoadPipe *pipe, Error *err) MUST_CHECK;

/* Rows in memory. */
LoadVerdict load_data_rows(MyConn *conn, const LoadTable *table, Slice rows,
						   int64_t count, Error *err) MUST_CHECK;

/* The same, by as many INSERTs as it takes. */
LoadVerdict load_insert_rows(MyConn *conn, const LoadTable *table, Slice rows,
							 int64_t count, Error *err) MUST_CHECK;

/* By INSERT or LOAD DATA; what was refused is rolled back. */
LoadVerdict load_try_rows(MyConn *conn, const LoadTable *table, bool insert,
						  Slice rows, int64_t count, Error *err) MUST_CHECK;

/*
 * Rows were refused, and what was written of them is rolled back: find the first
 * that is to blame, and set err to what the server says to it.  Always false.
 */
bool load_refused(MyConn *conn, const LoadTable *table, bool insert, Slice rows,
				  int64_t count, Error *err);

/* ---- for the files that do it */

/* A savepoint to go back to; the transaction must still be there. */
bool load_savepoint(MyConn *conn, Error *err) MUST_CHECK;
bool load_savepoint_back(MyConn *conn, Error *err) MUST_CHECK;

/* What the server says about what it has done, in whatever language. */
typedef struct LoadCounts
{
	int64_t records;
	int64_t left_out; /* deleted, skipped, duplicates */
	int64_t warnings;
} LoadCounts;

/* False if it says nothing. */
bool load_counts_parse(const char *info, LoadCounts *counts);

/*
 * The statement has gone through: has it done count rows, and nothing else?  If
 * not, err is set to its first warning.
 */
LoadVerdict load_judge(MyConn *conn, int64_t count, Error *err) MUST_CHECK;

/* It has failed: can that be about the rows? */
LoadVerdict load_judge_error(Error *err);

#endif /* PORTAGE_LOAD_WRITE_H */

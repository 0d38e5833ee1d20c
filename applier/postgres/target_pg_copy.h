/*
 * target_pg_copy.h
 *		Transactions of the copy on a PostgreSQL target.
 *
 * Each begins with our mark and ends with the proof that the stream is still
 * ours: the progress row with our epoch, locked, and the backend that began.  A
 * session that was replaced in silence commits nothing.
 */
#ifndef PORTAGE_TARGET_PG_COPY_H
#define PORTAGE_TARGET_PG_COPY_H

#include "postgres/target_pg.h"

typedef struct CopyTransaction
{
	PgConn *conn;
	const Progress *progress;
	char pid[16]; /* of the backend that began */
} CopyTransaction;

bool copy_transaction_begin(CopyTransaction *self, PgConn *conn,
							const Progress *progress, Error *err) MUST_CHECK;

/* The proof; P_FENCED if somebody else owns the stream. */
bool copy_transaction_fence(CopyTransaction *self, Error *err) MUST_CHECK;

bool copy_transaction_commit(CopyTransaction *self, Error *err) MUST_CHECK;

/* Fence and commit if ok, else roll back; err is kept. */
bool
copy_transaction_end(CopyTransaction *self, bool ok, Error *err) MUST_CHECK;

/* Statements of an entry, as pg_restore would run them. */
bool ddl_execute(CopyTransaction *transaction, const DdlEntry *entry,
				 const char *sql, Error *err) MUST_CHECK;

/* What is done about an entry, and noted in portage.ddl, in a transaction. */
typedef bool (*DdlStep)(CopyTransaction *transaction, const DdlEntry *entry,
						Error *err);

bool
target_pg_ddl_step(PgConn *conn, const Progress *progress,
				   const DdlEntry *entry, DdlStep step, Error *err) MUST_CHECK;

/* One schema entry in a transaction of its own, marked as done in it. */
bool target_pg_ddl_entry(PgConn *conn, const Progress *progress,
						 const DdlEntry *entry, Error *err) MUST_CHECK;

/* Statistics of a table. */
bool
target_pg_analyze_on(PgConn *conn, const Table *table, Error *err) MUST_CHECK;

/* The row that says that this chunk is to be copied. */
bool target_pg_chunk_insert(PgConn *conn, const char *stream,
							const Chunk *chunk, Error *err) MUST_CHECK;

/* That it is copied; P_FENCED if somebody else has. */
bool target_pg_chunk_done(PgConn *conn, const char *stream, const Chunk *chunk,
						  Error *err) MUST_CHECK;

#endif /* PORTAGE_TARGET_PG_COPY_H */

/*
 * target_pg.h
 *		The PostgreSQL target's parts, for the files that make it up.
 *
 *		target_pg.c			the table of operations; connecting
 *		target_pg_check.c	preflight
 *		target_pg_fit.c		preflight: what the source needs, what is in the way
 *		target_pg_owner.c	advisory lock, eviction of earlier owners
 *		target_pg_progress.c	the progress row
 *		target_pg_apply.c	batches of changes in the source's order
 *		target_pg_writer.c	plans: vectors, and rows that need their place
 *		vector_pg.c			vectors: arrays through the pipeline, COPY
 *		target_pg_kept.c	what rules leave: ledger and kept rows
 *		table_facts.c		what planning has to know of a table
 *		column_watch.c		no table is altered while it is written to
 *		pipeline_pg.c		statements on their way, answers with their names
 *		statement_pg.c		prepared statements per relation and column set
 *		target_pg_ddl.c		schema entries; transactions of the copy
 *		target_pg_foreign_key.c	foreign keys, added and validated apart
 *		target_pg_state.c	the rows of schema entries and chunks, sequences
 *		target_pg_load.c	COPY FROM STDIN with its chunk row
 *		target_pg_copy.h	what the last three share
 */
#ifndef PORTAGE_TARGET_PG_H
#define PORTAGE_TARGET_PG_H

#include <stdatomic.h>

#include "postgres/pg_conn.h"
#include "postgres/state_sql.h"
#include "target/target.h"

#define TARGET_LABEL_FORMAT "pg_portage %s %s"

typedef struct StatementCache StatementCache;
typedef struct Pipeline Pipeline;
typedef struct ShapeMap ShapeMap;
typedef struct DdlPending DdlPending;

/* column_watch.h */
typedef struct ColumnWatch
{
	uint64_t transaction; /* how many there were */
	uint32_t *oids;		  /* on the source: tables that it writes to */
	int count;
	int capacity;
} ColumnWatch;

typedef struct TargetPg
{
	Target base;
	PgConn *conn;	   /* applies and holds the advisory lock */
	bool replica_role; /* session_replication_role = replica is set */
	char origin_nonce[NONCE_SIZE];
	/* resume_lsn of the row as we last saw or wrote it, whoever of us did */
	atomic_uint_fast64_t stored_resume;
	uint64_t written; /* pg_current_wal_insert_lsn() after COMMIT */
	uint64_t durable; /* pg_current_wal_flush_lsn() */
	StatementCache *statements;
	Pipeline *pipeline; /* what was sent and not yet answered */
	Arena halves;		/* of UPDATEs; until every answer is there */
	ShapeMap *shapes;	/* portage.relation; NULL: not loaded */
	/* replaced, but plans that are being written may name them */
	struct TableFacts *retired;
	struct TableFacts *kept; /* of portage.kept; NULL: not read */
	LedgerTally tally;		 /* of the open transaction */
	ColumnWatch watch;
	uint64_t open_rows;	 /* applied in the open transaction */
	bool some_from_rows; /* tables were created in this transaction */
	uint64_t altered;	 /* how often we have altered tables ourselves */
	DdlPending *pending; /* messages whose command has not ended; or NULL */
} TargetPg;

Target *target_pg_open(const TargetConfig *config, Error *err);

/*
 * Open one more connection with the session of an applier: the source's
 * encoding, the synchronous_commit asked for, session_replication_role=replica
 * where it is allowed (*replica_role tells).
 */
PgConn *target_pg_session(TargetPg *self, const char *role, bool *replica_role,
						  Error *err);

/*
 * First statement of every transaction of ours: BEGIN and the message that
 * marks it, so that a reverse stream can drop it.
 */
bool target_pg_begin(PgConn *conn, const char *origin_nonce, Error *err);

/* target_pg_fit.c */
bool target_pg_check_fit(Target *target, const Needs *needs, Findings *findings,
						 Error *err);
bool target_pg_check_tables(Target *target, Findings *findings, Error *err);

/* target_pg_check.c */
bool target_pg_check(Target *target, Findings *findings, Error *err);
bool target_pg_can_disable_triggers(Target *target, bool *can, Error *err);
bool target_pg_occupied(Target *target, const Table *tables, int count,
						const char **what, Arena *arena, Error *err);
bool target_pg_identify(Target *target, char *system_id, size_t id_size,
						char *database, size_t database_size, Error *err);
bool target_pg_fingerprint(Target *target, char *text, size_t size, Error *err);

/* target_pg_owner.c */
bool target_pg_owner_acquire(Target *target, OwnerMode mode, bool *owned,
							 char *owner, size_t owner_size, Error *err);
bool target_pg_owner_inspect(Target *target, bool *owned, char *owner,
							 size_t owner_size, Error *err);
bool target_pg_owner_evict(Target *target, Error *err);

/* target_pg_progress.c */
bool target_pg_state_exists(Target *target, bool *exists, Error *err);
bool target_pg_state_create(Target *target, Error *err);
bool target_pg_progress_read(Target *target, Progress *progress, Error *err);
bool target_pg_progress_claim(Target *target, Progress *progress, Error *err);
bool target_pg_progress_insert(Target *target, Progress *progress, Error *err);
bool
target_pg_progress_save(Target *target, const Progress *progress, Error *err);
bool target_pg_state_drop(Target *target, bool *existed, Error *err);
/* Inside a transaction: compare-and-set from before to after; else P_FENCED. */
bool target_pg_progress_update(PgConn *conn, const Progress *before,
							   const Progress *after, Error *err);

/* The two halves of it, for a pipeline: send; explain a failure. */
bool target_pg_progress_send(PgConn *conn, const Progress *before,
							 const Progress *after, const ApplyCounts *counts,
							 Error *err);
bool target_pg_progress_failed(const Progress *before, Error *err);

/* How a session finds rows: set once for each that writes them. */
bool target_pg_prefer_indexes(PgConn *conn, Error *err) MUST_CHECK;

/* target_pg_apply.c */
extern const char target_pg_positions_sql[]; /* written and flushed */
bool
target_pg_apply(Target *target, const Batch *batch, const ChangeFilter *filter,
				const Progress *before, const Progress *after, Error *err);
void target_pg_rollback(Target *target);
bool target_pg_durability(Target *target, DurabilityWish wish,
						  TargetDurability *durability, Error *err);

/* ddl_work.c: what is known of the tables is read again when it is needed */
void target_pg_ddl_forget(TargetPg *self);
bool target_pg_shapes(TargetPg *self, Error *err) MUST_CHECK;

/* target_pg_writer.c */
void target_pg_facts_release(TargetPg *self);
bool target_pg_table_look(Target *target, const Relation *relation,
						  const PlanTable **table, Error *err);
bool target_pg_table_renewed(Target *target, const Relation *relation);
bool target_pg_table_noted(Target *target, uint32_t oid, Arena *arena,
						   const char **schema, const char **name, Error *err);
TargetWriter *target_pg_writer_open(Target *target, bool many, Error *err);
bool target_pg_writer_begin(TargetWriter *writer, Error *err);
bool target_pg_writer_write(TargetWriter *writer, const Plan *plan,
							const ChangeFilter *filter, Error *err);
bool target_pg_writer_savepoint(TargetWriter *writer, SavepointVerb verb,
								Error *err);
bool target_pg_writer_lock(TargetWriter *writer, const PlanTable *table,
						   bool *locked, Error *err);
bool target_pg_writer_keep(TargetWriter *writer, const KeptRow *rows, int count,
						   Error *err);
bool
target_pg_writer_chunk(TargetWriter *writer, const Chunk *chunk, Error *err);
bool target_pg_writer_commit(TargetWriter *writer, const Progress *before,
							 const Progress *after, const ApplyCounts *counts,
							 const Ledger *ledger, TargetDurability *durability,
							 Error *err);
void target_pg_writer_rollback(TargetWriter *writer);
void target_pg_writer_close(TargetWriter *writer);

/* target_pg_ddl.c */
bool target_pg_ddl_store(Target *target, const Progress *progress,
						 const DdlEntry *entries, int count, Error *err);
bool target_pg_ddl_list(Target *target, Arena *arena, DdlEntry **entries,
						int *count, Error *err);
bool target_pg_ddl_run(Target *target, const Progress *progress,
					   const DdlEntry *entry, Error *err);
bool target_pg_ddl_postpone(Target *target, const Progress *progress,
							const DdlEntry *entry, DdlState state, Error *err);
bool
target_pg_identity_relax(Target *target, const Progress *progress, Error *err);
bool target_pg_shapes_store(Target *target, const Progress *progress,
							const Shape *shapes, int count, Error *err);
bool target_pg_shape_copied(Target *target, const Progress *progress,
							const Shape *shape, Error *err);
bool target_pg_shapes_list(Target *target, Arena *arena, Shape **shapes,
						   int *count, Error *err);
/* The parts of these that need a transaction around them. */
bool target_pg_ddl_insert(PgConn *conn, const char *stream,
						  const DdlEntry *entry, Error *err);
bool target_pg_identity_change(PgConn *conn, const char *stream, Error *err);
bool target_pg_chunks_store(Target *target, const Progress *progress,
							const Chunk *chunks, int count, Error *err);
bool target_pg_chunks_list(Target *target, Arena *arena, Chunk **chunks,
						   int *count, Error *err);
bool target_pg_load_activity(Target *target, Arena *arena,
							 LoadActivity **activity, int *count, Error *err);
bool target_pg_sequences_set(Target *target, const Progress *progress,
							 const Sequence *sequences, int count, Error *err);
bool target_pg_analyze(Target *target, const Table *table, Error *err);

/* target_pg_foreign_key.c */
bool
target_pg_foreign_key_add(Target *target, const Progress *progress,
						  const DdlEntry *entry, bool *validated, Error *err);

/* target_pg_load.c */
TargetLoader *
target_pg_loader_open(Target *target, const Progress *progress, Error *err);
bool target_pg_loader_prove_empty(TargetLoader *loader, const Table *table,
								  Error *err);
bool target_pg_loader_reset(TargetLoader *loader, const Table *table,
							const Chunk *chunks, int count, Error *err);
bool target_pg_loader_begin(TargetLoader *loader, const Table *table,
							const Chunk *chunk, Error *err);
bool target_pg_loader_data(TargetLoader *loader, Slice data, Error *err);
bool target_pg_loader_end(TargetLoader *loader, int64_t *rows, Error *err);
bool target_pg_loader_try(TargetLoader *loader, const Table *table, Slice rows,
						  int64_t count, bool *taken, Error *why, Error *err);
bool target_pg_loader_commit(TargetLoader *loader, const Chunk *chunk,
							 const Ledger *ledger, Error *err);
bool target_pg_loader_keep(TargetLoader *loader, const KeptRow *rows, int count,
						   Error *err);
void target_pg_loader_abort(TargetLoader *loader);
bool
target_pg_loader_ddl(TargetLoader *loader, const DdlEntry *entry, Error *err);
bool
target_pg_loader_analyze(TargetLoader *loader, const Table *table, Error *err);
void target_pg_loader_close(TargetLoader *loader);

#endif /* PORTAGE_TARGET_PG_H */

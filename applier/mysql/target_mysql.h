/*
 * target_mysql.h
 *		The MySQL and MariaDB target's parts, for the files that make it up.
 *
 *		target_mysql.c			the table of operations; connecting; sessions
 *		target_mysql_tables.c	the state tables: created, dropped
 *		target_mysql_durable.c	when commits have reached the disk
 *		target_mysql_check*.c	preflight
 *		target_mysql_owner.c	user locks, eviction of earlier owners
 *		target_mysql_progress.c	the progress row; transactions of ours
 *		target_mysql_state.c	the rows of schema entries, chunks, relations
 *		target_mysql_ddl.c		schema entries: intent, statement, done
 *		target_mysql_schema.c	translation; what exists is compared
 *		target_mysql_maps.c		portage_relation: shapes and maps of the tables
 *		target_mysql_load.c		LOAD DATA LOCAL, or INSERT, with the chunk row
 *		target_mysql_facts.c	what is to be known of tables for plans
 *		target_mysql_writer.c	plans: vectors, and rows that need their place
 *		target_mysql_apply.c	batches in the source's order; DDL in the stream
 */
#ifndef PORTAGE_TARGET_MYSQL_H
#define PORTAGE_TARGET_MYSQL_H

#include <stdatomic.h>

#include "mysql/convert.h"
#include "mysql/mysql_conn.h"
#include "mysql/table_map.h"
#include "mysql/translate.h"
#include "target/target.h"

/* A table as it is noted, and what planning has to know of it. */
typedef struct MapEntry
{
	Shape shape;  /* in the source's words */
	Shape copied; /* as it was copied, unless noted_shape */
	TableMap map;
	bool noted_shape;			/* shape is as of resume_lsn, not the copy's */
	struct MyTableFacts *facts; /* by target_mysql_table_look(), or NULL */
} MapEntry;

/* As the table is on the target, whoever made it so. */
static inline const Shape *
map_entry_shape(const MapEntry *entry)
{
	return entry->noted_shape ? &entry->shape : &entry->copied;
}

/* portage_relation in memory; in an arena of its own. */
typedef struct MapTable
{
	Arena arena;
	MapEntry *entries; /* ascending by oid */
	int count;
} MapTable;

typedef struct TargetMysql
{
	Target base;
	MyConn *conn;		   /* applies and holds the owner's lock */
	char session_name[64]; /* of conn in portage_session; "": not there */
	char origin_nonce[NONCE_SIZE];
	/* resume_lsn of the row as we last saw or wrote it, whoever of us did */
	atomic_uint_fast64_t stored_resume;
	atomic_int writers;			/* opened so far: the next one's number */
	struct CommitClock *clock;	/* target_mysql_durable.c */
	MapTable *maps;				/* portage_relation; NULL: not loaded */
	struct MyTableFacts *facts; /* all that table_look() has answered with */
	struct MyTableFacts *kept;	/* of portage_kept; NULL: not read */
	/* by schema_translate(), until shapes_store() keeps it */
	Arena translation_arena;
	TableMap *translated;
	int translated_count;
	uint64_t altered;	   /* how often we have altered tables ourselves */
	struct MyApply *apply; /* what apply() has begun and not ended, or NULL */
} TargetMysql;

Target *target_mysql_open(const TargetConfig *config, Error *err);

/*
 * One more connection that writes, registered in portage_session under a lock of
 * its own.  role: "loader", "writer".
 */
MyConn *target_mysql_session(TargetMysql *self, const char *role, Error *err);

/* Note the connection that owns, under a lock of its own. */
bool target_mysql_register(TargetMysql *self, const char *role,
						   Error *err) MUST_CHECK;

/* The name of a user lock of the stream in this database. */
#define LOCK_NAME_SIZE 64
void target_mysql_lock_name(const MyConn *conn, const char *what,
							const char *stream, char out[LOCK_NAME_SIZE]);

/* SELECT of one value: *number is it, or null if that is NULL. */
bool my_query_number(MyConn *conn, Error *err, int64_t null, int64_t *number,
					 const char *fmt, ...)
	__attribute__((format(printf, 5, 6))) MUST_CHECK;

/* ---- transactions of ours: target_mysql_progress.c */

/* BEGIN and the mark of origin; writer is its number, 0 for the owner's. */
bool target_mysql_begin(MyConn *conn, const char *stream, int writer,
						const char *origin_nonce, Error *err) MUST_CHECK;

/* The same as SQL, to go in front of others in one round trip: 2 statements. */
void target_mysql_begin_sql(Buffer *sql, const char *stream, int writer,
							const char *origin_nonce);

/*
 * Just before COMMIT of a transaction of the copy: the epoch is ours and the
 * connection the one that began.  P_FENCED.
 */
bool target_mysql_fence(MyConn *conn, const Progress *progress,
						Error *err) MUST_CHECK;

/*
 * The compare-and-set of the progress row as one statement; it must match
 * exactly one row, else target_mysql_fenced().
 */
void
target_mysql_progress_sql(Buffer *sql, MyConn *conn, const Progress *before,
						  const Progress *after, const ApplyCounts *counts);
bool target_mysql_fenced(const Progress *before, Error *err);

/* Fence and COMMIT if ok, else ROLLBACK; err is kept. */
bool target_mysql_end(MyConn *conn, const Progress *progress, bool ok,
					  Error *err) MUST_CHECK;

/* ---- target_mysql_tables.c: a state that an older version has begun */
bool target_mysql_state_upgrade(MyConn *conn, Error *err) MUST_CHECK;

/* ---- target_mysql_kept.c: what rules leave */

/* ids of tables: this is portage_kept's, all others are behind it */
#define KEPT_TABLE_ID 0

/* Add it to what is there, in the open transaction; NULL or empty: nothing to do. */
bool ledger_mysql_add(MyConn *conn, const char *stream, const Ledger *ledger,
					  Error *err) MUST_CHECK;

/* The map and the facts of portage_kept, by its relation. */
void kept_mysql_map(Arena *arena, TableMap *map);
bool kept_mysql_look(TargetMysql *self, const Relation *relation,
					 const PlanTable **table, Error *err) MUST_CHECK;
void kept_mysql_forget(TargetMysql *self);
/* Those of a table that is emptied, and what is counted of its rows. */
bool kept_mysql_remove(MyConn *conn, const char *stream, const Table *table,
					   Error *err) MUST_CHECK;
bool kept_mysql_put(MyConn *conn, const char *stream, const KeptRow *rows,
					int count, Error *err) MUST_CHECK;

/* ---- target_mysql_durable.c; from any thread */

struct CommitClock *commit_clock_new(void);
void commit_clock_free(struct CommitClock *clock);

/* A transaction of the stream is committed; its place in our log. */
uint64_t target_mysql_committed(TargetMysql *self);

/* What is known without asking: DURABILITY_KNOWN, for writers. */
void target_mysql_known(TargetMysql *self, TargetDurability *durability);

/* ---- target_mysql_apply.c: the open batch is forgotten, not rolled back */
void target_mysql_apply_forget(TargetMysql *self);

/* ---- target_mysql_maps.c */

/* Load portage_relation unless it is loaded. */
bool target_mysql_maps(TargetMysql *self, Error *err) MUST_CHECK;
/*
 * Another connection's view, for a loader: the caller's to release.  What
 * becomes of lost values is as the configuration says now; the types are as they
 * were made.
 */
bool map_table_load(MyConn *conn, const TargetConfig *config, MapTable *maps,
					Error *err) MUST_CHECK;
void map_table_release(MapTable *maps);
MapEntry *map_table_find(const MapTable *maps, uint32_t oid);
void target_mysql_maps_forget(TargetMysql *self);
/* Inside a transaction: note shape and map of a table, new or changed. */
bool map_entry_store(MyConn *conn, const char *stream, const Shape *shape,
					 const TableMap *map, Error *err) MUST_CHECK;

/* ---- of the copy, on a connection of the caller's, as on PostgreSQL */

/* Inside a transaction: the row that says that this chunk is to be copied. */
bool target_mysql_chunk_insert(MyConn *conn, const char *stream,
							   const Chunk *chunk, Error *err) MUST_CHECK;

/* The same, that it is copied; P_FENCED if somebody else has. */
bool target_mysql_chunk_done(MyConn *conn, const char *stream,
							 const Chunk *chunk, Error *err) MUST_CHECK;

/* One schema entry: intent, statement, done. */
bool target_mysql_ddl_entry(MyConn *conn, const Progress *progress,
							const DdlEntry *entry, Error *err) MUST_CHECK;

/* Statistics of a table; commits by itself. */
bool target_mysql_analyze_on(MyConn *conn, const TableMap *map,
							 Error *err) MUST_CHECK;

/* Rows without a row that they refer to, of a foreign key that is refused. */
void target_mysql_name_orphans(MyConn *conn, const DdlEntry *entry, Error *err);

/* Carry a statement out that commits by itself; see STATE_DDL_SQL's probe. */
bool target_mysql_probe(MyConn *conn, const char *probe, bool *there,
						Error *err) MUST_CHECK;

/* What the translator has to know of this server. */
bool
target_mysql_translate_target(TargetMysql *self, Arena *arena,
							  TranslateTarget *target, Error *err) MUST_CHECK;

/* ---- the operations; see target.h */
bool target_mysql_check(Target *target, Findings *findings, Error *err);
bool target_mysql_check_fit(Target *target, const Needs *needs,
							Findings *findings, Error *err);
bool target_mysql_check_tables(Target *target, Findings *findings, Error *err);
bool target_mysql_can_disable_triggers(Target *target, bool *can, Error *err);
bool target_mysql_occupied(Target *target, const Table *tables, int count,
						   const char **what, Arena *arena, Error *err);
bool target_mysql_identify(Target *target, char *system_id, size_t id_size,
						   char *database, size_t database_size, Error *err);
bool
target_mysql_fingerprint(Target *target, char *text, size_t size, Error *err);
bool target_mysql_state_exists(Target *target, bool *exists, Error *err);
bool target_mysql_state_create(Target *target, Error *err);
bool target_mysql_owner_acquire(Target *target, OwnerMode mode, bool *owned,
								char *owner, size_t owner_size, Error *err);
bool target_mysql_owner_inspect(Target *target, bool *owned, char *owner,
								size_t owner_size, Error *err);
bool target_mysql_owner_evict(Target *target, Error *err);
bool target_mysql_progress_read(Target *target, Progress *progress, Error *err);
bool
target_mysql_progress_claim(Target *target, Progress *progress, Error *err);
bool
target_mysql_progress_insert(Target *target, Progress *progress, Error *err);
bool target_mysql_progress_save(Target *target, const Progress *progress,
								Error *err);
bool target_mysql_apply(Target *target, const Batch *batch,
						const ChangeFilter *filter, const Progress *before,
						const Progress *after, Error *err);
void target_mysql_rollback(Target *target);
bool target_mysql_durability(Target *target, DurabilityWish wish,
							 TargetDurability *durability, Error *err);
bool target_mysql_table_look(Target *target, const Relation *relation,
							 const PlanTable **table, Error *err);
bool target_mysql_table_renewed(Target *target, const Relation *relation);
bool
target_mysql_table_noted(Target *target, uint32_t oid, Arena *arena,
						 const char **schema, const char **name, Error *err);
TargetWriter *target_mysql_writer_open(Target *target, bool many, Error *err);
bool target_mysql_writer_begin(TargetWriter *writer, Error *err);
bool target_mysql_writer_write(TargetWriter *writer, const Plan *plan,
							   const ChangeFilter *filter, Error *err);
bool target_mysql_writer_savepoint(TargetWriter *writer, SavepointVerb verb,
								   Error *err);
bool target_mysql_writer_lock(TargetWriter *writer, const PlanTable *table,
							  bool *locked, Error *err);
bool target_mysql_writer_keep(TargetWriter *writer, const KeptRow *rows,
							  int count, Error *err);
bool
target_mysql_writer_chunk(TargetWriter *writer, const Chunk *chunk, Error *err);
bool target_mysql_writer_commit(TargetWriter *writer, const Progress *before,
								const Progress *after,
								const ApplyCounts *counts, const Ledger *ledger,
								TargetDurability *durability, Error *err);
void target_mysql_writer_rollback(TargetWriter *writer);
void target_mysql_writer_close(TargetWriter *writer);
bool target_mysql_ddl_store(Target *target, const Progress *progress,
							const DdlEntry *entries, int count, Error *err);
bool target_mysql_ddl_list(Target *target, Arena *arena, DdlEntry **entries,
						   int *count, Error *err);
bool target_mysql_ddl_run(Target *target, const Progress *progress,
						  const DdlEntry *entry, Error *err);
bool
target_mysql_ddl_postpone(Target *target, const Progress *progress,
						  const DdlEntry *entry, DdlState state, Error *err);
bool target_mysql_foreign_key_add(Target *target, const Progress *progress,
								  const DdlEntry *entry, bool *validated,
								  Error *err);
bool target_mysql_identity_relax(Target *target, const Progress *progress,
								 Error *err);
bool target_mysql_chunks_store(Target *target, const Progress *progress,
							   const Chunk *chunks, int count, Error *err);
bool target_mysql_chunks_list(Target *target, Arena *arena, Chunk **chunks,
							  int *count, Error *err);
bool
target_mysql_load_activity(Target *target, Arena *arena,
						   LoadActivity **activity, int *count, Error *err);
bool target_mysql_shapes_store(Target *target, const Progress *progress,
							   const Shape *shapes, int count, Error *err);
bool target_mysql_shape_copied(Target *target, const Progress *progress,
							   const Shape *shape, Error *err);
bool target_mysql_shapes_list(Target *target, Arena *arena, Shape **shapes,
							  int *count, Error *err);
bool
target_mysql_sequences_set(Target *target, const Progress *progress,
						   const Sequence *sequences, int count, Error *err);
bool target_mysql_analyze(Target *target, const Table *table, Error *err);
bool target_mysql_state_drop(Target *target, bool *existed, Error *err);
TargetLoader *
target_mysql_loader_open(Target *target, const Progress *progress, Error *err);
bool target_mysql_loader_prove_empty(TargetLoader *loader, const Table *table,
									 Error *err);
bool target_mysql_loader_reset(TargetLoader *loader, const Table *table,
							   const Chunk *chunks, int count, Error *err);
bool target_mysql_loader_begin(TargetLoader *loader, const Table *table,
							   const Chunk *chunk, Error *err);
bool target_mysql_loader_data(TargetLoader *loader, Slice data, Error *err);
bool target_mysql_loader_end(TargetLoader *loader, int64_t *rows, Error *err);
bool
target_mysql_loader_try(TargetLoader *loader, const Table *table, Slice rows,
						int64_t count, bool *taken, Error *why, Error *err);
bool target_mysql_loader_commit(TargetLoader *loader, const Chunk *chunk,
								const Ledger *ledger, Error *err);
void target_mysql_loader_abort(TargetLoader *loader);
bool target_mysql_loader_ddl(TargetLoader *loader, const DdlEntry *entry,
							 Error *err);
bool target_mysql_loader_analyze(TargetLoader *loader, const Table *table,
								 Error *err);
void target_mysql_loader_close(TargetLoader *loader);
bool target_mysql_schema_translate(Target *target, const Schema *schema,
								   Arena *arena, Translation *translation,
								   Error *err);
bool target_mysql_wants_generated(Target *target, uint32_t table_oid,
								  const char *column);
bool target_mysql_ledger_list(Target *target, Arena *arena,
							  LedgerEntry **entries, int *count, Error *err);
bool target_mysql_kept_visit(Target *target, const char *area,
							 KeptVisitor visitor, void *arg, Error *err);
bool target_mysql_loader_keep(TargetLoader *loader, const KeptRow *rows,
							  int count, Error *err);
bool target_mysql_losses_list(Target *target, Arena *arena, LossCount **losses,
							  int *count, Error *err);

#endif /* PORTAGE_TARGET_MYSQL_H */

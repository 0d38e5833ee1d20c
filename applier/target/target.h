/*
 * target.h
 *		What the applier asks of a target database, whatever it is.
 *
 * A target is pushed.  One Target belongs to one thread at a time; the copy's
 * workers each open a TargetLoader.  Callers branch on features, never on the
 * driver.  Only target_open() knows the names of drivers.
 *
 * Everything durable about a stream is kept here, in the same transactions as
 * the data: progress, chunks and schema entries (progress.h, catalog.h).
 */
#ifndef PORTAGE_TARGET_H
#define PORTAGE_TARGET_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "catalog.h"
#include "change.h"
#include "finding.h"
#include "kept.h"
#include "ledger.h"
#include "needs.h"
#include "plan/plan.h"
#include "progress.h"
#include "schema/loss.h"
#include "schema/schema.h"
#include "schema/translation.h"
#include "shape.h"

typedef struct Target Target;
typedef struct TargetLoader TargetLoader;
typedef struct TargetWriter TargetWriter;

/* What to do with DDL that comes in the stream: --ddl */
typedef enum DdlMode
{
	DDL_APPLY,
	DDL_STOP
} DdlMode;

typedef struct TargetConfig
{
	const char *url;
	const char *stream;
	const char *encoding;	 /* of the values: the source server's */
	const char *pg_bindir;	 /* where pg_restore is, or NULL: PATH */
	int jobs;				 /* how many loaders there will be */
	bool synchronous_commit; /* --target-synchronous-commit */
	DdlMode ddl;
	Lsn ddl_done;		/* carried out by hand: this commit's, or none */
	const char *tables; /* patterns, "" for all */
	const char *exclude_tables; /* patterns, "" for none */
	bool ruled;					/* rules decide what comes, and as what */
	const char *on_loss;		/* for values from now on; "" for error */
	bool schemas_as_databases;	/* --schemas databases */
} TargetConfig;

typedef struct TargetFeatures
{
	bool transactional_ddl;
	bool transactional_truncate;
	bool savepoints;
	int max_identifier_bytes;
	bool own_schema;		/* schema_translate() makes it, not the dump */
	bool binary_rows;		/* loads COPY's binary form */
	bool merges_partitions; /* their rows share the table of their root */
} TargetFeatures;

typedef enum OwnerMode
{
	OWNER_TRY,	   /* one try */
	OWNER_TAKEOVER /* end the live owner's session, then try */
} OwnerMode;

/* Consecutive changes of one transaction within one frame. */
typedef struct BatchSpan
{
	const Txn *txn;		 /* commit_lsn and xid are known from B */
	const Event *events; /* CHANGE and MESSAGE events */
	int count;
} BatchSpan;

/*
 * Work for one target transaction, or one piece of it: whole source
 * transactions in order, or a part of a single large one.
 */
typedef struct Batch
{
	const BatchSpan *spans;
	int span_count;
	bool first; /* opens the target transaction */
	bool last;	/* writes progress and commits */
	uint64_t rows;
	uint64_t bytes;
	const Ledger *ledger; /* to be added with the last piece; or NULL */
} Batch;

/* What becomes of a change: a chunk's stamp may show it already. */
typedef enum ChangeVerdict
{
	VERDICT_APPLY,
	VERDICT_SKIP,
	VERDICT_AS_INSERT, /* an UPDATE whose old row was never copied */
	VERDICT_AS_DELETE, /* an UPDATE whose new row is copied already */
	VERDICT_PARTLY,	   /* a TRUNCATE that some chunks show already */
	VERDICT_UNKNOWN	   /* the WAL does not say in which chunk the row is */
} ChangeVerdict;

typedef struct ChangeFilter
{
	/* relation: the change's, or one of those that it truncates. */
	ChangeVerdict (*verdict)(const struct ChangeFilter *self, const Txn *txn,
							 const Change *change, const Relation *relation);
	/* For VERDICT_PARTLY: the i-th chunk whose rows go; NULL at the end. */
	const Chunk *(*emptied)(const struct ChangeFilter *self, const Txn *txn,
							const Relation *relation, int i);
} ChangeFilter;

/* Lets every change be applied: for what no copy is compared with. */
extern const ChangeFilter change_filter_none;

/* Positions of the target's own log, to know when a commit is durable. */
typedef struct TargetDurability
{
	uint64_t written; /* where the last commit ended */
	uint64_t durable; /* what has reached the disk */
} TargetDurability;

typedef enum DurabilityWish
{
	DURABILITY_KNOWN, /* without a round trip */
	DURABILITY_ASKED, /* find out, and have the disk kept busy meanwhile */
	DURABILITY_FORCED /* have everything that is committed on disk */
} DurabilityWish;

typedef enum SavepointVerb
{
	SAVEPOINT_SET,
	SAVEPOINT_RELEASE,
	SAVEPOINT_ROLLBACK /* to it; it is gone then */
} SavepointVerb;

/* room for a fingerprint */
#define FINGERPRINT_MAX 512

typedef struct TargetOps
{
	const char *name;
	TargetFeatures features;

	/* ---- connection; one try */
	bool (*connect)(Target *self, Error *err);
	void (*disconnect)(Target *self);
	/* The server and our role on it, as of a source. */
	bool (*check)(Target *self, Findings *findings, Error *err);
	/* Does it have what the source's database needs? */
	bool (*check_fit)(Target *self, const Needs *needs, Findings *findings,
					  Error *err);
	/* Once a migration has begun: does anything act on what it writes? */
	bool (*check_tables)(Target *self, Findings *findings, Error *err);
	/* Can foreign keys and triggers be switched off while we apply? */
	bool (*can_disable_triggers)(Target *self, bool *can, Error *err);
	/* The tables among these that exist or (existing) hold rows. */
	bool (*occupied)(Target *self, const Table *tables, int count,
					 const char **what, Arena *arena, Error *err);
	/* A word for identity: system id and database, to compare with a source. */
	bool (*identify)(Target *self, char *system_id, size_t id_size,
					 char *database, size_t database_size, Error *err);
	/*
	 * What no other database has in common with it while its server runs, whatever
	 * URL it was reached by: to tell targets of one kind from each other.
	 */
	bool (*fingerprint)(Target *self, char *text, size_t size, Error *err);

	/* ---- ownership and progress */
	bool (*state_exists)(Target *self, bool *exists, Error *err);
	bool (*state_create)(Target *self, Error *err);
	/*
	 * The advisory lock, held as long as the connection lives.  *owned tells;
	 * *owner describes who has it otherwise.
	 */
	bool (*owner_acquire)(Target *self, OwnerMode mode, bool *owned,
						  char *owner, size_t owner_size, Error *err);
	/* Who has it now, without trying to take it. */
	bool (*owner_inspect)(Target *self, bool *owned, char *owner,
						  size_t owner_size, Error *err);
	/* End sessions that carry our label from an earlier owner. */
	bool (*owner_evict)(Target *self, Error *err);
	/* Read the row without locking; phase PHASE_NONE if there is none. */
	bool (*progress_read)(Target *self, Progress *progress, Error *err);
	/* Lock the row, raise its epoch, read it; PHASE_NONE if there is none. */
	bool (*progress_claim)(Target *self, Progress *progress, Error *err);
	/* Makes origin_nonce, if it is not that of the source's other targets. */
	bool (*progress_insert)(Target *self, Progress *progress, Error *err);
	/* Everything but the key, by compare-and-set on epoch and resume_lsn. */
	bool (*progress_save)(Target *self, const Progress *progress, Error *err);

	/* ---- the stream */
	bool (*apply)(Target *self, const Batch *batch, const ChangeFilter *filter,
				  const Progress *before, const Progress *after, Error *err);
	void (*rollback)(Target *self);
	bool (*durability)(Target *self, DurabilityWish wish,
					   TargetDurability *durability, Error *err);

	/*
	 * How rows of the relation are to be planned for.  NULL: the table is not as
	 * the relation says, and only apply() knows what to do.  Lives until the next
	 * apply() or disconnect; writers may be at work on other answers meanwhile.
	 */
	bool (*table_look)(Target *self, const Relation *relation,
					   const PlanTable **table, Error *err);

	/*
	 * Rows of a relation that table_look() knows are collected next.  True if
	 * only its storage is another one than was noted: a plan is to say so
	 * (PLAN_STEP_RELATION), and from now on it counts as noted.
	 */
	bool (*table_renewed)(Target *self, const Relation *relation);

	/*
	 * What a table of this OID is called here, as far as it is noted: *name is NULL
	 * if it is not.  Strings live in arena.  Called by who calls table_look().
	 */
	bool (*table_noted)(Target *self, uint32_t oid, Arena *arena,
						const char **schema, const char **name, Error *err);

	/* ---- a writer of plans: one connection, one thread at a time */
	/* many: there are others, so a lock that takes long is an error */
	TargetWriter *(*writer_open)(Target *self, bool many, Error *err);
	bool (*writer_begin)(TargetWriter *writer, Error *err);
	/* Write it and prove that it did what it should. */
	bool (*writer_write)(TargetWriter *writer, const Plan *plan,
						 const ChangeFilter *filter, Error *err);
	bool (*writer_savepoint)(TargetWriter *writer, SavepointVerb verb,
							 Error *err);
	/*
	 * For a chunk of the copy that comes as changes: until the transaction ends no
	 * other such chunk is written to the table, and nothing else either where the
	 * target has locks on tables.  Tries for a moment: *locked tells.
	 */
	bool (*writer_lock)(TargetWriter *writer, const PlanTable *table,
						bool *locked, Error *err);
	/* Add or replace kept rows; from todo to done turn the chunk. */
	bool (*writer_keep)(TargetWriter *writer, const KeptRow *rows, int count,
						Error *err);
	bool (*writer_chunk)(TargetWriter *writer, const Chunk *chunk, Error *err);
	/*
	 * By compare-and-set of the progress row, as apply() does; counts are added to
	 * those that it has, and ledger, if it is not NULL, to what is kept of it.
	 */
	bool (*writer_commit)(TargetWriter *writer, const Progress *before,
						  const Progress *after, const ApplyCounts *counts,
						  const Ledger *ledger, TargetDurability *durability,
						  Error *err);
	void (*writer_rollback)(TargetWriter *writer);
	void (*writer_close)(TargetWriter *writer);

	/* ---- a schema of the target's own kind; with own_schema only */
	/*
	 * What becomes of the source's schema.  Tables that exist are compared with
	 * it.  How their rows are converted is kept by shapes_store(), which comes
	 * behind it.
	 */
	bool (*schema_translate)(Target *self, const Schema *schema, Arena *arena,
							 Translation *translation, Error *err);
	/* Is this generated column one whose values are to be copied? */
	bool (*wants_generated)(Target *self, uint32_t table_oid,
							const char *column);
	/* What values have lost so far because --on-loss allows it. */
	bool (*losses_list)(Target *self, Arena *arena, LossCount **losses,
						int *count, Error *err);

	/* ---- what rules leave: ledger.h, kept.h */
	bool (*ledger_list)(Target *self, Arena *arena, LedgerEntry **entries,
						int *count, Error *err);
	/* All rows of the stream whose area begins so, in order of area and hash. */
	bool (*kept_visit)(Target *self, const char *area, KeptVisitor visitor,
					   void *arg, Error *err);

	/* ---- the copy: schema entries, chunks, sequences */
	bool (*ddl_store)(Target *self, const Progress *progress,
					  const DdlEntry *entries, int count, Error *err);
	bool (*ddl_list)(Target *self, Arena *arena, DdlEntry **entries, int *count,
					 Error *err);
	/* Run it and mark it done in one transaction. */
	bool (*ddl_run)(Target *self, const Progress *progress,
					const DdlEntry *entry, Error *err);
	/* Note that it waits: DDL_WAITING or DDL_DEFERRED. */
	bool (*ddl_postpone)(Target *self, const Progress *progress,
						 const DdlEntry *entry, DdlState state, Error *err);
	/*
	 * Add an entry that is a foreign key without a look at the rows; what is
	 * stored is from then on the entry that validates it.  *validated: it is
	 * done as a whole, because the target or the entry does not allow that.
	 */
	bool (*foreign_key_add)(Target *self, const Progress *progress,
							const DdlEntry *entry, bool *validated, Error *err);
	/* Identity columns GENERATED ALWAYS become BY DEFAULT, to be restored. */
	bool (*identity_relax)(Target *self, const Progress *progress, Error *err);
	bool (*chunks_store)(Target *self, const Progress *progress,
						 const Chunk *chunks, int count, Error *err);
	bool (*chunks_list)(Target *self, Arena *arena, Chunk **chunks, int *count,
						Error *err);
	/* What loaders, of this process or another, have not committed yet. */
	bool (*load_activity)(Target *self, Arena *arena, LoadActivity **activity,
						  int *count, Error *err);
	/* What the tables look like as of the slot's snapshot; replaces all. */
	bool (*shapes_store)(Target *self, const Progress *progress,
						 const Shape *shapes, int count, Error *err);
	/* The table is to be copied as it is now, not as it was then. */
	bool (*shape_copied)(Target *self, const Progress *progress,
						 const Shape *shape, Error *err);
	/* How the tables were copied, or are to be; in no order. */
	bool (*shapes_list)(Target *self, Arena *arena, Shape **shapes, int *count,
						Error *err);
	bool (*sequences_set)(Target *self, const Progress *progress,
						  const Sequence *sequences, int count, Error *err);
	/* Statistics of the loaded tables. */
	bool (*analyze)(Target *self, const Table *table, Error *err);
	/* Remove every trace of the stream; the schema too when it is the last. */
	bool (*state_drop)(Target *self, bool *existed, Error *err);

	/* ---- a loader of table rows: one connection, one thread */
	TargetLoader *(*loader_open)(Target *self, const Progress *progress,
								 Error *err);
	/*
	 * Before the first piece of a table: P_TARGET_NOT_EMPTY.  What others have
	 * copied into one that is theirs, too, may be there.
	 */
	bool (*loader_prove_empty)(TargetLoader *loader, const Table *table,
							   Error *err);
	/*
	 * Empty the table and replace its chunk rows by these, at once; what rules
	 * keep of its rows, and have counted, goes, too.
	 */
	bool (*loader_reset)(TargetLoader *loader, const Table *table,
						 const Chunk *chunks, int count, Error *err);
	/*
	 * Begin the transaction.  For a whole table, which must be empty, nobody
	 * else can write to it then.  P_SCHEMA_DIFFERS for other columns.  table is NULL
	 * for a chunk of kept rows: loader_keep() and loader_commit() follow.
	 */
	bool (*loader_begin)(TargetLoader *loader, const Table *table,
						 const Chunk *chunk, Error *err);
	bool (*loader_data)(TargetLoader *loader, Slice data, Error *err);
	/* End of data; *rows as the target counted them. */
	bool (*loader_end)(TargetLoader *loader, int64_t *rows, Error *err);
	/*
	 * Between loader_end and loader_commit: these rows, too, whole lines, count of
	 * them, all or none.  *taken is false if the target refuses one of them, with
	 * what it says in why; of one row alone, why that is.
	 */
	bool (*loader_try)(TargetLoader *loader, const Table *table, Slice rows,
					   int64_t count, bool *taken, Error *why, Error *err);
	/*
	 * Prove the epoch, turn the chunk from todo to done, add the ledger if it is
	 * not NULL, commit.
	 */
	bool (*loader_commit)(TargetLoader *loader, const Chunk *chunk,
						  const Ledger *ledger, Error *err);
	/* Between loader_end and loader_commit: add or replace kept rows. */
	bool (*loader_keep)(TargetLoader *loader, const KeptRow *rows, int count,
						Error *err);
	void (*loader_abort)(TargetLoader *loader);
	/* Run a schema entry on the loader's connection. */
	bool (*loader_ddl)(TargetLoader *loader, const DdlEntry *entry, Error *err);
	/* Statistics of a table, on the loader's connection. */
	bool (*loader_analyze)(TargetLoader *loader, const Table *table,
						   Error *err);
	void (*loader_close)(TargetLoader *loader);

	/* Disconnect everything and give the memory back. */
	void (*free)(Target *self);
} TargetOps;

struct Target
{
	const TargetOps *ops;
	const TargetConfig *config;
};

/* A target's URL, without connecting: can it be read?  P_URL. */
bool target_url_check(const char *url, Error *err) MUST_CHECK;

/* Overwrite what is secret in it, whatever it is; the length stays. */
void target_url_hide_secrets(char *url);

/* By the URL's scheme; P_URL if there is no such driver.  Does not connect. */
Target *target_open(const TargetConfig *config, Error *err);
void target_close(Target *target);

#endif /* PORTAGE_TARGET_H */

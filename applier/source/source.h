/*
 * source.h
 *		What the applier asks of a source database, whatever it is.
 *
 * A source is pulled.  One Source belongs to one thread at a time, except that
 * marker_* use a connection of their own and may run in another thread.  All
 * entries are mandatory.  Only source_open() knows the names of drivers.
 */
#ifndef PORTAGE_SOURCE_H
#define PORTAGE_SOURCE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "catalog.h"
#include "change.h"
#include "finding.h"
#include "needs.h"
#include "progress.h"
#include "schema/schema.h"
#include "shape.h"
#include "stream/ddl_event.h"

typedef struct Source Source;
typedef struct SourceReader SourceReader;

typedef struct SourceConfig
{
	const char *url;
	const char *stream;			/* name of the stream */
	const char *slot;			/* "portage_" and the name */
	const char *tables;			/* patterns, "" for all */
	const char *exclude_tables; /* patterns, "" for none */
	const char *pg_bindir;		/* where pg_dump is, or NULL: PATH */
	int jobs;					/* how many readers there will be */
	bool copy_only;				/* no slot, no stream, no replication role */
	bool translated; /* the target is of another kind: nothing is dumped, and
					  * schema_read() finds out how long texts in keys are */
} SourceConfig;

/* The slot as the source shows it. */
typedef struct SlotInfo
{
	bool exists;
	bool ours; /* logical, our plugin, this database */
	bool active;
	int active_pid;
	bool invalid; /* wal_status lost, or invalidated */
	char why_invalid[64];
	Lsn restart_lsn;
	Lsn confirmed_lsn;
	int64_t retained_bytes; /* WAL kept for it */
} SlotInfo;

/* What a new slot gives: where it begins and what was visible there. */
typedef struct SlotSnapshot
{
	Lsn consistent_lsn;
	char snapshot_id[128]; /* for SET TRANSACTION SNAPSHOT */
} SlotSnapshot;

typedef struct StreamOptions
{
	Lsn start_lsn;
	bool defer;			/* may hold small transactions in a backlog */
	const char *origin; /* "any" or "none" */
	int wake_fd;		/* readable: stream_next() does not wait; or -1 */
} StreamOptions;

/* What schema_dump and catalog reads look through. */
typedef struct SnapshotRef
{
	const char *id; /* an exported snapshot, or NULL: a new one */
	bool slot;		/* it is the slot's */
	Lsn lsn;		/* with id: every commit that it shows lies before */
} SnapshotRef;

/* What a dump of the schema is to leave out beside tables not selected. */
typedef struct DumpScope
{
	const uint32_t *left_out; /* tables, ascending: with all that is theirs */
	int left_out_count;
	const char *const *sequences; /* theirs that come all the same: columns of
								   * other tables are numbered by them */
	int sequence_count;			  /* "schema.name" */
	const Schema *derived; /* its tables that rules have made are added */
} DumpScope;

typedef struct SourceOps
{
	const char *name;

	/* ---- connection for statements; first one try, then the caller's loop */
	bool (*connect)(Source *self, Error *err);
	void (*disconnect)(Source *self);
	bool (*identify)(Source *self, SourceIdentity *identity, Error *err);
	/*
	 * The server and our role on it; what is to be carried.  What cannot be
	 * looked at is a finding; false if nothing more can be.
	 */
	bool (*check)(Source *self, Findings *findings, Error *err);
	bool (*check_objects)(Source *self, Findings *findings, Error *err);
	/* What a target must have for this database; strings in arena. */
	bool (*needs)(Source *self, Arena *arena, Needs *needs, Error *err);

	/*
	 * For a slot that serves several targets: the lock of the one applier that
	 * reads it, held as long as the connection lives.  takeover: end who has it.
	 * *owned tells; *owner describes who has it otherwise.
	 */
	bool (*owner_acquire)(Source *self, bool takeover, bool *owned, char *owner,
						  size_t owner_size, Error *err);

	/* ---- the slot */
	bool (*slot_inspect)(Source *self, SlotInfo *info, Error *err);
	/* The snapshot stays valid until slot_snapshot_release or disconnect. */
	bool (*slot_create)(Source *self, SlotSnapshot *snapshot, Error *err);
	/*
	 * The same of another slot, which ends with the snapshot: where a target
	 * begins that joins others, and what is visible there.
	 */
	bool (*slot_join)(Source *self, SlotSnapshot *snapshot, Error *err);
	void (*slot_snapshot_release)(Source *self);
	bool (*slot_drop)(Source *self, bool *existed, Error *err);

	/* ---- the stream */
	bool (*stream_start)(Source *self, const StreamOptions *options,
						 Error *err);
	/*
	 * Wait for the next frame, at most timeout_ms; *frame is NULL when none
	 * came.  Answers keepalives, sends status when its time has come.
	 */
	bool (*stream_next)(Source *self, int64_t timeout_ms, Frame **frame,
						Error *err);
	/* While reading is paused: only what keeps the connection alive. */
	bool (*stream_idle)(Source *self, Error *err);
	/* lsn and all before it is durable everywhere; never goes backwards. */
	bool (*stream_confirm)(Source *self, Lsn lsn, Error *err);
	void (*stream_stop)(Source *self);
	/* End of WAL as last heard from the server. */
	Lsn (*stream_wal_end)(Source *self);

	/* ---- markers: a connection of their own */
	bool (*marker_connect)(Source *self, Error *err);
	/* *lsn: where its record ends; its commit comes behind. */
	bool (*marker_emit)(Source *self, const char *nonce, Lsn *lsn, Error *err);
	void (*marker_disconnect)(Source *self);

	/* ---- the copy; see source_pg_copy.c */
	/* Wait until the snapshot shows all that it calls committed. */
	bool (*snapshot_settle)(Source *self, const SnapshotRef *snapshot,
							int64_t timeout_ms, Error *err);
	/*
	 * A new snapshot for others to share, held by a session of its own until
	 * snapshot_release or disconnect.  The id lives as long.
	 */
	bool (*snapshot_export)(Source *self, SnapshotRef *snapshot, Error *err);
	void (*snapshot_release)(Source *self);
	bool (*tables_list)(Source *self, const SnapshotRef *snapshot, Arena *arena,
						Table **tables, int *count, Error *err);
	/*
	 * Values of the table's key that cut it in about so many pieces of equal
	 * size, ascending and distinct; fewer where it has few values.  Reads a
	 * sample, never all of the table.
	 */
	bool (*key_bounds)(Source *self, const SnapshotRef *snapshot,
					   const Table *table, int pieces, Arena *arena,
					   const char ***bounds, int *count, Error *err);
	/*
	 * The schema as entries; those of tables not selected, or out of scope, are
	 * left out, and what rules make is added.  An error in left_out: what comes needs a table that does not.
	 */
	bool (*schema_dump)(Source *self, const SnapshotRef *snapshot,
						const DumpScope *scope, Arena *arena,
						DdlEntry **entries, int *count, Findings *left_out,
						Error *err);
	/* The schema as values, for a target of another kind. */
	bool (*schema_read)(Source *self, const SnapshotRef *snapshot, Arena *arena,
						Schema *schema, Error *err);
	/* A type by its name in SQL, as a column of it would have it; P_RULE. */
	bool (*type_resolve)(Source *self, const char *type, Arena *arena,
						 SchemaType *resolved, Error *err);
	bool (*sequences_list)(Source *self, Arena *arena, Sequence **sequences,
						   int *count, Error *err);

	/*
	 * The shapes of the tables selected and of the partitioned tables above
	 * them, under the snapshot.
	 */
	bool (*shapes_list)(Source *self, const SnapshotRef *snapshot, Arena *arena,
						Shape **shapes, int *count, Error *err);
	/*
	 * The key of the messages that carry DDL; *known is false where there is no
	 * extension, or where its table cannot be read.
	 */
	bool (*ddl_key)(Source *self, unsigned char key[DDL_KEY_SIZE], bool *known,
					Error *err);

	/* Tables that extensions brought: theirs to fill, on either side. */
	bool (*extension_tables)(Source *self, Arena *arena, uint32_t **oids,
							 int *count, Error *err);

	/* ---- a reader of table rows: one connection, one snapshot, one thread */
	SourceReader *(*reader_open)(Source *self, const SnapshotRef *snapshot,
								 Error *err);
	/* The stamp of what this reader sees; strings live as long as it. */
	void (*reader_stamp)(SourceReader *reader, Stamp *stamp);
	/* P_SCHEMA_DIFFERS if the snapshot sees other columns than table has. */
	bool (*reader_begin)(SourceReader *reader, const Table *table,
						 const Chunk *chunk, Error *err);
	/*
	 * What COPY sends, binary if the table is, with *rows rows in it; *data is
	 * valid until the next call; len 0 is the end.
	 */
	bool (*reader_data)(SourceReader *reader, Slice *data, int64_t *rows,
						Error *err);
	/*
	 * After the end: is what was read what the snapshot meant?  *whole is
	 * false if the table was rewritten under it (its rows are then void).
	 * Fills in the chunk's rows and storage.
	 */
	bool (*reader_end)(SourceReader *reader, const Table *table, Chunk *chunk,
					   bool *whole, Error *err);
	void (*reader_close)(SourceReader *reader);

	/* Disconnect everything and give the memory back. */
	void (*free)(Source *self);
} SourceOps;

struct Source
{
	const SourceOps *ops;
	const SourceConfig *config;
};

/*
 * A source's URL, without connecting: can it be read?  P_URL; side is how the
 * message calls it.
 */
bool source_url_check(const char *url, const char *side, Error *err) MUST_CHECK;

/* By the URL's scheme; P_URL if there is no such driver.  Does not connect. */
Source *source_open(const SourceConfig *config, Error *err);
void source_close(Source *source);

/*
 * Is the slot there, ours and valid?  *info is what was found.  P_SLOT_MISSING,
 * P_SLOT_FOREIGN, P_SLOT_INVALID.
 */
bool source_slot_check(Source *source, SlotInfo *info, Error *err) MUST_CHECK;

#endif /* PORTAGE_SOURCE_H */

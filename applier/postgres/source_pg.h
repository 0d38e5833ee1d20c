/*
 * source_pg.h
 *		The PostgreSQL source's parts, for the files that make it up.
 *
 *		source_pg.c			the table of operations; connecting; identity
 *		source_pg_slot.c	creating, inspecting and dropping the slot
 *		source_pg_owner.c	who reads a slot of several targets
 *		source_pg_stream.c	START_REPLICATION, frames, keepalives, feedback
 *		source_pg_marker.c	markers on a connection of their own
 *		source_pg_check.c	preflight; its parts: source_pg_check_*.c
 *		source_pg_needs.c	what the target must have
 *		source_pg_snapshot.c	snapshots, the wait for visibility
 *		source_pg_catalog.c	tables, sequences
 *		source_pg_keys.c	by which keys tables can be split
 *		source_pg_dump.c	the schema as entries
 *		source_pg_schema.c	the schema as values; its parts: source_pg_schema_*.c
 *		pg_program.c		pg_dump and pg_restore: found, started, read
 *		dump_split.c		their output as entries that run on their own
 *		dump_select.c		which of the entries are wanted
 *		source_pg_reader.c	COPY TO STDOUT under a snapshot
 *		source_pg_copy.h	what those of the copy share
 */
#ifndef PORTAGE_SOURCE_PG_H
#define PORTAGE_SOURCE_PG_H

#include "postgres/pg_conn.h"
#include "source/source.h"

/* the output plugin's name on the server */
#define PLUGIN_NAME "pg_portage"

/* label (application_name) roles; owner_evict looks for them */
#define LABEL_FORMAT "pg_portage %s %s"
#define LABEL_SIZE 64

/* a slot's name: "portage_" and the stream's */
#define SLOT_NAME_SIZE 64

typedef struct SourcePg
{
	Source base;
	PgConn *sql;		 /* statements; NULL when not connected */
	PgConn *slot_holder; /* keeps the slot's exported snapshot */
	PgConn *exporter;	 /* keeps another one that readers share */
	char exported[128];	 /* its id */
	PgConn *stream;		 /* replication connection of the stream */
	int owner_pid;		 /* of the session that had the lock; or 0 */
	PgConn *marker;		 /* used by the marker thread alone */

	/* state of the stream; see source_pg_stream.c */
	Lsn received_end; /* end of WAL the server last told */
	Lsn confirmed;	  /* the flush position last sent */
	int64_t status_interval_ms;
	int64_t status_due_ms; /* on clock_ms() */
	int64_t heard_ms;	   /* when the server last said anything */
} SourcePg;

Source *source_pg_open(const SourceConfig *config, Error *err);

/* Open one more connection; role is "reader", "marker" ... for the label. */
PgConn *source_pg_session(SourcePg *self, const char *role, bool replication,
						  Error *err);

/* source_pg_slot.c */
bool source_pg_slot_inspect(Source *source, SlotInfo *info, Error *err);
bool source_pg_slot_create(Source *source, SlotSnapshot *snapshot, Error *err);
bool source_pg_slot_join(Source *source, SlotSnapshot *snapshot, Error *err);
void source_pg_slot_snapshot_release(Source *source);
/* Wait for, then end, the walsender that a killed applier left in the slot. */
bool source_pg_slot_wait_free(Source *source, Error *err);
bool source_pg_slot_drop(Source *source, bool *existed, Error *err);

/* source_pg_owner.c */
bool source_pg_owner_acquire(Source *source, bool takeover, bool *owned,
							 char *owner, size_t owner_size, Error *err);

/* source_pg_stream.c */
bool source_pg_stream_start(Source *source, const StreamOptions *options,
							Error *err);
bool source_pg_stream_next(Source *source, int64_t timeout_ms, Frame **frame,
						   Error *err);
bool source_pg_stream_idle(Source *source, Error *err);
bool source_pg_stream_confirm(Source *source, Lsn lsn, Error *err);
void source_pg_stream_stop(Source *source);
Lsn source_pg_stream_wal_end(Source *source);

/* source_pg_marker.c */
bool source_pg_marker_connect(Source *source, Error *err);
bool
source_pg_marker_emit(Source *source, const char *nonce, Lsn *lsn, Error *err);
void source_pg_marker_disconnect(Source *source);

/* source_pg_check.c */
bool source_pg_check(Source *source, Findings *findings, Error *err);
bool source_pg_check_objects(Source *source, Findings *findings, Error *err);

/* source_pg_needs.c */
bool source_pg_needs(Source *source, Arena *arena, Needs *needs, Error *err);

/* source_pg_snapshot.c */
bool source_pg_snapshot_settle(Source *source, const SnapshotRef *snapshot,
							   int64_t timeout_ms, Error *err);
bool
source_pg_snapshot_export(Source *source, SnapshotRef *snapshot, Error *err);
void source_pg_snapshot_release(Source *source);

/* source_pg_catalog.c */
bool
source_pg_tables_list(Source *source, const SnapshotRef *snapshot, Arena *arena,
					  Table **tables, int *count, Error *err);
bool source_pg_sequences_list(Source *source, Arena *arena,
							  Sequence **sequences, int *count, Error *err);

bool source_pg_extension_tables(Source *source, Arena *arena, uint32_t **oids,
								int *count, Error *err);

/* source_pg_keys.c */
bool source_pg_key_bounds(Source *source, const SnapshotRef *snapshot,
						  const Table *table, int pieces, Arena *arena,
						  const char ***bounds, int *count, Error *err);

/* source_pg_shapes.c */
bool
source_pg_shapes_list(Source *source, const SnapshotRef *snapshot, Arena *arena,
					  Shape **shapes, int *count, Error *err);
bool source_pg_ddl_key(Source *source, unsigned char key[DDL_KEY_SIZE],
					   bool *known, Error *err);

/* source_pg_dump.c */
bool
source_pg_schema_dump(Source *source, const SnapshotRef *snapshot,
					  const DumpScope *scope, Arena *arena, DdlEntry **entries,
					  int *count, Findings *left_out, Error *err);

/* source_pg_schema.c */
bool source_pg_schema_read(Source *source, const SnapshotRef *snapshot,
						   Arena *arena, Schema *schema, Error *err);

/* source_pg_type_resolve.c */
bool source_pg_type_resolve(Source *source, const char *type, Arena *arena,
							SchemaType *resolved, Error *err);

/* source_pg_reader.c */
SourceReader *
source_pg_reader_open(Source *source, const SnapshotRef *snapshot, Error *err);
void source_pg_reader_stamp(SourceReader *reader, Stamp *stamp);
bool source_pg_reader_begin(SourceReader *reader, const Table *table,
							const Chunk *chunk, Error *err);
bool source_pg_reader_data(SourceReader *reader, Slice *data, int64_t *rows,
						   Error *err);
bool source_pg_reader_end(SourceReader *reader, const Table *table,
						  Chunk *chunk, bool *whole, Error *err);
void source_pg_reader_close(SourceReader *reader);

#endif /* PORTAGE_SOURCE_PG_H */

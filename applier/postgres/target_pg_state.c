/*
 * target_pg_state.c
 *		The rows that say what the copy has to do: portage.ddl, portage.chunk;
 *		identity columns and sequences.
 *
 * Storing replaces what is still to do and collides with anything that is done,
 * so it can be repeated after a crash and cannot undo work.
 */
#include "postgres/target_pg_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "postgres/shape_map.h"

#define DDL_INSERT_SQL                                               \
	"INSERT INTO portage.ddl (stream, number, section, state, type," \
	" object_schema, object_name, table_oid, sql)"                   \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"

#define CHUNK_INSERT_SQL                                                  \
	"INSERT INTO portage.chunk (stream, table_oid, number, table_schema," \
	" table_name, kind, key_column, range_low, range_high, size, state)"  \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'todo')"

/* Those of a partition are its root's. */
#define IDENTITY_SQL                                                      \
	"SELECT n.nspname, c.relname, a.attname, r.table_oid"                 \
	" FROM portage.relation r"                                            \
	" JOIN pg_class c"                                                    \
	"  ON c.oid = to_regclass(format('%I.%I', table_schema, table_name))" \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                      \
	" JOIN pg_attribute a ON a.attrelid = c.oid"                          \
	" WHERE r.stream = $1 AND a.attidentity = 'a' AND NOT a.attisdropped" \
	" AND NOT c.relispartition ORDER BY 1, 2, a.attnum"

#define DDL_NEXT_SQL \
	"SELECT coalesce(max(number), 0) + 1 FROM portage.ddl WHERE stream = $1"

#define SETVAL_SQL                                                \
	"SELECT setval(s, $3::bigint, $4::boolean)"                   \
	" FROM to_regclass(format('%I.%I', $1::text, $2::text)) AS s" \
	" WHERE s IS NOT NULL"

static const char *const section_names[] = {
	[DDL_PRE_DATA] = "pre-data",
	[DDL_POST_DATA] = "post-data",
};

bool
target_pg_ddl_insert(PgConn *conn, const char *stream, const DdlEntry *entry,
					 Error *err)
{
	char number[16];
	char table_oid[16];
	const char *params[9] = { stream,
							  number,
							  section_names[entry->section],
							  ddl_state_name(entry->state),
							  entry->type,
							  entry->schema,
							  entry->name,
							  table_oid,
							  entry->sql };

	snprintf(number, sizeof(number), "%d", entry->number);
	snprintf(table_oid, sizeof(table_oid), "%" PRIu32, entry->table_oid);
	return pg_exec_params(conn, err, DDL_INSERT_SQL, 9, params);
}

bool
target_pg_ddl_store(Target *target, const Progress *progress,
					const DdlEntry *entries, int count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[1] = { progress->stream };
	CopyTransaction transaction;
	bool ok;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	ok = pg_exec_params(conn, err,
						"DELETE FROM portage.ddl WHERE stream = $1"
						" AND state = 'todo'",
						1, params);
	for (int i = 0; ok && i < count; i++)
		ok = target_pg_ddl_insert(conn, progress->stream, &entries[i], err);
	return copy_transaction_end(&transaction, ok, err) &&
		   FAILPOINT(FP_SCHEMA_STORED, err);
}

static DdlState
ddl_state_parse(const char *name)
{
	return strcmp(name, "done") == 0	   ? DDL_DONE
		   : strcmp(name, "waiting") == 0  ? DDL_WAITING
		   : strcmp(name, "deferred") == 0 ? DDL_DEFERRED
										   : DDL_TODO;
}

bool
target_pg_ddl_list(Target *target, Arena *arena, DdlEntry **entries, int *count,
				   Error *err)
{
	const char *params[1] = { target->config->stream };
	PGresult *res;

	res = pg_query_params(((TargetPg *) target)->conn, err,
						  "SELECT number, section, state, type, object_schema,"
						  " object_name, table_oid, sql FROM portage.ddl"
						  " WHERE stream = $1 ORDER BY number",
						  1, params);
	if (res == NULL)
		return false;
	*count = PQntuples(res);
	*entries = ARENA_ARRAY(arena, DdlEntry, (size_t) *count);
	for (int i = 0; i < *count; i++)
	{
		DdlEntry *entry = &(*entries)[i];

		entry->number = (int) pg_value_int(res, i, 0);
		entry->section = strcmp(pg_value(res, i, 1), "pre-data") == 0
							 ? DDL_PRE_DATA
							 : DDL_POST_DATA;
		entry->state = ddl_state_parse(pg_value(res, i, 2));
		entry->type = arena_strdup(arena, pg_value(res, i, 3));
		entry->schema = arena_strdup(arena, pg_value(res, i, 4));
		entry->name = arena_strdup(arena, pg_value(res, i, 5));
		entry->table_oid = (uint32_t) pg_value_int(res, i, 6);
		entry->sql = arena_strdup(arena, pg_value(res, i, 7));
	}
	PQclear(res);
	return true;
}

/* Change one identity column and note how it is to be restored. */
static bool
identity_change(PgConn *conn, const char *stream, const PGresult *res, int row,
				int number, Error *err)
{
	Buffer alter;
	Buffer restore;
	Buffer name;
	DdlEntry entry = { .number = number,
					   .section = DDL_POST_DATA,
					   .state = DDL_DEFERRED,
					   .type = DDL_TYPE_IDENTITY,
					   .schema = pg_value(res, row, 0),
					   .table_oid = (uint32_t) pg_value_int(res, row, 3) };
	bool ok;

	buffer_init(&alter);
	buffer_init(&restore);
	buffer_init(&name);
	buffer_puts(&alter, "ALTER TABLE ");
	pg_quote_table(&alter, entry.schema, pg_value(res, row, 1));
	buffer_puts(&alter, " ALTER COLUMN ");
	pg_quote_ident(&alter, pg_value(res, row, 2));
	buffer_puts(&restore, alter.data);
	buffer_puts(&restore, " SET GENERATED ALWAYS;");
	buffer_puts(&alter, " SET GENERATED BY DEFAULT;");
	buffer_printf(&name, "%s.%s", pg_value(res, row, 1), pg_value(res, row, 2));
	entry.name = name.data;
	entry.sql = restore.data;
	ok = pg_exec(conn, err, alter.data) &&
		 target_pg_ddl_insert(conn, stream, &entry, err);
	buffer_release(&name);
	buffer_release(&restore);
	buffer_release(&alter);
	return ok;
}

bool
target_pg_identity_change(PgConn *conn, const char *stream, Error *err)
{
	const char *params[1] = { stream };
	PGresult *next = pg_query_params(conn, err, DDL_NEXT_SQL, 1, params);
	PGresult *res = NULL;
	bool ok;

	if (next != NULL)
		res = pg_query_params(conn, err, IDENTITY_SQL, 1, params);
	ok = res != NULL;
	for (int i = 0; ok && i < PQntuples(res); i++)
		ok = identity_change(conn, stream, res, i,
							 (int) pg_value_int(next, 0, 0) + i, err);
	PQclear(res);
	PQclear(next);
	return ok;
}

/*
 * The stream may change a key, and UPDATE cannot set a GENERATED ALWAYS
 * column.  What is relaxed is not found again, so this may be repeated.
 */
bool
target_pg_identity_relax(Target *target, const Progress *progress, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	CopyTransaction transaction;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	return copy_transaction_end(
			   &transaction,
			   target_pg_identity_change(conn, progress->stream, err), err) ||
		   error_wrap(err, "identity columns");
}

bool
target_pg_chunk_insert(PgConn *conn, const char *stream, const Chunk *chunk,
					   Error *err)
{
	char table_oid[16];
	char number[16];
	char size[24];
	const char *params[10] = { stream,		table_oid,
							   number,		chunk->schema,
							   chunk->name, chunk_kind_name(chunk->kind),
							   chunk->key,	chunk->low,
							   chunk->high, size };

	snprintf(size, sizeof(size), "%" PRId64, chunk->size);
	snprintf(table_oid, sizeof(table_oid), "%" PRIu32, chunk->table_oid);
	snprintf(number, sizeof(number), "%d", chunk->number);
	return pg_exec_params(conn, err, CHUNK_INSERT_SQL, 10, params);
}

bool
target_pg_chunks_store(Target *target, const Progress *progress,
					   const Chunk *chunks, int count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[1] = { progress->stream };
	CopyTransaction transaction;
	bool ok;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	ok = pg_exec_params(conn, err,
						"DELETE FROM portage.chunk WHERE stream = $1"
						" AND state = 'todo'",
						1, params);
	for (int i = 0; ok && i < count; i++)
		ok = target_pg_chunk_insert(conn, progress->stream, &chunks[i], err);
	return copy_transaction_end(&transaction, ok, err) &&
		   FAILPOINT(FP_CHUNK_STORED, err);
}

static ChunkKind
chunk_kind_parse(const char *name)
{
	return strcmp(name, chunk_kind_name(CHUNK_KEYS)) == 0	  ? CHUNK_KEYS
		   : strcmp(name, chunk_kind_name(CHUNK_BLOCKS)) == 0 ? CHUNK_BLOCKS
															  : CHUNK_WHOLE;
}

static const char *
value_or_null(Arena *arena, const PGresult *res, int row, int column)
{
	return pg_is_null(res, row, column)
			   ? NULL
			   : arena_strdup(arena, pg_value(res, row, column));
}

bool
target_pg_chunks_list(Target *target, Arena *arena, Chunk **chunks, int *count,
					  Error *err)
{
	const char *params[1] = { target->config->stream };
	PGresult *res;

	res = pg_query_params(((TargetPg *) target)->conn, err,
						  "SELECT table_oid, number, table_schema, table_name,"
						  " state, slot_snapshot, stamp_lsn, stamp_snapshot,"
						  " rows, bytes, kind, key_column, range_low,"
						  " range_high, coalesce(storage, 0), size"
						  " FROM portage.chunk WHERE stream = $1"
						  " ORDER BY table_oid, number",
						  1, params);
	if (res == NULL)
		return false;
	*count = PQntuples(res);
	*chunks = ARENA_ARRAY(arena, Chunk, (size_t) *count);
	for (int i = 0; i < *count; i++)
	{
		Chunk *chunk = &(*chunks)[i];

		chunk->table_oid = (uint32_t) pg_value_int(res, i, 0);
		chunk->number = (int) pg_value_int(res, i, 1);
		chunk->schema = arena_strdup(arena, pg_value(res, i, 2));
		chunk->name = arena_strdup(arena, pg_value(res, i, 3));
		chunk->state = strcmp(pg_value(res, i, 4), "done") == 0 ? CHUNK_DONE
																: CHUNK_TODO;
		chunk->stamp.slot = pg_value_bool(res, i, 5);
		chunk->stamp.lsn = pg_is_null(res, i, 6) ? LSN_NONE
												 : pg_value_lsn(res, i, 6);
		chunk->stamp.snapshot = arena_strdup(
			arena, pg_is_null(res, i, 7) ? "" : pg_value(res, i, 7));
		chunk->rows = pg_value_int(res, i, 8);
		chunk->bytes = pg_value_int(res, i, 9);
		chunk->kind = chunk_kind_parse(pg_value(res, i, 10));
		chunk->key = value_or_null(arena, res, i, 11);
		chunk->low = value_or_null(arena, res, i, 12);
		chunk->high = value_or_null(arena, res, i, 13);
		chunk->storage = (uint32_t) pg_value_int(res, i, 14);
		chunk->size = pg_value_int(res, i, 15);
	}
	PQclear(res);
	return true;
}

static bool
sequence_set(PgConn *conn, const Sequence *sequence, Error *err)
{
	char value[24];
	const char *params[4] = { sequence->schema, sequence->name, value,
							  sequence->is_called ? "true" : "false" };
	bool found;

	snprintf(value, sizeof(value), "%" PRId64, sequence->last_value);
	if (!pg_exec_expect(conn, err, SETVAL_SQL, 4, params, 1, &found))
		return error_wrap(err, "sequence %s.%s", sequence->schema,
						  sequence->name);
	if (!found)
		log_warning("sequence %s.%s is not on the target", sequence->schema,
					sequence->name);
	return true;
}

bool
target_pg_sequences_set(Target *target, const Progress *progress,
						const Sequence *sequences, int count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	CopyTransaction transaction;
	bool ok = true;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	for (int i = 0; ok && i < count; i++)
		ok = sequence_set(conn, &sequences[i], err);
	return copy_transaction_end(&transaction, ok, err) &&
		   FAILPOINT(FP_SEQUENCES_SET, err);
}

bool
target_pg_shapes_store(Target *target, const Progress *progress,
					   const Shape *shapes, int count, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	const char *params[1] = { progress->stream };
	CopyTransaction transaction;
	ShapeMap *map;
	bool ok;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	ok = pg_exec_params(
		conn, err, "DELETE FROM portage.relation WHERE stream = $1", 1, params);
	map = ok ? shape_map_load(conn, progress->stream, err) : NULL;
	for (int i = 0; map != NULL && ok && i < count; i++)
		ok = shape_map_put(map, conn, &shapes[i], err) != NULL;
	ok = ok && map != NULL;
	shape_map_free(map);
	return copy_transaction_end(&transaction, ok, err);
}

bool
target_pg_shape_copied(Target *target, const Progress *progress,
					   const Shape *shape, Error *err)
{
	PgConn *conn = ((TargetPg *) target)->conn;
	CopyTransaction transaction;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	return copy_transaction_end(
		&transaction, shape_map_note_copied(conn, progress->stream, shape, err),
		err);
}

bool
target_pg_shapes_list(Target *target, Arena *arena, Shape **shapes, int *count,
					  Error *err)
{
	ShapeMap *map = shape_map_load(((TargetPg *) target)->conn,
								   target->config->stream, err);
	const ShapeEntry *entry = NULL;

	if (map == NULL)
		return false;
	*count = 0;
	while ((entry = shape_map_next(map, entry)) != NULL)
		(*count)++;
	*shapes = ARENA_ARRAY(arena, Shape, (size_t) *count);
	for (int i = 0; i < *count; i++)
	{
		entry = shape_map_next(map, entry);
		shape_copy(entry->copied.oid != 0 ? &entry->copied : &entry->shape,
				   arena, &(*shapes)[i]);
	}
	shape_map_free(map);
	return true;
}

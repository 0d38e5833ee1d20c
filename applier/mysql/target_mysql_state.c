/*
 * target_mysql_state.c
 *		The rows that say what the copy has to do: portage_ddl, portage_chunk;
 *		sequences, statistics.
 *
 * Storing replaces what is still to do and collides with anything that is done,
 * so it can be repeated after a crash and cannot undo work.
 */
#include <inttypes.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/target_mysql.h"

static const char *const section_names[] = {
	[DDL_PRE_DATA] = "pre-data",
	[DDL_POST_DATA] = "post-data",
};

/* Everything in a transaction of the owner's. */
static bool
begin(TargetMysql *self, const Progress *progress, Error *err)
{
	return target_mysql_begin(self->conn, progress->stream, 0,
							  self->origin_nonce, err);
}

static void
put_text(Buffer *sql, const char *text)
{
	buffer_puts(sql, ", ");
	if (text != NULL)
		my_quote_text(sql, slice_of(text));
	else
		buffer_puts(sql, "NULL");
}

static bool
run(MyConn *conn, Buffer *sql, Error *err)
{
	bool ok = my_exec_slice(conn, err, (Slice){ sql->data, sql->len }, NULL);

	buffer_release(sql);
	return ok;
}

static const char *
value_or_null(Arena *arena, const MyResult *row, int column)
{
	return my_is_null(row, column) ? NULL
								   : arena_strdup(arena, my_value(row, column));
}

/* ---------------------------------------------------------- schema entries */

/* One that is there already is done, however often that is stored. */
static bool
ddl_insert(MyConn *conn, const char *stream, const DdlEntry *entry, Error *err)
{
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql,
				  "INSERT INTO portage_ddl (stream, number, table_oid, section,"
				  " state, type, object_schema, object_name, sql_text, probe)"
				  " VALUES ('%s', %d, %" PRIu32,
				  stream, entry->number, entry->table_oid);
	put_text(&sql, section_names[entry->section]);
	put_text(&sql, ddl_state_name(entry->state));
	put_text(&sql, entry->type);
	put_text(&sql, entry->schema);
	put_text(&sql, entry->name);
	put_text(&sql, entry->sql);
	put_text(&sql, entry->probe != NULL ? entry->probe : "");
	buffer_putc(&sql, ')');
	if (entry->state == DDL_DONE)
		buffer_puts(&sql, " ON DUPLICATE KEY UPDATE state = state");
	return run(conn, &sql, err);
}

bool
target_mysql_ddl_store(Target *target, const Progress *progress,
					   const DdlEntry *entries, int count, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyConn *conn = self->conn;
	bool ok;

	if (!begin(self, progress, err))
		return false;
	ok = my_execf(conn, err,
				  "DELETE FROM portage_ddl WHERE stream = '%s'"
				  " AND state = 'todo' AND running = 0",
				  progress->stream);
	for (int i = 0; ok && i < count; i++)
		ok = ddl_insert(conn, progress->stream, &entries[i], err);
	return target_mysql_end(conn, progress, ok, err) &&
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
target_mysql_ddl_list(Target *target, Arena *arena, DdlEntry **entries,
					  int *count, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	MyResult row;

	*count = 0;
	if (!my_queryf(conn, err, &row,
				   "SELECT number, section, state, type, object_schema,"
				   " object_name, table_oid, sql_text, probe FROM portage_ddl"
				   " WHERE stream = '%s' ORDER BY number",
				   target->config->stream))
		return false;
	*entries = ARENA_ARRAY(arena, DdlEntry, (size_t) mysql_num_rows(row.res));
	while (my_next(&row))
	{
		DdlEntry *entry = &(*entries)[(*count)++];

		entry->number = (int) my_value_int(&row, 0);
		entry->section = strcmp(my_value(&row, 1), "pre-data") == 0
							 ? DDL_PRE_DATA
							 : DDL_POST_DATA;
		entry->state = ddl_state_parse(my_value(&row, 2));
		entry->type = arena_strdup(arena, my_value(&row, 3));
		entry->schema = arena_strdup(arena, my_value(&row, 4));
		entry->name = arena_strdup(arena, my_value(&row, 5));
		entry->table_oid = (uint32_t) my_value_int(&row, 6);
		entry->sql = arena_strdup(arena, my_value(&row, 7));
		entry->probe = arena_strdup(arena, my_value(&row, 8));
	}
	my_result_free(&row);
	return true;
}

/* There are none here: a server of this kind takes any value for a column. */
bool
target_mysql_identity_relax(Target *target, const Progress *progress,
							Error *err)
{
	(void) target;
	(void) progress;
	(void) err;
	return true;
}

/* ------------------------------------------------------------------ chunks */

bool
target_mysql_chunk_insert(MyConn *conn, const char *stream, const Chunk *chunk,
						  Error *err)
{
	Buffer sql;

	buffer_init(&sql);
	buffer_printf(&sql,
				  "INSERT INTO portage_chunk (stream, table_oid, number, size,"
				  " state, table_schema, table_name, kind, key_column,"
				  " range_low, range_high) VALUES ('%s', %" PRIu32 ", %d, "
				  "%" PRId64 ", 'todo'",
				  stream, chunk->table_oid, chunk->number, chunk->size);
	put_text(&sql, chunk->schema);
	put_text(&sql, chunk->name);
	put_text(&sql, chunk_kind_name(chunk->kind));
	put_text(&sql, chunk->key);
	put_text(&sql, chunk->low);
	put_text(&sql, chunk->high);
	buffer_putc(&sql, ')');
	return run(conn, &sql, err);
}

bool
target_mysql_chunks_store(Target *target, const Progress *progress,
						  const Chunk *chunks, int count, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	MyConn *conn = self->conn;
	bool ok;

	if (!begin(self, progress, err))
		return false;
	ok = my_execf(conn, err,
				  "DELETE FROM portage_chunk WHERE stream = '%s'"
				  " AND state = 'todo'",
				  progress->stream);
	for (int i = 0; ok && i < count; i++)
		ok = target_mysql_chunk_insert(conn, progress->stream, &chunks[i], err);
	return target_mysql_end(conn, progress, ok, err) &&
		   FAILPOINT(FP_CHUNK_STORED, err);
}

static ChunkKind
chunk_kind_parse(const char *name)
{
	return strcmp(name, chunk_kind_name(CHUNK_KEYS)) == 0	  ? CHUNK_KEYS
		   : strcmp(name, chunk_kind_name(CHUNK_BLOCKS)) == 0 ? CHUNK_BLOCKS
															  : CHUNK_WHOLE;
}

static bool
chunk_load(const MyResult *row, Arena *arena, Chunk *chunk, Error *err)
{
	chunk->table_oid = (uint32_t) my_value_int(row, 0);
	chunk->number = (int) my_value_int(row, 1);
	chunk->schema = arena_strdup(arena, my_value(row, 2));
	chunk->name = arena_strdup(arena, my_value(row, 3));
	chunk->state = strcmp(my_value(row, 4), "done") == 0 ? CHUNK_DONE
														 : CHUNK_TODO;
	chunk->stamp.slot = my_value_int(row, 5) != 0;
	chunk->stamp.snapshot = arena_strdup(arena, my_value(row, 7));
	chunk->rows = my_value_int(row, 8);
	chunk->bytes = my_value_int(row, 9);
	chunk->kind = chunk_kind_parse(my_value(row, 10));
	chunk->key = value_or_null(arena, row, 11);
	chunk->low = value_or_null(arena, row, 12);
	chunk->high = value_or_null(arena, row, 13);
	chunk->storage = (uint32_t) my_value_int(row, 14);
	chunk->size = my_value_int(row, 15);
	return my_is_null(row, 6) ||
		   lsn_parse(my_value(row, 6), &chunk->stamp.lsn) ||
		   error_set(err, P_PROGRESS,
					 "the stamp of a chunk of %s.%s cannot be "
					 "read",
					 chunk->schema, chunk->name);
}

bool
target_mysql_chunks_list(Target *target, Arena *arena, Chunk **chunks,
						 int *count, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	MyResult row;
	bool ok = true;

	*count = 0;
	if (!my_queryf(conn, err, &row,
				   "SELECT table_oid, number, table_schema, table_name, state,"
				   " slot_snapshot, stamp_lsn, stamp_snapshot, row_count,"
				   " bytes, kind, key_column, range_low, range_high,"
				   " coalesce(storage, 0), size FROM portage_chunk"
				   " WHERE stream = '%s' ORDER BY table_oid, number",
				   target->config->stream))
		return false;
	*chunks = ARENA_ARRAY(arena, Chunk, (size_t) mysql_num_rows(row.res));
	while (ok && my_next(&row))
		ok = chunk_load(&row, arena, &(*chunks)[(*count)++], err);
	my_result_free(&row);
	return ok;
}

/* A server does not say what a transaction has not committed. */
bool
target_mysql_load_activity(Target *target, Arena *arena,
						   LoadActivity **activity, int *count, Error *err)
{
	(void) target;
	(void) arena;
	(void) err;
	*activity = NULL;
	*count = 0;
	return true;
}

/* --------------------------------------------------- sequences, statistics */

bool
target_mysql_analyze_on(MyConn *conn, const TableMap *map, Error *err)
{
	Buffer sql;
	MyResult row;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "ANALYZE TABLE ");
	my_quote_table(&sql, map->database, map->table);
	ok = my_query(conn, err, sql.data, &row);
	buffer_release(&sql);
	if (!ok)
		return false;
	/* it says in a row what went wrong: statistics are not worth a failure */
	while (my_next(&row))
	{
		if (strcasecmp(my_value(&row, 2), "error") == 0)
			log_warning("no statistics of %s: %s", map->table,
						my_value(&row, 3));
	}
	my_result_free(&row);
	return true;
}

bool
target_mysql_analyze(Target *target, const Table *table, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	const MapEntry *entry;

	if (!target_mysql_maps(self, err))
		return false;
	entry = map_table_find(self->maps, table->oid);
	return entry == NULL || entry->map.table == NULL ||
		   target_mysql_analyze_on(self->conn, &entry->map, err);
}

/* The table whose AUTO_INCREMENT it has become. */
static const TableMap *
sequence_table(const MapTable *maps, const Sequence *sequence)
{
	for (int i = 0; i < maps->count; i++)
	{
		const TableMap *map = &maps->entries[i].map;

		for (int j = 0; j < map->column_count; j++)
		{
			const char *name = map->columns[j].sequence;
			size_t len = strlen(sequence->schema);

			if (name != NULL && strncmp(name, sequence->schema, len) == 0 &&
				name[len] == '.' && strcmp(name + len + 1, sequence->name) == 0)
				return map;
		}
	}
	return NULL;
}

/*
 * The value that comes next.  InnoDB takes one that is too low for the highest
 * there is and one, so this cannot lead to a value that is taken.
 */
static bool
sequence_set(MyConn *conn, const TableMap *map, const Sequence *sequence,
			 Error *err)
{
	int64_t next = sequence->last_value + (sequence->is_called ? 1 : 0);
	Buffer sql;

	buffer_init(&sql);
	buffer_puts(&sql, "ALTER TABLE ");
	my_quote_table(&sql, map->database, map->table);
	buffer_printf(&sql, " AUTO_INCREMENT = %" PRId64, next > 0 ? next : 1);
	return run(conn, &sql, err) ||
		   error_wrap(err, "sequence %s.%s", sequence->schema, sequence->name);
}

bool
target_mysql_sequences_set(Target *target, const Progress *progress,
						   const Sequence *sequences, int count, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	bool ok = true;

	/* each commits by itself and may be repeated: the proof comes first */
	if (!target_mysql_maps(self, err) || !begin(self, progress, err) ||
		!target_mysql_end(self->conn, progress, true, err))
		return false;
	for (int i = 0; ok && i < count; i++)
	{
		const TableMap *map = sequence_table(self->maps, &sequences[i]);

		if (map != NULL)
			ok = sequence_set(self->conn, map, &sequences[i], err);
	}
	return ok && FAILPOINT(FP_SEQUENCES_SET, err);
}

/*
 * load_empty.c
 *		See load_empty.h.
 */
#include "mysql/load_empty.h"

#include <inttypes.h>

#include "base/failpoint.h"
#include "mysql/load_table.h"

/* VERB ... WHERE stream = ... AND table_oid = ... REST */
static void
state_sql(Buffer *sql, const LoadEmpty *self, const char *verb,
		  const char *rest)
{
	buffer_printf(sql, "%s WHERE stream = ", verb);
	my_quote_text(sql, slice_of(self->progress->stream));
	buffer_printf(sql, " AND table_oid = %" PRIu32 "%s", self->map->oid, rest);
}

static bool
state_exec(const LoadEmpty *self, const char *verb, const char *rest,
		   Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	state_sql(&sql, self, verb, rest);
	ok = my_exec(self->conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

static bool
begin(const LoadEmpty *self, Error *err)
{
	return target_mysql_begin(self->conn, self->progress->stream, self->writer,
							  self->progress->origin_nonce, err);
}

static bool
commit(const LoadEmpty *self, Error *err)
{
	return target_mysql_fence(self->conn, self->progress, err) &&
		   my_exec(self->conn, err, "COMMIT");
}

/* One row with one number, not 0: yes. */
static bool
ask(const LoadEmpty *self, const Buffer *sql, bool *yes, Error *err)
{
	MyResult result;

	if (!my_query(self->conn, err, sql->data, &result))
		return false;
	*yes = my_next(&result) && my_value_int(&result, 0) != 0;
	my_result_free(&result);
	return true;
}

static bool
is_void(const LoadEmpty *self, bool *noted, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	state_sql(&sql, self, "SELECT EXISTS (SELECT 1 FROM portage_intent",
			  " AND kind = 'empty')");
	ok = ask(self, &sql, noted, err);
	buffer_release(&sql);
	return ok;
}

/* Empty it, and forget that it had to be. */
static bool
empty_void(const LoadEmpty *self, Error *err)
{
	return load_table_exec(self->conn, "TRUNCATE TABLE ", self->map, "", err) &&
		   FAILPOINT(FP_COPY_RESET, err) && begin(self, err) &&
		   state_exec(self, "DELETE FROM portage_intent", " AND kind = 'empty'",
					  err) &&
		   commit(self, err);
}

bool
load_empty_settle(const LoadEmpty *self, Error *err)
{
	bool noted;

	if (!is_void(self, &noted, err))
		return false;
	return !noted || empty_void(self, err);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* EXISTS (chunks of others that rules send to the same table) */
static void
put_others(Buffer *sql, const LoadEmpty *self, bool other_streams)
{
	buffer_puts(sql, "EXISTS (SELECT 1 FROM portage_chunk"
					 " WHERE state = 'done' AND table_schema = ");
	my_quote_text(sql, slice_of(self->map->schema));
	buffer_puts(sql, " AND table_name = ");
	my_quote_text(sql, slice_of(self->map->name));
	buffer_puts(sql, " AND (stream <> ");
	my_quote_text(sql, slice_of(self->progress->stream));
	if (!other_streams)
		buffer_printf(sql, " OR table_oid <> %" PRIu32, self->map->oid);
	buffer_puts(sql, "))");
}

/* Has another stream written to it? */
static bool
is_of_others(const LoadEmpty *self, bool *others, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT ");
	put_others(&sql, self, true);
	ok = ask(self, &sql, others, err);
	buffer_release(&sql);
	return ok;
}

/* Has another been copied whose rows are in the same table? */
static bool
others_done(const LoadEmpty *self, bool *done, Error *err)
{
	const char *comma = "";
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT EXISTS (SELECT 1 FROM portage_chunk"
					  " WHERE stream = ");
	my_quote_text(&sql, slice_of(self->progress->stream));
	buffer_puts(&sql, " AND state = 'done' AND table_oid IN (");
	for (int i = 0; i < self->maps->count; i++)
	{
		const TableMap *map = &self->maps->entries[i].map;

		if (map->oid == self->map->oid ||
			!same_text(map->database, self->map->database) ||
			!same_text(map->table, self->map->table))
			continue;
		buffer_printf(&sql, "%s%" PRIu32, comma, map->oid);
		comma = ", ";
	}
	buffer_printf(&sql, "%s))", comma[0] == '\0' ? "NULL" : "");
	if (self->shared)
	{
		buffer_puts(&sql, " OR ");
		put_others(&sql, self, false);
	}
	ok = ask(self, &sql, done, err);
	buffer_release(&sql);
	return ok;
}

bool
load_empty_prove(const LoadEmpty *self, Error *err)
{
	bool occupied;
	bool others = false;

	/* in this order: rows that are seen are those of chunks that are seen */
	if (!load_table_occupied(self->conn, self->map, &occupied, err) ||
		(occupied && (self->map->partition || self->shared) &&
		 !others_done(self, &others, err)))
		return false;
	/* the caller says which table it is */
	return !occupied || others ||
		   error_set(err, P_TARGET_NOT_EMPTY,
					 "the target's table holds rows that are not ours");
}

static bool
chunks_replace(const LoadEmpty *self, const Chunk *chunks, int count,
			   Error *err)
{
	bool ok = state_exec(self, "DELETE FROM portage_chunk", "", err) &&
			  kept_mysql_remove(self->conn, self->progress->stream, self->table,
								err);

	for (int i = 0; ok && i < count; i++)
		ok = target_mysql_chunk_insert(self->conn, self->progress->stream,
									   &chunks[i], err);
	return ok;
}

static bool
note_void(const LoadEmpty *self, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "REPLACE INTO portage_intent (stream, kind, table_oid,"
					  " commit_lsn, number, sql_text, probe, columns_json,"
					  " map_json) VALUES (");
	my_quote_text(&sql, slice_of(self->progress->stream));
	buffer_printf(&sql, ", 'empty', %" PRIu32 ", '0/0', 0, '', '', '', '')",
				  self->map->oid);
	ok = my_exec(self->conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

/*
 * Without a slot all tables of the stream are copied again, so the rows of all are void;
 * with one, those of others may be all there is of them.
 */
static bool
shared_reset(const LoadEmpty *self, const Chunk *chunks, int count, Error *err)
{
	bool others = false;

	if (self->progress->slot[0] != '\0'
			? !others_done(self, &others, err)
			: self->shared && !is_of_others(self, &others, err))
		return false;
	if (others)
	{
		error_set(err, P_COPY,
				  "it cannot be copied again: on the target its rows are in one"
				  " table with those of others");
		return error_hint(err, "Drop the migration, empty the target, and begin"
							   " again.");
	}
	return begin(self, err) &&
		   load_table_exec(self->conn, "DELETE FROM ", self->map, "", err) &&
		   chunks_replace(self, chunks, count, err) &&
		   FAILPOINT(FP_COPY_RESET, err) && commit(self, err);
}

bool
load_empty_reset(const LoadEmpty *self, const Chunk *chunks, int count,
				 Error *err)
{
	if (self->map->partition || self->shared)
		return shared_reset(self, chunks, count, err);
	return begin(self, err) && note_void(self, err) &&
		   chunks_replace(self, chunks, count, err) && commit(self, err) &&
		   empty_void(self, err);
}

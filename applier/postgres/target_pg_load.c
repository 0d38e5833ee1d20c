/*
 * target_pg_load.c
 *		Rows of one table into a PostgreSQL target: COPY FROM STDIN, together
 *		with the chunk row that says they are there.
 *
 * A whole table is locked, proved empty and truncated in the transaction that
 * fills it: then its rows can be written frozen, and nobody else's rows can be
 * among them.  A table in pieces is proved empty before the first of them.
 *
 * A table that others write to, too, is neither locked nor emptied: rows that are
 * there must be those of chunks, of this stream or another, that say so.
 */
#include "postgres/target_pg_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/copy_binary.h"
#include "postgres/copy_in.h"
#include "postgres/target_pg_kept.h"

/* a server that takes nothing for so long is given up */
#define SILENCE_MS 600000

#define CHUNK_DONE_SQL                                             \
	"UPDATE portage.chunk SET state = 'done', slot_snapshot = $4," \
	" stamp_lsn = $5, stamp_snapshot = $6, rows = $7, bytes = $8," \
	" storage = $9"                                                \
	" WHERE stream = $1 AND table_oid = $2 AND number = $3 AND state = 'todo'"

#define COLUMNS_SQL                                             \
	"SELECT a.attname, format_type(a.atttypid, a.atttypmod),"   \
	" " COPY_BINARY_TYPE                                        \
	" FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid" \
	" JOIN pg_class c ON c.oid = a.attrelid"                    \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"            \
	" WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0" \
	" AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"

struct TargetLoader
{
	PgConn *conn;
	Progress progress;
	CopyTransaction transaction;
};

TargetLoader *
target_pg_loader_open(Target *target, const Progress *progress, Error *err)
{
	TargetLoader *loader = mem_zalloc(sizeof(*loader));
	bool replica_role;

	loader->progress = *progress;
	loader->conn = target_pg_session((TargetPg *) target, "loader",
									 &replica_role, err);
	if (loader->conn == NULL || !pg_exec(loader->conn, err,
										 "SET row_security = off;"
										 "SET xmloption = content"))
	{
		target_pg_loader_close(loader);
		return NULL;
	}
	loader->conn->statement_timeout_ms = SILENCE_MS;
	loader->conn->interruptible = true;
	return loader;
}

/* Run "VERB table REST". */
static bool
table_exec(PgConn *conn, const char *verb, const Table *table, const char *rest,
		   Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, verb);
	pg_quote_table(&sql, table->schema, table->name);
	buffer_puts(&sql, rest);
	ok = pg_exec(conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

static bool
table_prove_empty(PgConn *conn, const Table *table, Error *err)
{
	PGresult *res;
	Buffer sql;
	bool empty;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT NOT EXISTS (SELECT FROM ONLY ");
	pg_quote_table(&sql, table->schema, table->name);
	buffer_puts(&sql, ")");
	res = pg_query(conn, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	empty = pg_value_bool(res, 0, 0);
	PQclear(res);
	/* the caller says which table it is */
	return empty ||
		   error_set(err, P_TARGET_NOT_EMPTY,
					 "the target's table holds rows that are not ours");
}

/* Chunks of others whose rows are in the same table. */
#define OTHERS_DONE_SQL                                               \
	"SELECT EXISTS (SELECT FROM portage.chunk"                        \
	" WHERE table_schema = $1 AND table_name = $2 AND state = 'done'" \
	" AND (stream, table_oid) <> ($3, $4::oid)),"                     \
	" EXISTS (SELECT FROM portage.chunk"                              \
	" WHERE table_schema = $1 AND table_name = $2 AND state = 'done'" \
	" AND stream <> $3)"

static bool
others_done(TargetLoader *loader, const Table *table, bool *done,
			bool *of_other_streams, Error *err)
{
	char oid[16];
	const char *params[4] = { table->schema, table->name,
							  loader->progress.stream, oid };
	PGresult *res;

	snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
	res = pg_query_params(loader->conn, err, OTHERS_DONE_SQL, 4, params);
	if (res == NULL)
		return false;
	*done = pg_value_bool(res, 0, 0);
	*of_other_streams = pg_value_bool(res, 0, 1);
	PQclear(res);
	return true;
}

/* In this order: rows that are seen are those of chunks that are seen. */
static bool
table_prove_ours(TargetLoader *loader, const Table *table, Error *err)
{
	Error occupied = ERROR_INIT;
	bool done;
	bool elsewhere;

	if (table_prove_empty(loader->conn, table, &occupied))
		return true;
	if (occupied.code == P_TARGET_NOT_EMPTY &&
		!others_done(loader, table, &done, &elsewhere, err))
		return false;
	if (occupied.code == P_TARGET_NOT_EMPTY && done)
		return true;
	*err = occupied;
	return false;
}

static bool
table_copy(PgConn *conn, const Table *table, bool freeze, Error *err)
{
	Buffer rest;
	bool ok;

	buffer_init(&rest);
	for (int i = 0; i < table->column_count; i++)
	{
		buffer_puts(&rest, i == 0 ? " (" : ", ");
		pg_quote_ident(&rest, table->columns[i]);
	}
	if (table->column_count > 0)
		buffer_putc(&rest, ')');
	buffer_printf(&rest, " FROM STDIN (FORMAT %s, FREEZE %s)",
				  table->binary ? "binary" : "text", freeze ? "on" : "off");
	ok = table_exec(conn, "COPY ", table, rest.data, err);
	buffer_release(&rest);
	return ok;
}

static bool
columns_differ(const Table *table, const char *column, Error *err)
{
	error_set(err, P_SCHEMA_DIFFERS,
			  "column \"%s\" of the target's table is not as the source's is"
			  " now",
			  column);
	return error_hint(err,
					  "Table %s.%s was altered on the source while it was"
					  " copied: alter the target's in the same way, and start"
					  " again.",
					  table->schema, table->name);
}

/*
 * Under its name of now.  The copy began with this name or another one: then it
 * was given this one on the source since.
 */
static bool
table_prove_there(PgConn *conn, const Table *table, Error *err)
{
	const char *params[2] = { table->schema, table->name };
	bool there;

	if (!pg_exec_expect(conn, err,
						"SELECT FROM pg_class c JOIN pg_namespace n"
						" ON n.oid = c.relnamespace"
						" WHERE n.nspname = $1 AND c.relname = $2",
						2, params, 1, &there))
		return false;
	if (there)
		return true;
	error_set(err, P_SCHEMA_DIFFERS, "it is not on the target");
	return error_hint(err,
					  "If table %s.%s was renamed or moved on the source while"
					  " it was copied: do the same on the target, and start"
					  " again.",
					  table->schema, table->name);
}

static int
column_find(const Table *table, const char *name)
{
	int i = table->column_count - 1;

	while (i >= 0 && strcmp(table->columns[i], name) != 0)
		i--;
	return i;
}

/* What has another binary form under the same name is of another type. */
static bool
column_agrees(const Table *table, int i, const PGresult *res, int row)
{
	return strcmp(table->types[i], pg_value(res, row, 1)) == 0 &&
		   (!table->binary || pg_value_bool(res, row, 2));
}

/* Rows of other columns would be lost in part, or take defaults in silence. */
static bool
table_prove_columns(PgConn *conn, const Table *table, Error *err)
{
	const char *params[2] = { table->schema, table->name };
	PGresult *res = pg_query_params(conn, err, COLUMNS_SQL, 2, params);
	bool *found;
	bool ok = true;

	if (res == NULL)
		return false;
	found = mem_zalloc((size_t) table->column_count + 1);
	for (int row = 0; ok && row < PQntuples(res); row++)
	{
		int i = column_find(table, pg_value(res, row, 0));

		ok = (i >= 0 && column_agrees(table, i, res, row)) ||
			 columns_differ(table, pg_value(res, row, 0), err);
		if (ok)
			found[i] = true;
	}
	for (int i = 0; ok && i < table->column_count; i++)
		ok = found[i] || columns_differ(table, table->columns[i], err);
	mem_free(found);
	PQclear(res);
	return ok;
}

bool
target_pg_loader_prove_empty(TargetLoader *loader, const Table *table,
							 Error *err)
{
	return table_prove_there(loader->conn, table, err) &&
		   (table->shared ? table_prove_ours(loader, table, err)
						  : table_prove_empty(loader->conn, table, err));
}

/*
 * Without a slot all of the stream's tables are copied again, so the rows of all
 * are void; with one, those of others may be all there is of them.
 */
static bool
shared_empty(TargetLoader *loader, const Table *table, Error *err)
{
	bool done;
	bool elsewhere;

	if (!others_done(loader, table, &done, &elsewhere, err))
		return false;
	if (!elsewhere && (!done || loader->progress.slot[0] == '\0'))
		return table_exec(loader->conn, "DELETE FROM ONLY ", table, "", err);
	error_set(err, P_COPY,
			  "it cannot be copied again: others have written to the target's"
			  " table, too");
	return error_hint(err, "Drop the migration, empty the target, and begin"
						   " again.");
}

static bool
table_empty(TargetLoader *loader, const Table *table, Error *err)
{
	return table->shared
			   ? shared_empty(loader, table, err)
			   : table_exec(loader->conn, "TRUNCATE ONLY ", table, "", err);
}

static bool
loader_reset(TargetLoader *loader, const Table *table, const Chunk *chunks,
			 int count, Error *err)
{
	PgConn *conn = loader->conn;
	char oid[16];
	const char *params[2] = { loader->progress.stream, oid };
	bool ok;

	snprintf(oid, sizeof(oid), "%" PRIu32, table->oid);
	ok = table_prove_there(conn, table, err) &&
		 table_empty(loader, table, err) &&
		 pg_exec_params(conn, err,
						"DELETE FROM portage.chunk WHERE stream = $1"
						" AND table_oid = $2",
						2, params) &&
		 kept_pg_remove(conn, loader->progress.stream, table, err);
	for (int i = 0; ok && i < count; i++)
		ok = target_pg_chunk_insert(conn, loader->progress.stream, &chunks[i],
									err);
	return ok && FAILPOINT(FP_COPY_RESET, err);
}

/* All rows are ours: the table's chunks say so. */
bool
target_pg_loader_reset(TargetLoader *loader, const Table *table,
					   const Chunk *chunks, int count, Error *err)
{
	if (!copy_transaction_begin(&loader->transaction, loader->conn,
								&loader->progress, err))
		return false;
	return copy_transaction_end(&loader->transaction,
								loader_reset(loader, table, chunks, count, err),
								err);
}

static bool
begin_shared(TargetLoader *loader, const Table *table, Error *err)
{
	PgConn *conn = loader->conn;

	return table_prove_there(conn, table, err) &&
		   table_prove_columns(conn, table, err) &&
		   table_prove_ours(loader, table, err) &&
		   table_copy(conn, table, false, err);
}

static bool
begin_whole(PgConn *conn, const Table *table, Error *err)
{
	return table_prove_there(conn, table, err) &&
		   table_exec(conn, "LOCK TABLE ONLY ", table,
					  " IN ACCESS EXCLUSIVE MODE", err) &&
		   table_prove_columns(conn, table, err) &&
		   table_prove_empty(conn, table, err) &&
		   table_exec(conn, "TRUNCATE ONLY ", table, "", err) &&
		   table_copy(conn, table, true, err);
}

bool
target_pg_loader_begin(TargetLoader *loader, const Table *table,
					   const Chunk *chunk, Error *err)
{
	PgConn *conn = loader->conn;

	if (!copy_transaction_begin(&loader->transaction, conn, &loader->progress,
								err))
		return false;
	if (table == NULL)
		return true;
	if (table->shared)
		return begin_shared(loader, table, err);
	return chunk->kind == CHUNK_WHOLE
			   ? begin_whole(conn, table, err)
			   : table_prove_there(conn, table, err) &&
					 table_prove_columns(conn, table, err) &&
					 table_copy(conn, table, false, err);
}

bool
target_pg_loader_data(TargetLoader *loader, Slice data, Error *err)
{
	return copy_in_data(loader->conn, data, err);
}

bool
target_pg_loader_end(TargetLoader *loader, int64_t *rows, Error *err)
{
	return copy_in_end(loader->conn, NULL, err) &&
		   copy_in_result(loader->conn, rows, err);
}

/* What was done since the savepoint goes, and so does it. */
static bool
try_undo(PgConn *conn, Error *err)
{
	return pg_exec(conn, err, "ROLLBACK TO SAVEPOINT portage_rows") &&
		   pg_exec(conn, err, "RELEASE SAVEPOINT portage_rows");
}

bool
target_pg_loader_try(TargetLoader *loader, const Table *table, Slice rows,
					 int64_t count, bool *taken, Error *why, Error *err)
{
	PgConn *conn = loader->conn;
	int64_t loaded;

	*taken = false;
	if (!pg_exec(conn, err, "SAVEPOINT portage_rows") ||
		!table_copy(conn, table, false, err) ||
		!copy_in_data(conn, rows, err) || !copy_in_end(conn, NULL, err))
		return false;
	if (!copy_in_result(conn, &loaded, err))
	{
		if (err->code != P_VALUE && err->code != P_ROW_CONFLICT)
			return false;
		*why = *err;
		error_clear(err);
		return try_undo(conn, err);
	}
	if (loaded != count)
		return error_set(err, P_COPY,
						 "%lld rows were sent, the target has taken %lld",
						 (long long) count, (long long) loaded);
	*taken = true;
	return pg_exec(conn, err, "RELEASE SAVEPOINT portage_rows");
}

bool
target_pg_chunk_done(PgConn *conn, const char *stream, const Chunk *chunk,
					 Error *err)
{
	char oid[16];
	char number[16];
	char lsn[LSN_STRING_SIZE];
	char rows[24];
	char bytes[24];
	char storage[16];
	const char *params[9] = {
		stream, oid, number, chunk->stamp.slot ? "true" : "false",
		lsn_to_string(chunk->stamp.lsn, lsn),
		/* nobody asks for the slot's: all that follows it is applied */
		chunk->stamp.slot ? NULL : chunk->stamp.snapshot, rows, bytes, storage
	};
	bool matched;

	snprintf(oid, sizeof(oid), "%" PRIu32, chunk->table_oid);
	snprintf(number, sizeof(number), "%d", chunk->number);
	snprintf(rows, sizeof(rows), "%" PRId64, chunk->rows);
	snprintf(bytes, sizeof(bytes), "%" PRId64, chunk->bytes);
	snprintf(storage, sizeof(storage), "%" PRIu32, chunk->storage);
	if (!pg_exec_expect(conn, err, CHUNK_DONE_SQL, 9, params, 1, &matched))
		return false;
	return matched || error_set(err, P_FENCED,
								"somebody else has copied table"
								" %s.%s",
								chunk->schema, chunk->name);
}

bool
target_pg_loader_commit(TargetLoader *loader, const Chunk *chunk,
						const Ledger *ledger, Error *err)
{
	if (ledger_pg_add(loader->conn, loader->progress.stream, ledger, err) &&
		copy_transaction_fence(&loader->transaction, err) &&
		target_pg_chunk_done(loader->conn, loader->progress.stream, chunk,
							 err) &&
		FAILPOINT(FP_COPY_BEFORE_COMMIT, err) &&
		copy_transaction_commit(&loader->transaction, err))
		return FAILPOINT(FP_COPY_COMMITTED, err);
	return false;
}

bool
target_pg_loader_keep(TargetLoader *loader, const KeptRow *rows, int count,
					  Error *err)
{
	return kept_pg_put(loader->conn, loader->progress.stream, rows, count, err);
}

void
target_pg_loader_abort(TargetLoader *loader)
{
	Error ignored = ERROR_INIT;
	int64_t rows;

	/* libpq knows whether a COPY is open */
	if (copy_in_end(loader->conn, "given up", &ignored))
		(void) !copy_in_result(loader->conn, &rows, &ignored);
	pg_rollback(loader->conn);
}

bool
target_pg_loader_ddl(TargetLoader *loader, const DdlEntry *entry, Error *err)
{
	return target_pg_ddl_entry(loader->conn, &loader->progress, entry, err);
}

bool
target_pg_loader_analyze(TargetLoader *loader, const Table *table, Error *err)
{
	bool ok;

	/* behind what other sessions do to it, for as long as that may take */
	loader->conn->statement_timeout_ms = 0;
	ok = target_pg_analyze_on(loader->conn, table, err);
	loader->conn->statement_timeout_ms = SILENCE_MS;
	return ok;
}

void
target_pg_loader_close(TargetLoader *loader)
{
	if (loader == NULL)
		return;
	pg_conn_close(loader->conn);
	mem_free(loader);
}

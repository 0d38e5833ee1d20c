/*
 * source_pg_reader.c
 *		Rows of tables under one snapshot: COPY TO STDOUT.
 *
 * A table is read within a savepoint, so that its lock goes as soon as the
 * table is done and not when the last one is.  Before that the reader proves
 * that what it has read is what the snapshot meant: a table that was rewritten
 * or truncated since looks empty, or complete, to every older snapshot.
 */
#include "postgres/source_pg_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "postgres/copy_binary.h"
#include "postgres/pg_chunk.h"

/* rows are handed out in pieces of about this size */
#define PIECE_BYTES 131072

/* a server that sends nothing for so long is given up */
#define SILENCE_MS 600000

/* A range is read by the index of its key, or as blocks: never all of it. */
#define PLANNER_SETTINGS                                                 \
	"SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0;" \
	"SET jit = off"

#define PROVE_SQL                                              \
	"SELECT c.relfilenode IS NOT DISTINCT FROM"                \
	" pg_relation_filenode(c.oid), c.oid IS NOT DISTINCT FROM" \
	" format('%I.%I', $2::text, $3::text)::regclass,"          \
	" c.relfilenode FROM pg_class c WHERE c.oid = $1::oid"

struct SourceReader
{
	PgConn *conn;
	bool slot; /* the snapshot is the slot's */
	Lsn lsn;
	char *snapshot;
	Buffer piece;
	bool binary;
	bool at_end;  /* the COPY has ended */
	int64_t rows; /* counted on the way */
};

/*
 * What the snapshot sees.  The position is asked for after the snapshot is
 * taken, so every commit that it shows lies before it.
 */
static bool
reader_take_stamp(SourceReader *reader, const SnapshotRef *snapshot, Error *err)
{
	PGresult *res = pg_query(reader->conn, err,
							 "SELECT pg_current_snapshot(),"
							 " pg_current_wal_insert_lsn()");

	if (res == NULL)
		return false;
	reader->slot = snapshot->slot && snapshot->id != NULL;
	reader->snapshot = mem_strdup(pg_value(res, 0, 0));
	reader->lsn = snapshot->id != NULL ? snapshot->lsn
									   : pg_value_lsn(res, 0, 1);
	PQclear(res);
	return true;
}

SourceReader *
source_pg_reader_open(Source *source, const SnapshotRef *snapshot, Error *err)
{
	SourceReader *reader = mem_zalloc(sizeof(*reader));

	buffer_init(&reader->piece);
	reader->conn = source_pg_snapshot_session((SourcePg *) source, "reader",
											  snapshot, err);
	if (reader->conn == NULL || !pg_exec(reader->conn, err, PLANNER_SETTINGS) ||
		!reader_take_stamp(reader, snapshot, err))
	{
		source_pg_reader_close(reader);
		return NULL;
	}
	reader->conn->statement_timeout_ms = SILENCE_MS;
	return reader;
}

void
source_pg_reader_stamp(SourceReader *reader, Stamp *stamp)
{
	stamp->slot = reader->slot;
	stamp->lsn = reader->lsn;
	stamp->snapshot = reader->snapshot;
}

static void
append_columns(Buffer *sql, const Table *table, const char *open,
			   const char *end)
{
	for (int i = 0; i < table->column_count; i++)
	{
		buffer_puts(sql, i == 0 ? open : ", ");
		pg_quote_ident(sql, table->columns[i]);
	}
	if (table->column_count > 0)
		buffer_puts(sql, end);
}

static bool
columns_changed(const Table *table, Error *err)
{
	error_set(err, P_SCHEMA_DIFFERS,
			  "the columns of table %s.%s have changed on the source while it"
			  " was copied",
			  table->schema, table->name);
	return error_hint(err, "Alter the table of the target in the same way, and"
						   " start again.");
}

static bool
name_changed(const Table *table, Error *err)
{
	error_set(err, P_SCHEMA_DIFFERS,
			  "table %s.%s was renamed, moved or dropped on the source while it"
			  " was copied",
			  table->schema, table->name);
	return error_hint(err, "Start again: it is looked for anew, and what is to"
						   " be done on the target is said then.");
}

/* Generated columns come behind the others; those not asked for do not count. */
static bool
columns_same(const PGresult *res, const Table *table)
{
	int n = 0;

	for (int row = 0; row < PQntuples(res); row++)
	{
		bool same = n < table->column_count &&
					strcmp(pg_value(res, row, 0), table->columns[n]) == 0 &&
					strcmp(pg_value(res, row, 1), table->types[n]) == 0;

		if (!same && !pg_value_bool(res, row, 2))
			return false;
		n += same;
	}
	return n == table->column_count;
}

/* The same columns as the table had when it was planned? */
static bool
columns_prove(SourceReader *reader, const Table *table, Error *err)
{
	char oid[16];
	const char *params[1] = { oid };
	PGresult *res;
	bool same;

	snprintf(oid, sizeof(oid), "%u", table->oid);
	res = pg_query_params(
		reader->conn, err,
		"SELECT a.attname, format_type(a.atttypid, a.atttypmod),"
		" a.attgenerated <> ''"
		" FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0"
		" AND NOT a.attisdropped AND a.attgenerated <> 'v'"
		" ORDER BY a.attgenerated <> '', a.attnum",
		1, params);
	if (res == NULL)
		return false;
	same = columns_same(res, table);
	PQclear(res);
	return same || columns_changed(table, err);
}

static void
append_order(Buffer *sql, const Table *table)
{
	for (int i = 0; i < table->order_count; i++)
	{
		buffer_puts(sql, i == 0 ? " ORDER BY " : ", ");
		pg_quote_ident(sql, table->order[i]);
	}
}

static void
copy_sql(Buffer *sql, const Table *table, const Chunk *chunk)
{
	buffer_puts(sql, "COPY ");
	if (chunk->kind == CHUNK_WHOLE && table->computed_count == 0 &&
		table->order_count == 0)
	{
		/* of a table it never reads its children */
		pg_quote_table(sql, table->schema, table->name);
		append_columns(sql, table, " (", ")");
	}
	else
	{
		buffer_puts(sql, "(SELECT ");
		append_columns(sql, table, "", "");
		buffer_puts(sql, " FROM ONLY ");
		pg_quote_table(sql, table->schema, table->name);
		/* somebody may give the column another collation on the way */
		if (chunk->kind != CHUNK_WHOLE)
			pg_chunk_where(sql, chunk, table->key_bytes ? "C" : NULL);
		append_order(sql, table);
		buffer_putc(sql, ')');
	}
	buffer_puts(sql,
				table->binary ? " TO STDOUT (FORMAT binary)" : " TO STDOUT");
}

bool
source_pg_reader_begin(SourceReader *reader, const Table *table,
					   const Chunk *chunk, Error *err)
{
	Buffer sql;
	bool ok;

	if (!pg_exec(reader->conn, err, "SAVEPOINT portage_table") ||
		!columns_prove(reader, table, err))
		return false;
	buffer_init(&sql);
	copy_sql(&sql, table, chunk);
	ok = pg_exec(reader->conn, err, sql.data);
	buffer_release(&sql);
	reader->binary = table->binary;
	reader->at_end = false;
	reader->rows = 0;
	if (ok)
		return true;
	/* an older snapshot does not see that a column or a name has gone */
	if (strcmp(err->sqlstate, "42703") == 0)
		return columns_changed(table, err);
	return strcmp(err->sqlstate, "42P01") == 0 ? name_changed(table, err)
											   : false;
}

/* Behind the last row: the server's count must be ours. */
static bool
read_end(SourceReader *reader, Error *err)
{
	PGresult *res;
	int64_t counted = -1;

	while (pg_next_result(reader->conn, &res, err))
	{
		if (res == NULL)
		{
			reader->at_end = true;
			if (counted == reader->rows)
				return true;
			return error_set(err, P_COPY,
							 "%lld rows have arrived, the source"
							 " says it has sent %lld",
							 (long long) reader->rows, (long long) counted);
		}
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
		{
			pg_error(reader->conn, res, P_COPY, err);
			PQclear(res);
			return false;
		}
		counted = strtoll(PQcmdTuples(res), NULL, 10);
		PQclear(res);
	}
	return false;
}

/* Nothing is here yet: wait, if there is nothing to hand out meanwhile. */
static bool
read_wait(SourceReader *reader, Error *err)
{
	if (!pg_wait_socket(reader->conn, false, clock_ms() + SILENCE_MS, err))
		return false;
	if (PQconsumeInput(reader->conn->pq) == 0)
		return pg_error(reader->conn, NULL, P_CONNECTION_LOST, err);
	return true;
}

bool
source_pg_reader_data(SourceReader *reader, Slice *data, int64_t *rows,
					  Error *err)
{
	int64_t before = reader->rows;
	char *row;
	int len;

	buffer_reset(&reader->piece);
	while (!reader->at_end && reader->piece.len < PIECE_BYTES)
	{
		len = PQgetCopyData(reader->conn->pq, &row, 1);
		if (len > 0)
		{
			buffer_append(&reader->piece, row, (size_t) len);
			reader->rows += !reader->binary ||
							copy_binary_has_row(row, (size_t) len);
			PQfreemem(row);
		}
		else if (len == 0)
		{
			if (!read_wait(reader, err))
				return false;
		}
		else if (len == -1)
		{
			if (!read_end(reader, err))
				return false;
		}
		else
			return pg_error(reader->conn, NULL, P_CONNECTION_LOST, err);
	}
	data->data = reader->piece.data;
	data->len = reader->piece.len;
	*rows = reader->rows - before;
	return true;
}

/*
 * The OID is what the snapshot knows the table by.  The name has led to
 * another table if somebody renamed one; the storage has changed if it was
 * rewritten.
 */
static bool
read_prove(SourceReader *reader, const Table *table, Chunk *chunk, bool *whole,
		   Error *err)
{
	char oid[16];
	const char *params[3] = { oid, table->schema, table->name };
	PGresult *res;
	bool same;

	snprintf(oid, sizeof(oid), "%u", table->oid);
	res = pg_query_params(reader->conn, err, PROVE_SQL, 3, params);
	if (res == NULL)
		return false;
	same = PQntuples(res) == 1 && pg_value_bool(res, 0, 1);
	*whole = same && pg_value_bool(res, 0, 0);
	chunk->storage = same ? (uint32_t) pg_value_int(res, 0, 2) : 0;
	PQclear(res);
	return same || error_set(err, P_COPY,
							 "table %s.%s was renamed or replaced"
							 " on the source while it was copied",
							 table->schema, table->name);
}

bool
source_pg_reader_end(SourceReader *reader, const Table *table, Chunk *chunk,
					 bool *whole, Error *err)
{
	BUG_UNLESS(reader->at_end);
	chunk->rows = reader->rows;
	return read_prove(reader, table, chunk, whole, err) &&
		   pg_exec(reader->conn, err,
				   "ROLLBACK TO SAVEPOINT portage_table;"
				   "RELEASE SAVEPOINT portage_table");
}

void
source_pg_reader_close(SourceReader *reader)
{
	if (reader == NULL)
		return;
	pg_conn_close(reader->conn);
	buffer_release(&reader->piece);
	mem_free(reader->snapshot);
	mem_free(reader);
}

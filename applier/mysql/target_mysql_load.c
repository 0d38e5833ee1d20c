/*
 * target_mysql_load.c
 *		Rows of one table into a MySQL or MariaDB target, together with the chunk
 *		row that says they are there.
 *
 *		load_text.c		rows and fields of COPY, and of LOAD DATA
 *		load_rows.c		what LOAD DATA gets for what COPY says
 *		load_pipe.c		segments on their way from one thread to another
 *		load_stream.c	the thread that sends them
 *		load_data.c		LOAD DATA LOCAL, and what makes it a success
 *		load_insert.c	INSERT, where that is not allowed
 *		load_refused.c	the row that is to blame
 *		load_table.c	the target's table
 *		load_empty.c	tables that are to be empty
 *
 * All segments of a chunk are one transaction with its chunk row.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/load_empty.h"
#include "mysql/load_stream.h"
#include "mysql/load_write.h"
#include "mysql/target_mysql.h"

/* rows are handed to the thread in blocks of about this size */
#define BLOCK_BYTES (128 * 1024)

struct TargetLoader
{
	TargetMysql *target;
	MyConn *conn;
	Progress progress;
	int writer; /* the number of our origin row */
	MapTable maps;
	bool maps_loaded;
	TextDecoder *decoder; /* NULL: values are UTF-8 */
	LossTally *tally;	  /* of the chunk */
	LossTally *tried;	  /* of rows that may be refused */
	bool insert;		  /* LOAD DATA LOCAL is not allowed */
	LoadTable table;	  /* that is being loaded */
	LoadStream *stream;
	Buffer block;
};

static bool
maps_load(TargetLoader *loader, Error *err)
{
	if (loader->maps_loaded)
		map_table_release(&loader->maps);
	loader->maps_loaded = map_table_load(
		loader->conn, loader->target->base.config, &loader->maps, err);
	return loader->maps_loaded;
}

TargetLoader *
target_mysql_loader_open(Target *target, const Progress *progress, Error *err)
{
	TargetLoader *loader = mem_zalloc(sizeof(*loader));

	loader->target = (TargetMysql *) target;
	loader->progress = *progress;
	loader->writer = 1 + atomic_fetch_add(&loader->target->writers, 1);
	buffer_init(&loader->block);
	loader->tally = loss_tally_new();
	loader->tried = loss_tally_new();
	loader->conn = target_mysql_session(loader->target, "loader", err);
	if (loader->conn == NULL ||
		!text_decoder_open(target->config->encoding, &loader->decoder, err) ||
		!maps_load(loader, err))
	{
		target_mysql_loader_close(loader);
		return NULL;
	}
	loader->conn->interruptible = true;
	loader->insert = !loader->conn->server.local_infile;
	loader->stream = load_stream_new(loader->conn);
	return loader;
}

/* Valid until the next call; NULL: err. */
static const TableMap *
map_find(TargetLoader *loader, const Table *table, Error *err)
{
	const MapEntry *entry = map_table_find(&loader->maps, table->oid);

	/* noted since, or anew: the copy of an altered table is as it is now */
	if (entry == NULL || entry->map.table == NULL || table->altered != NULL)
	{
		if (!maps_load(loader, err))
			return NULL;
		entry = map_table_find(&loader->maps, table->oid);
	}
	if (entry != NULL && entry->map.table != NULL)
		return &entry->map;
	error_set(err, P_PROGRESS,
			  "how the rows of table %s.%s are written was never noted",
			  table->schema, table->name);
	return NULL;
}

static void
empty_of(TargetLoader *loader, const Table *table, const TableMap *map,
		 LoadEmpty *empty)
{
	empty->table = table;
	empty->shared = table->shared;
	empty->conn = loader->conn;
	empty->progress = &loader->progress;
	empty->writer = loader->writer;
	empty->maps = &loader->maps;
	empty->map = map;
}

bool
target_mysql_loader_prove_empty(TargetLoader *loader, const Table *table,
								Error *err)
{
	const TableMap *map = map_find(loader, table, err);
	LoadEmpty empty;

	if (map == NULL || !load_table_prove_there(loader->conn, map, err))
		return false;
	empty_of(loader, table, map, &empty);
	return load_empty_settle(&empty, err) && load_empty_prove(&empty, err);
}

bool
target_mysql_loader_reset(TargetLoader *loader, const Table *table,
						  const Chunk *chunks, int count, Error *err)
{
	const TableMap *map = map_find(loader, table, err);
	LoadEmpty empty;

	if (map == NULL || !load_table_prove_there(loader->conn, map, err))
		return false;
	empty_of(loader, table, map, &empty);
	if (load_empty_reset(&empty, chunks, count, err))
		return true;
	my_rollback(loader->conn);
	return false;
}

static bool
transaction_begin(TargetLoader *loader, Error *err)
{
	return target_mysql_begin(loader->conn, loader->progress.stream,
							  loader->writer, loader->progress.origin_nonce,
							  err);
}

/*
 * Others may be at its indexes: while a server puts the altered table into the
 * place of the old one, its catalog has neither.  What the transaction has looked at
 * stays as it is until its end.
 */
static bool
shared_begin(TargetLoader *loader, const Table *table, const TableMap *map,
			 Error *err)
{
	bool occupied;

	return transaction_begin(loader, err) &&
		   load_table_occupied(loader->conn, map, &occupied, err) &&
		   load_table_open(&loader->table, loader->conn, map, table,
						   loader->tally, err);
}

/* A whole table is emptied first if its rows were found to be void. */
static bool
own_begin(TargetLoader *loader, const Table *table, const TableMap *map,
		  const LoadEmpty *empty, bool whole, Error *err)
{
	return load_table_open(&loader->table, loader->conn, map, table,
						   loader->tally, err) &&
		   (!whole || load_empty_settle(empty, err)) &&
		   transaction_begin(loader, err);
}

bool
target_mysql_loader_begin(TargetLoader *loader, const Table *table,
						  const Chunk *chunk, Error *err)
{
	bool whole = chunk->kind == CHUNK_WHOLE;
	const TableMap *map;
	LoadEmpty empty;

	if (table == NULL)
		return transaction_begin(loader, err);
	map = map_find(loader, table, err);
	if (map == NULL)
		return false;
	empty_of(loader, table, map, &empty);
	if (!(table->shared ? shared_begin(loader, table, map, err)
						: own_begin(loader, table, map, &empty, whole, err)))
		return false;
	loader->table.rows.decoder = loader->decoder;
	if (whole && !load_empty_prove(&empty, err))
		return false;
	load_stream_begin(loader->stream, &loader->table);
	return true;
}

bool
target_mysql_loader_data(TargetLoader *loader, Slice data, Error *err)
{
	int64_t rows;

	while (data.len > 0)
	{
		if (!load_rows_convert(&loader->table.rows, &data, BLOCK_BYTES,
							   &loader->block, &rows, err) ||
			!load_stream_put(loader->stream, &loader->block, rows, err))
			return false;
	}
	return true;
}

bool
target_mysql_loader_end(TargetLoader *loader, int64_t *rows, Error *err)
{
	return load_stream_end(loader->stream, rows, err);
}

/* All of them into the block; P_VALUE for one that cannot be. */
static bool
try_convert(TargetLoader *loader, Slice rows, Error *err)
{
	int64_t count;
	bool ok = true;

	buffer_reset(&loader->block);
	loss_tally_reset(loader->tried);
	loader->table.rows.tally = loader->tried;
	while (ok && rows.len > 0)
		ok = load_rows_convert(&loader->table.rows, &rows,
							   loader->block.len + BLOCK_BYTES, &loader->block,
							   &count, err);
	loader->table.rows.tally = loader->tally;
	return ok;
}

/* An INSERT of a row says best why it cannot be. */
static LoadVerdict
try_load(TargetLoader *loader, int64_t count, Error *err)
{
	Slice rows = { loader->block.data, loader->block.len };
	LoadVerdict verdict = LOAD_UNAVAILABLE;

	if (!loader->insert && count > 1)
		verdict = load_try_rows(loader->conn, &loader->table, false, rows,
								count, err);
	if (verdict != LOAD_UNAVAILABLE)
		return verdict;
	loader->insert = loader->insert || count > 1;
	error_clear(err);
	return load_try_rows(loader->conn, &loader->table, true, rows, count, err);
}

bool
target_mysql_loader_try(TargetLoader *loader, const Table *table, Slice rows,
						int64_t count, bool *taken, Error *why, Error *err)
{
	LoadVerdict verdict = LOAD_REFUSED;

	(void) table;
	if (try_convert(loader, rows, err))
		verdict = try_load(loader, count, err);
	buffer_reset(&loader->block);
	*taken = verdict == LOAD_ACCEPTED;
	if (*taken)
	{
		loss_tally_merge(loader->tally, loader->tried);
		return true;
	}
	/* a packet that is too large has ended the connection */
	if (verdict != LOAD_REFUSED || loader->conn->lost ||
		(err->code != P_VALUE && err->code != P_ROW_CONFLICT))
		return false;
	*why = *err;
	error_clear(err);
	return true;
}

/* What the chunk row says from now on. */
static void
chunk_done_sql(Buffer *sql, const char *stream, const Chunk *chunk)
{
	char lsn[LSN_STRING_SIZE];

	buffer_printf(sql,
				  "UPDATE portage_chunk SET state = 'done', slot_snapshot = %d,"
				  " stamp_lsn = '%s', stamp_snapshot = ",
				  chunk->stamp.slot ? 1 : 0,
				  lsn_to_string(chunk->stamp.lsn, lsn));
	/* nobody asks for the slot's: all that follows it is applied */
	if (chunk->stamp.slot)
		buffer_puts(sql, "NULL");
	else
		my_quote_text(sql, slice_of(chunk->stamp.snapshot));
	buffer_printf(sql,
				  ", row_count = %" PRId64 ", bytes = %" PRId64
				  ", storage = %" PRIu32 " WHERE stream = ",
				  chunk->rows, chunk->bytes, chunk->storage);
	my_quote_text(sql, slice_of(stream));
	buffer_printf(sql,
				  " AND table_oid = %" PRIu32 " AND number = %d"
				  " AND state = 'todo'",
				  chunk->table_oid, chunk->number);
}

bool
target_mysql_chunk_done(MyConn *conn, const char *stream, const Chunk *chunk,
						Error *err)
{
	uint64_t matched = 0;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	chunk_done_sql(&sql, stream, chunk);
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, &matched);
	buffer_release(&sql);
	if (!ok)
		return false;
	return matched == 1 ||
		   error_set(err, P_FENCED, "somebody else has copied table %s.%s",
					 chunk->schema, chunk->name);
}

/* What was lost with permission counts if the rows do. */
static bool
losses_note(TargetLoader *loader, Error *err)
{
	Buffer sql;
	bool ok;

	if (loss_tally_empty(loader->tally))
		return true;
	buffer_init(&sql);
	loss_tally_sql(loader->tally, loader->progress.stream, &sql);
	ok = my_exec_slice(loader->conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	return ok;
}

static void
chunk_forget(TargetLoader *loader)
{
	loss_tally_reset(loader->tally);
	buffer_reset(&loader->block);
	load_table_close(&loader->table);
}

bool
target_mysql_loader_commit(TargetLoader *loader, const Chunk *chunk,
						   const Ledger *ledger, Error *err)
{
	if (!losses_note(loader, err) ||
		!ledger_mysql_add(loader->conn, loader->progress.stream, ledger, err) ||
		!target_mysql_chunk_done(loader->conn, loader->progress.stream, chunk,
								 err) ||
		!target_mysql_fence(loader->conn, &loader->progress, err) ||
		!FAILPOINT(FP_COPY_BEFORE_COMMIT, err) ||
		!my_exec(loader->conn, err, "COMMIT"))
		return false;
	chunk_forget(loader);
	return FAILPOINT(FP_COPY_COMMITTED, err);
}

bool
target_mysql_loader_keep(TargetLoader *loader, const KeptRow *rows, int count,
						 Error *err)
{
	return kept_mysql_put(loader->conn, loader->progress.stream, rows, count,
						  err);
}

void
target_mysql_loader_abort(TargetLoader *loader)
{
	load_stream_abort(loader->stream);
	my_rollback(loader->conn);
	chunk_forget(loader);
}

bool
target_mysql_loader_ddl(TargetLoader *loader, const DdlEntry *entry, Error *err)
{
	return target_mysql_ddl_entry(loader->conn, &loader->progress, entry, err);
}

bool
target_mysql_loader_analyze(TargetLoader *loader, const Table *table,
							Error *err)
{
	const TableMap *map = map_find(loader, table, err);

	return map != NULL && target_mysql_analyze_on(loader->conn, map, err);
}

void
target_mysql_loader_close(TargetLoader *loader)
{
	if (loader == NULL)
		return;
	load_stream_free(loader->stream);
	load_table_close(&loader->table);
	my_conn_close(loader->conn);
	if (loader->maps_loaded)
		map_table_release(&loader->maps);
	text_decoder_close(loader->decoder);
	loss_tally_free(loader->tally);
	loss_tally_free(loader->tried);
	buffer_release(&loader->block);
	mem_free(loader);
}

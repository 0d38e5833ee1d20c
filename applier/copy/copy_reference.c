/*
 * copy_reference.c
 *		Tables that rules follow, in the copy.
 *
 * Their rows are what the stream begins from: one chunk of each becomes kept rows
 * of the target, before any row is copied that may ask for them.  So what is copied
 * later, under a later snapshot, was never asked of a reference that was older than
 * the stream's when it comes to the row.
 *
 * What a row of the copy is told is as of its own snapshot: each worker reads the
 * tables under the one that it reads rows under.
 */
#include "base/failpoint.h"
#include "copy/copy_chunks.h"
#include "copy/copy_pool.h"
#include "copy/copy_reference.h"
#include "rules/reference_rows.h"

static ReferenceRows *
rows_open(const Table *table, ExprDb *db)
{
	return reference_rows_open(table->reference, table->source->columns,
							   table->source->column_count, db);
}

/* ---- into what the target keeps */

static bool
keep_rows(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		  ReferenceRows *rows, Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	const KeptRow *kept;
	int count;
	int64_t read;
	Slice data;

	work->chunk->bytes = 0;
	work->chunk->rows = 0;
	for (;;)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!source->reader_data(reader, &data, &read, err))
			return false;
		if (data.len == 0)
			return true;
		if (!reference_rows_take(rows, data, &kept, &count, err) ||
			!target->loader_keep(worker->loader, kept, count, err))
			return false;
		work->chunk->bytes += (int64_t) data.len;
		work->chunk->rows += read;
		copy_count_sent(worker->pool, work->table, (int64_t) data.len, read);
	}
}

static bool
keep_table(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		   ReferenceRows *rows, bool *whole, Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	const Table *reading = work->table->table->source;
	Chunk *chunk = work->chunk;

	if (!target->loader_begin(worker->loader, NULL, chunk, err) ||
		!source->reader_begin(reader, reading, chunk, err) ||
		!keep_rows(worker, reader, work, rows, err) ||
		!source->reader_end(reader, reading, chunk, whole, err) ||
		!FAILPOINT(FP_COPY_LOADED, err))
		return false;
	if (!*whole)
		return true;
	source->reader_stamp(reader, &chunk->stamp);
	return target->loader_commit(worker->loader, chunk, NULL, err);
}

bool
copy_reference_keep(CopyWorker *worker, SourceReader *reader,
					const CopyWork *work, bool *whole, Error *err)
{
	ReferenceRows *rows = rows_open(work->table->table, NULL);
	bool ok = keep_table(worker, reader, work, rows, whole, err);

	reference_rows_close(rows);
	return ok;
}

/* ---- into a worker's own database */

static bool
take_rows(CopyWorker *worker, SourceReader *reader, ReferenceRows *rows,
		  Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	const KeptRow *kept;
	int count;
	int64_t read;
	Slice data;

	for (;;)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!source->reader_data(reader, &data, &read, err))
			return false;
		if (data.len == 0)
			return true;
		if (!reference_rows_take(rows, data, &kept, &count, err))
			return false;
	}
}

static bool
take_table(CopyWorker *worker, SourceReader *reader, const Table *table,
		   ExprDb *db, Error *err)
{
	const SourceOps *source = worker->pool->source->ops;
	ReferenceRows *rows = rows_open(table, db);
	bool whole = false;
	Chunk chunk;
	bool ok;

	copy_chunk_whole(table->source, &chunk);
	ok = rule_reference_clear(table->reference, db, err) &&
		 source->reader_begin(reader, table->source, &chunk, err) &&
		 take_rows(worker, reader, rows, err) &&
		 source->reader_end(reader, table->source, &chunk, &whole, err);
	reference_rows_close(rows);
	return ok && (whole || error_set(err, P_SERVER_BUSY,
									 "table %s.%s was rewritten on the source",
									 table->schema, table->name));
}

static bool
take_tables(CopyWorker *worker, SourceReader *reader, ExprDb *db, Error *err)
{
	const CopyView *view = worker->pool->view;

	for (int i = 0; i < view->followed_count; i++)
	{
		if (!take_table(worker, reader, &view->followed[i], db, err))
			return false;
	}
	return true;
}

bool
copy_references_take(CopyWorker *worker, SourceReader *reader, Error *err)
{
	ExprDb *db = rule_engine_db(worker->engine);

	rule_engine_refresh(worker->engine);
	if (worker->references_of == reader ||
		worker->pool->view->followed_count == 0)
		return true;
	worker->references_of = NULL;
	if (!expr_reference_begin(db, err))
		return false;
	if (!take_tables(worker, reader, db, err) ||
		!expr_reference_commit(db, err))
	{
		expr_reference_rollback(db);
		return false;
	}
	worker->references_of = reader;
	return true;
}

/*
 * copy_aside.c
 *		See copy_aside.h.
 *
 * Nobody says which rows of a chunk the target will refuse, and one that it does
 * ends the load of all.  So the chunk is read a second time, in text, and loaded
 * piece by piece, each behind a savepoint: one that is refused is halved until the
 * rows that are to blame stand alone.  Those are kept as rows for which a rule
 * fails are.
 */
#include "copy/copy_aside.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "text/load_text.h"

typedef struct Aside
{
	CopyWorker *worker;
	SourceReader *reader;
	const CopyWork *work;
	Table table;	   /* in text */
	const Table *from; /* what it is read from */
	RuleCopy *rules;
	int64_t loaded; /* rows of this piece */
} Aside;

/* What the target says of rows; see rule_stage_quarantines(). */
bool
copy_aside_wanted(const Table *table, const Error *why)
{
	return table->aside &&
		   (why->code == P_VALUE || why->code == P_ROW_CONFLICT);
}

/* The first try may have left off anywhere. */
static bool
read_rest(const Aside *self, Error *err)
{
	const SourceOps *source = self->worker->pool->source->ops;
	int64_t rows;
	Slice data;

	do
	{
		if (!copy_may_go_on(self->worker->pool, err) ||
			!source->reader_data(self->reader, &data, &rows, err))
			return false;
	} while (data.len > 0);
	return true;
}

/* These rows, which are the count from number on of what the rules have given. */
static bool
load_some(Aside *self, Slice rows, int64_t number, int64_t count, Error *err)
{
	CopyWorker *worker = self->worker;
	int64_t half = count / 2;
	Error why = ERROR_INIT;
	Slice first;
	bool taken;

	if (!copy_may_go_on(worker->pool, err) ||
		!worker->pool->target->ops->loader_try(worker->loader, &self->table,
											   rows, count, &taken, &why, err))
		return false;
	if (taken)
	{
		self->loaded += count;
		return true;
	}
	if (count == 1)
		return rule_copy_refused(self->rules, number, &why, err);
	first = (Slice){ rows.data, load_rows_length(rows, half) };
	rows.data += first.len;
	rows.len -= first.len;
	return load_some(self, first, number, half, err) &&
		   load_some(self, rows, number + half, count - half, err);
}

static bool
load_pieces(Aside *self, Error *err)
{
	CopyPool *pool = self->worker->pool;
	Chunk *chunk = self->work->chunk;
	int64_t count;
	Slice data;
	Slice rows;

	for (;;)
	{
		if (!copy_may_go_on(pool, err) ||
			!pool->source->ops->reader_data(self->reader, &data, &count, err))
			return false;
		if (data.len == 0)
			return true;
		self->loaded = 0;
		if (!rule_copy_rows(self->rules, data, &rows, &count, err) ||
			(count > 0 && !load_some(self, rows, 0, count, err)))
			return false;
		chunk->bytes += (int64_t) rows.len;
		chunk->rows += self->loaded;
		copy_count_sent(pool, self->work->table, (int64_t) rows.len,
						self->loaded);
	}
}

/* The load that is begun with ends at once: what follows is rows by rows. */
static bool
load_begin(const Aside *self, Error *err)
{
	const CopyPool *pool = self->worker->pool;
	int64_t none;

	return pool->target->ops->loader_begin(self->worker->loader, &self->table,
										   self->work->chunk, err) &&
		   pool->target->ops->loader_end(self->worker->loader, &none, err) &&
		   pool->source->ops->reader_begin(self->reader, self->from,
										   self->work->chunk, err);
}

static bool
load_chunk(Aside *self, bool *whole, Error *err)
{
	CopyPool *pool = self->worker->pool;
	const SourceOps *source = pool->source->ops;
	Chunk *chunk = self->work->chunk;
	int64_t loaded;

	if (!load_begin(self, err) || !load_pieces(self, err))
		return false;
	/* the source counts what was read */
	loaded = chunk->rows;
	if (!source->reader_end(self->reader, self->from, chunk, whole, err))
		return false;
	chunk->rows = loaded;
	if (!FAILPOINT(FP_COPY_LOADED, err))
		return false;
	if (!*whole)
		return true;
	if (!copy_keep_rest(self->worker, self->rules, err))
		return false;
	source->reader_stamp(self->reader, &chunk->stamp);
	return pool->target->ops->loader_commit(self->worker->loader, chunk,
											rule_copy_ledger(self->rules), err);
}

bool
copy_aside_load(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
				bool *whole, Error *err)
{
	const Table *table = work->table->table;
	Aside self = {
		.worker = worker, .reader = reader, .work = work, .table = *table
	};
	bool ok;

	log_info("table %s.%s: the target refuses rows, which go into quarantine:"
			 " %s",
			 table->schema, table->name, err->message);
	error_clear(err);
	self.table.binary = false;
	self.from = table->source != NULL ? table->source : &self.table;
	work->chunk->bytes = 0;
	work->chunk->rows = 0;
	if (!read_rest(&self, err))
		return false;
	self.rules = copy_rules_open(worker, reader, table, err);
	if (self.rules == NULL)
		return false;
	rule_copy_hold(self.rules);
	ok = load_chunk(&self, whole, err);
	rule_copy_close(self.rules);
	return ok;
}

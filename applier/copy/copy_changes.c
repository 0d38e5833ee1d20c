/*
 * copy_changes.c
 *		Tables of the copy whose rows come as changes: of a rule that says with
 *		on_conflict who wins where a key is taken, and of one with match.
 *
 * Each row is what an INSERT of it would be in the stream, or with match an UPDATE,
 * and the target's writer writes it as it would then, so that both agree about it.
 * All of a chunk, its chunk row, the ledger and what is kept are one transaction: a
 * try that ends before has done nothing, and the next one reads rows as they are
 * then, counts them once, and has its own stamp.
 *
 * Several may be about to write to one table, of this source and of others, with
 * the same keys in other orders.  They go one after the other: each has the table
 * for itself until its end, and would only wait for the others' rows, or in a
 * circle, if it had not.
 */
#include "copy/copy_changes.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "copy/copy_reference.h"
#include "plan/planner.h"
#include "rules/derived.h"
#include "rules/rule_copy.h"

struct CopyChanges
{
	TargetWriter *writer;
	Planner *planner;

	/* the table that is being read */
	RuleCopy *rules;
	const Relation *relation; /* the derived one */
	const PlanTable *known;	  /* how it is planned for */
	Txn txn;
	int64_t added; /* of the piece that is being read */
};

bool
copy_changes_prepare(CopyPool *pool, Error *err)
{
	CopyPlan *plan = pool->plan;
	bool some = false;

	for (int i = 0; i < plan->table_count; i++)
		some |= copy_by_changes(&plan->tables[i]);
	pool->has_changes = some;
	return !some || pool->target->ops->shapes_list(pool->target, &plan->arena,
												   &pool->shapes,
												   &pool->shape_count, err);
}

void
copy_changes_forget(CopyPool *pool)
{
	if (pool->has_changes)
		pool->target->ops->rollback(pool->target);
}

/* ---- a worker's part */

/* The target belongs to one thread at a time. */
static bool
changes_open(CopyWorker *worker, Error *err)
{
	CopyPool *pool = worker->pool;

	if (worker->changes != NULL)
		return true;
	worker->changes = mem_zalloc(sizeof(*worker->changes));
	worker->changes->planner = planner_new();
	pthread_mutex_lock(&pool->open_lock);
	worker->changes->writer = pool->target->ops->writer_open(pool->target,
															 false, err);
	pthread_mutex_unlock(&pool->open_lock);
	if (worker->changes->writer != NULL)
		return true;
	copy_changes_close(worker);
	return false;
}

void
copy_changes_close(CopyWorker *worker)
{
	CopyChanges *self = worker->changes;

	if (self == NULL)
		return;
	if (self->writer != NULL)
		worker->pool->target->ops->writer_close(self->writer);
	planner_free(self->planner);
	mem_free(self);
	worker->changes = NULL;
}

/* ---- what a table's rows become */

static uint32_t
noted_storage(const CopyPool *pool, uint32_t oid)
{
	for (int i = 0; i < pool->shape_count; i++)
	{
		if (pool->shapes[i].oid == oid)
			return pool->shapes[i].storage;
	}
	return 0;
}

/* As the stream would announce it, as far as a derived relation looks at it. */
static const Relation *
relation_of(const CopyPool *pool, const Table *table, const Derived *derived)
{
	const Table *reading = table->source;
	Relation *relation = relation_new();
	const Relation *out;

	relation->oid = reading->oid;
	relation->root_oid = reading->partition ? derived->input->oid : 0;
	relation->storage = noted_storage(pool, table->oid);
	relation->columns = ARENA_ARRAY(&relation->arena, Column,
									(size_t) derived->input->column_count);
	relation->column_count = derived->input->column_count;
	out = derived_relation_new(derived, relation);
	relation_release(relation);
	return out;
}

static bool
table_look(CopyWorker *worker, Error *err)
{
	CopyChanges *self = worker->changes;
	CopyPool *pool = worker->pool;
	bool ok;

	pthread_mutex_lock(&pool->open_lock);
	ok = pool->target->ops->table_look(pool->target, self->relation,
									   &self->known, err);
	pthread_mutex_unlock(&pool->open_lock);
	if (!ok || self->known != NULL)
		return ok;
	error_set(err, P_SCHEMA_DIFFERS,
			  "the target's table %s.%s is not as it was begun",
			  self->relation->schema, self->relation->name);
	return error_hint(err, "If the source's was altered while it was copied:"
						   " drop the migration, empty the target, and begin"
						   " again.");
}

static bool
table_open(CopyWorker *worker, SourceReader *reader, const Table *table,
		   Error *err)
{
	CopyChanges *self = worker->changes;
	const Derived *derived;
	Stamp stamp;

	if (!copy_references_take(worker, reader, err) ||
		!copy_view_derive(worker->pool->view, worker->engine, table, &derived,
						  err))
		return false;
	worker->pool->source->ops->reader_stamp(reader, &stamp);
	self->txn = (Txn){ .commit_lsn = stamp.lsn };
	self->relation = relation_of(worker->pool, table, derived);
	self->rules = rule_copy_open(worker->engine, derived, table->source,
								 stamp.lsn);
	return table_look(worker, err);
}

static void
table_close(CopyChanges *self)
{
	/* the planner may hold the relation */
	planner_reset(self->planner);
	rule_copy_close(self->rules);
	if (self->relation != NULL)
		relation_release(self->relation);
	self->rules = NULL;
	self->relation = NULL;
}

/* ---- rows */

static bool
add_change(void *arg, const Change *change, Error *err)
{
	CopyChanges *self = arg;

	(void) err;
	planner_add(self->planner, self->known, &self->txn, change);
	self->added++;
	return true;
}

/* What a piece of the rows has become is written before the next is read. */
static bool
write_piece(CopyWorker *worker, Slice data, Error *err)
{
	CopyChanges *self = worker->changes;
	const TargetOps *target = worker->pool->target->ops;
	bool ok;

	self->added = 0;
	ok = rule_copy_changes(self->rules, self->relation, data, add_change, self,
						   err) &&
		 target->writer_write(self->writer, planner_finish(self->planner),
							  &change_filter_none, err);
	planner_reset(self->planner);
	return ok;
}

static bool
write_rows(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
		   Error *err)
{
	CopyPool *pool = worker->pool;
	bool match = work->table->table->match;
	Chunk *chunk = work->chunk;
	bool first = true;
	int64_t rows;
	Slice data;

	for (;;)
	{
		if (!copy_may_go_on(pool, err) ||
			!pool->source->ops->reader_data(reader, &data, &rows, err))
			return false;
		if (data.len == 0)
			return true;
		if (!write_piece(worker, data, err) ||
			(first && !FAILPOINT(FP_COPY_STARTED, err)))
			return false;
		first = false;
		if (!match)
			rows = worker->changes->added;
		chunk->bytes += (int64_t) data.len;
		chunk->rows += rows;
		copy_count_sent(pool, work->table, (int64_t) data.len, rows);
	}
}

/* ---- a chunk */

static bool
lock_table(CopyWorker *worker, Error *err)
{
	CopyChanges *self = worker->changes;
	const TargetOps *target = worker->pool->target->ops;
	bool told = false;
	bool locked = false;

	while (!locked)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!target->writer_lock(self->writer, self->known, &locked, err))
			return false;
		if (!locked && !told)
			log_info("table %s.%s: waiting for others who write to it",
					 self->relation->schema, self->relation->name);
		told = true;
	}
	return true;
}

/* Whose rows they are that are there: of one with match nobody says it. */
static bool
prove_ours(CopyWorker *worker, const Table *table, Error *err)
{
	return table->match || worker->pool->target->ops->loader_prove_empty(
							   worker->loader, table, err);
}

/* What rules keep of the rows, in the same transaction. */
static bool
keep_rest(CopyWorker *worker, Error *err)
{
	CopyChanges *self = worker->changes;
	const KeptRow *kept;
	int count = 1;

	while (count > 0)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!rule_copy_kept(self->rules, &kept, &count, err) ||
			(count > 0 && !worker->pool->target->ops->writer_keep(
							  self->writer, kept, count, err)))
			return false;
	}
	return true;
}

/* Progress stays where it is, and proves that the stream is still ours. */
static bool
commit_chunk(CopyWorker *worker, const Chunk *chunk, Error *err)
{
	CopyChanges *self = worker->changes;
	const TargetOps *target = worker->pool->target->ops;
	const Progress *progress = worker->pool->progress;
	const ApplyCounts none = { 0 };
	TargetDurability durability;

	return keep_rest(worker, err) &&
		   target->writer_chunk(self->writer, chunk, err) &&
		   FAILPOINT(FP_COPY_BEFORE_COMMIT, err) &&
		   target->writer_commit(self->writer, progress, progress, &none,
								 rule_copy_ledger(self->rules), &durability,
								 err) &&
		   FAILPOINT(FP_COPY_COMMITTED, err);
}

static bool
write_chunk(CopyWorker *worker, SourceReader *reader, const CopyWork *work,
			bool *whole, Error *err)
{
	CopyChanges *self = worker->changes;
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	const Table *table = work->table->table;
	Chunk *chunk = work->chunk;
	int64_t passed;

	if (!target->writer_begin(self->writer, err) || !lock_table(worker, err) ||
		!prove_ours(worker, table, err) ||
		!source->reader_begin(reader, table->source, chunk, err) ||
		!write_rows(worker, reader, work, err))
		return false;
	/* the source counts what was read, a rule what has become of it */
	passed = chunk->rows;
	if (!source->reader_end(reader, table->source, chunk, whole, err))
		return false;
	chunk->rows = passed;
	if (!FAILPOINT(FP_COPY_LOADED, err))
		return false;
	if (!*whole)
		return true;
	source->reader_stamp(reader, &chunk->stamp);
	return commit_chunk(worker, chunk, err);
}

bool
copy_changes_write(CopyWorker *worker, SourceReader *reader,
				   const CopyWork *work, bool *whole, Error *err)
{
	bool ok;

	*whole = false;
	work->chunk->bytes = 0;
	work->chunk->rows = 0;
	if (!changes_open(worker, err))
		return false;
	ok = table_open(worker, reader, work->table->table, err) &&
		 write_chunk(worker, reader, work, whole, err);
	if (!ok || !*whole)
		worker->pool->target->ops->writer_rollback(worker->changes->writer);
	table_close(worker->changes);
	return ok;
}

/*
 * copy_match.c
 *		See copy_match.h.
 *
 * What a rule with match reads is a chunk of its own with a stamp of its own, so
 * that the stream knows which changes are shown.  It is read when every table is
 * loaded and has its indexes, under a snapshot that is no earlier than theirs; each
 * of its rows is what an UPDATE of it would be in the stream, written by the
 * target's writer.  Rows are written in several transactions, and the chunk is done
 * behind the last: a try that ends before is repeated from the beginning, which
 * comes to the same.
 */
#include "copy/copy_match.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "copy/copy_reference.h"
#include "plan/planner.h"
#include "rules/derived.h"
#include "rules/rule_copy.h"

typedef struct Matching
{
	CopyWorker worker; /* the pool's, with reader, loader and rules */
	TargetWriter *writer;
	Planner *planner;
	Shape *shapes; /* as the target has noted them */
	int shape_count;
	Arena arena;

	/* the table that is being read */
	const Table *table;
	Chunk *chunk;
	RuleCopy *rules;
	const Relation *relation; /* the derived one */
	Txn txn;
} Matching;

static ChangeVerdict
apply_all(const ChangeFilter *self, const Txn *txn, const Change *change,
		  const Relation *relation)
{
	(void) self;
	(void) txn;
	(void) change;
	(void) relation;
	return VERDICT_APPLY;
}

static const ChangeFilter everything = { .verdict = apply_all };

/* ---- writing */

static bool
add_change(void *arg, const Change *change, Error *err)
{
	Matching *self = arg;
	Target *target = self->worker.pool->target;
	const PlanTable *table;

	if (!target->ops->table_look(target, change->relation, &table, err))
		return false;
	if (table == NULL)
		return error_set(err, P_SCHEMA_DIFFERS,
						 "the target's table %s.%s is not as it was begun",
						 change->relation->schema, change->relation->name);
	planner_add(self->planner, table, &self->txn, change);
	return true;
}

/* Progress stays where it is, and proves that the stream is still ours. */
static bool
write_changes(Matching *self, Error *err)
{
	const CopyPool *pool = self->worker.pool;
	const TargetOps *target = pool->target->ops;
	const ApplyCounts none = { 0 };
	TargetDurability durability;
	bool ok;

	ok = target->writer_begin(self->writer, err) &&
		 target->writer_write(self->writer, planner_finish(self->planner),
							  &everything, err) &&
		 target->writer_commit(self->writer, pool->progress, pool->progress,
							   &none, NULL, &durability, err);
	if (!ok)
		target->writer_rollback(self->writer);
	planner_reset(self->planner);
	return ok;
}

/* ---- reading */

static bool
match_rows(Matching *self, Error *err)
{
	CopyWorker *worker = &self->worker;
	const SourceOps *source = worker->pool->source->ops;
	int64_t rows;
	Slice data;

	self->chunk->bytes = 0;
	self->chunk->rows = 0;
	for (;;)
	{
		if (!copy_may_go_on(worker->pool, err) ||
			!source->reader_data(worker->reader, &data, &rows, err))
			return false;
		if (data.len == 0)
			return true;
		if (!rule_copy_matches(self->rules, self->relation, data, add_change,
							   self, err) ||
			!write_changes(self, err))
			return false;
		self->chunk->bytes += (int64_t) data.len;
		self->chunk->rows += rows;
	}
}

static bool
match_table(Matching *self, Error *err)
{
	CopyWorker *worker = &self->worker;
	const SourceOps *source = worker->pool->source->ops;
	const TargetOps *target = worker->pool->target->ops;
	const Table *reading = self->table->source;
	bool whole = false;

	if (!source->reader_begin(worker->reader, reading, self->chunk, err) ||
		!match_rows(self, err) ||
		!source->reader_end(worker->reader, reading, self->chunk, &whole, err))
		return false;
	if (!whole)
		return error_set(err, P_SERVER_BUSY,
						 "the table was rewritten on the source");
	source->reader_stamp(worker->reader, &self->chunk->stamp);
	if (!target->loader_begin(worker->loader, NULL, self->chunk, err) ||
		!FAILPOINT(FP_COPY_LOADED, err) ||
		!target->loader_commit(worker->loader, self->chunk,
							   rule_copy_ledger(self->rules), err))
		return false;
	/* it points into the reader; the target's row has what is needed */
	self->chunk->stamp.snapshot = "";
	self->chunk->state = CHUNK_DONE;
	return true;
}

/* ---- what a table's rows become */

static uint32_t
noted_storage(const Matching *self, uint32_t oid)
{
	for (int i = 0; i < self->shape_count; i++)
	{
		if (self->shapes[i].oid == oid)
			return self->shapes[i].storage;
	}
	return 0;
}

/* As the stream would announce it, as far as a derived relation looks at it. */
static const Relation *
relation_of(const Matching *self, const Derived *derived)
{
	const Table *reading = self->table->source;
	Relation *relation = relation_new();
	const Relation *out;

	relation->oid = reading->oid;
	relation->root_oid = reading->partition ? derived->input->oid : 0;
	relation->storage = noted_storage(self, self->table->oid);
	relation->columns = ARENA_ARRAY(&relation->arena, Column,
									(size_t) derived->input->column_count);
	relation->column_count = derived->input->column_count;
	out = derived_relation_new(derived, relation);
	relation_release(relation);
	return out;
}

static bool
table_open(Matching *self, Error *err)
{
	CopyWorker *worker = &self->worker;
	const Derived *derived;
	Stamp stamp;

	if (!copy_references_take(worker, worker->reader, err) ||
		!copy_view_derive(worker->pool->view, worker->engine, self->table,
						  &derived, err))
		return false;
	worker->pool->source->ops->reader_stamp(worker->reader, &stamp);
	self->txn = (Txn){ .commit_lsn = stamp.lsn };
	self->relation = relation_of(self, derived);
	self->rules = rule_copy_open(worker->engine, derived, self->table->source,
								 stamp.lsn);
	return true;
}

static bool
match_one(Matching *self, Error *err)
{
	bool ok = table_open(self, err) && match_table(self, err);

	/* the planner may hold the relation */
	planner_reset(self->planner);
	rule_copy_close(self->rules);
	relation_release(self->relation);
	self->rules = NULL;
	self->relation = NULL;
	if (!ok)
		self->worker.pool->target->ops->loader_abort(self->worker.loader);
	return ok ||
		   error_wrap(err, "table %s.%s, match", self->table->source->schema,
					  self->table->source->name);
}

/* ---- all of them */

static bool
matching_open(Matching *self, Error *err)
{
	CopyPool *pool = self->worker.pool;
	const TargetOps *target = pool->target->ops;
	CopyWorker *worker = &self->worker;

	self->planner = planner_new();
	if (!target->shapes_list(pool->target, &self->arena, &self->shapes,
							 &self->shape_count, err))
		return false;
	worker->reader = pool->source->ops->reader_open(pool->source,
													&pool->snapshot, err);
	if (worker->reader == NULL)
		return false;
	worker->loader = target->loader_open(pool->target, pool->progress, err);
	if (worker->loader == NULL)
		return false;
	worker->engine = rule_engine_new(pool->view->rules, err);
	if (worker->engine == NULL || !rule_engine_read(worker->engine, err))
		return false;
	self->writer = target->writer_open(pool->target, false, err);
	return self->writer != NULL;
}

static void
matching_close(Matching *self)
{
	CopyPool *pool = self->worker.pool;

	/* indexes follow, of which what was looked at knows nothing */
	if (self->writer != NULL)
	{
		pool->target->ops->writer_close(self->writer);
		pool->target->ops->rollback(pool->target);
	}
	if (self->worker.loader != NULL)
		pool->target->ops->loader_close(self->worker.loader);
	if (self->worker.reader != NULL)
		pool->source->ops->reader_close(self->worker.reader);
	rule_engine_free(self->worker.engine);
	planner_free(self->planner);
	arena_release(&self->arena);
}

/* The next table, from *position on, whose rows have not been matched yet. */
static bool
next_table(Matching *self, int *position)
{
	CopyPlan *plan = self->worker.pool->plan;

	while (*position < plan->table_count)
	{
		self->table = &plan->tables[(*position)++];
		if (!self->table->match)
			continue;
		for (int i = 0; i < plan->chunk_count; i++)
		{
			self->chunk = &plan->chunks[i];
			if (self->chunk->table_oid == self->table->oid &&
				self->chunk->state == CHUNK_TODO)
				return true;
		}
	}
	return false;
}

bool
copy_matches(CopyPool *pool, Error *err)
{
	Matching self = { .worker.pool = pool };
	int position = 0;
	bool ok = true;

	if (!next_table(&self, &position))
		return true;
	arena_init(&self.arena);
	ok = matching_open(&self, err);
	while (ok)
	{
		ok = match_one(&self, err);
		if (!ok || !next_table(&self, &position))
			break;
	}
	matching_close(&self);
	return ok;
}

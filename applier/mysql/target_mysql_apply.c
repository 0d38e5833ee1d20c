/*
 * target_mysql_apply.c
 *		Batches of changes, row by row in the source's order.
 *
 * This path is the specification of what applying means, as target_pg_apply.c is
 * on PostgreSQL: every row by its own statement, each of which must change
 * exactly one row.
 *
 * A batch is one source transaction, or a piece of a large one, and one target
 * transaction: BEGIN with the mark of origin, the rows, and once every row's
 * answer is known, the compare-and-set of the progress row and COMMIT.  DDL
 * commits by itself here: what the batch brings of it comes before BEGIN and
 * behind COMMIT (ddl_unit.h).
 */
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/ddl_unit.h"
#include "mysql/row_packet.h"
#include "mysql/row_recast.h"
#include "mysql/row_sql.h"
#include "mysql/table_facts_mysql.h"
#include "mysql/target_mysql.h"
#include "mysql/row_change.h"
#include "mysql/truncate_sql.h"
#include "plan/row_error.h"

/* Where rows of a relation go. */
typedef struct ApplyTable
{
	uint64_t serial; /* of the relation */
	RowTable rows;
	const RowRecast *recast; /* NULL: it is as the table is */
	bool moot;				 /* the table is dropped in this transaction */
} ApplyTable;

/* From the first piece to the end of the transaction. */
struct MyApply
{
	Arena arena; /* tables */
	Arena piece; /* changes that others become */
	ApplyTable **tables;
	int table_count;
	int table_capacity;
	ApplyTable *last;
	LossTally *losses;
	LedgerTally tally;
	RowWriter *writer;
	RowPacket packet;
	DdlUnit ddl;
	uint64_t rows;
};

/* One piece. */
typedef struct Applying
{
	TargetMysql *self;
	struct MyApply *state;
	const ChangeFilter *filter;
	Error *err;
} Applying;

void
target_mysql_apply_forget(TargetMysql *self)
{
	struct MyApply *state = self->apply;

	if (state == NULL)
		return;
	self->apply = NULL;
	packet_release(&state->packet);
	row_writer_free(state->writer);
	loss_tally_free(state->losses);
	ledger_tally_release(&state->tally);
	ddl_unit_release(&state->ddl);
	arena_release(&state->arena);
	arena_release(&state->piece);
	mem_free(state->tables);
	mem_free(state);
}

static bool
state_open(TargetMysql *self, Error *err)
{
	struct MyApply *state = mem_zalloc(sizeof(*state));

	target_mysql_apply_forget(self);
	target_mysql_facts_release(self);
	self->apply = state;
	arena_init(&state->arena);
	arena_init(&state->piece);
	packet_init(&state->packet, self->conn);
	state->packet.tally = &state->tally;
	state->losses = loss_tally_new();
	state->writer = row_writer_new(self->base.config->encoding, state->losses,
								   err);
	return state->writer != NULL && ddl_unit_init(&state->ddl, self, err);
}

/* ---- tables */

/* Relations are announced one after the other: a new one has the last serial. */
static ApplyTable *
table_find(struct MyApply *state, uint64_t serial)
{
	int low = 0;
	int high = state->table_count;

	if (state->last != NULL && state->last->serial == serial)
		return state->last;
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (state->tables[middle]->serial < serial)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == state->table_count || state->tables[low]->serial != serial)
		return NULL;
	state->last = state->tables[low];
	return state->last;
}

static ApplyTable *
table_add(struct MyApply *state, uint64_t serial)
{
	ApplyTable *table = ARENA_NEW(&state->arena, ApplyTable);
	int at = state->table_count;

	state->tables = mem_room(state->tables, state->table_count,
							 &state->table_capacity, sizeof(*state->tables));
	for (; at > 0 && state->tables[at - 1]->serial > serial; at--)
		state->tables[at] = state->tables[at - 1];
	state->tables[at] = table;
	state->table_count++;
	table->serial = serial;
	return table;
}

/* The maps that they point into are others now. */
static void
tables_forget(struct MyApply *state)
{
	state->table_count = 0;
	state->last = NULL;
}

/* The state's own table. */
static bool
bind_kept(const Applying *a, const Relation *relation, ApplyTable *table)
{
	TableMap *map = ARENA_NEW(&a->state->arena, TableMap);

	kept_mysql_map(&a->state->arena, map);
	if (!row_table_init(&table->rows, relation, map, &a->state->arena, a->err))
		return false;
	row_table_as_bytes(&table->rows);
	return true;
}

/* What the source announces is noted by now, or an older form of it. */
static bool
table_bind(const Applying *a, const Relation *relation, ApplyTable *table)
{
	struct MyApply *state = a->state;
	const MapEntry *entry;

	if (relation->internal)
		return bind_kept(a, relation, table);
	table->moot = ddl_unit_drops(&state->ddl, relation->oid);
	if (table->moot)
		return true;
	entry = ddl_entry(a->self->maps, relation->oid);
	if (entry == NULL)
		return error_set(a->err, P_TABLE_UNKNOWN,
						 "table %s.%s is not on the target", relation->schema,
						 relation->name);
	table->recast = row_recast(relation, &entry->map,
							   ddl_unit_shape(&state->ddl, entry),
							   &state->arena);
	return row_table_init(&table->rows,
						  table->recast != NULL ? table->recast->relation
												: relation,
						  &entry->map, &state->arena, a->err);
}

static bool
table_for(const Applying *a, const Relation *relation, ApplyTable **table)
{
	*table = table_find(a->state, relation->serial);
	if (*table != NULL)
		return true;
	*table = table_add(a->state, relation->serial);
	return table_bind(a, relation, *table);
}

/* ---- what cannot be applied */

/* The row is older than the DDL of its transaction, which took its key away. */
static bool
key_lost_error(const Txn *txn, const Change *change, Error *err)
{
	error_set(err, P_NO_IDENTITY,
			  "the row is found by a column that its transaction drops later");
	error_hint(err, "Drop the migration and begin again.");
	return row_error(err, txn, change);
}

/* ---- changes */

static bool
apply_row(const Applying *a, const ApplyTable *table, const Txn *txn,
		  const Change *change)
{
	struct MyApply *state = a->state;

	if (table->recast != NULL)
	{
		if (table->recast->key_lost && change->kind != CHANGE_INSERT)
			return key_lost_error(txn, change, a->err);
		change = row_recast_change(table->recast, change, &state->piece);
	}
	return row_change_put(&state->packet, state->writer, &table->rows, txn,
						  change, change, a->err);
}

/* Half of an UPDATE: a change of its own. */
static bool
apply_half(const Applying *a, const ApplyTable *table, const Txn *txn,
		   const Change *change, ChangeKind kind)
{
	const Change *half = row_half(txn, change, kind, &a->state->piece, a->err);

	return half != NULL && apply_row(a, table, txn, half);
}

static bool
apply_truncate(const Applying *a, const Txn *txn, const Change *change)
{
	TruncateWork work = {
		.maps = a->self->maps,
		.rows = a->state->writer,
		.packet = &a->state->packet,
		.filter = a->filter,
		.ddl_done = a->self->base.config->ddl_done,
	};
	const Relation **kept = ARENA_ARRAY(&a->state->piece, const Relation *,
										(size_t) change->truncated_count + 1);
	Change *left = ARENA_NEW(&a->state->piece, Change);

	*left = *change;
	left->truncated = kept;
	left->truncated_count = 0;
	for (int i = 0; i < change->truncated_count; i++)
	{
		const Relation *relation = change->truncated[i];
		ApplyTable *table;

		if (relation->kind != 'r' ||
			a->filter->verdict(a->filter, txn, change, relation) ==
				VERDICT_SKIP)
			continue;
		if (!table_for(a, relation, &table))
			return false;
		if (!table->moot)
			kept[left->truncated_count++] = relation;
	}
	return truncate_put(&work, txn, left, a->err);
}

static bool
apply_change(const Applying *a, const Txn *txn, const Change *change)
{
	ChangeVerdict verdict;
	ApplyTable *table;

	if (change->kind == CHANGE_TRUNCATE)
		return apply_truncate(a, txn, change);
	verdict = a->filter->verdict(a->filter, txn, change, change->relation);
	if (verdict == VERDICT_SKIP)
		return true;
	if (!table_for(a, change->relation, &table))
		return false;
	if (table->moot)
		return true;
	if (change->kind == CHANGE_NOKEY)
		return row_nokey_error(txn, change, a->err);
	switch (verdict)
	{
		case VERDICT_UNKNOWN:
			return row_unknown_error(txn, change, a->err);
		case VERDICT_AS_INSERT:
			return apply_half(a, table, txn, change, CHANGE_INSERT);
		case VERDICT_AS_DELETE:
			return apply_half(a, table, txn, change, CHANGE_DELETE);
		default:
			return apply_row(a, table, txn, change);
	}
}

static bool
apply_spans(const Applying *a, const Batch *batch)
{
	for (int i = 0; i < batch->span_count; i++)
	{
		const BatchSpan *span = &batch->spans[i];

		for (int k = 0; k < span->count; k++)
		{
			if (span->events[k].kind == EVENT_CHANGE &&
				!apply_change(a, span->txn, &span->events[k].change))
				return false;
		}
	}
	return packet_send(&a->state->packet, a->err);
}

/* ---- the transaction */

static bool
batch_begin(TargetMysql *self, Error *err)
{
	return target_mysql_begin(self->conn, self->base.config->stream, 0,
							  self->origin_nonce, err) &&
		   FAILPOINT(FP_BATCH_BEGUN, err);
}

static bool
losses_add(TargetMysql *self, Error *err)
{
	LossTally *losses = self->apply->losses;
	Buffer sql;
	bool ok;

	if (loss_tally_empty(losses))
		return true;
	buffer_init(&sql);
	loss_tally_sql(losses, self->base.config->stream, &sql);
	ok = my_exec_slice(self->conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	loss_tally_reset(losses);
	return ok;
}

static bool
progress_set(TargetMysql *self, const Progress *before, const Progress *after,
			 Error *err)
{
	ApplyCounts counts = { .batches = 1, .single_rows = self->apply->rows };
	uint64_t matched = 0;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	target_mysql_progress_sql(&sql, self->conn, before, after, &counts);
	ok = my_exec_slice(self->conn, err, (Slice){ sql.data, sql.len }, &matched);
	buffer_release(&sql);
	return ok && (matched == 1 || target_mysql_fenced(before, err)) &&
		   FAILPOINT(FP_PROGRESS_UPDATED, err);
}

static bool
batch_commit(TargetMysql *self, const Progress *before, const Progress *after,
			 Error *err)
{
	if (!ledger_mysql_add(self->conn, before->stream,
						  &self->apply->tally.counts, err) ||
		!progress_set(self, before, after, err) ||
		!my_exec(self->conn, err, "COMMIT"))
		return false;
	self->stored_resume = after->resume_lsn;
	(void) target_mysql_committed(self);
	return FAILPOINT(FP_BATCH_COMMITTED, err);
}

/* One piece of the transaction. */
static bool
apply_piece(TargetMysql *self, const Batch *batch, const ChangeFilter *filter,
			const Progress *before, Error *err)
{
	struct MyApply *state = self->apply;
	Applying applying = { self, state, filter, err };
	bool renewed;

	if (!ddl_unit_before(&state->ddl, batch, filter, before, err) ||
		(batch->first && !batch_begin(self, err)) ||
		!ddl_unit_note(&state->ddl, &renewed, err))
		return false;
	if (renewed)
		tables_forget(state);
	if (!apply_spans(&applying, batch) || !losses_add(self, err) ||
		!FAILPOINT(FP_BATCH_APPLIED, err))
		return false;
	state->rows += batch->rows;
	if (batch->ledger != NULL)
		ledger_add(&state->tally.counts, batch->ledger->entries,
				   batch->ledger->count);
	arena_reset(&state->piece);
	return batch->last || FAILPOINT(FP_PIECE_APPLIED, err);
}

bool
target_mysql_apply(Target *target, const Batch *batch,
				   const ChangeFilter *filter, const Progress *before,
				   const Progress *after, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;

	error_clear(err);
	if ((batch->first && !state_open(self, err)) ||
		!apply_piece(self, batch, filter, before, err) ||
		(batch->last && (!batch_commit(self, before, after, err) ||
						 !ddl_unit_after(&self->apply->ddl, after, err))))
	{
		target_mysql_rollback(target);
		return false;
	}
	if (batch->last)
		target_mysql_apply_forget(self);
	return true;
}

/* What is known of the tables may be of what is rolled back. */
void
target_mysql_rollback(Target *target)
{
	TargetMysql *self = (TargetMysql *) target;

	target_mysql_apply_forget(self);
	target_mysql_facts_release(self);
	target_mysql_maps_forget(self);
	if (self->conn != NULL)
		my_rollback(self->conn);
}

/*
 * batch_apply.c
 *		See batch_apply.h.
 *
 * The first try needs no savepoint if nothing of the target transaction is
 * older than the batch: it can be begun again.  Everything after that, and every
 * piece of a large transaction, stands on one.
 */
#include "stream/batch_apply.h"

#include "base/failpoint.h"
#include "base/log.h"

typedef struct Apply
{
	StreamBatch *batch;
	const TargetOps *ops;
	TargetWriter *writer;
	ApplyCounts *counts;
	uint32_t refused_table; /* the source's OID of the last refusal's, or 0 */
	Error *err;
} Apply;

/* Is it about the rows, so that a smaller part may go well? */
static bool
is_refusal(const Error *err)
{
	return err->kind == ERROR_DATA;
}

void
apply_counts_plan(ApplyCounts *counts, const Plan *plan)
{
	counts->vector_rows += plan->stats.vector_rows;
	counts->single_rows += plan->stats.single_rows;
	counts->ordered_rows += plan->stats.ordered_rows;
}

static bool
write_plan(Apply *apply, const Plan *plan)
{
	if (!apply->ops->writer_write(apply->writer, plan, apply->batch->filter,
								  apply->err))
		return false;
	apply_counts_plan(apply->counts, plan);
	return true;
}

static bool
savepoint(Apply *apply, SavepointVerb verb)
{
	return apply->ops->writer_savepoint(apply->writer, verb, apply->err);
}

/* The error of the plan is forgotten. */
static void
note_refusal(Apply *apply)
{
	apply->counts->refused++;
	apply->refused_table = apply->err->table;
	log_debug("a plan was refused: %s", apply->err->message);
	error_clear(apply->err);
}

/* Back to the savepoint. */
static bool
take_back(Apply *apply)
{
	note_refusal(apply);
	return savepoint(apply, SAVEPOINT_ROLLBACK);
}

/* One unit whose plan was refused. */
static bool
write_serial(Apply *apply, int unit)
{
	const Plan *plan = batch_plan(apply->batch, unit, unit + 1, true);

	if (!apply->ops->writer_write(apply->writer, plan, apply->batch->filter,
								  apply->err))
		return false;
	apply->counts->serial_rows += plan->stats.changes;
	batch_order_mattered(apply->batch, apply->refused_table);
	return true;
}

/* Units [first, end): as planned, or in halves, or row by row. */
static bool
write_range(Apply *apply, int first, int end)
{
	if (!savepoint(apply, SAVEPOINT_SET))
		return false;
	if (write_plan(apply, batch_plan(apply->batch, first, end, false)))
		return savepoint(apply, SAVEPOINT_RELEASE);
	if (!is_refusal(apply->err) || !take_back(apply))
		return false;
	if (end - first == 1)
		return write_serial(apply, first);
	return write_range(apply, first, (first + end) / 2) &&
		   write_range(apply, (first + end) / 2, end);
}

/* The whole batch once more, now that it is known not to go well as a whole. */
static bool
write_parts(Apply *apply)
{
	int count = apply->batch->unit_count;

	if (count == 1)
		return write_serial(apply, 0);
	return write_range(apply, 0, count / 2) &&
		   write_range(apply, count / 2, count);
}

static bool
write_first(Apply *apply)
{
	const TargetOps *ops = apply->ops;

	if (!ops->writer_begin(apply->writer, apply->err))
		return false;
	if (write_plan(apply, batch_finish(apply->batch)))
		return true;
	if (!is_refusal(apply->err))
		return false;
	note_refusal(apply);
	ops->writer_rollback(apply->writer);
	return ops->writer_begin(apply->writer, apply->err) && write_parts(apply);
}

/* A piece of a large transaction whose earlier pieces are written. */
static bool
write_piece(Apply *apply)
{
	if (!savepoint(apply, SAVEPOINT_SET))
		return false;
	if (write_plan(apply, batch_finish(apply->batch)))
		return savepoint(apply, SAVEPOINT_RELEASE);
	return is_refusal(apply->err) && take_back(apply) && write_parts(apply);
}

bool
batch_write(StreamBatch *batch, const TargetOps *ops, TargetWriter *writer,
			ApplyCounts *counts, Error *err)
{
	Apply apply = { batch, ops, writer, counts, 0, err };

	error_clear(err);
	counts->batches += batch->last;
	if ((batch->first ? write_first(&apply) : write_piece(&apply)) &&
		FAILPOINT(FP_BATCH_APPLIED, err))
		return true;
	ops->writer_rollback(writer);
	return false;
}

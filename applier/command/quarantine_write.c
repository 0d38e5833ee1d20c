/*
 * quarantine_write.c
 *		Transactions that write what comes of rows in quarantine.
 *
 * The progress row stays where it is, and proves by compare-and-set that the
 * stream is still ours.
 */
#include "base/mem.h"
#include "command/quarantine.h"
#include "plan/planner.h"

struct QuarantineWriter
{
	Session *session;
	Planner *planner;
	TargetWriter *writer;
};

QuarantineWriter *
quarantine_writer_open(Session *session, Error *err)
{
	QuarantineWriter *writer = mem_zalloc(sizeof(*writer));
	Target *target = session->target;

	writer->session = session;
	writer->planner = planner_new();
	writer->writer = target->ops->writer_open(target, false, err);
	if (writer->writer != NULL)
		return writer;
	quarantine_writer_close(writer);
	return NULL;
}

void
quarantine_writer_close(QuarantineWriter *writer)
{
	if (writer == NULL)
		return;
	if (writer->writer != NULL)
		writer->session->target->ops->writer_close(writer->writer);
	planner_free(writer->planner);
	mem_free(writer);
}

bool
quarantine_writer_add(QuarantineWriter *writer, const Txn *txn,
					  const Change *change, Error *err)
{
	Target *target = writer->session->target;
	const PlanTable *table;

	if (!target->ops->table_look(target, change->relation, &table, err))
		return false;
	if (table == NULL)
		return error_set(err, P_SCHEMA_DIFFERS,
						 "the target's table %s.%s is not as it was begun",
						 change->relation->schema, change->relation->name);
	planner_add(writer->planner, table, txn, change);
	return true;
}

bool
quarantine_writer_commit(QuarantineWriter *writer, const Ledger *ledger,
						 Error *err)
{
	const TargetOps *ops = writer->session->target->ops;
	const Progress *progress = &writer->session->progress;
	const ApplyCounts none = { 0 };
	TargetDurability durability;
	bool ok;

	error_clear(err);
	ok = ops->writer_begin(writer->writer, err) &&
		 ops->writer_write(writer->writer, planner_finish(writer->planner),
						   &change_filter_none, err) &&
		 ops->writer_commit(writer->writer, progress, progress, &none, ledger,
							&durability, err);
	if (!ok)
		ops->writer_rollback(writer->writer);
	planner_reset(writer->planner);
	return ok;
}

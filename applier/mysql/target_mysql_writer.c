/*
 * target_mysql_writer.c
 *		Plans, on connections of their own.
 *
 * A target transaction is the one of target_mysql_apply.c: BEGIN, the mark of
 * origin, the rows, then, once every count is known, the compare-and-set of the
 * progress row and COMMIT.  The protocol is one of request and response, so
 * statements travel many at a time: BEGIN with the first rows, and what is left
 * when the plan ends.  Nothing here looks at or changes what is known of the
 * tables: a plan names facts that hold while it is written.
 */
#include <inttypes.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/row_change.h"
#include "mysql/table_facts_mysql.h"
#include "mysql/truncate_sql.h"
#include "mysql/vector_mysql.h"

struct TargetWriter
{
	TargetMysql *target;
	MyConn *conn;
	int number; /* in portage_origin */
	LossTally *losses;
	LedgerTally tally;		   /* of this transaction */
	char lock[LOCK_NAME_SIZE]; /* that it holds; "": none */
	RowWriter *rows;
	RowPacket packet;
	VectorWriter vectors;
};

TargetWriter *
target_mysql_writer_open(Target *target, bool many, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	TargetWriter *writer = mem_zalloc(sizeof(*writer));

	writer->target = self;
	writer->number = atomic_fetch_add(&self->writers, 1) + 1;
	writer->losses = loss_tally_new();
	writer->conn = target_mysql_session(self, "writer", err);
	packet_init(&writer->packet, writer->conn);
	writer->packet.tally = &writer->tally;
	if (writer->conn == NULL ||
		(many && !my_exec(writer->conn, err,
						  "SET SESSION innodb_lock_wait_timeout = 5")))
	{
		target_mysql_writer_close(writer);
		return NULL;
	}
	writer->rows = row_writer_new(target->config->encoding, writer->losses,
								  err);
	vector_writer_init(&writer->vectors, &writer->packet, writer->rows);
	if (writer->rows != NULL)
		return writer;
	target_mysql_writer_close(writer);
	return NULL;
}

void
target_mysql_writer_close(TargetWriter *writer)
{
	if (writer == NULL)
		return;
	vector_writer_release(&writer->vectors);
	packet_release(&writer->packet);
	my_conn_close(writer->conn);
	row_writer_free(writer->rows);
	loss_tally_free(writer->losses);
	ledger_tally_release(&writer->tally);
	mem_free(writer);
}

/* The statement that was appended to the packet is complete. */
static bool
add_other(TargetWriter *writer, const char *sql, Error *err)
{
	buffer_puts(&writer->packet.sql, sql);
	return packet_add_other(&writer->packet, err);
}

/* It goes with the first rows, unless somebody wants to see it. */
bool
target_mysql_writer_begin(TargetWriter *writer, Error *err)
{
	RowPacket *packet = &writer->packet;

	loss_tally_reset(writer->losses);
	ledger_tally_reset(&writer->tally);
	packet_reset(packet);
	target_mysql_begin_sql(&packet->sql, writer->target->base.config->stream,
						   writer->number, writer->target->origin_nonce);
	/* without its last semicolon: the packet puts one */
	packet->sql.len--;
	if (!packet_add_several(packet, 2, err))
		return false;
	return !failpoint_active ||
		   (packet_send(packet, err) && FAILPOINT(FP_BATCH_BEGUN, err));
}

static bool
write_row(TargetWriter *writer, const PlanStep *step, Error *err)
{
	const MyTableFacts *facts = (const MyTableFacts *) step->table;

	return row_change_put(&writer->packet, writer->rows, &facts->row, step->txn,
						  step->change, step->change, err);
}

/* All that it truncates is as the relations say, and no copy shows it. */
static bool
write_truncate(TargetWriter *writer, const PlanStep *step,
			   const ChangeFilter *filter, Error *err)
{
	const TruncateWork work = {
		.maps = writer->target->maps,
		.rows = writer->rows,
		.packet = &writer->packet,
		.filter = filter,
		.ddl_done = writer->target->base.config->ddl_done,
	};

	BUG_UNLESS(step->event->kind == EVENT_CHANGE);
	return truncate_put(&work, step->txn, &step->event->change, err);
}

/* For who compares the table with what is announced later. */
static bool
write_relation(TargetWriter *writer, const Relation *relation, Error *err)
{
	Buffer *sql = &writer->packet.sql;

	buffer_printf(sql,
				  "UPDATE portage_relation SET storage = %" PRIu32
				  " WHERE table_oid = %" PRIu32 " AND stream = ",
				  relation->storage, relation->oid);
	my_quote_text(sql, slice_of(writer->target->base.config->stream));
	return packet_add_other(&writer->packet, err);
}

static bool
write_step(TargetWriter *writer, const PlanStep *step,
		   const ChangeFilter *filter, Error *err)
{
	switch (step->kind)
	{
		case PLAN_STEP_VECTOR:
			return vector_put(&writer->vectors, &step->vector, err);
		case PLAN_STEP_ROW:
			return write_row(writer, step, err);
		case PLAN_STEP_EVENT:
			return write_truncate(writer, step, filter, err);
		case PLAN_STEP_RELATION:
			return write_relation(writer, step->relation, err);
	}
	return true;
}

bool
target_mysql_writer_write(TargetWriter *writer, const Plan *plan,
						  const ChangeFilter *filter, Error *err)
{
	bool ok = true;

	for (int i = 0; ok && i < plan->count; i++)
		ok = write_step(writer, &plan->steps[i], filter, err);
	if (ok)
		return packet_send(&writer->packet, err);
	packet_reset(&writer->packet);
	return false;
}

/* What was lost up to here becomes part of the transaction. */
static bool
put_losses(TargetWriter *writer, Error *err)
{
	if (loss_tally_empty(writer->losses))
		return true;
	loss_tally_sql(writer->losses, writer->target->base.config->stream,
				   &writer->packet.sql);
	loss_tally_reset(writer->losses);
	return packet_add_other(&writer->packet, err);
}

/* What is counted behind a savepoint is taken back with it. */
bool
target_mysql_writer_savepoint(TargetWriter *writer, SavepointVerb verb,
							  Error *err)
{
	switch (verb)
	{
		case SAVEPOINT_SET:
			if (!put_losses(writer, err) ||
				!add_other(writer, "SAVEPOINT piece", err) ||
				!packet_send(&writer->packet, err))
				return false;
			ledger_tally_set(&writer->tally);
			return true;
		case SAVEPOINT_RELEASE:
			ledger_tally_keep(&writer->tally);
			return add_other(writer, "RELEASE SAVEPOINT piece", err) &&
				   packet_send(&writer->packet, err);
		case SAVEPOINT_ROLLBACK:
			packet_reset(&writer->packet);
			loss_tally_reset(writer->losses);
			ledger_tally_back(&writer->tally);
			return add_other(writer, "ROLLBACK TO SAVEPOINT piece", err) &&
				   add_other(writer, "RELEASE SAVEPOINT piece", err) &&
				   packet_send(&writer->packet, err);
	}
	return true;
}

/* ---- a chunk of the copy */

/*
 * A lock of ours, which only copies ask for: a server of this kind has none on a table
 * that a transaction could hold.  Circles with the streams of others end by an error
 * that passes.
 */
bool
target_mysql_writer_lock(TargetWriter *writer, const PlanTable *table,
						 bool *locked, Error *err)
{
	const TableMap *map = &((const MyTableFacts *) table)->map;
	MyConn *conn = writer->conn;
	int64_t got = 0;
	Buffer of;
	bool ok;

	buffer_init(&of);
	buffer_printf(&of, "%s.%s",
				  map->database != NULL ? map->database : conn->database,
				  map->table);
	target_mysql_lock_name(conn, "copy", of.data, writer->lock);
	buffer_release(&of);
	ok = packet_send(&writer->packet, err) &&
		 my_query_number(conn, err, 0, &got, "SELECT GET_LOCK('%s', 1)",
						 writer->lock);
	*locked = ok && got == 1;
	if (!*locked)
		writer->lock[0] = '\0';
	return ok;
}

/* The connection's end gives it back as well. */
static void
unlock(TargetWriter *writer)
{
	Error ignored = ERROR_INIT;

	if (writer->lock[0] != '\0' && my_conn_alive(writer->conn))
		(void) !my_execf(writer->conn, &ignored, "DO RELEASE_LOCK('%s')",
						 writer->lock);
	writer->lock[0] = '\0';
}

bool
target_mysql_writer_keep(TargetWriter *writer, const KeptRow *rows, int count,
						 Error *err)
{
	return packet_send(&writer->packet, err) &&
		   kept_mysql_put(writer->conn, writer->target->base.config->stream,
						  rows, count, err);
}

bool
target_mysql_writer_chunk(TargetWriter *writer, const Chunk *chunk, Error *err)
{
	return packet_send(&writer->packet, err) &&
		   target_mysql_chunk_done(
			   writer->conn, writer->target->base.config->stream, chunk, err);
}

static bool
set_progress(TargetWriter *writer, const Progress *before,
			 const Progress *after, const ApplyCounts *counts, Error *err)
{
	Buffer sql;
	uint64_t matched;
	bool ok;

	if (!put_losses(writer, err) || !packet_send(&writer->packet, err) ||
		!ledger_mysql_add(writer->conn, before->stream, &writer->tally.counts,
						  err))
		return false;
	buffer_init(&sql);
	target_mysql_progress_sql(&sql, writer->conn, before, after, counts);
	ok = my_exec_slice(writer->conn, err, (Slice){ sql.data, sql.len },
					   &matched);
	buffer_release(&sql);
	return ok && (matched == 1 || target_mysql_fenced(before, err));
}

bool
target_mysql_writer_commit(TargetWriter *writer, const Progress *before,
						   const Progress *after, const ApplyCounts *counts,
						   const Ledger *ledger, TargetDurability *durability,
						   Error *err)
{
	uint64_t number;

	if (ledger != NULL)
		ledger_add(&writer->tally.counts, ledger->entries, ledger->count);
	if (!set_progress(writer, before, after, counts, err) ||
		!FAILPOINT(FP_PROGRESS_UPDATED, err) ||
		!my_exec(writer->conn, err, "COMMIT"))
		return false;
	unlock(writer);
	writer->target->stored_resume = after->resume_lsn;
	number = target_mysql_committed(writer->target);
	target_mysql_known(writer->target, durability);
	durability->written = number;
	return FAILPOINT(FP_BATCH_COMMITTED, err);
}

void
target_mysql_writer_rollback(TargetWriter *writer)
{
	packet_reset(&writer->packet);
	loss_tally_reset(writer->losses);
	my_rollback(writer->conn);
	unlock(writer);
}

/*
 * target_mysql_progress.c
 *		Transactions of ours; the progress row: read, claimed with a new epoch,
 *		changed only by compare-and-set.
 *
 * A claim locks the row, so it waits until a transaction of an earlier owner
 * that is still committing has ended; whatever commits later carries an old
 * epoch and fails.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/ddl_unit.h"
#include "mysql/state_sql.h"
#include "mysql/target_mysql.h"

#define CLAIM_WAIT "60"

#define PROGRESS_COLUMNS                                                       \
	"epoch, phase, source_system_id, source_timeline, source_history,"         \
	" source_database, source_encoding, slot, plugin_version, plugin_options," \
	" tables, exclude_tables, consistent_lsn, resume_lsn, commit_lsn, xid,"    \
	" commit_time_us, anchor_lsn, anchor_nonce, previous_anchor_lsn, digest,"  \
	" skeleton, newest_stamp_lsn, origin_nonce, transactions, row_count,"      \
	" batches, vector_rows, single_rows, refused_plans, serial_rows,"          \
	" ordered_rows, on_loss, schemas_become"

/* ----------------------------------------------------------- transactions */

void
target_mysql_begin_sql(Buffer *sql, const char *stream, int writer,
					   const char *origin_nonce)
{
	Slice nonce = slice_of(origin_nonce);

	buffer_puts(sql, "START TRANSACTION;"
					 "INSERT INTO portage_origin (stream, writer, nonce, count)"
					 " VALUES (");
	my_quote_text(sql, slice_of(stream));
	buffer_printf(sql, ", %d, ", writer);
	my_quote_text(sql, nonce);
	buffer_puts(sql, ", 1) ON DUPLICATE KEY UPDATE nonce = ");
	my_quote_text(sql, nonce);
	buffer_puts(sql, ", count = count + 1;");
}

bool
target_mysql_begin(MyConn *conn, const char *stream, int writer,
				   const char *origin_nonce, Error *err)
{
	Buffer sql;
	int done;
	bool ok;

	buffer_init(&sql);
	target_mysql_begin_sql(&sql, stream, writer, origin_nonce);
	/* without the last semicolon there are two statements, not three */
	ok = my_multi(conn, err, (Slice){ sql.data, sql.len - 1 }, NULL, 2, &done);
	buffer_release(&sql);
	if (!ok)
		my_rollback(conn);
	return ok;
}

bool
target_mysql_fence(MyConn *conn, const Progress *progress, Error *err)
{
	int64_t ours;

	if (!my_query_number(
			conn, err, 0, &ours,
			"SELECT 1 FROM portage_progress"
			" WHERE stream = '%s' AND epoch = %" PRId64
			" AND CONNECTION_ID() = %" PRIu64 " LOCK IN SHARE MODE",
			progress->stream, progress->epoch, conn->connection_id))
		return false;
	return ours == 1 ||
		   error_set(err, P_FENCED, "the stream %s has another owner now",
					 progress->stream);
}

bool
target_mysql_end(MyConn *conn, const Progress *progress, bool ok, Error *err)
{
	if (ok && target_mysql_fence(conn, progress, err) &&
		my_exec(conn, err, "COMMIT"))
		return true;
	my_rollback(conn);
	return false;
}

bool
my_query_number(MyConn *conn, Error *err, int64_t null, int64_t *number,
				const char *fmt, ...)
{
	char sql[1024];
	MyResult result;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	BUG_UNLESS(len >= 0 && len < (int) sizeof(sql));
	if (!my_query(conn, err, sql, &result))
		return false;
	*number = my_next(&result) && !my_is_null(&result, 0)
				  ? my_value_int(&result, 0)
				  : null;
	my_result_free(&result);
	return true;
}

/* ---------------------------------------------------------------- reading */

#define TEXT_FIELD(field, column) \
	snprintf((field), sizeof(field), "%s", my_value(row, (column)))

static bool
lsn_field(const MyResult *row, int column, Lsn *lsn)
{
	return lsn_parse(my_value(row, column), lsn);
}

/* Text and numbers, in the order of PROGRESS_COLUMNS. */
static void
progress_fields(const MyResult *row, Progress *out)
{
	out->epoch = my_value_int(row, 0);
	out->phase = phase_parse(my_value(row, 1));
	TEXT_FIELD(out->source.system_id, 2);
	out->source.timeline = (uint32_t) my_value_int(row, 3);
	TEXT_FIELD(out->source.history, 4);
	TEXT_FIELD(out->source.database, 5);
	TEXT_FIELD(out->source.encoding, 6);
	TEXT_FIELD(out->slot, 7);
	TEXT_FIELD(out->plugin_version, 8);
	TEXT_FIELD(out->plugin_options, 9);
	TEXT_FIELD(out->tables, 10);
	TEXT_FIELD(out->exclude_tables, 11);
	out->xid = (uint32_t) my_value_int(row, 15);
	out->commit_time_us = my_value_int(row, 16);
	TEXT_FIELD(out->anchor_nonce, 18);
	TEXT_FIELD(out->digest, 20);
	TEXT_FIELD(out->skeleton, 21);
	TEXT_FIELD(out->origin_nonce, 23);
	out->transactions = (uint64_t) my_value_int(row, 24);
	out->rows = (uint64_t) my_value_int(row, 25);
	out->counts.batches = (uint64_t) my_value_int(row, 26);
	out->counts.vector_rows = (uint64_t) my_value_int(row, 27);
	out->counts.single_rows = (uint64_t) my_value_int(row, 28);
	out->counts.refused = (uint64_t) my_value_int(row, 29);
	out->counts.serial_rows = (uint64_t) my_value_int(row, 30);
	out->counts.ordered_rows = (uint64_t) my_value_int(row, 31);
	TEXT_FIELD(out->on_loss, 32);
	TEXT_FIELD(out->schemas, 33);
	TEXT_FIELD(out->rules, 34);
}

/* What progress_read() selects, if there is a row. */
static bool
progress_parse(MyResult *row, const char *stream, Progress *out, Error *err)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->stream, sizeof(out->stream), "%s", stream);
	if (!my_next(row))
		return true;
	progress_fields(row, out);
	if (!lsn_field(row, 12, &out->consistent_lsn) ||
		!lsn_field(row, 13, &out->resume_lsn) ||
		!lsn_field(row, 14, &out->commit_lsn) ||
		!lsn_field(row, 17, &out->anchor_lsn) ||
		!lsn_field(row, 19, &out->previous_anchor_lsn) ||
		!lsn_field(row, 22, &out->newest_stamp_lsn))
		return error_set(err, P_PROGRESS,
						 "the progress row of %s has a position that cannot be "
						 "read",
						 stream);
	if (out->phase == PHASE_NONE)
		return error_set(err, P_PROGRESS,
						 "the progress row of %s has the unknown phase \"%s\"",
						 stream, my_value(row, 1));
	return true;
}

/*
 * A state that an earlier version has created lacks the column "rules" until it
 * is claimed: the name is then that of the empty value beside it.
 */
bool
target_mysql_progress_read(Target *target, Progress *progress, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	const char *stream = target->config->stream;
	MyResult result;
	bool ok;

	if (!my_queryf(self->conn, err, &result,
				   "SELECT " PROGRESS_COLUMNS
				   ", (SELECT rules FROM portage_progress s"
				   "   WHERE s.stream = p.stream)"
				   " FROM portage_progress p, (SELECT '' AS rules) AS none"
				   " WHERE p.stream = '%s'",
				   stream))
		return false;
	ok = progress_parse(&result, stream, progress, err);
	my_result_free(&result);
	return ok;
}

static bool
claim(TargetMysql *self, Progress *progress, Error *err)
{
	if (!my_execf(self->conn, err,
				  "UPDATE portage_progress SET epoch = epoch + 1,"
				  " updated_at = UTC_TIMESTAMP(6) WHERE stream = '%s'",
				  self->base.config->stream) ||
		!target_mysql_progress_read(&self->base, progress, err))
		return false;
	return my_exec(self->conn, err, "COMMIT");
}

bool
target_mysql_progress_claim(Target *target, Progress *progress, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;

	/* waits out a session of an earlier owner that is still committing */
	if (!target_mysql_state_upgrade(self->conn, err) ||
		!my_exec(self->conn, err,
				 "SET @portage_wait = @@innodb_lock_wait_timeout;"
				 "SET innodb_lock_wait_timeout = " CLAIM_WAIT ";"
				 "START TRANSACTION"))
		return false;
	if (!claim(self, progress, err))
	{
		my_rollback(self->conn);
		return false;
	}
	memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
	self->stored_resume = progress->resume_lsn;
	/* what an earlier owner has begun of DDL in the stream comes to its end */
	return my_exec(self->conn, err,
				   "SET innodb_lock_wait_timeout = @portage_wait") &&
		   FAILPOINT(FP_EPOCH_BUMPED, err) &&
		   ddl_unit_settle(self, progress, err);
}

/* ---------------------------------------------------------------- writing */

static void
put_text(Buffer *sql, const char *column, const char *value)
{
	buffer_printf(sql, "%s = ", column);
	my_quote_text(sql, slice_of(value));
	buffer_puts(sql, ", ");
}

static void
put_lsn(Buffer *sql, const char *column, Lsn value)
{
	buffer_printf(sql, "%s = '" LSN_FORMAT "', ", column, LSN_ARGS(value));
}

/* "column = value, " for all but the key, the epoch and the counts. */
static void
put_progress(Buffer *sql, const Progress *p)
{
	put_text(sql, "phase", phase_name(p->phase));
	put_text(sql, "source_system_id", p->source.system_id);
	buffer_printf(sql, "source_timeline = %" PRIu32 ", ", p->source.timeline);
	put_text(sql, "source_history", p->source.history);
	put_text(sql, "source_database", p->source.database);
	put_text(sql, "source_encoding", p->source.encoding);
	put_text(sql, "slot", p->slot);
	put_text(sql, "plugin_version", p->plugin_version);
	put_text(sql, "plugin_options", p->plugin_options);
	put_text(sql, "tables", p->tables);
	put_text(sql, "exclude_tables", p->exclude_tables);
	put_text(sql, "on_loss", p->on_loss);
	put_text(sql, "schemas_become", p->schemas);
	put_text(sql, "rules", p->rules);
	put_lsn(sql, "consistent_lsn", p->consistent_lsn);
	put_lsn(sql, "resume_lsn", p->resume_lsn);
	put_lsn(sql, "commit_lsn", p->commit_lsn);
	buffer_printf(sql, "xid = %" PRIu32 ", commit_time_us = %" PRId64 ", ",
				  p->xid, p->commit_time_us);
	put_lsn(sql, "anchor_lsn", p->anchor_lsn);
	put_text(sql, "anchor_nonce", p->anchor_nonce);
	put_lsn(sql, "previous_anchor_lsn", p->previous_anchor_lsn);
	put_text(sql, "digest", p->digest);
	put_text(sql, "skeleton", p->skeleton);
	put_lsn(sql, "newest_stamp_lsn", p->newest_stamp_lsn);
	put_text(sql, "origin_nonce", p->origin_nonce);
	buffer_printf(sql,
				  "transactions = %" PRIu64 ", row_count = %" PRIu64
				  ", updated_at = UTC_TIMESTAMP(6)",
				  p->transactions, p->rows);
}

bool
target_mysql_progress_insert(Target *target, Progress *progress, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	Buffer sql;
	bool ok;

	progress->epoch = 1;
	if (progress->origin_nonce[0] == '\0')
		nonce_make(progress->origin_nonce);
	memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
	self->stored_resume = progress->resume_lsn;
	buffer_init(&sql);
	buffer_printf(&sql,
				  "INSERT INTO portage_progress SET stream = '%s',"
				  " epoch = %" PRId64 ", ",
				  progress->stream, progress->epoch);
	put_progress(&sql, progress);
	ok = my_exec_slice(self->conn, err, (Slice){ sql.data, sql.len }, NULL);
	buffer_release(&sql);
	/* what is not known to be there is not noted as ours either */
	return ok && target_mysql_register(self, "owner", err);
}

static void
put_count(Buffer *sql, const char *column, uint64_t added)
{
	if (added > 0)
		buffer_printf(sql, ", %s = %s + %" PRIu64, column, column, added);
}

void
target_mysql_progress_sql(Buffer *sql, MyConn *conn, const Progress *before,
						  const Progress *after, const ApplyCounts *counts)
{
	buffer_puts(sql, "UPDATE portage_progress SET ");
	put_progress(sql, after);
	put_count(sql, "batches", counts->batches);
	put_count(sql, "vector_rows", counts->vector_rows);
	put_count(sql, "single_rows", counts->single_rows);
	put_count(sql, "refused_plans", counts->refused);
	put_count(sql, "serial_rows", counts->serial_rows);
	put_count(sql, "ordered_rows", counts->ordered_rows);
	buffer_printf(sql,
				  " WHERE stream = '%s' AND epoch = %" PRId64
				  " AND resume_lsn = '" LSN_FORMAT
				  "' AND CONNECTION_ID() = %" PRIu64,
				  before->stream, before->epoch, LSN_ARGS(before->resume_lsn),
				  conn->connection_id);
}

bool
target_mysql_fenced(const Progress *before, Error *err)
{
	error_set(err, P_FENCED, "the stream %s is no longer ours", before->stream);
	return error_detail(err,
						"The progress row with epoch %" PRId64 " at " LSN_FORMAT
						" is gone or was changed by somebody else; what was "
						"being written has been rolled back.",
						before->epoch, LSN_ARGS(before->resume_lsn));
}

static bool
progress_update(MyConn *conn, const Progress *before, const Progress *after,
				Error *err)
{
	const ApplyCounts none = { 0 };
	uint64_t matched = 0;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	target_mysql_progress_sql(&sql, conn, before, after, &none);
	ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, &matched);
	buffer_release(&sql);
	if (!ok)
		return error_wrap(err, "cannot write the progress row");
	return matched == 1 || target_mysql_fenced(before, err);
}

bool
target_mysql_progress_save(Target *target, const Progress *progress, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	Progress before = *progress;

	error_clear(err);
	before.resume_lsn = self->stored_resume;
	if (target_mysql_begin(self->conn, progress->stream, 0, self->origin_nonce,
						   err) &&
		progress_update(self->conn, &before, progress, err) &&
		my_exec(self->conn, err, "COMMIT"))
	{
		self->stored_resume = progress->resume_lsn;
		memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
		return true;
	}
	my_rollback(self->conn);
	return false;
}

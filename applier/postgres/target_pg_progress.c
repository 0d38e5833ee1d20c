/*
 * target_pg_progress.c
 *		The progress row: read, claimed with a new epoch, changed only by
 *		compare-and-set.
 *
 * A claim locks the row, so it waits until a transaction of an earlier owner
 * that is still committing has ended; whatever commits later carries an old
 * epoch and fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failpoint.h"
#include "postgres/target_pg_kept.h"

#define PROGRESS_COLUMNS                                                       \
	"epoch, phase, source_system_id, source_timeline, source_history,"         \
	" source_database, source_encoding, slot, plugin_version, plugin_options," \
	" tables, exclude_tables, consistent_lsn, resume_lsn, commit_lsn, xid,"    \
	" (extract(epoch FROM commit_time - '2000-01-01 00:00:00+00'"              \
	"::timestamptz) * 1000000)::bigint,"                                       \
	" anchor_lsn, anchor_nonce, previous_anchor_lsn, digest, skeleton,"        \
	" newest_stamp_lsn, origin_nonce, transactions, rows,"                     \
	" batches, vector_rows, single_rows, refused_plans, serial_rows,"          \
	" ordered_rows, coalesce(to_jsonb(progress) ->> 'rules', '')"

/* In the order of progress_params(); $1 is the stream, $2 the epoch. */
#define PROGRESS_PARAM_COUNT 28

static void
copy_text(char *out, size_t size, const PGresult *res, int column)
{
	snprintf(out, size, "%s", PQgetvalue(res, 0, column));
}

#define TEXT_FIELD(field, column) \
	copy_text((field), sizeof(field), res, (column))

static bool
progress_parse(const PGresult *res, const char *stream, Progress *out,
			   Error *err)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->stream, sizeof(out->stream), "%s", stream);
	if (PQntuples(res) == 0)
		return true;
	out->epoch = pg_value_int(res, 0, 0);
	out->phase = phase_parse(PQgetvalue(res, 0, 1));
	TEXT_FIELD(out->source.system_id, 2);
	out->source.timeline = (uint32_t) pg_value_int(res, 0, 3);
	TEXT_FIELD(out->source.history, 4);
	TEXT_FIELD(out->source.database, 5);
	TEXT_FIELD(out->source.encoding, 6);
	TEXT_FIELD(out->slot, 7);
	TEXT_FIELD(out->plugin_version, 8);
	TEXT_FIELD(out->plugin_options, 9);
	TEXT_FIELD(out->tables, 10);
	TEXT_FIELD(out->exclude_tables, 11);
	out->consistent_lsn = pg_value_lsn(res, 0, 12);
	out->resume_lsn = pg_value_lsn(res, 0, 13);
	out->commit_lsn = pg_value_lsn(res, 0, 14);
	out->xid = (uint32_t) pg_value_int(res, 0, 15);
	out->commit_time_us = pg_value_int(res, 0, 16);
	out->anchor_lsn = pg_value_lsn(res, 0, 17);
	TEXT_FIELD(out->anchor_nonce, 18);
	out->previous_anchor_lsn = pg_value_lsn(res, 0, 19);
	TEXT_FIELD(out->digest, 20);
	TEXT_FIELD(out->skeleton, 21);
	out->newest_stamp_lsn = pg_value_lsn(res, 0, 22);
	TEXT_FIELD(out->origin_nonce, 23);
	out->transactions = (uint64_t) pg_value_int(res, 0, 24);
	out->rows = (uint64_t) pg_value_int(res, 0, 25);
	out->counts.batches = (uint64_t) pg_value_int(res, 0, 26);
	out->counts.vector_rows = (uint64_t) pg_value_int(res, 0, 27);
	out->counts.single_rows = (uint64_t) pg_value_int(res, 0, 28);
	out->counts.refused = (uint64_t) pg_value_int(res, 0, 29);
	out->counts.serial_rows = (uint64_t) pg_value_int(res, 0, 30);
	out->counts.ordered_rows = (uint64_t) pg_value_int(res, 0, 31);
	TEXT_FIELD(out->rules, 32);
	if (out->phase == PHASE_NONE)
		return error_set(err, P_PROGRESS,
						 "the progress row of %s has the "
						 "unknown phase \"%s\"",
						 stream, PQgetvalue(res, 0, 1));
	return true;
}

/* Numbers as text, for parameters; lives as long as the call. */
typedef struct ProgressText
{
	char epoch[24];
	char timeline[16];
	char consistent[LSN_STRING_SIZE];
	char resume[LSN_STRING_SIZE];
	char commit[LSN_STRING_SIZE];
	char xid[16];
	char commit_time[24];
	char anchor[LSN_STRING_SIZE];
	char previous[LSN_STRING_SIZE];
	char stamp[LSN_STRING_SIZE];
	char transactions[24];
	char rows[24];
} ProgressText;

static void
progress_params(const Progress *p, ProgressText *t, const char **params)
{
	int n = 0;

	snprintf(t->epoch, sizeof(t->epoch), "%" PRId64, p->epoch);
	snprintf(t->timeline, sizeof(t->timeline), "%" PRIu32, p->source.timeline);
	snprintf(t->xid, sizeof(t->xid), "%" PRIu32, p->xid);
	snprintf(t->commit_time, sizeof(t->commit_time), "%" PRId64,
			 p->commit_time_us);
	snprintf(t->transactions, sizeof(t->transactions), "%" PRIu64,
			 p->transactions);
	snprintf(t->rows, sizeof(t->rows), "%" PRIu64, p->rows);
	params[n++] = p->stream;
	params[n++] = t->epoch;
	params[n++] = phase_name(p->phase);
	params[n++] = p->source.system_id;
	params[n++] = t->timeline;
	params[n++] = p->source.history;
	params[n++] = p->source.database;
	params[n++] = p->source.encoding;
	params[n++] = p->slot;
	params[n++] = p->plugin_version;
	params[n++] = p->plugin_options;
	params[n++] = p->tables;
	params[n++] = p->exclude_tables;
	params[n++] = lsn_to_string(p->consistent_lsn, t->consistent);
	params[n++] = lsn_to_string(p->resume_lsn, t->resume);
	params[n++] = lsn_to_string(p->commit_lsn, t->commit);
	params[n++] = t->xid;
	params[n++] = t->commit_time;
	params[n++] = lsn_to_string(p->anchor_lsn, t->anchor);
	params[n++] = p->anchor_nonce;
	params[n++] = lsn_to_string(p->previous_anchor_lsn, t->previous);
	params[n++] = p->digest;
	params[n++] = p->skeleton;
	params[n++] = lsn_to_string(p->newest_stamp_lsn, t->stamp);
	params[n++] = p->origin_nonce;
	params[n++] = t->transactions;
	params[n++] = t->rows;
	params[n++] = p->rules;
}

#define COMMIT_TIME_PARAM                   \
	"'2000-01-01 00:00:00+00'::timestamptz" \
	" + $18::bigint * interval '1 microsecond'"

bool
target_pg_state_exists(Target *target, bool *exists, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	PGresult *res = pg_query(self->conn, err,
							 "SELECT to_regclass("
							 "'portage.progress') IS NOT NULL");

	if (res == NULL)
		return false;
	*exists = pg_value_bool(res, 0, 0);
	PQclear(res);
	return true;
}

bool
target_pg_state_create(Target *target, Error *err)
{
	TargetPg *self = (TargetPg *) target;

	/* IF NOT EXISTS does not wait for another migration's: the lock does */
	return (pg_exec(self->conn, err,
					"SELECT pg_advisory_xact_lock("
					"hashtextextended('pg_portage.state', 0));" STATE_SQL_CREATE
						STATE_SQL_UPGRADE) ||
			error_wrap(err, "cannot create the state tables")) &&
		   FAILPOINT(FP_STATE_CREATED, err);
}

/* A state that was begun by an older version gets what it lacks. */
static bool
state_upgrade(TargetPg *self, Error *err)
{
	PGresult *res = pg_query(self->conn, err,
							 "SELECT to_regclass('portage.ledger') IS NOT NULL"
							 " AND to_regclass('portage.kept') IS NOT NULL"
							 " AND EXISTS (SELECT FROM pg_attribute WHERE"
							 "  attrelid = 'portage.progress'::regclass"
							 "  AND attname = 'rules')");
	bool complete;

	if (res == NULL)
		return false;
	complete = pg_value_bool(res, 0, 0);
	PQclear(res);
	return complete ||
		   pg_exec(self->conn, err,
				   "SELECT pg_advisory_xact_lock("
				   "hashtextextended('pg_portage.state', 0));" STATE_SQL_RULES
					   STATE_SQL_UPGRADE) ||
		   error_wrap(err, "cannot upgrade the state tables");
}

bool
target_pg_progress_read(Target *target, Progress *progress, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const char *params[] = { target->config->stream };
	PGresult *res;
	bool ok;

	res = pg_query_params(self->conn, err,
						  "SELECT " PROGRESS_COLUMNS
						  " FROM portage.progress WHERE stream = $1",
						  1, params);
	if (res == NULL)
		return false;
	ok = progress_parse(res, target->config->stream, progress, err);
	PQclear(res);
	return ok;
}

bool
target_pg_progress_claim(Target *target, Progress *progress, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const char *params[] = { target->config->stream };
	PGresult *res;
	bool ok;

	/* waits out a session of an earlier owner that is still committing */
	if (!pg_exec(self->conn, err, "SET lock_timeout = '60s'") ||
		!state_upgrade(self, err))
		return false;
	res = pg_query_params(self->conn, err,
						  "UPDATE portage.progress SET"
						  " epoch = epoch + 1, updated_at = now()"
						  " WHERE stream = $1 RETURNING " PROGRESS_COLUMNS,
						  1, params);
	if (res == NULL)
		return false;
	ok = progress_parse(res, target->config->stream, progress, err);
	PQclear(res);
	memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
	self->stored_resume = progress->resume_lsn;
	return ok && pg_exec(self->conn, err, "SET lock_timeout = 0") &&
		   FAILPOINT(FP_EPOCH_BUMPED, err);
}

static const char insert_sql[] =
	"INSERT INTO portage.progress (stream, epoch, phase, source_system_id,"
	" source_timeline, source_history, source_database, source_encoding, slot,"
	" plugin_version, plugin_options, tables, exclude_tables, consistent_lsn,"
	" resume_lsn, commit_lsn, xid, commit_time, anchor_lsn, anchor_nonce,"
	" previous_anchor_lsn, digest, skeleton, newest_stamp_lsn, origin_nonce,"
	" transactions, rows, rules) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
	" $11, $12, $13, $14, $15, $16, $17, " COMMIT_TIME_PARAM ", $19, $20, $21,"
	" $22, $23, $24, $25, $26, $27, $28)";

bool
target_pg_progress_insert(Target *target, Progress *progress, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const char *params[PROGRESS_PARAM_COUNT];
	ProgressText text;

	progress->epoch = 1;
	if (progress->origin_nonce[0] == '\0')
		nonce_make(progress->origin_nonce);
	progress_params(progress, &text, params);
	memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
	self->stored_resume = progress->resume_lsn;
	return pg_exec_params(self->conn, err, insert_sql, PROGRESS_PARAM_COUNT,
						  params);
}

/*
 * $29 is the resume_lsn that must still be there, $30 our backend's pid when
 * the transaction began, what follows is added to the counts: a session that libpq or a pooler replaced in silence
 * cannot commit half a batch.  Zero rows divide by zero, which aborts the
 * transaction, so that the COMMIT may already be on its way.
 */
static const char update_sql[] =
	"WITH u AS (UPDATE portage.progress SET phase = $3, source_system_id = $4,"
	" source_timeline = $5, source_history = $6, source_database = $7,"
	" source_encoding = $8, slot = $9, plugin_version = $10,"
	" plugin_options = $11, tables = $12, exclude_tables = $13,"
	" consistent_lsn = $14, resume_lsn = $15, commit_lsn = $16, xid = $17,"
	" commit_time = " COMMIT_TIME_PARAM ", anchor_lsn = $19,"
	" anchor_nonce = $20, previous_anchor_lsn = $21, digest = $22,"
	" skeleton = $23, newest_stamp_lsn = $24, origin_nonce = $25,"
	" transactions = $26, rows = $27, rules = $28, batches = batches + $31::bigint,"
	" vector_rows = vector_rows + $32::bigint,"
	" single_rows = single_rows + $33::bigint,"
	" refused_plans = refused_plans + $34::bigint,"
	" serial_rows = serial_rows + $35::bigint,"
	" ordered_rows = ordered_rows + $36::bigint, updated_at = now()"
	" WHERE stream = $1 AND epoch = $2 AND resume_lsn = $29"
	"  AND pg_backend_pid() = $30::integer RETURNING 1)"
	" SELECT 1 / count(*) FROM u";

#define COUNTS 6

static void
counts_text(const ApplyCounts *counts, char added[COUNTS][24])
{
	const uint64_t values[COUNTS] = {
		counts->batches, counts->vector_rows, counts->single_rows,
		counts->refused, counts->serial_rows, counts->ordered_rows,
	};

	for (int i = 0; i < COUNTS; i++)
		snprintf(added[i], sizeof(added[i]), "%" PRIu64, values[i]);
}

bool
target_pg_progress_send(PgConn *conn, const Progress *before,
						const Progress *after, const ApplyCounts *counts,
						Error *err)
{
	const char *params[PROGRESS_PARAM_COUNT + 2 + COUNTS];
	ProgressText text;
	char expected[LSN_STRING_SIZE];
	char pid[16];
	char added[COUNTS][24];

	progress_params(after, &text, params);
	params[PROGRESS_PARAM_COUNT] = lsn_to_string(before->resume_lsn, expected);
	snprintf(pid, sizeof(pid), "%d", conn->backend_pid);
	params[PROGRESS_PARAM_COUNT + 1] = pid;
	counts_text(counts, added);
	for (int i = 0; i < COUNTS; i++)
		params[PROGRESS_PARAM_COUNT + 2 + i] = added[i];
	if (!PQsendQueryParams(conn->pq, update_sql,
						   PROGRESS_PARAM_COUNT + 2 + COUNTS, NULL, params,
						   NULL, NULL, 0))
		return pg_error(conn, NULL, P_CONNECTION_LOST, err);
	return true;
}

bool
target_pg_progress_failed(const Progress *before, Error *err)
{
	if (strcmp(err->sqlstate, "22012") != 0) /* division_by_zero */
		return error_wrap(err, "cannot write the progress row");
	error_set(err, P_FENCED, "the stream %s is no longer ours", before->stream);
	error_detail(err,
				 "The progress row with epoch %" PRId64 " at " LSN_FORMAT
				 " is gone or was changed by somebody else; what was being "
				 "written has been rolled back.",
				 before->epoch, LSN_ARGS(before->resume_lsn));
	return false;
}

bool
target_pg_progress_update(PgConn *conn, const Progress *before,
						  const Progress *after, Error *err)
{
	const ApplyCounts none = { 0 };
	PGresult *res = NULL;
	PGresult *next;

	if (!target_pg_progress_send(conn, before, after, &none, err))
		return false;
	while (pg_next_result(conn, &next, err) && next != NULL)
	{
		if (PQresultStatus(next) != PGRES_TUPLES_OK)
			pg_error(conn, next, P_APPLY, err);
		PQclear(res);
		res = next;
	}
	PQclear(res);
	if (error_is_set(err))
		return target_pg_progress_failed(before, err);
	return res != NULL;
}

bool
target_pg_progress_save(Target *target, const Progress *progress, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	Progress before = *progress;

	error_clear(err);
	before.resume_lsn = self->stored_resume;
	if (target_pg_begin(self->conn, self->origin_nonce, err) &&
		target_pg_progress_update(self->conn, &before, progress, err) &&
		pg_exec(self->conn, err, "COMMIT"))
	{
		self->stored_resume = progress->resume_lsn;
		memcpy(self->origin_nonce, progress->origin_nonce, NONCE_SIZE);
		return true;
	}
	pg_rollback(self->conn);
	return false;
}

/* The schema stays where it belongs to the extension or holds anything else. */
static const char drop_sql[] =
	"DROP TABLE IF EXISTS portage.kept, portage.ledger;"
	"DROP TABLE portage.relation, portage.ddl, portage.chunk, portage.progress;"
	" DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.refclassid = 'pg_namespace'::regclass"
	"   AND d.refobjid = 'portage'::regnamespace)"
	"  AND NOT EXISTS (SELECT FROM pg_depend d"
	"   WHERE d.classid = 'pg_namespace'::regclass"
	"    AND d.objid = 'portage'::regnamespace AND d.deptype = 'e')"
	" THEN DROP SCHEMA portage; END IF; END $$";

/*
 * Where triggers are off for us, ON DELETE CASCADE is, too.  A state may be older
 * than the tables of rules.
 */
static bool
rows_delete(TargetPg *self, Error *err)
{
	static const char *const tables[] = { "portage.kept", "portage.ledger",
										  "portage.relation", "portage.ddl",
										  "portage.chunk" };
	const char *params[] = { self->base.config->stream };
	char sql[80];
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof(tables) / sizeof(tables[0]); i++)
	{
		bool exists;

		ok = table_pg_exists(self->conn, tables[i], &exists, err);
		snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE stream = $1",
				 tables[i]);
		if (ok && exists)
			ok = pg_exec_params(self->conn, err, sql, 1, params);
	}
	return ok;
}

bool
target_pg_state_drop(Target *target, bool *existed, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const char *params[] = { target->config->stream };
	PGresult *res;
	bool last;
	bool ok;

	if (!target_pg_state_exists(target, existed, err) || !*existed)
		return !error_is_set(err);
	/* whether it is the last must still be true when the tables go */
	if (!pg_exec(self->conn, err,
				 "BEGIN; LOCK TABLE portage.progress"
				 " IN SHARE ROW EXCLUSIVE MODE") ||
		!rows_delete(self, err))
	{
		pg_rollback(self->conn);
		return false;
	}
	res = pg_query_params(self->conn, err,
						  "WITH d AS (DELETE FROM"
						  " portage.progress WHERE stream = $1 RETURNING 1)"
						  " SELECT (SELECT count(*) FROM d) > 0, NOT EXISTS ("
						  "SELECT FROM portage.progress WHERE stream <> $1)",
						  1, params);
	ok = res != NULL;
	if (ok)
		*existed = pg_value_bool(res, 0, 0);
	last = ok && pg_value_bool(res, 0, 1);
	PQclear(res);
	if (ok && last)
		ok = pg_exec(self->conn, err, drop_sql);
	ok = ok && FAILPOINT(FP_DROP_STATE, err) &&
		 pg_exec(self->conn, err, "COMMIT");
	if (!ok)
		pg_rollback(self->conn);
	return ok;
}

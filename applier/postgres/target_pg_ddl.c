/*
 * target_pg_ddl.c
 *		Running entries of the schema; transactions of the copy.
 *
 * An entry and the row that says it is done are one transaction, so after a
 * crash each entry either exists and is marked or does neither.
 */
#include "postgres/target_pg_copy.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"

/*
 * What pg_restore sets at the head of its script.  Names in a dump are
 * qualified, hence the empty path; functions may be created before what their
 * bodies mention.  Validating a foreign key or filling a view reads whole
 * tables, which the sessions of the stream are told not to.
 */
#define ENTRY_PREAMBLE                                                   \
	"SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on;"   \
	"SET LOCAL search_path = ''; SET LOCAL check_function_bodies = off;" \
	"SET LOCAL xmloption = content; SET LOCAL row_security = off;"       \
	"SET LOCAL standard_conforming_strings = on;"                        \
	"SET LOCAL client_min_messages = warning;"                           \
	"SET LOCAL default_tablespace = ''"

#define FOREIGN_KEY_VIOLATION "23503"
#define UNDEFINED_FUNCTION "42883"
#define UNDEFINED_TABLE "42P01"
#define UNDEFINED_COLUMN "42703"
#define UNIQUE_VIOLATION "23505"
#define DUPLICATE_TABLE "42P07"

bool
copy_transaction_begin(CopyTransaction *self, PgConn *conn,
					   const Progress *progress, Error *err)
{
	PGresult *res;

	self->conn = conn;
	self->progress = progress;
	if (!target_pg_begin(conn, progress->origin_nonce, err))
		return false;
	res = pg_query(conn, err, "SELECT pg_backend_pid()");
	if (res == NULL)
	{
		pg_rollback(conn);
		return false;
	}
	snprintf(self->pid, sizeof(self->pid), "%s", pg_value(res, 0, 0));
	PQclear(res);
	return true;
}

bool
copy_transaction_fence(CopyTransaction *self, Error *err)
{
	char epoch[24];
	const char *params[3] = { self->progress->stream, epoch, self->pid };
	bool matched;

	snprintf(epoch, sizeof(epoch), "%lld", (long long) self->progress->epoch);
	if (!pg_exec_expect(self->conn, err,
						"SELECT 1 FROM portage.progress"
						" WHERE stream = $1 AND epoch = $2"
						" AND pg_backend_pid() = $3::integer FOR SHARE",
						3, params, 1, &matched))
		return false;
	return matched || error_set(err, P_FENCED,
								"the stream %s has another owner"
								" now",
								self->progress->stream);
}

/* The server answers COMMIT of a failed transaction with ROLLBACK. */
bool
copy_transaction_commit(CopyTransaction *self, Error *err)
{
	PGresult *res = pg_query(self->conn, err, "COMMIT");
	bool committed;

	if (res == NULL)
		return false;
	committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;
	PQclear(res);
	return committed || error_set(err, P_CONNECTION_LOST,
								  "the target rolled a transaction back");
}

bool
copy_transaction_end(CopyTransaction *self, bool ok, Error *err)
{
	if (ok && copy_transaction_fence(self, err) &&
		copy_transaction_commit(self, err))
		return true;
	pg_rollback(self->conn);
	return false;
}

/* Rows that violate the constraint: only who knows the data can mend that. */
static bool
foreign_key_failed(const DdlEntry *entry, const Error *said, Error *err)
{
	error_set(err, P_FOREIGN_KEY, "foreign key %s.%s: %s", entry->schema,
			  entry->name, said->message);
	if (said->detail[0] != '\0')
		error_detail(err, "%s", said->detail);
	error_hint(err, "Somebody wrote to the target, or to the source with "
					"triggers switched off.  Mend the rows on the target, "
					"then run pg_portage finish again.");
	memcpy(err->sqlstate, said->sqlstate, sizeof(err->sqlstate));
	return false;
}

/* An unqualified name that is in nobody's statement, but in a function. */
static bool
path_is_missed(const DdlEntry *entry, const Error *said)
{
	return strcmp(entry->type, "MATERIALIZED VIEW DATA") == 0 &&
		   (strcmp(said->sqlstate, UNDEFINED_TABLE) == 0 ||
			strcmp(said->sqlstate, UNDEFINED_FUNCTION) == 0);
}

/*
 * The entry is as old as the slot's snapshot, and what it speaks of may have been
 * altered since, by hand for an interrupted copy, or by a command of the stream.
 */
static bool
is_outdated(const Error *said)
{
	return strcmp(said->sqlstate, UNDEFINED_TABLE) == 0 ||
		   strcmp(said->sqlstate, UNDEFINED_COLUMN) == 0;
}

static void
hint_outdated(const CopyTransaction *transaction, const DdlEntry *entry,
			  Error *err)
{
	error_hint(
		err,
		"Was its table altered on the source while it was copied?  Then "
		"on the target: UPDATE portage.ddl SET sql = '...' WHERE stream "
		"= '%s' AND number = %d, with the statement as it has to be "
		"now, or state = 'done' if the source does not have it any more; "
		"and start again.",
		transaction->progress->stream, entry->number);
}

/* Anything that is wrong with the statement itself is P_DDL. */
static bool
entry_failed(const CopyTransaction *transaction, const DdlEntry *entry,
			 Error *err)
{
	Error said = *err;

	if (strcmp(said.sqlstate, FOREIGN_KEY_VIOLATION) == 0)
		return foreign_key_failed(entry, &said, err);
	if (said.code != P_PRIVILEGE && !error_is_transient(&said) &&
		said.code != P_STOPPED)
	{
		error_set(err, P_DDL, "%s", said.message);
		if (said.detail[0] != '\0')
			error_detail(err, "%s", said.detail);
		if (path_is_missed(entry, &said))
			error_hint(err, "Is it a function that the view calls?  ALTER "
							"FUNCTION ... SET search_path on the target, then "
							"run pg_portage finish again.");
		else if (is_outdated(&said))
			hint_outdated(transaction, entry, err);
		else if (said.hint[0] != '\0')
			error_hint(err, "%s", said.hint);
		memcpy(err->sqlstate, said.sqlstate, sizeof(err->sqlstate));
	}
	return error_wrap(err, "%s %s%s%s", entry->type, entry->schema,
					  entry->schema[0] != '\0' ? "." : "", entry->name);
}

static bool
entry_mark(CopyTransaction *transaction, const DdlEntry *entry,
		   const char *state, Error *err)
{
	char number[16];
	const char *params[3] = { transaction->progress->stream, number, state };
	bool matched;

	snprintf(number, sizeof(number), "%d", entry->number);
	if (!pg_exec_expect(transaction->conn, err,
						"UPDATE portage.ddl"
						" SET state = $3 WHERE stream = $1 AND number = $2"
						" AND state <> 'done'",
						3, params, 1, &matched))
		return false;
	return matched || error_set(err, P_PROGRESS,
								"entry %d of the schema was"
								" changed by somebody else",
								entry->number);
}

bool
ddl_execute(CopyTransaction *transaction, const DdlEntry *entry,
			const char *sql, Error *err)
{
	PgConn *conn = transaction->conn;

	return pg_exec(conn, err, ENTRY_PREAMBLE) &&
		   (pg_exec(conn, err, sql) || entry_failed(transaction, entry, err)) &&
		   pg_exec(conn, err, "SET LOCAL search_path = pg_catalog");
}

static bool
entry_step(CopyTransaction *transaction, const DdlEntry *entry, Error *err)
{
	return ddl_execute(transaction, entry, entry->sql, err) &&
		   entry_mark(transaction, entry, "done", err);
}

static bool
step_run(PgConn *conn, const Progress *progress, const DdlEntry *entry,
		 DdlStep step, Error *err)
{
	CopyTransaction transaction;
	Failpoint point = entry->state == DDL_TODO ? FP_DDL_BEFORE_COMMIT
											   : FP_FINISH_ENTRY;
	bool ok;

	if (!copy_transaction_begin(&transaction, conn, progress, err))
		return false;
	ok = step(&transaction, entry, err) && FAILPOINT(point, err);
	return copy_transaction_end(&transaction, ok, err) &&
		   FAILPOINT(FP_DDL_COMMITTED, err);
}

/*
 * Two streams that write to one table create it at the same time: IF NOT EXISTS does
 * not see what is not committed, and the second one stumbles over a catalog's index
 * as soon as the first one is through.
 */
static bool
is_there_now(const DdlEntry *entry, const Error *err)
{
	return entry->sql != NULL &&
		   strstr(entry->sql, " IF NOT EXISTS ") != NULL &&
		   (strcmp(err->sqlstate, UNIQUE_VIOLATION) == 0 ||
			strcmp(err->sqlstate, DUPLICATE_TABLE) == 0);
}

/* Building an index may take hours: no deadline, but a stop request ends it. */
bool
target_pg_ddl_step(PgConn *conn, const Progress *progress,
				   const DdlEntry *entry, DdlStep step, Error *err)
{
	int64_t timeout_ms = conn->statement_timeout_ms;
	bool interruptible = conn->interruptible;
	bool ok;

	conn->statement_timeout_ms = 0;
	conn->interruptible = true;
	ok = step_run(conn, progress, entry, step, err);
	if (!ok && is_there_now(entry, err))
	{
		error_clear(err);
		ok = step_run(conn, progress, entry, step, err);
	}
	conn->statement_timeout_ms = timeout_ms;
	conn->interruptible = interruptible;
	return ok;
}

bool
target_pg_ddl_entry(PgConn *conn, const Progress *progress,
					const DdlEntry *entry, Error *err)
{
	return target_pg_ddl_step(conn, progress, entry, entry_step, err);
}

bool
target_pg_ddl_run(Target *target, const Progress *progress,
				  const DdlEntry *entry, Error *err)
{
	return target_pg_ddl_entry(((TargetPg *) target)->conn, progress, entry,
							   err);
}

bool
target_pg_ddl_postpone(Target *target, const Progress *progress,
					   const DdlEntry *entry, DdlState state, Error *err)
{
	const char *name = state == DDL_WAITING ? "waiting" : "deferred";

	CopyTransaction transaction;

	if (!copy_transaction_begin(&transaction, ((TargetPg *) target)->conn,
								progress, err))
		return false;
	return copy_transaction_end(
		&transaction, entry_mark(&transaction, entry, name, err), err);
}

bool
target_pg_analyze_on(PgConn *conn, const Table *table, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "ANALYZE ");
	pg_quote_table(&sql, table->schema, table->name);
	ok = pg_exec(conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

bool
target_pg_analyze(Target *target, const Table *table, Error *err)
{
	return target_pg_analyze_on(((TargetPg *) target)->conn, table, err);
}

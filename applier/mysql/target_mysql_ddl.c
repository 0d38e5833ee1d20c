/*
 * target_mysql_ddl.c
 *		Running entries of the schema.
 *
 * DDL commits by itself, so an entry is noted as running, carried out, and noted
 * as done.  One that is found running was begun by somebody who is no more: its
 * session has been ended before anybody gets here, so its probe says for good
 * whether it was carried out.
 */
#include <inttypes.h>
#include <string.h>

#include "base/failpoint.h"
#include "mysql/target_mysql.h"

#define ER_NO_REFERENCED_ROW 1216
#define ER_NO_REFERENCED_ROW_2 1452
#define ER_TABLE_EXISTS_ERROR 1050
#define ER_DUP_KEYNAME 1061

#define FOREIGN_KEY_TYPE "FK CONSTRAINT"

bool
target_mysql_probe(MyConn *conn, const char *probe, bool *there, Error *err)
{
	MyResult result;

	*there = false;
	if (probe == NULL || probe[0] == '\0')
		return true;
	if (!my_query(conn, err, probe, &result))
		return error_wrap(err, "cannot find out what was carried out");
	if (my_next(&result))
		*there = my_value_int(&result, 0) == 1;
	my_result_free(&result);
	return true;
}

/* The row as it has to be before; *running as it was found. */
static bool
entry_lock(MyConn *conn, const char *stream, const DdlEntry *entry,
		   bool *running, Error *err)
{
	int64_t value;

	if (!my_query_number(conn, err, -1, &value,
						 "SELECT running FROM portage_ddl WHERE stream = '%s'"
						 " AND number = %d AND state <> 'done' FOR UPDATE",
						 stream, entry->number))
		return false;
	*running = value > 0;
	return value >= 0 || error_set(err, P_PROGRESS,
								   "entry %d of the schema was changed by "
								   "somebody else",
								   entry->number);
}

/* Set what is said of the entry, in a transaction with the proof. */
static bool
entry_note(MyConn *conn, const Progress *progress, const DdlEntry *entry,
		   const char *assignment, bool *running, Error *err)
{
	bool ok;

	if (!target_mysql_begin(conn, progress->stream, 0, progress->origin_nonce,
							err))
		return false;
	ok = entry_lock(conn, progress->stream, entry, running, err) &&
		 my_execf(conn, err,
				  "UPDATE portage_ddl SET %s WHERE stream = '%s'"
				  " AND number = %d",
				  assignment, progress->stream, entry->number);
	return target_mysql_end(conn, progress, ok, err);
}

/* Rows that violate the constraint: only who knows the data can mend that. */
static bool
foreign_key_failed(MyConn *conn, const DdlEntry *entry, Error *err)
{
	Error said = *err;

	error_set(err, P_FOREIGN_KEY, "foreign key %s%s%s: %s", entry->schema,
			  entry->schema[0] != '\0' ? "." : "", entry->name, said.message);
	memcpy(err->sqlstate, said.sqlstate, sizeof(err->sqlstate));
	error_hint(err, "Somebody wrote to the target, or to the source with "
					"triggers switched off.  Mend the rows on the target, "
					"then run the same command again.");
	target_mysql_name_orphans(conn, entry, err);
	return false;
}

/* Anything that is wrong with the statement itself is P_DDL. */
static bool
entry_failed(MyConn *conn, const DdlEntry *entry, Error *err)
{
	Error said = *err;
	unsigned int number = my_errno(conn);

	if (number == ER_NO_REFERENCED_ROW || number == ER_NO_REFERENCED_ROW_2)
		return foreign_key_failed(conn, entry, err);
	if (said.code != P_PRIVILEGE && !error_is_transient(&said) &&
		said.code != P_STOPPED)
	{
		error_set(err, P_DDL, "%s", said.message);
		error_detail(err, "%s", said.detail);
		if (said.hint[0] != '\0')
			error_hint(err, "%s", said.hint);
		memcpy(err->sqlstate, said.sqlstate, sizeof(err->sqlstate));
	}
	return error_wrap(err, "%s %s%s%s", entry->type, entry->schema,
					  entry->schema[0] != '\0' ? "." : "", entry->name);
}

/*
 * With foreign_key_checks a new foreign key looks at the rows that there are;
 * without, it never would.  Tables may still come in any order, so only what
 * comes behind the rows is created with them.
 */
static bool
entry_execute(MyConn *conn, const DdlEntry *entry, Error *err)
{
	bool checks = strcmp(entry->type, FOREIGN_KEY_TYPE) == 0;
	Error ignored = ERROR_INIT;
	bool ok;

	if (checks && !my_exec(conn, err, "SET foreign_key_checks = 1"))
		return false;
	ok = my_exec(conn, err, entry->sql) || entry_failed(conn, entry, err);
	if (checks && my_conn_alive(conn) &&
		!my_exec(conn, ok ? err : &ignored, "SET foreign_key_checks = 0"))
	{
		/* a session that checks must not write rows of the stream */
		conn->lost = true;
		return false;
	}
	return ok;
}

/*
 * Carry it out.  Where two streams write to one table, the other one may have been
 * faster since the probe was asked.
 */
static bool
entry_reach(MyConn *conn, const DdlEntry *entry, Error *err)
{
	Error ignored = ERROR_INIT;
	unsigned int number;
	bool there = false;

	if (entry_execute(conn, entry, err))
		return true;
	number = my_errno(conn);
	if ((number != ER_TABLE_EXISTS_ERROR && number != ER_DUP_KEYNAME) ||
		!target_mysql_probe(conn, entry->probe, &there, &ignored) || !there)
		return false;
	error_clear(err);
	return true;
}

static bool
entry_run(MyConn *conn, const Progress *progress, const DdlEntry *entry,
		  Error *err)
{
	bool running = false;
	bool there = false;

	return entry_note(conn, progress, entry, "running = 1", &running, err) &&
		   (!running || target_mysql_probe(conn, entry->probe, &there, err)) &&
		   (there || entry_reach(conn, entry, err)) &&
		   FAILPOINT(entry->state == DDL_TODO ? FP_DDL_BEFORE_COMMIT
											  : FP_FINISH_ENTRY,
					 err) &&
		   entry_note(conn, progress, entry, "running = 0, state = 'done'",
					  &running, err) &&
		   FAILPOINT(FP_DDL_COMMITTED, err);
}

/* Building an index may take hours: no deadline, but a stop request ends it. */
bool
target_mysql_ddl_entry(MyConn *conn, const Progress *progress,
					   const DdlEntry *entry, Error *err)
{
	int64_t timeout_ms = conn->statement_timeout_ms;
	bool interruptible = conn->interruptible;
	bool ok;

	conn->statement_timeout_ms = 0;
	conn->interruptible = true;
	ok = entry_run(conn, progress, entry, err);
	conn->statement_timeout_ms = timeout_ms;
	conn->interruptible = interruptible;
	return ok;
}

bool
target_mysql_ddl_run(Target *target, const Progress *progress,
					 const DdlEntry *entry, Error *err)
{
	return target_mysql_ddl_entry(((TargetMysql *) target)->conn, progress,
								  entry, err);
}

bool
target_mysql_ddl_postpone(Target *target, const Progress *progress,
						  const DdlEntry *entry, DdlState state, Error *err)
{
	bool running;

	return entry_note(((TargetMysql *) target)->conn, progress, entry,
					  state == DDL_WAITING ? "state = 'waiting'"
										   : "state = 'deferred'",
					  &running, err);
}

/*
 * A server of this kind cannot validate later what it has not looked at when it
 * was added: both are one.
 */
bool
target_mysql_foreign_key_add(Target *target, const Progress *progress,
							 const DdlEntry *entry, bool *validated, Error *err)
{
	*validated = true;
	return target_mysql_ddl_run(target, progress, entry, err);
}

/*
 * ddl_refuse.c
 *		See ddl_refuse.h.
 */
#include "mysql/ddl_refuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* as much of a statement as an error shows */
#define MAX_SHOWN 600

static bool
refused(Error *err, const Txn *txn, const char *tag, const char *statement,
		const char *reason, const char *said)
{
	size_t len = strlen(statement);

	error_set(err, P_DDL_STREAM,
			  "%s in the transaction that committed at " LSN_FORMAT
			  " cannot be carried: %s",
			  tag, LSN_ARGS(txn->commit_lsn), reason);
	error_detail(err, "%s%sTransaction %u on the source%s%.*s%s", said,
				 said[0] != '\0' ? " " : "", txn->xid, len > 0 ? ": " : ".",
				 MAX_SHOWN, statement, len > MAX_SHOWN ? "..." : "");
	return error_hint(err,
					  "Carry it out by hand on the target and run again with "
					  "--ddl-done " LSN_FORMAT
					  ", or drop the migration and begin again, or leave the "
					  "table out.",
					  LSN_ARGS(txn->commit_lsn));
}

bool
ddl_refuse(Error *err, const Txn *txn, const char *tag, const char *statement,
		   const char *fmt, ...)
{
	char reason[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return refused(err, txn, tag, statement, reason, "");
}

bool
ddl_refuse_failed(Error *err, const Txn *txn, const char *tag,
				  const char *statement)
{
	Error said = *err;

	if (!error_is_set(&said) || error_is_transient(&said) ||
		said.code == P_DDL_STREAM || said.code == P_STOPPED ||
		said.code == P_FENCED || said.code == P_PROTOCOL ||
		said.code == P_PROGRESS)
		return false;
	error_clear(err);
	refused(err, txn, tag, statement, said.message, said.detail);
	memcpy(err->sqlstate, said.sqlstate, sizeof(said.sqlstate));
	return false;
}

/*
 * ddl_work.c
 *		The frame around DDL in the stream; see ddl_work.h.
 *
 * Commands are rare, so nothing is pipelined around them: every answer is read
 * before and each statement waits for its own.
 */
#include "postgres/ddl_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "postgres/column_watch.h"
#include "postgres/pipeline_pg.h"
#include "postgres/statement_pg.h"

/* as much of a statement as an error shows */
#define MAX_SHOWN 600

bool
target_pg_shapes(TargetPg *self, Error *err)
{
	if (self->shapes == NULL)
		self->shapes = shape_map_load(self->conn, self->base.config->stream,
									  err);
	return self->shapes != NULL;
}

bool
ddl_work_begin(DdlWork *work, TargetPg *self, const Txn *txn,
			   const ChangeFilter *filter, Error *err)
{
	memset(work, 0, sizeof(*work));
	arena_init(&work->arena);
	if (!pipeline_finish(self->pipeline, err) ||
		!pipeline_leave(self->pipeline, err) || !target_pg_shapes(self, err))
		return false;
	work->self = self;
	work->conn = self->conn;
	work->shapes = self->shapes;
	work->stream = self->base.config->stream;
	work->txn = txn;
	work->filter = filter;
	work->tag = "a change of a table";
	work->statement = "";
	work->err = err;
	return true;
}

static void
add_choices(DdlWork *work)
{
	Lsn lsn = work->txn->commit_lsn;

	error_hint(work->err,
			   "Carry it out by hand on the target and run again with "
			   "--ddl-done " LSN_FORMAT
			   ", or drop the migration and begin again, or leave the table "
			   "out.",
			   LSN_ARGS(lsn));
}

static void
add_statement(DdlWork *work, const char *said)
{
	size_t len = strlen(work->statement);

	error_detail(work->err, "%s%sTransaction %u on the source%s%.*s%s", said,
				 said[0] != '\0' ? " " : "", work->txn->xid,
				 len > 0 ? ": " : ".", MAX_SHOWN, work->statement,
				 len > MAX_SHOWN ? "..." : "");
}

static bool
refused(DdlWork *work, const char *reason, const char *said)
{
	error_set(work->err, P_DDL_STREAM,
			  "%s in the transaction that committed at " LSN_FORMAT
			  " cannot be carried: %s",
			  work->tag, LSN_ARGS(work->txn->commit_lsn), reason);
	add_statement(work, said);
	add_choices(work);
	return false;
}

bool
ddl_work_refuse(DdlWork *work, const char *fmt, ...)
{
	char reason[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	return refused(work, reason, "");
}

/* What the target itself said against it. */
static bool
failed(DdlWork *work)
{
	Error said = *work->err;

	if (!error_is_set(&said) || error_is_transient(&said) ||
		said.code == P_DDL_STREAM || said.code == P_STOPPED ||
		said.code == P_FENCED || said.code == P_PROTOCOL ||
		said.code == P_PROGRESS)
		return false;
	error_clear(work->err);
	refused(work, said.message, said.detail);
	memcpy(work->err->sqlstate, said.sqlstate, sizeof(said.sqlstate));
	return false;
}

bool
ddl_work_end(DdlWork *work, bool ok)
{
	StatementCache *statements = work->self->statements;

	if (!ok && !work->as_it_is)
		failed(work);
	arena_release(&work->arena);
	if (!ok)
		return false;
	/* whatever was prepared may speak of another table now */
	if (!work->only_looked)
	{
		work->self->altered++;
		column_watch_forget(work->shapes);
		statement_cache_clear(statements);
		if (!pg_exec(work->conn, work->err, "DEALLOCATE ALL"))
			return false;
	}
	return pipeline_enter(work->self->pipeline, work->err);
}

bool
ddl_work_allowed(DdlWork *work)
{
	return work->self->base.config->ddl == DDL_APPLY ||
		   ddl_work_refuse(work, "--ddl stop asks to stop");
}

bool
ddl_work_is_done(const DdlWork *work)
{
	return work->self->base.config->ddl_done == work->txn->commit_lsn;
}

ChangeVerdict
ddl_table_verdict(const DdlWork *work, uint32_t oid)
{
	Change all = { .kind = CHANGE_TRUNCATE };
	Relation probe = { .oid = oid };

	return work->filter->verdict(work->filter, work->txn, &all, &probe);
}

bool
ddl_work_exec(DdlWork *work, const char *fmt, ...)
{
	va_list args;
	va_list again;
	char *sql;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	sql = arena_alloc(&work->arena, (size_t) len + 1);
	vsnprintf(sql, (size_t) len + 1, fmt, again);
	va_end(again);
	va_end(args);
	/* one statement only, whatever a name looks like */
	return pg_exec_params(work->conn, work->err, sql, 0, NULL);
}

static const char *
taken(DdlWork *work, Buffer *text)
{
	const char *copy = arena_strdup(&work->arena, text->data);

	buffer_release(text);
	return copy;
}

const char *
ddl_ident(DdlWork *work, const char *name)
{
	Buffer text;

	buffer_init(&text);
	pg_quote_ident(&text, name);
	return taken(work, &text);
}

const char *
ddl_table(DdlWork *work, const char *schema, const char *name)
{
	Buffer text;

	buffer_init(&text);
	pg_quote_table(&text, schema, name);
	return taken(work, &text);
}

const char *
ddl_literal(DdlWork *work, const char *text)
{
	Buffer quoted;

	buffer_init(&quoted);
	pg_quote_literal(&quoted, text);
	return taken(work, &quoted);
}

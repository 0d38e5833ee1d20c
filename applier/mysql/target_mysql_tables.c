/*
 * target_mysql_tables.c
 *		The state tables: created with the first migration of a database,
 *		dropped with the last.
 *
 * CREATE and DROP commit by themselves, so both are done under a user lock:
 * whether a migration is the last must still be true when the tables go.
 * portage_progress comes last and goes first: where it is, all are.
 */
#include <string.h>

#include "base/failpoint.h"
#include "mysql/state_sql.h"
#include "mysql/target_mysql.h"

#define STATE_WAIT_S 60

static const char *const create_sql[] = {
	STATE_CHUNK_SQL, STATE_DDL_SQL,		 STATE_RELATION_SQL, STATE_INTENT_SQL,
	STATE_LOSS_SQL,	 STATE_SESSION_SQL,	 STATE_ORIGIN_SQL,	 STATE_LEDGER_SQL,
	STATE_KEPT_SQL,	 STATE_PROGRESS_SQL,
};

#define TABLE_COUNT ((int) (sizeof(create_sql) / sizeof(create_sql[0])))

/* In the order in which they go. */
static const char *const tables[] = {
	"portage_progress", "portage_kept",	 "portage_ledger", "portage_origin",
	"portage_session",	"portage_loss",	 "portage_intent", "portage_relation",
	"portage_ddl",		"portage_chunk",
};

/* One of these at a time in a database. */
static bool
state_lock(MyConn *conn, Error *err)
{
	char name[LOCK_NAME_SIZE];
	int64_t got;

	target_mysql_lock_name(conn, "state", "", name);
	if (!my_query_number(conn, err, 0, &got, "SELECT GET_LOCK('%s', %d)", name,
						 STATE_WAIT_S))
		return false;
	return got == 1 || error_set(err, P_SERVER_BUSY,
								 "another migration creates or drops the state "
								 "tables");
}

/* The connection's end gives it back as well. */
static void
state_unlock(MyConn *conn)
{
	char name[LOCK_NAME_SIZE];
	Error ignored = ERROR_INIT;

	target_mysql_lock_name(conn, "state", "", name);
	if (my_conn_alive(conn))
		(void) !my_execf(conn, &ignored, "DO RELEASE_LOCK('%s')", name);
}

/* The column that says by which rules it was begun. */
static bool
add_rules_column(MyConn *conn, Error *err)
{
	int64_t found;

	if (!my_query_number(conn, err, 0, &found,
						 "SELECT count(*) FROM information_schema.columns"
						 " WHERE table_schema = DATABASE()"
						 " AND table_name = 'portage_progress'"
						 " AND column_name = 'rules'"))
		return false;
	return found > 0 ||
		   my_exec(conn, err,
				   "ALTER TABLE portage_progress"
				   " ADD COLUMN rules varchar(64) NOT NULL DEFAULT ''");
}

bool
target_mysql_state_create(Target *target, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	bool ok;

	if (!state_lock(conn, err))
		return false;
	ok = true;
	for (int i = 0; ok && i < TABLE_COUNT; i++)
		ok = my_exec(conn, err, create_sql[i]);
	ok = ok && add_rules_column(conn, err);
	state_unlock(conn);
	if (!ok)
		return error_wrap(err, "cannot create the state tables");
	return FAILPOINT(FP_STATE_CREATED, err);
}

/* CREATE commits by itself, and where a table is it does not do even that. */
bool
target_mysql_state_upgrade(MyConn *conn, Error *err)
{
	int64_t found;

	if (!my_query_number(conn, err, 0, &found,
						 "SELECT count(*) FROM information_schema.tables"
						 " WHERE table_schema = DATABASE() AND table_name IN"
						 " ('portage_ledger', 'portage_kept')"))
		return false;
	return ((found == 2 || (my_exec(conn, err, STATE_LEDGER_SQL) &&
							my_exec(conn, err, STATE_KEPT_SQL))) &&
			add_rules_column(conn, err)) ||
		   error_wrap(err, "cannot upgrade the state tables");
}

/* The stream's rows, of all tables at once. */
static bool
rows_delete(MyConn *conn, const char *stream, bool *existed, Error *err)
{
	uint64_t affected = 0;
	Buffer sql;
	bool ok = my_exec(conn, err, "START TRANSACTION");

	buffer_init(&sql);
	for (int i = 0; ok && i < TABLE_COUNT; i++)
	{
		buffer_reset(&sql);
		buffer_printf(&sql, "DELETE FROM %s WHERE stream = '%s'", tables[i],
					  stream);
		ok = my_exec_slice(conn, err, (Slice){ sql.data, sql.len }, &affected);
		if (i == 0)
			*existed = affected > 0;
	}
	buffer_release(&sql);
	ok = ok && FAILPOINT(FP_DROP_STATE, err) && my_exec(conn, err, "COMMIT");
	if (!ok)
		my_rollback(conn);
	return ok;
}

static bool
tables_drop(MyConn *conn, Error *err)
{
	for (int i = 0; i < TABLE_COUNT; i++)
	{
		if (!my_execf(conn, err, "DROP TABLE IF EXISTS %s", tables[i]))
			return false;
	}
	return true;
}

static bool
state_drop(TargetMysql *self, bool *existed, Error *err)
{
	MyConn *conn = self->conn;
	bool there;
	int64_t others = 0;

	*existed = false;
	if (!target_mysql_state_exists(&self->base, &there, err))
		return false;
	if (there && (!target_mysql_state_upgrade(conn, err) ||
				  !rows_delete(conn, self->base.config->stream, existed, err) ||
				  !my_query_number(conn, err, 0, &others,
								   "SELECT count(*) FROM portage_progress")))
		return false;
	/* what a drop that was interrupted has left is taken away, too */
	return others > 0 || tables_drop(conn, err);
}

bool
target_mysql_state_drop(Target *target, bool *existed, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	bool ok;

	if (!state_lock(self->conn, err))
		return false;
	ok = state_drop(self, existed, err);
	state_unlock(self->conn);
	self->session_name[0] = '\0';
	target_mysql_maps_forget(self);
	return ok;
}

bool
target_mysql_losses_list(Target *target, Arena *arena, LossCount **losses,
						 int *count, Error *err)
{
	MyConn *conn = ((TargetMysql *) target)->conn;
	MyResult rows;
	int capacity;

	/* a name of a stream needs no quoting: options.c */
	if (!my_queryf(conn, err, &rows,
				   "SELECT table_schema, table_name, column_name, kind, `count`"
				   " FROM portage_loss WHERE stream = '%s' ORDER BY 1, 2, 3, 4",
				   target->config->stream))
		return false;
	capacity = (int) mysql_num_rows(rows.res);
	*losses = ARENA_ARRAY(arena, LossCount, (size_t) capacity);
	for (*count = 0; *count < capacity && my_next(&rows); (*count)++)
		(*losses)[*count] = (LossCount){
			.schema = arena_strdup(arena, my_value(&rows, 0)),
			.table = arena_strdup(arena, my_value(&rows, 1)),
			.column = arena_strdup(arena, my_value(&rows, 2)),
			.kind = arena_strdup(arena, my_value(&rows, 3)),
			.count = (uint64_t) my_value_int(&rows, 4),
		};
	my_result_free(&rows);
	return true;
}

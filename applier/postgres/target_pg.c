/*
 * target_pg.c
 *		The PostgreSQL target: its table of operations, connecting.
 */
#include "postgres/target_pg.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "postgres/column_watch.h"
#include "postgres/pipeline_pg.h"
#include "postgres/statement_pg.h"
#include "postgres/target_pg_kept.h"

static bool target_pg_connect(Target *target, Error *err);
static void target_pg_disconnect(Target *target);
static void target_pg_free(Target *target);

static const TargetOps target_pg_ops = {
	.name = "postgresql",
	.features = {
		.transactional_ddl = true,
		.transactional_truncate = true,
		.savepoints = true,
		.max_identifier_bytes = 63,
		.binary_rows = true,
	},
	.connect = target_pg_connect,
	.disconnect = target_pg_disconnect,
	.check = target_pg_check,
	.check_fit = target_pg_check_fit,
	.check_tables = target_pg_check_tables,
	.can_disable_triggers = target_pg_can_disable_triggers,
	.occupied = target_pg_occupied,
	.identify = target_pg_identify,
	.fingerprint = target_pg_fingerprint,
	.state_exists = target_pg_state_exists,
	.state_create = target_pg_state_create,
	.owner_acquire = target_pg_owner_acquire,
	.owner_inspect = target_pg_owner_inspect,
	.owner_evict = target_pg_owner_evict,
	.progress_read = target_pg_progress_read,
	.progress_claim = target_pg_progress_claim,
	.progress_insert = target_pg_progress_insert,
	.progress_save = target_pg_progress_save,
	.apply = target_pg_apply,
	.rollback = target_pg_rollback,
	.durability = target_pg_durability,
	.table_look = target_pg_table_look,
	.table_renewed = target_pg_table_renewed,
	.table_noted = target_pg_table_noted,
	.writer_open = target_pg_writer_open,
	.writer_begin = target_pg_writer_begin,
	.writer_write = target_pg_writer_write,
	.writer_savepoint = target_pg_writer_savepoint,
	.writer_lock = target_pg_writer_lock,
	.writer_keep = target_pg_writer_keep,
	.writer_chunk = target_pg_writer_chunk,
	.writer_commit = target_pg_writer_commit,
	.writer_rollback = target_pg_writer_rollback,
	.writer_close = target_pg_writer_close,
	.ledger_list = target_pg_ledger_list,
	.kept_visit = target_pg_kept_visit,
	.ddl_store = target_pg_ddl_store,
	.ddl_list = target_pg_ddl_list,
	.ddl_run = target_pg_ddl_run,
	.ddl_postpone = target_pg_ddl_postpone,
	.foreign_key_add = target_pg_foreign_key_add,
	.identity_relax = target_pg_identity_relax,
	.chunks_store = target_pg_chunks_store,
	.chunks_list = target_pg_chunks_list,
	.load_activity = target_pg_load_activity,
	.shapes_store = target_pg_shapes_store,
	.shape_copied = target_pg_shape_copied,
	.shapes_list = target_pg_shapes_list,
	.sequences_set = target_pg_sequences_set,
	.analyze = target_pg_analyze,
	.state_drop = target_pg_state_drop,
	.loader_open = target_pg_loader_open,
	.loader_prove_empty = target_pg_loader_prove_empty,
	.loader_reset = target_pg_loader_reset,
	.loader_begin = target_pg_loader_begin,
	.loader_data = target_pg_loader_data,
	.loader_end = target_pg_loader_end,
	.loader_try = target_pg_loader_try,
	.loader_commit = target_pg_loader_commit,
	.loader_keep = target_pg_loader_keep,
	.loader_abort = target_pg_loader_abort,
	.loader_ddl = target_pg_loader_ddl,
	.loader_analyze = target_pg_loader_analyze,
	.loader_close = target_pg_loader_close,
	.free = target_pg_free,
};

Target *
target_pg_open(const TargetConfig *config, Error *err)
{
	TargetPg *self = mem_zalloc(sizeof(*self));

	(void) err;
	arena_init(&self->halves);
	self->base.ops = &target_pg_ops;
	self->base.config = config;
	return &self->base;
}

/*
 * Foreign keys and triggers belong to the source's writes and are in the WAL
 * already.  Who may not switch them off has none while the stream runs.
 */
static bool
disable_triggers(PgConn *conn, bool *disabled, Error *err)
{
	PGresult *res;

	/* ask where one can: a refusal would stand in the server's log */
	if (conn->server_version >= 150000)
	{
		res = pg_query(conn, err,
					   "SELECT has_parameter_privilege("
					   "'session_replication_role', 'SET')");
		if (res == NULL)
			return false;
		*disabled = pg_value_bool(res, 0, 0);
		PQclear(res);
		if (!*disabled)
			return true;
	}
	*disabled = pg_exec(conn, err, "SET session_replication_role = replica");
	if (*disabled || strcmp(err->sqlstate, "42501") != 0)
		return *disabled;
	error_clear(err);
	return true;
}

PgConn *
target_pg_session(TargetPg *self, const char *role, bool *replica_role,
				  Error *err)
{
	const TargetConfig *config = self->base.config;
	char label[64];
	PgConfig pg_config = {
		.side = "target",
		.url = config->url,
		.label = label,
		.encoding = config->encoding,
	};
	PgConn *conn;
	bool ok;

	snprintf(label, sizeof(label), TARGET_LABEL_FORMAT, config->stream, role);
	conn = pg_conn_open(&pg_config, err);
	if (conn == NULL)
		return NULL;
	ok = pg_exec(conn, err,
				 config->synchronous_commit ? "SET synchronous_commit = on"
											: "SET synchronous_commit = off") &&
		 disable_triggers(conn, replica_role, err) &&
		 FAILPOINT(FP_TARGET_CONNECTED, err);
	if (!ok)
	{
		pg_conn_close(conn);
		return NULL;
	}
	return conn;
}

bool
target_pg_begin(PgConn *conn, const char *origin_nonce, Error *err)
{
	const char *params[] = { origin_nonce };

	return pg_exec(conn, err, "BEGIN") &&
		   pg_exec_params(conn, err,
						  "SELECT pg_logical_emit_message(true,"
						  " 'portage.origin', $1::text)",
						  1, params);
}

/*
 * Rows are found by their key.  A plan is made once, when a table may look
 * small; without this it would go on reading all of a table that a long
 * transaction has filled with dead versions of a few hot rows.
 */
bool
target_pg_prefer_indexes(PgConn *conn, Error *err)
{
	return pg_exec(conn, err,
				   "SET enable_seqscan = off;"
				   /* where one is needed, its cost would have it compiled */
				   "SET jit = off;"
				   "SET enable_bitmapscan = off;"
				   "SET enable_hashjoin = off;"
				   "SET enable_mergejoin = off;"
				   "SET plan_cache_mode = force_generic_plan");
}

/* The label says "standby" until the stream is ours; see owner_evict. */
static bool
target_pg_connect(Target *target, Error *err)
{
	TargetPg *self = (TargetPg *) target;

	target_pg_disconnect(target);
	self->conn = target_pg_session(self, "standby", &self->replica_role, err);
	if (self->conn == NULL || !target_pg_prefer_indexes(self->conn, err))
		return false;
	self->statements = statement_cache_new();
	self->pipeline = pipeline_new(self->conn);
	pipeline_set_tally(self->pipeline, &self->tally);
	return true;
}

static void
target_pg_disconnect(Target *target)
{
	TargetPg *self = (TargetPg *) target;

	pg_conn_close(self->conn);
	self->conn = NULL;
	statement_cache_free(self->statements);
	self->statements = NULL;
	target_pg_ddl_forget(self);
	kept_pg_forget(self);
	pipeline_free(self->pipeline);
	self->pipeline = NULL;
}

static void
target_pg_free(Target *target)
{
	TargetPg *self = (TargetPg *) target;

	target_pg_disconnect(target);
	arena_release(&self->halves);
	column_watch_release(&self->watch);
	ledger_tally_release(&self->tally);
	mem_free(target);
}

/*
 * target_mysql.c
 *		The MySQL and MariaDB target: its table of operations, connecting.
 */
#include "mysql/target_mysql.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include <xxhash.h>

#include "base/failpoint.h"
#include "base/mem.h"
#include "mysql/table_facts_mysql.h"

static bool target_mysql_connect(Target *target, Error *err);
static void target_mysql_disconnect(Target *target);
static void target_mysql_free(Target *target);

static const TargetOps target_mysql_ops = {
	.name = "mysql",
	.features = {
		.savepoints = true,
		.max_identifier_bytes = 64,
		.own_schema = true,
		.merges_partitions = true,
	},
	.connect = target_mysql_connect,
	.disconnect = target_mysql_disconnect,
	.check = target_mysql_check,
	.check_fit = target_mysql_check_fit,
	.check_tables = target_mysql_check_tables,
	.can_disable_triggers = target_mysql_can_disable_triggers,
	.occupied = target_mysql_occupied,
	.identify = target_mysql_identify,
	.fingerprint = target_mysql_fingerprint,
	.state_exists = target_mysql_state_exists,
	.state_create = target_mysql_state_create,
	.owner_acquire = target_mysql_owner_acquire,
	.owner_inspect = target_mysql_owner_inspect,
	.owner_evict = target_mysql_owner_evict,
	.progress_read = target_mysql_progress_read,
	.progress_claim = target_mysql_progress_claim,
	.progress_insert = target_mysql_progress_insert,
	.progress_save = target_mysql_progress_save,
	.apply = target_mysql_apply,
	.rollback = target_mysql_rollback,
	.durability = target_mysql_durability,
	.table_look = target_mysql_table_look,
	.table_renewed = target_mysql_table_renewed,
	.table_noted = target_mysql_table_noted,
	.writer_open = target_mysql_writer_open,
	.writer_begin = target_mysql_writer_begin,
	.writer_write = target_mysql_writer_write,
	.writer_savepoint = target_mysql_writer_savepoint,
	.writer_lock = target_mysql_writer_lock,
	.writer_keep = target_mysql_writer_keep,
	.writer_chunk = target_mysql_writer_chunk,
	.writer_commit = target_mysql_writer_commit,
	.writer_rollback = target_mysql_writer_rollback,
	.writer_close = target_mysql_writer_close,
	.ledger_list = target_mysql_ledger_list,
	.kept_visit = target_mysql_kept_visit,
	.ddl_store = target_mysql_ddl_store,
	.ddl_list = target_mysql_ddl_list,
	.ddl_run = target_mysql_ddl_run,
	.ddl_postpone = target_mysql_ddl_postpone,
	.foreign_key_add = target_mysql_foreign_key_add,
	.identity_relax = target_mysql_identity_relax,
	.chunks_store = target_mysql_chunks_store,
	.chunks_list = target_mysql_chunks_list,
	.load_activity = target_mysql_load_activity,
	.shapes_store = target_mysql_shapes_store,
	.shape_copied = target_mysql_shape_copied,
	.shapes_list = target_mysql_shapes_list,
	.sequences_set = target_mysql_sequences_set,
	.analyze = target_mysql_analyze,
	.state_drop = target_mysql_state_drop,
	.loader_open = target_mysql_loader_open,
	.loader_prove_empty = target_mysql_loader_prove_empty,
	.loader_reset = target_mysql_loader_reset,
	.loader_begin = target_mysql_loader_begin,
	.loader_data = target_mysql_loader_data,
	.loader_end = target_mysql_loader_end,
	.loader_try = target_mysql_loader_try,
	.loader_commit = target_mysql_loader_commit,
	.loader_keep = target_mysql_loader_keep,
	.loader_abort = target_mysql_loader_abort,
	.loader_ddl = target_mysql_loader_ddl,
	.loader_analyze = target_mysql_loader_analyze,
	.loader_close = target_mysql_loader_close,
	.free = target_mysql_free,
	.schema_translate = target_mysql_schema_translate,
	.wants_generated = target_mysql_wants_generated,
	.losses_list = target_mysql_losses_list,
};

Target *
target_mysql_open(const TargetConfig *config, Error *err)
{
	TargetMysql *self = mem_zalloc(sizeof(*self));

	(void) err;
	arena_init(&self->translation_arena);
	self->clock = commit_clock_new();
	self->base.ops = &target_mysql_ops;
	self->base.config = config;
	return &self->base;
}

void
target_mysql_lock_name(const MyConn *conn, const char *what, const char *stream,
					   char out[LOCK_NAME_SIZE])
{
	/* names of locks are the whole server's, and short */
	Buffer of;
	XXH128_hash_t hash;

	buffer_init(&of);
	buffer_puts(&of, conn->database);
	for (size_t i = 0; i < of.len && conn->server.lower_case_table_names; i++)
		of.data[i] = (char) tolower((unsigned char) of.data[i]);
	buffer_putc(&of, '\0');
	buffer_puts(&of, stream);
	hash = XXH3_128bits(of.data, of.len);
	buffer_release(&of);
	snprintf(out, LOCK_NAME_SIZE, "portage.%s.%016" PRIx64 "%016" PRIx64, what,
			 hash.high64, hash.low64);
}

bool
target_mysql_state_exists(Target *target, bool *exists, Error *err)
{
	int64_t count;

	if (!my_query_number(((TargetMysql *) target)->conn, err, 0, &count,
						 "SELECT count(*) FROM information_schema.tables"
						 " WHERE table_schema = DATABASE()"
						 " AND table_name = 'portage_progress'"))
		return false;
	*exists = count > 0;
	return true;
}

/*
 * The lock first, then the row: a row whose lock nobody holds is of a session
 * that has ended.
 */
static bool
session_note(MyConn *conn, const char *stream, const char *role,
			 char name[LOCK_NAME_SIZE], Error *err)
{
	char nonce[NONCE_SIZE];
	int64_t got;

	nonce_make(nonce);
	snprintf(name, LOCK_NAME_SIZE, "portage.session.%s", nonce);
	if (!my_query_number(conn, err, 0, &got, "SELECT GET_LOCK('%s', 0)", name))
		return false;
	if (got != 1)
		return error_set(err, P_SERVER_BUSY,
						 "the target does not give a user lock");
	return my_execf(conn, err,
					"INSERT INTO portage_session (name, stream, role, epoch)"
					" SELECT '%s', '%s', '%s', coalesce(max(epoch), 0)"
					" FROM portage_progress WHERE stream = '%s'",
					name, stream, role, stream);
}

bool
target_mysql_register(TargetMysql *self, const char *role, Error *err)
{
	if (self->session_name[0] == '\0')
		return session_note(self->conn, self->base.config->stream, role,
							self->session_name, err);
	return my_execf(self->conn, err,
					"UPDATE portage_session SET role = '%s' WHERE name = '%s'",
					role, self->session_name);
}

static MyConn *
session_open(TargetMysql *self, Error *err)
{
	MyConfig config = { .side = "target", .url = self->base.config->url };
	MyConn *conn = my_conn_open(&config, err);

	if (conn == NULL || FAILPOINT(FP_TARGET_CONNECTED, err))
		return conn;
	my_conn_close(conn);
	return NULL;
}

MyConn *
target_mysql_session(TargetMysql *self, const char *role, Error *err)
{
	MyConn *conn = session_open(self, err);
	char name[LOCK_NAME_SIZE];

	if (conn == NULL ||
		session_note(conn, self->base.config->stream, role, name, err))
		return conn;
	my_conn_close(conn);
	return NULL;
}

/* Nothing is noted before the stream is ours: who only looks writes nothing. */
static bool
target_mysql_connect(Target *target, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;

	target_mysql_disconnect(target);
	self->conn = session_open(self, err);
	return self->conn != NULL;
}

static void
target_mysql_disconnect(Target *target)
{
	TargetMysql *self = (TargetMysql *) target;

	my_conn_close(self->conn);
	self->conn = NULL;
	self->session_name[0] = '\0';
	self->writers = 0;
	target_mysql_apply_forget(self);
	target_mysql_facts_release(self);
	kept_mysql_forget(self);
	target_mysql_maps_forget(self);
}

static void
target_mysql_free(Target *target)
{
	TargetMysql *self = (TargetMysql *) target;

	target_mysql_disconnect(target);
	commit_clock_free(self->clock);
	arena_release(&self->translation_arena);
	mem_free(target);
}

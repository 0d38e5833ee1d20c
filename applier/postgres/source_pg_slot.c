/*
 * source_pg_slot.c
 *		The replication slot: created with an exported snapshot, looked at,
 *		dropped.
 *
 * The slot's name is quoted as an identifier although names are restricted, so
 * that nothing depends on the restriction.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "postgres/source_pg.h"

/* how long a walsender that an earlier applier left may take to go away */
#define LEFTOVER_WAIT_MS 60000
#define LEFTOVER_GRACE_MS 1000

static const char slot_query[] =
	"SELECT s.plugin = 'pg_portage' AND s.slot_type = 'logical'"
	"   AND s.database = current_database(),"
	" s.active, coalesce(s.active_pid, 0),"
	" coalesce(s.wal_status, ''), s.restart_lsn, s.confirmed_flush_lsn,"
	" coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()"
	"   THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
	"   s.restart_lsn), 0)::bigint,"
	/* a column since 17 */
	" coalesce(' (' || (to_jsonb(s) ->> 'invalidation_reason') || ')', '')"
	" FROM pg_replication_slots s WHERE s.slot_name = $1";

bool
source_pg_slot_inspect(Source *source, SlotInfo *info, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	const char *params[] = { source->config->slot };
	PGresult *res = pg_query_params(self->sql, err, slot_query, 1, params);

	if (res == NULL)
		return false;
	memset(info, 0, sizeof(*info));
	info->exists = PQntuples(res) == 1;
	if (info->exists)
	{
		info->ours = pg_value_bool(res, 0, 0);
		info->active = pg_value_bool(res, 0, 1);
		info->active_pid = (int) pg_value_int(res, 0, 2);
		info->restart_lsn = pg_value_lsn(res, 0, 4);
		info->confirmed_lsn = pg_value_lsn(res, 0, 5);
		info->retained_bytes = pg_value_int(res, 0, 6);
		info->invalid = strcmp(pg_value(res, 0, 3), "lost") == 0 ||
						info->restart_lsn == LSN_NONE;
		if (info->invalid)
			snprintf(info->why_invalid, sizeof(info->why_invalid),
					 "wal_status is %s%s", pg_value(res, 0, 3),
					 pg_value(res, 0, 7));
	}
	PQclear(res);
	return true;
}

/* The refusals of CREATE_REPLICATION_SLOT that have remedies of their own. */
static bool
slot_create_refused(Error *err)
{
	char message[sizeof(err->message)];

	snprintf(message, sizeof(message), "%s", err->message);
	if (strcmp(err->sqlstate, "53400") == 0)
		return error_set(err, P_SLOTS, "%s", message);
	if (strcmp(err->sqlstate, "55000") == 0 &&
		strstr(message, "wal_level") != NULL)
		return error_set(err, P_WAL_LEVEL, "%s", message);
	return false;
}

/*
 * The old form of the command is understood by every version.  The server
 * waits for running transactions; a stop request ends that wait.
 */
static bool
create_slot(SourcePg *self, const char *name, const char *kind,
			SlotSnapshot *snapshot, Error *err)
{
	Buffer sql;
	PGresult *res;

	self->slot_holder->interruptible = true;
	buffer_init(&sql);
	buffer_puts(&sql, "CREATE_REPLICATION_SLOT ");
	pg_quote_ident(&sql, name);
	buffer_printf(&sql, "%s LOGICAL " PLUGIN_NAME " EXPORT_SNAPSHOT", kind);
	res = pg_query(self->slot_holder, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
	{
		source_pg_slot_snapshot_release(&self->base);
		slot_create_refused(err);
		return error_wrap(err, "cannot create the slot %s", name);
	}
	snapshot->consistent_lsn = pg_value_lsn(res, 0, 1);
	snprintf(snapshot->snapshot_id, sizeof(snapshot->snapshot_id), "%s",
			 pg_value(res, 0, 2));
	PQclear(res);
	if (snapshot->consistent_lsn == LSN_NONE)
		return error_set(err, P_PROTOCOL, "the new slot has no position");
	return true;
}

static bool
open_holder(SourcePg *self, Error *err)
{
	source_pg_slot_snapshot_release(&self->base);
	self->slot_holder = source_pg_session(self, "slot", true, err);
	return self->slot_holder != NULL;
}

bool
source_pg_slot_create(Source *source, SlotSnapshot *snapshot, Error *err)
{
	SourcePg *self = (SourcePg *) source;

	return open_holder(self, err) &&
		   create_slot(self, source->config->slot, "", snapshot, err) &&
		   FAILPOINT(FP_SLOT_CREATED, err);
}

/* Its session has a number that no other has: so has the temporary slot. */
bool
source_pg_slot_join(Source *source, SlotSnapshot *snapshot, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	char name[64];

	if (!open_holder(self, err))
		return false;
	snprintf(name, sizeof(name), "%.50s_%d", source->config->slot,
			 self->slot_holder->backend_pid);
	return create_slot(self, name, " TEMPORARY", snapshot, err) &&
		   FAILPOINT(FP_SLOT_CREATED, err);
}

void
source_pg_slot_snapshot_release(Source *source)
{
	SourcePg *self = (SourcePg *) source;

	pg_conn_close(self->slot_holder);
	self->slot_holder = NULL;
}

static bool
terminate_walsender(SourcePg *self, int pid, Error *err)
{
	char pid_text[16];
	const char *params[] = { pid_text };

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	return pg_exec_params(self->sql, err,
						  "SELECT pg_terminate_backend(pid)"
						  " FROM pg_stat_activity WHERE pid = $1::integer"
						  " AND application_name LIKE 'pg\\_portage %'",
						  1, params);
}

bool
source_pg_slot_wait_free(Source *source, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	int64_t begun_ms = clock_ms();
	bool said = false;
	SlotInfo info;

	for (;;)
	{
		if (!source_pg_slot_inspect(source, &info, err))
			return false;
		if (!info.exists || !info.active)
			return true;
		if (clock_ms() - begun_ms > LEFTOVER_WAIT_MS)
			return error_set(err, P_SERVER_BUSY,
							 "the slot %s is still used by "
							 "process %d",
							 source->config->slot, info.active_pid);
		if (clock_ms() - begun_ms > LEFTOVER_GRACE_MS)
		{
			if (!said)
				log_info("ending process %d on the source, which an earlier "
						 "applier left behind",
						 info.active_pid);
			said = true;
			if (!terminate_walsender(self, info.active_pid, err))
				return false;
		}
		clock_pause_ms(100);
	}
}

bool
source_pg_slot_drop(Source *source, bool *existed, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	const char *params[] = { source->config->slot };
	SlotInfo info;

	source_pg_slot_snapshot_release(source);
	if (!source_pg_slot_inspect(source, &info, err))
		return false;
	*existed = info.exists;
	if (!info.exists)
		return true;
	if (!info.ours)
		return error_set(err, P_SLOT_FOREIGN,
						 "the slot %s is not a slot of "
						 "pg_portage in this database",
						 source->config->slot);
	if (!source_pg_slot_wait_free(source, err))
		return false;
	return pg_exec_params(self->sql, err, "SELECT pg_drop_replication_slot($1)",
						  1, params) &&
		   FAILPOINT(FP_DROP_SLOT, err);
}

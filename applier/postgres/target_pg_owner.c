/*
 * target_pg_owner.c
 *		Who owns the stream: a session advisory lock, and the end of sessions
 *		that an earlier owner left behind.
 *
 * The lock is for order; safety is the epoch in the progress row.  Sessions
 * carry their role in application_name: "apply", "writer" and "loader" write,
 * "standby" waits for the lock and is left alone.
 */
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "postgres/advisory_lock.h"
#include "postgres/target_pg.h"

#define EVICT_TIMEOUT_MS 60000
#define REPLACE_TIMEOUT "2s"

#define LOCK_KIND "pg_portage:"
#define LOCK_KEY ADVISORY_LOCK_KEY(LOCK_KIND)

/* Held by a takeover, so that no standby gets the lock that it sets free. */
#define TURN_KEY ADVISORY_LOCK_KEY("pg_portage takeover:")

/* Who has the lock?  *pid is 0 if nobody does any more. */
static bool
owner_find(TargetPg *self, int *pid, char *owner, size_t owner_size, Error *err)
{
	return advisory_lock_holder(self->conn, LOCK_KIND,
								self->base.config->stream, pid, owner,
								owner_size, err);
}

bool
target_pg_owner_inspect(Target *target, bool *owned, char *owner,
						size_t owner_size, Error *err)
{
	int pid;

	if (!owner_find((TargetPg *) target, &pid, owner, owner_size, err))
		return false;
	*owned = pid != 0;
	return true;
}

static bool
owner_try(TargetPg *self, bool *owned, Error *err)
{
	const char *params[] = { self->base.config->stream };
	PGresult *res = pg_query_params(
		self->conn, err,
		"SELECT CASE WHEN"
		" pg_try_advisory_xact_lock_shared(" TURN_KEY
		") THEN pg_try_advisory_lock(" LOCK_KEY ") ELSE false END",
		1, params);

	if (res == NULL)
		return false;
	*owned = pg_value_bool(res, 0, 0);
	PQclear(res);
	return true;
}

/* A lock of the stream's that may be taken for long: then *locked is false. */
static bool
lock_briefly(TargetPg *self, const char *sql, bool *locked, Error *err)
{
	const char *params[] = { self->base.config->stream };

	*locked = pg_exec_params(self->conn, err, sql, 1, params);
	if (!*locked && err->code != P_SERVER_BUSY)
		return false;
	error_clear(err);
	return true;
}

/* End the session that has the lock, and have it when that has ended. */
static bool
replace_in_turn(TargetPg *self, bool *owned, char *owner, size_t owner_size,
				Error *err)
{
	const char *stream_param[] = { self->base.config->stream };
	int pid;

	if (!owner_find(self, &pid, owner, owner_size, err))
		return false;
	return (pid == 0 || advisory_lock_end(self->conn, pid, err)) &&
		   lock_briefly(self, "SELECT pg_advisory_lock(" LOCK_KEY ")", owned,
						err) &&
		   pg_exec_params(self->conn, err,
						  "SELECT pg_advisory_unlock(" TURN_KEY ")", 1,
						  stream_param);
}

/* If it is another takeover's turn, *owned stays as it is. */
static bool
owner_replace(TargetPg *self, bool *owned, char *owner, size_t owner_size,
			  Error *err)
{
	bool turn;

	return pg_exec(self->conn, err,
				   "SET lock_timeout = '" REPLACE_TIMEOUT "'") &&
		   lock_briefly(self, "SELECT pg_advisory_lock(" TURN_KEY ")", &turn,
						err) &&
		   (!turn || replace_in_turn(self, owned, owner, owner_size, err)) &&
		   pg_exec(self->conn, err, "SET lock_timeout = 0");
}

static bool
set_label(TargetPg *self, const char *role, Error *err)
{
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_printf(&sql, "SET application_name = '" TARGET_LABEL_FORMAT "'",
				  self->base.config->stream, role);
	ok = pg_exec(self->conn, err, sql.data);
	buffer_release(&sql);
	return ok;
}

bool
target_pg_owner_acquire(Target *target, OwnerMode mode, bool *owned,
						char *owner, size_t owner_size, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	int pid;

	if (!owner_try(self, owned, err))
		return false;
	if (!*owned && mode == OWNER_TAKEOVER &&
		!owner_replace(self, owned, owner, owner_size, err))
		return false;
	if (!*owned)
		return owner_find(self, &pid, owner, owner_size, err);
	return FAILPOINT(FP_OWNER_LOCKED, err);
}

/* Sessions of this stream and role that write, except ours. */
#define EVICT_WHERE                                                      \
	" FROM pg_stat_activity WHERE datname = current_database()"          \
	" AND pid <> pg_backend_pid() AND application_name IN ("             \
	"'pg_portage ' || $1 || ' apply', 'pg_portage ' || $1 || ' writer'," \
	" 'pg_portage ' || $1 || ' loader')"

bool
target_pg_owner_evict(Target *target, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	const char *params[] = { target->config->stream };
	int64_t deadline_ms = clock_ms() + EVICT_TIMEOUT_MS;
	PGresult *res;
	int64_t left;

	for (;;)
	{
		res = pg_query_params(self->conn, err,
							  "SELECT count(*),"
							  " count(pg_terminate_backend(pid))" EVICT_WHERE,
							  1, params);
		if (res == NULL)
			return false;
		left = pg_value_int(res, 0, 0);
		PQclear(res);
		if (left == 0)
			return set_label(self, "apply", err);
		if (clock_ms() > deadline_ms)
			return error_set(err, P_SERVER_BUSY,
							 "%lld sessions of an earlier "
							 "applier do not end on the target",
							 (long long) left);
		log_debug("waiting for %lld sessions of an earlier applier to end",
				  (long long) left);
		clock_pause_ms(100);
	}
}

/*
 * source_pg_owner.c
 *		Who reads a slot that serves several targets: a session advisory lock on
 *		the source.
 *
 * Each target has an owner by itself, and two appliers that own one each would
 * take the slot away from each other for ever.  Safety is in the progress rows;
 * this is for order.
 */
#include <stdio.h>

#include "base/clock.h"
#include "postgres/source_pg.h"

#define LOCK_KEY "hashtextextended('pg_portage source:' || $1, 0)"

#define END_WAIT_MS 10000
#define END_POLL_MS 50

static const char holder_query[] =
	"WITH k AS (SELECT " LOCK_KEY " AS key)"
	" SELECT l.pid, coalesce(a.application_name, ''),"
	"  coalesce(host(a.client_addr), 'local socket'),"
	"  coalesce(a.backend_start::text, '')"
	" FROM k, pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
	" WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
	"  AND l.database = (SELECT oid FROM pg_database"
	"   WHERE datname = current_database())"
	"  AND l.classid = ((k.key >> 32) & 4294967295)::oid"
	"  AND l.objid = (k.key & 4294967295)::oid";

static bool
try_lock(SourcePg *self, bool *owned, Error *err)
{
	const char *params[] = { self->base.config->slot };
	PGresult *res = pg_query_params(
		self->sql, err, "SELECT pg_try_advisory_lock(" LOCK_KEY ")", 1, params);

	if (res == NULL)
		return false;
	*owned = pg_value_bool(res, 0, 0);
	PQclear(res);
	if (*owned)
		self->owner_pid = self->sql->backend_pid;
	return true;
}

/* Who has the lock?  *pid is 0 if nobody does any more. */
static bool
find_holder(SourcePg *self, int *pid, char *owner, size_t owner_size,
			Error *err)
{
	const char *params[] = { self->base.config->slot };
	PGresult *res = pg_query_params(self->sql, err, holder_query, 1, params);

	if (res == NULL)
		return false;
	*pid = 0;
	snprintf(owner, owner_size, "a session that has just ended");
	if (PQntuples(res) > 0)
	{
		*pid = (int) pg_value_int(res, 0, 0);
		snprintf(owner, owner_size, "process %d (%s) from %s since %s", *pid,
				 pg_value(res, 0, 1), pg_value(res, 0, 2), pg_value(res, 0, 3));
	}
	PQclear(res);
	return true;
}

/* End the session that has the lock, and have it, if nobody else is quicker. */
static bool
replace_holder(SourcePg *self, int pid, bool *owned, Error *err)
{
	int64_t deadline_ms = clock_ms() + END_WAIT_MS;
	char pid_text[16];
	const char *params[] = { pid_text };

	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	if (!pg_exec_params(self->sql, err,
						"SELECT pg_terminate_backend($1::integer)", 1, params))
		return false;
	do
	{
		if (!try_lock(self, owned, err))
			return false;
		if (!*owned)
			clock_pause_ms(END_POLL_MS);
	} while (!*owned && clock_ms() < deadline_ms);
	return true;
}

bool
source_pg_owner_acquire(Source *source, bool takeover, bool *owned, char *owner,
						size_t owner_size, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	int before = self->owner_pid;
	int pid;

	if (!try_lock(self, owned, err))
		return false;
	if (*owned)
		return true;
	if (!find_holder(self, &pid, owner, owner_size, err))
		return false;
	/* a session of ours may live on when its connection is lost */
	if (pid == 0 || (pid != before && !takeover))
		return true;
	return replace_holder(self, pid, owned, err);
}

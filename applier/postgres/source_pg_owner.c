/*
 * source_pg_owner.c
 *		Who reads a slot that serves several targets: a session advisory lock on
 *		the source.
 *
 * Each target has an owner by itself, and two appliers that own one each would
 * take the slot away from each other for ever.  Safety is in the progress rows;
 * this is for order.
 */
#include "base/clock.h"
#include "postgres/advisory_lock.h"
#include "postgres/source_pg.h"

#define LOCK_KIND "pg_portage source:"
#define LOCK_KEY ADVISORY_LOCK_KEY(LOCK_KIND)

#define END_WAIT_MS 10000
#define END_POLL_MS 50

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

/* End the session that has the lock, and have it, if nobody else is quicker. */
static bool
replace_holder(SourcePg *self, int pid, bool *owned, Error *err)
{
	int64_t deadline_ms = clock_ms() + END_WAIT_MS;

	if (!advisory_lock_end(self->sql, pid, err))
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
	if (!advisory_lock_holder(self->sql, LOCK_KIND, source->config->slot, &pid,
							  owner, owner_size, err))
		return false;
	/* a session of ours may live on when its connection is lost */
	if (pid == 0 || (pid != before && !takeover))
		return true;
	return replace_holder(self, pid, owned, err);
}

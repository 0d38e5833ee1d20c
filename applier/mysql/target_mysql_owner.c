/*
 * target_mysql_owner.c
 *		Who owns the stream: a user lock, and the end of sessions that an earlier
 *		owner left behind.
 *
 * The lock is for order; safety is the epoch in the progress row.  Sessions that
 * write are noted in portage_session, each under a lock of its own, which tells
 * its connection: a user may end his own without any privilege.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "mysql/target_mysql.h"

#define EVICT_TIMEOUT_MS 60000
#define REPLACE_TIMEOUT_S 2

#define ER_NO_SUCH_THREAD 1094

static bool
lock_holder(MyConn *conn, const char *what, const char *stream, int64_t *id,
			Error *err)
{
	char name[LOCK_NAME_SIZE];

	target_mysql_lock_name(conn, what, stream, name);
	return my_query_number(conn, err, 0, id, "SELECT IS_USED_LOCK('%s')", name);
}

static bool
lock_take(MyConn *conn, const char *what, const char *stream, int wait_s,
		  bool *taken, Error *err)
{
	char name[LOCK_NAME_SIZE];
	int64_t got;

	target_mysql_lock_name(conn, what, stream, name);
	if (!my_query_number(conn, err, 0, &got, "SELECT GET_LOCK('%s', %d)", name,
						 wait_s))
		return false;
	*taken = got == 1;
	return true;
}

static bool
lock_release(MyConn *conn, const char *what, const char *stream, Error *err)
{
	char name[LOCK_NAME_SIZE];

	target_mysql_lock_name(conn, what, stream, name);
	return my_execf(conn, err, "DO RELEASE_LOCK('%s')", name);
}

/* End a connection; it may have ended already. */
static bool
connection_kill(MyConn *conn, int64_t id, Error *err)
{
	if (my_execf(conn, err, "KILL %" PRId64, id))
		return true;
	if (my_errno(conn) != ER_NO_SUCH_THREAD)
		return error_wrap(err, "cannot end connection %" PRId64, id);
	error_clear(err);
	return true;
}

/* Where it comes from and how long it has been there, as far as we may know. */
static bool
owner_describe(MyConn *conn, int64_t id, char *owner, size_t owner_size,
			   Error *err)
{
	MyResult result;

	snprintf(owner, owner_size, "connection %" PRId64, id);
	/* without PROCESS there are only those of our own user */
	if (!my_queryf(conn, err, &result,
				   "SELECT user, host FROM information_schema.processlist"
				   " WHERE id = %" PRId64,
				   id))
		return false;
	if (my_next(&result))
		snprintf(owner, owner_size, "connection %" PRId64 " of %s from %s", id,
				 my_value(&result, 0), my_value(&result, 1));
	my_result_free(&result);
	return true;
}

/* Who has the lock?  *id is 0 if nobody does any more. */
static bool
owner_find(TargetMysql *self, int64_t *id, char *owner, size_t owner_size,
		   Error *err)
{
	if (!lock_holder(self->conn, "owner", self->base.config->stream, id, err))
		return false;
	snprintf(owner, owner_size, "a session that has just ended");
	return *id == 0 || owner_describe(self->conn, *id, owner, owner_size, err);
}

bool
target_mysql_owner_inspect(Target *target, bool *owned, char *owner,
						   size_t owner_size, Error *err)
{
	int64_t id;

	if (!owner_find((TargetMysql *) target, &id, owner, owner_size, err))
		return false;
	*owned = id != 0;
	return true;
}

/*
 * The turn is held by a takeover, so that no standby gets the lock that it sets
 * free; by anybody else for a moment only.
 */
static bool
owner_try(TargetMysql *self, bool *owned, Error *err)
{
	const char *stream = self->base.config->stream;
	bool turn;

	*owned = false;
	if (!lock_take(self->conn, "turn", stream, 0, &turn, err))
		return false;
	return !turn || (lock_take(self->conn, "owner", stream, 0, owned, err) &&
					 lock_release(self->conn, "turn", stream, err));
}

/* End the session that has the lock, and have it when that has ended. */
static bool
replace_in_turn(TargetMysql *self, bool *owned, char *owner, size_t owner_size,
				Error *err)
{
	const char *stream = self->base.config->stream;
	int64_t id;

	return owner_find(self, &id, owner, owner_size, err) &&
		   (id == 0 || connection_kill(self->conn, id, err)) &&
		   lock_take(self->conn, "owner", stream, REPLACE_TIMEOUT_S, owned,
					 err) &&
		   lock_release(self->conn, "turn", stream, err);
}

/* If it is another takeover's turn, *owned stays as it is. */
static bool
owner_replace(TargetMysql *self, bool *owned, char *owner, size_t owner_size,
			  Error *err)
{
	bool turn;

	if (!lock_take(self->conn, "turn", self->base.config->stream,
				   REPLACE_TIMEOUT_S, &turn, err))
		return false;
	return !turn || replace_in_turn(self, owned, owner, owner_size, err);
}

bool
target_mysql_owner_acquire(Target *target, OwnerMode mode, bool *owned,
						   char *owner, size_t owner_size, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	int64_t id;

	error_clear(err);
	if (!owner_try(self, owned, err) ||
		(!*owned && !owner_find(self, &id, owner, owner_size, err)) ||
		(!*owned && mode == OWNER_TAKEOVER &&
		 !owner_replace(self, owned, owner, owner_size, err)))
		return false;
	return !*owned || FAILPOINT(FP_OWNER_LOCKED, err);
}

/* One session of an earlier owner: ended, or forgotten if it has ended. */
static bool
session_evict(TargetMysql *self, const char *name, int64_t id, int *left,
			  Error *err)
{
	if (id == 0)
		return my_execf(self->conn, err,
						"DELETE FROM portage_session WHERE name = '%s'", name);
	++*left;
	return connection_kill(self->conn, id, err);
}

/* End all that are left; *left is how many there were. */
static bool
sessions_evict(TargetMysql *self, int *left, Error *err)
{
	MyResult result;
	bool ok = true;

	*left = 0;
	if (!my_queryf(self->conn, err, &result,
				   "SELECT name, IS_USED_LOCK(name) FROM portage_session"
				   " WHERE stream = '%s' AND name <> '%s'",
				   self->base.config->stream, self->session_name))
		return false;
	while (ok && my_next(&result))
		ok = session_evict(self, my_value(&result, 0), my_value_int(&result, 1),
						   left, err);
	my_result_free(&result);
	return ok;
}

bool
target_mysql_owner_evict(Target *target, Error *err)
{
	TargetMysql *self = (TargetMysql *) target;
	int64_t deadline_ms = clock_ms() + EVICT_TIMEOUT_MS;
	bool exists;
	int left;

	if (!target_mysql_state_exists(target, &exists, err))
		return false;
	/* nobody can have left anything */
	if (!exists)
		return true;
	for (;;)
	{
		if (!sessions_evict(self, &left, err))
			return false;
		if (left == 0)
			return target_mysql_register(self, "owner", err);
		if (clock_ms() > deadline_ms)
			return error_set(err, P_SERVER_BUSY,
							 "%d sessions of an earlier applier do not end on "
							 "the target",
							 left);
		log_debug("waiting for %d sessions of an earlier applier to end", left);
		clock_pause_ms(100);
	}
}

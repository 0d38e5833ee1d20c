/*
 * drop.c
 *		pg_portage drop: the slot and all state of a migration removed.
 *
 * The slot goes first: without state, a slot would look like somebody else's,
 * and it keeps the source from removing WAL.  What is gone already is no error,
 * so a drop that was interrupted is simply repeated.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/commands.h"
#include "command/confirm.h"
#include "command/session.h"
#include "command/walk.h"

#define JUST_ENDED_MS 5000

typedef struct Drop
{
	Session session;
	SlotInfo slot; /* as found on the source */
	bool state;	   /* the target has a progress row */
	bool tables;   /* the target has state tables, perhaps without a row */
} Drop;

static bool
look(Drop *drop, Error *err)
{
	Session *session = &drop->session;

	if (session->source != NULL && (!session_connect_primary(session, err) ||
									!session->source->ops->slot_inspect(
										session->source, &drop->slot, err)))
		return false;
	if (session->target == NULL)
		return true;
	if (!session_connect_target(session, err) ||
		!session->target->ops->state_exists(session->target, &drop->tables,
											err) ||
		!session_read_progress(session, err))
		return false;
	drop->state = session->progress.phase != PHASE_NONE;
	if (session->source == NULL || session_check_source(session, err))
		return true;
	return error_hint(err, "pass the right --source, or only --target to "
						   "remove the state and leave the slot");
}

static bool
ask(const Drop *drop, Error *err)
{
	const Session *session = &drop->session;

	return confirm(session->options, "drop", err,
				   "Remove %s%s%s of the migration \"%s\"?  Changes that were "
				   "not applied\nyet are lost to it.",
				   drop->slot.exists ? "the slot " : "",
				   drop->slot.exists ? session->slot : "",
				   !drop->state		   ? ""
				   : drop->slot.exists ? " and the state"
									   : "the state",
				   session->options->name);
}

/* Nobody may be using what is about to go. */
static bool
own(Drop *drop, Error *err)
{
	Session *session = &drop->session;
	OwnerMode mode = session->options->takeover ? OWNER_TAKEOVER : OWNER_TRY;
	char owner[256] = "";
	bool owned = false;
	int64_t deadline_ms;

	if (session->target == NULL)
	{
		/* a slot that nobody reads may be that of a copy that goes on */
		if (!drop->slot.exists || session->options->takeover)
			return true;
		return error_set(err, P_OWNED,
						 "only the target knows whether an applier is running "
						 "that needs the slot %s",
						 session->slot) ||
			   error_hint(err, "pass --target, or --takeover if there is no "
							   "target any more");
	}
	/* the session of an applier ends a little later than the applier */
	deadline_ms = clock_ms() + JUST_ENDED_MS;
	for (;;)
	{
		if (!session->target->ops->owner_acquire(session->target, mode, &owned,
												 owner, sizeof(owner), err))
			return false;
		if (owned || clock_ms() >= deadline_ms)
			break;
		clock_pause_ms(50);
	}
	if (!owned)
		return error_set(err, P_OWNED, "an applier of \"%s\" is running: %s",
						 session->options->name, owner) ||
			   error_hint(err, "stop it, or pass --takeover");
	return !drop->state ||
		   session->target->ops->owner_evict(session->target, err);
}

static bool
remove_slot(Drop *drop, Error *err)
{
	Session *session = &drop->session;
	bool existed;

	if (!drop->slot.exists)
		return true;
	if (!drop->slot.ours)
	{
		log_warning("the slot %s on the source is not a slot of pg_portage in "
					"this database; it stays",
					session->slot);
		return true;
	}
	if (!session->source->ops->slot_drop(session->source, &existed, err))
		return false;
	if (existed)
		log_info("dropped the slot %s on the source", session->slot);
	return true;
}

static bool
remove_state(Drop *drop, Error *err)
{
	Session *session = &drop->session;
	bool existed = false;

	if (session->target == NULL)
		return true;
	if (!session->target->ops->state_drop(session->target, &existed, err))
		return false;
	if (existed)
		log_info("removed the state of \"%s\" from the target",
				 session->options->name);
	return true;
}

static bool
drop_all(Drop *drop, Error *err)
{
	const char *name = drop->session.options->name;

	if (!look(drop, err))
		return false;
	if (!drop->slot.exists && !drop->state)
	{
		log_info("there is nothing of a migration \"%s\"", name);
		/* tables that a start created and did not come to use */
		return !drop->tables || remove_state(drop, err);
	}
	return ask(drop, err) && own(drop, err) && remove_slot(drop, err) &&
		   remove_state(drop, err);
}

static int
drop_pair(const Options *options)
{
	Drop drop;
	Error err = ERROR_INIT;

	memset(&drop, 0, sizeof(drop));
	if (session_open(&drop.session, options, &err))
		(void) !drop_all(&drop, &err);
	return session_end(&drop.session, &err);
}

int
command_drop(const Options *options)
{
	return walk_pairs(options, drop_pair, WALK_SUCCESS);
}

/*
 * group_wish.c
 *		What a source gives its targets.
 *
 * Who may have what:
 *
 *		WISH_BEGIN	a slot that is there must be known from some target's row; if
 *					it is not, and a target cannot be asked, the wish waits
 *		WISH_PLACE	the slot is made anew while no target has anything by it; then
 *					all that begin together share its snapshot.  Otherwise the
 *					target joins, with a temporary slot's snapshot
 *		WISH_ANCHOR	a marker is emitted and found while nothing streams
 */
#include <string.h>

#include "base/log.h"
#include "command/group.h"
#include "command/steps.h"

#define GONE "the slot %s, which other targets need, is gone"

/* ---- what is known of the targets; the mutex is held */

/* Is there a target of which nobody knows what it has? */
static bool
some_unknown(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (!group->keepers[i].known)
			return true;
	}
	return false;
}

/* Does a target know the slot, or (placed) need what it has kept? */
static bool
some_knows_slot(const Group *group, bool placed)
{
	for (int i = 0; i < group->count; i++)
	{
		const Keeper *keeper = &group->keepers[i];

		if (!keeper->known)
			continue;
		if (keeper->placed || keeper->phase >= PHASE_COPY ||
			(!placed && keeper->phase >= PHASE_SLOT))
			return true;
	}
	return false;
}

/* Is a target about to ask for a place, so that it can begin with the others? */
static bool
some_beginning(const Group *group)
{
	for (int i = 0; i < group->count; i++)
	{
		if (group->keepers[i].beginning && group->keepers[i].wish != WISH_PLACE)
			return true;
	}
	return false;
}

static Keeper *
find_wish(Group *group, KeeperWish wish)
{
	for (int i = 0; i < group->count; i++)
	{
		if (group->keepers[i].state == KEEPER_WAITING &&
			group->keepers[i].wish == wish)
			return &group->keepers[i];
	}
	return NULL;
}

/* ---- wishes; the mutex is held, but not while the source is asked */

static void
grant(Keeper *keeper, const Error *refusal)
{
	if (refusal != NULL)
		keeper->error = *refusal;
	keeper->state = KEEPER_WORKING;
	pthread_cond_broadcast(&keeper->group->changed);
}

static bool
inspect_slot(Group *group, SlotInfo *slot, Error *err)
{
	bool ok;

	pthread_mutex_unlock(&group->mutex);
	ok = group->session.source->ops->slot_inspect(group->session.source, slot,
												  err);
	pthread_mutex_lock(&group->mutex);
	return ok;
}

static void
tell_waiting(Keeper *keeper)
{
	const char *before;

	if (keeper->told)
		return;
	keeper->told = true;
	before = log_set_context(keeper->pair->context);
	log_info(
		"waits: the source has a slot %s, and a target that cannot be asked "
		"may need it",
		keeper->owned.session.slot);
	log_set_context(before);
}

static void
may_begin(Keeper *keeper, const SlotInfo *slot)
{
	Group *group = keeper->group;
	const char *name = keeper->owned.session.slot;
	Error refusal = ERROR_INIT;

	if (slot->exists && !some_knows_slot(group, false))
	{
		if (some_unknown(group))
		{
			tell_waiting(keeper);
			return;
		}
		error_set(&refusal, P_SLOT_FOREIGN,
				  "the source has a slot %s already, and no target knows "
				  "anything of it",
				  name);
	}
	else if (!slot->exists && some_knows_slot(group, true))
		error_set(&refusal, P_SLOT_MISSING, GONE, name);
	if (!error_is_set(&refusal) && group->origin_nonce[0] == '\0')
		nonce_make(group->origin_nonce);
	keeper->beginning = !error_is_set(&refusal);
	grant(keeper, error_is_set(&refusal) ? &refusal : NULL);
}

/* The slot and the first anchor, for all that ask for a place. */
static bool
place_together(Group *group, Error *err)
{
	Session *session = &group->session;
	Progress first = { .phase = PHASE_SLOT };
	SlotSnapshot snapshot;
	bool ok;

	memcpy(first.origin_nonce, group->origin_nonce, NONCE_SIZE);
	pthread_mutex_unlock(&group->mutex);
	ok = step_make_slot(session, &snapshot, err);
	if (ok)
		step_place(&snapshot, &first);
	ok = ok && (stream_first_anchor(session->source, &first, err) ||
				error_wrap(err, "the first marker"));
	pthread_mutex_lock(&group->mutex);
	if (!ok)
		return false;
	for (int i = 0; i < group->count; i++)
	{
		Keeper *keeper = &group->keepers[i];

		if (keeper->state != KEEPER_WAITING || keeper->wish != WISH_PLACE)
			continue;
		keeper->next = keeper->owned.session.progress;
		progress_place(&keeper->next, &first);
		keeper->snapshot = snapshot;
		keeper->shares = true;
		keeper->placed = true;
		keeper->beginning = false;
		grant(keeper, NULL);
	}
	return true;
}

static bool
serve_place(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_PLACE);
	Error refusal = ERROR_INIT;
	SlotInfo slot;

	if (keeper == NULL || some_beginning(group))
		return true;
	if (!inspect_slot(group, &slot, err))
		return false;
	if (!some_knows_slot(group, true) && !(slot.exists && some_unknown(group)))
		return place_together(group, err);
	if (!slot.exists)
		error_set(&refusal, P_SLOT_MISSING, GONE, keeper->owned.session.slot);
	keeper->joins = slot.exists;
	keeper->beginning = false;
	grant(keeper, slot.exists ? NULL : &refusal);
	return true;
}

static bool
serve_anchor(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_ANCHOR);
	Progress next;
	bool ok;

	if (keeper == NULL)
		return true;
	next = keeper->next;
	pthread_mutex_unlock(&group->mutex);
	ok = stream_first_anchor(group->session.source, &next, err) ||
		 error_wrap(err, "the first marker");
	pthread_mutex_lock(&group->mutex);
	if (!ok && err->kind != ERROR_DATA)
		return false;
	keeper->next = next;
	keeper->placed = ok;
	grant(keeper, ok ? NULL : err);
	error_clear(err);
	return true;
}

bool
group_serve(Group *group, Error *err)
{
	Keeper *keeper = find_wish(group, WISH_BEGIN);
	SlotInfo slot;

	if (keeper != NULL)
	{
		if (!inspect_slot(group, &slot, err))
			return false;
		may_begin(keeper, &slot);
	}
	return serve_place(group, err) && serve_anchor(group, err);
}

/*
 * owner.h
 *		Becoming the one applier of a stream: lock, eviction, epoch.
 */
#ifndef PORTAGE_OWNER_H
#define PORTAGE_OWNER_H

#include "base/error.h"
#include "progress.h"
#include "target/target.h"

typedef struct OwnerOptions
{
	bool no_wait;  /* P_OWNED at once */
	bool takeover; /* end the live owner's session */
} OwnerOptions;

/*
 * On a connected target: take the advisory lock (waiting as a standby and
 * saying so every ten seconds), end sessions an earlier owner left, create the
 * state tables if they are missing, raise the epoch and read the progress row
 * (PHASE_NONE if there is none).
 */
bool owner_become(Target *target, const OwnerOptions *options,
				  Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_OWNER_H */

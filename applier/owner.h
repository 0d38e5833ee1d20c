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
	int64_t epoch; /* of the last time it was ours; 0: never */
} OwnerOptions;

/*
 * On a connected target: take the advisory lock (waiting as a standby and
 * saying so every ten seconds; P_FENCED if another applier has taken the stream
 * over since it was ours, and has it), end sessions an earlier owner left,
 * raise the epoch and read the progress row
 * (PHASE_NONE if there is none; the state tables are not created here).
 */
bool owner_become(Target *target, const OwnerOptions *options,
				  Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_OWNER_H */

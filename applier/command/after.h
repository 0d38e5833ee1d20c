/*
 * after.h
 *		A migration that follows another one: after: NAME in the configuration.
 */
#ifndef PORTAGE_AFTER_H
#define PORTAGE_AFTER_H

#include "command/pairs.h"

/*
 * Wait until the migration that the configuration names has caught up: on each of
 * the targets that know it, and at least one does.  Says every ten seconds what it
 * waits for.  P_STOPPED, or an error that does not pass.  Nothing to do without
 * that key.
 */
bool
after_wait(const Pairs *pairs, const Config *config, Error *err) MUST_CHECK;

#endif /* PORTAGE_AFTER_H */

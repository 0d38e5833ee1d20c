/*
 * run_many.h
 *		pg_portage run of several sources or targets.
 */
#ifndef PORTAGE_RUN_MANY_H
#define PORTAGE_RUN_MANY_H

#include "command/pairs.h"

/* Until told to stop, or all have come to their ends; the exit code. */
int run_many(const Pairs *pairs);

#endif /* PORTAGE_RUN_MANY_H */

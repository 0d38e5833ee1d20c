/*
 * plan_check.h
 *		The assertion over every plan.
 */
#ifndef PORTAGE_PLAN_CHECK_H
#define PORTAGE_PLAN_CHECK_H

#include "plan/key_map.h"

/*
 * Between two barriers of its table every key occurs once at most, whether a
 * vector or a step of its own names it, an UPDATE sets no column of the key, and
 * a put has a value for every column; else the process ends (mem.h).  seen is emptied and used.
 */
void plan_check(const Plan *plan, KeyMap *seen);

#endif /* PORTAGE_PLAN_CHECK_H */

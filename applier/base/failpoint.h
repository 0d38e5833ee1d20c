/*
 * failpoint.h
 *		Named places where a test can make the process die, hang or fail.
 *
 * Always compiled; when none is armed, FAILPOINT(x) is one branch on a global.
 * PG_PORTAGE_FAILPOINT="name:action[:nth][,...]" arms some; nth is the hit (1
 * is the first and the default, * is every one) at which it acts.  Actions:
 * kill (SIGKILL to ourselves), stop (SIGSTOP), pause (wait until the file named
 * by PG_PORTAGE_FAILPOINT_RESUME exists), delay=MS, error (the step fails with
 * a transient error).
 * PG_PORTAGE_FAILPOINT_LOG=FILE appends the name of each at its first hit.
 *
 * Every step that touches durable state or a connection has one.  The list is
 * base/failpoints.def: FAILPOINT_DEF(NAME, "name", "what just happened").
 */
#ifndef PORTAGE_FAILPOINT_H
#define PORTAGE_FAILPOINT_H

#include <stdbool.h>

#include "base/error.h"

typedef enum Failpoint
{
#define FAILPOINT_DEF(name, text, where) name,
#include "base/failpoints.def"
#undef FAILPOINT_DEF
	FAILPOINT_COUNT
} Failpoint;

/* false: neither armed nor logged, the usual case */
extern bool failpoint_active;

/* Read the environment; a malformed value is an error (P_USAGE). */
bool failpoint_init(Error *err) MUST_CHECK;

/* One name per line on stdout. */
void failpoint_list(void);

/* Act if armed; false (with err set) for the action error. */
bool failpoint_hit(Failpoint point, Error *err);

/* For functions that return bool and have an err. */
#define FAILPOINT(point, err) \
	(!failpoint_active || failpoint_hit((point), (err)))

#endif /* PORTAGE_FAILPOINT_H */

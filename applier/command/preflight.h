/*
 * preflight.h
 *		What can be known before anything is done: for check, and for the first
 *		start of run.
 */
#ifndef PORTAGE_PREFLIGHT_H
#define PORTAGE_PREFLIGHT_H

#include "base/error.h"
#include "command/session.h"
#include "finding.h"

/*
 * Look at both sides, which are connected, and at the pair.  Strings of the
 * findings live in their arena.
 */
bool preflight(Session *session, Findings *findings, Error *err) MUST_CHECK;

/*
 * Its three parts.  Each needs the sides that it is about to be connected, and
 * returns false only if it could not look any further.
 */
bool
preflight_source(Session *session, Findings *findings, Error *err) MUST_CHECK;
bool
preflight_target(Session *session, Findings *findings, Error *err) MUST_CHECK;
bool
preflight_pair(Session *session, Findings *findings, Error *err) MUST_CHECK;

/* P_SAME_DATABASE if the two sides, which are connected, are one database. */
bool preflight_distinct(Session *session, Error *err) MUST_CHECK;

#endif /* PORTAGE_PREFLIGHT_H */

/*
 * session_rules.h
 *		The rules of a command's two sides.
 *
 * A session has a RuleSet where the configuration has rules, and none where
 * everything is migrated as it is.  The set is compiled against the source's schema
 * each time the source is connected, before anything is done by it.
 */
#ifndef PORTAGE_SESSION_RULES_H
#define PORTAGE_SESSION_RULES_H

#include "command/session.h"

/* For session_open() and session_close(); does not connect. */
void session_rules_open(Session *session);
void session_rules_close(Session *session);

/*
 * Compile the rules against the connected source's schema as it is now; what is
 * wrong with them is a finding.  Nobody else may be using the set.
 */
bool session_rules_prepare(Session *session, Findings *findings,
						   Error *err) MUST_CHECK;

/* The same, where the first finding that is an error is one. */
bool session_rules_ready(Session *session, Error *err) MUST_CHECK;

/* Note in the row by which rules the migration begins. */
void session_rules_note(const Session *session, Progress *progress);

/* Are these the rules that it was begun with?  P_RULES_CHANGED. */
bool session_rules_check(const Session *session, Error *err) MUST_CHECK;

#endif /* PORTAGE_SESSION_RULES_H */

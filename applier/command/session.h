/*
 * session.h
 *		What every command begins with: both sides, and where they stand.
 *
 * The source is connected before the target, because the target's sessions
 * speak the source's encoding; nothing is done on it before the target's
 * progress row is known.
 */
#ifndef PORTAGE_SESSION_H
#define PORTAGE_SESSION_H

#include "base/error.h"
#include "command/options.h"
#include "progress.h"
#include "rules/rule_set.h"
#include "source/source.h"
#include "stream/stream.h"
#include "target/target.h"

typedef struct Session
{
	const Options *options;
	char slot[64]; /* name of the replication slot */
	SourceConfig source_config;
	TargetConfig target_config;
	Source *source;			 /* NULL: no URL was given */
	Target *target;			 /* NULL: no URL was given */
	RuleSet *rules;			 /* NULL: all as it is; session_rules.h */
	SourceIdentity identity; /* once the source is connected */
	Progress progress;		 /* once it has been read */
} Session;

/* Open the sides that have a URL.  Does not connect. */
bool
session_open(Session *session, const Options *options, Error *err) MUST_CHECK;
void session_close(Session *session);

/* Connect, anew if need be, and learn who the source is. */
bool session_connect_source(Session *session, Error *err) MUST_CHECK;
/* The same for what changes anything; P_STANDBY. */
bool session_connect_primary(Session *session, Error *err) MUST_CHECK;
bool session_connect_target(Session *session, Error *err) MUST_CHECK;
void session_disconnect(Session *session);

/*
 * Read the progress row of a connected target without owning it; PHASE_NONE
 * if there is none, or no state at all.
 */
bool session_read_progress(Session *session, Error *err) MUST_CHECK;

/*
 * What the progress row says of --on-loss and --schemas holds where the command
 * line is silent.  For who has read the row by other means.
 */
void session_adopt(Session *session);

/*
 * Does the progress row belong to this source?  P_SYSTEM_ID, P_OTHER_SOURCE.
 * Nothing to compare in PHASE_NONE.
 */
bool session_check_source(const Session *session, Error *err) MUST_CHECK;

/*
 * That, may it still be applied to (P_FINISHED), and is it for the same tables,
 * and with or without a stream, as the options say (P_OPTIONS), and by the same
 * rules (P_RULES_CHANGED)?
 */
bool session_check(const Session *session, Error *err) MUST_CHECK;

/*
 * Does the slot serve other targets, too?  Then the stream of one alone must not
 * have it moved, and who knows nothing of the others must not stream at all.
 */
bool session_is_shared(const Progress *progress);
void session_mark_shared(Progress *progress);

/* How every command streams, without an end. */
StreamConfig session_stream_config(const Options *options);

/*
 * The end of a command: logs err if it is set, closes the session, returns the
 * exit code.  A stop that was asked for is a line, not an error.
 */
int session_end(Session *session, const Error *err);

#endif /* PORTAGE_SESSION_H */

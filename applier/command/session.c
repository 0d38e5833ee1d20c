/*
 * session.c
 *		See session.h.
 */
#include "command/session.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "command/session_rules.h"

/*
 * Hot rows are folded, so a batch may be large.  What is applied row by row pays
 * for that: dead versions of a row can be pruned only between target
 * transactions, and every further update of it walks past them.  A batch with
 * so many of these takes no more.
 */
#define BATCH_ROWS 50000
#define BATCH_SINGLES 1000
#define BATCH_BYTES ((size_t) 32 * 1024 * 1024)
/* of all that is open at a time */
#define ALL_BATCHES_BYTES ((size_t) 64 * 1024 * 1024)
#define QUEUE_BYTES ((size_t) 64 * 1024 * 1024)

/* Options that a target of the source's own kind has no use for. */
static bool
check_kind(const Session *session, Error *err)
{
	const Options *options = session->options;
	const char *option = options->on_loss != NULL ? "on-loss" : "schemas";

	if (session->target->ops->features.own_schema ||
		options->mapping_is_common ||
		(options->on_loss == NULL && options->schemas == NULL))
		return true;
	error_set(err, P_OPTIONS,
			  "--%s is for targets of another kind than the source", option);
	return error_hint(err, "Leave it out: this target holds what the source"
						   " holds, as it is.");
}

bool
session_open(Session *session, const Options *options, Error *err)
{
	memset(session, 0, sizeof(*session));
	session->options = options;
	snprintf(session->slot, sizeof(session->slot), "portage_%s", options->name);
	session->source_config = (SourceConfig){
		.url = options->source,
		.stream = options->name,
		.slot = session->slot,
		.tables = options->tables,
		.exclude_tables = options->exclude_tables,
		.pg_bindir = options->pg_bindir,
		.jobs = options->jobs,
		.copy_only = options->copy_only,
	};
	session->target_config = (TargetConfig){
		.url = options->target,
		.stream = options->name,
		.pg_bindir = options->pg_bindir,
		.jobs = options->jobs,
		.synchronous_commit = options->target_synchronous_commit,
		.ddl = options->ddl,
		.ddl_done = options->ddl_done,
		.tables = options->tables,
		.exclude_tables = options->exclude_tables,
		.on_loss = options->on_loss != NULL ? options->on_loss : "",
		.schemas_as_databases = options->schemas != NULL &&
								strcmp(options->schemas, "databases") == 0,
	};
	session_rules_open(session);
	session->target_config.ruled = session->rules != NULL &&
								   !rule_set_is_identity(session->rules);
	if (options->source != NULL)
	{
		session->source = source_open(&session->source_config, err);
		if (session->source == NULL)
			return false;
	}
	if (options->target != NULL)
	{
		session->target = target_open(&session->target_config, err);
		if (session->target == NULL)
			return false;
		session->source_config.translated =
			session->target->ops->features.own_schema;
		return check_kind(session, err);
	}
	return true;
}

void
session_close(Session *session)
{
	source_close(session->source);
	target_close(session->target);
	session_rules_close(session);
	session->source = NULL;
	session->target = NULL;
}

bool
session_connect_source(Session *session, Error *err)
{
	const SourceOps *ops = session->source->ops;

	if (!ops->connect(session->source, err) ||
		!ops->identify(session->source, &session->identity, err))
		return false;
	session->target_config.encoding = session->identity.encoding;
	return true;
}

/*
 * A standby has no slot, lags behind, and looks like a source that was rolled
 * back: what to do then is bad advice here.  A copy alone needs none of that.
 */
bool
session_connect_primary(Session *session, Error *err)
{
	if (!session_connect_source(session, err))
		return false;
	if (session->identity.standby && !session->options->copy_only)
		return error_set(err, P_STANDBY, "source: the server is a standby");
	return true;
}

bool
session_connect_target(Session *session, Error *err)
{
	return session->target->ops->connect(session->target, err);
}

void
session_disconnect(Session *session)
{
	if (session->source != NULL)
		session->source->ops->disconnect(session->source);
	if (session->target != NULL)
		session->target->ops->disconnect(session->target);
}

void
session_adopt(Session *session)
{
	const Options *options = session->options;
	const Progress *progress = &session->progress;

	if (progress->phase == PHASE_NONE ||
		!session->target->ops->features.own_schema)
		return;
	if (options->on_loss == NULL)
		session->target_config.on_loss = progress->on_loss;
	if (options->schemas == NULL)
		session->target_config.schemas_as_databases = strcmp(progress->schemas,
															 "databases") == 0;
}

bool
session_read_progress(Session *session, Error *err)
{
	const TargetOps *ops = session->target->ops;
	bool exists;

	memset(&session->progress, 0, sizeof(session->progress));
	if (!ops->state_exists(session->target, &exists, err))
		return false;
	if (exists && !ops->progress_read(session->target, &session->progress, err))
		return false;
	session_adopt(session);
	return true;
}

bool
session_check_source(const Session *session, Error *err)
{
	const SourceIdentity *then = &session->progress.source;
	const SourceIdentity *now = &session->identity;

	if (session->progress.phase == PHASE_NONE)
		return true;
	if (strcmp(then->database, now->database) != 0)
		return error_set(err, P_OTHER_SOURCE,
						 "the migration \"%s\" on the target is of the source "
						 "database \"%s\", not \"%s\"",
						 session->options->name, then->database, now->database);
	if (strcmp(then->system_id, now->system_id) != 0)
	{
		error_set(err, P_SYSTEM_ID,
				  "the migration \"%s\" on the target is of another source "
				  "server",
				  session->options->name);
		return error_detail(err,
							"Its system identifier is %s, that of the server "
							"behind --source is %s.",
							then->system_id, now->system_id);
	}
	return true;
}

/*
 * Kept with the options of the stream, which are for people to read: rows of several
 * targets say that their slot is not theirs alone.
 */
#define SHARED " shared"

bool
session_is_shared(const Progress *progress)
{
	return strstr(progress->plugin_options, SHARED) != NULL;
}

void
session_mark_shared(Progress *progress)
{
	size_t len = strlen(progress->plugin_options);

	if (!session_is_shared(progress))
		snprintf(progress->plugin_options + len,
				 sizeof(progress->plugin_options) - len, "%s", SHARED);
}

/* P_OPTIONS naming what differs. */
static bool
patterns_differ(const Session *session, const char *option, const char *then,
				const char *now, Error *err)
{
	error_set(err, P_OPTIONS,
			  "the migration \"%s\" was begun with another --%s",
			  session->options->name, option);
	error_detail(err, "It was \"%s\", now it is \"%s\".", then, now);
	return error_hint(err, "pass the same patterns, or drop the migration and "
						   "begin again");
}

/* Triggers and foreign keys would act on what the stream writes. */
static bool
check_unfinished(const Session *session, Error *err)
{
	const char *name = session->options->name;

	if (session->progress.phase < PHASE_FINISH)
		return true;
	/* a copy alone ends with what finish does, and goes on with it */
	if (session->progress.phase == PHASE_FINISH &&
		session->progress.slot[0] == '\0')
		return true;
	if (session->progress.phase == PHASE_FINISH)
	{
		error_set(err, P_FINISHED,
				  "pg_portage finish of the migration \"%s\" has begun: "
				  "nothing more can be applied",
				  name);
		return error_hint(err, "run pg_portage finish again, to its end");
	}
	error_set(err, P_FINISHED,
			  "the migration \"%s\" is finished: nothing more can be applied",
			  name);
	return error_hint(err, "pg_portage drop removes its slot and state; the "
						   "tables of the target stay");
}

bool
session_check(const Session *session, Error *err)
{
	const Progress *progress = &session->progress;
	const Options *options = session->options;

	if (!session_check_source(session, err))
		return false;
	if (progress->phase == PHASE_NONE)
		return true;
	if (!check_unfinished(session, err))
		return false;
	if (options->config == NULL && session_is_shared(progress))
		return error_set(err, P_OPTIONS,
						 "the slot of the migration \"%s\" serves other "
						 "targets, too",
						 options->name) ||
			   error_hint(err, "pass the configuration that names all of "
							   "them: the slot must not pass what one of "
							   "them lacks");
	if (options->copy_only != (progress->slot[0] == '\0'))
		return error_set(err, P_OPTIONS,
						 "the migration \"%s\" was begun with%s --copy-only",
						 options->name, options->copy_only ? "out" : "") ||
			   error_hint(err, "run it as it was begun, or drop the migration "
							   "and begin again");
	if (strcmp(progress->tables, options->tables) != 0)
		return patterns_differ(session, "tables", progress->tables,
							   options->tables, err);
	if (strcmp(progress->exclude_tables, options->exclude_tables) != 0)
		return patterns_differ(session, "exclude-tables",
							   progress->exclude_tables,
							   options->exclude_tables, err);
	if (options->schemas != NULL && session->target->ops->features.own_schema &&
		strcmp(progress->schemas, options->schemas) != 0)
		return error_set(err, P_OPTIONS,
						 "the migration \"%s\" was begun with --schemas %s",
						 options->name, progress->schemas) ||
			   error_hint(err, "its tables have their names by that: leave it"
							   " out, or drop the migration and begin again");
	return session_rules_check(session, err);
}

StreamConfig
session_stream_config(const Options *options)
{
	return (StreamConfig){
		.defer = true,
		.writers = options->writers,
		.serial = options->serial,
		.batch_rows = BATCH_ROWS,
		.batch_singles = BATCH_SINGLES,
		.batch_bytes = options->writers == 1
						   ? BATCH_BYTES
						   : ALL_BATCHES_BYTES / (size_t) options->writers,
		.queue_bytes = QUEUE_BYTES,
		.hold = options->shares_slot,
	};
}

static void
log_stopped(const Session *session)
{
	const Progress *progress = &session->progress;
	const char *cause = signals_number() != 0 ? strsignal(signals_number())
											  : "request";

	if (progress->phase == PHASE_STREAM)
		log_info(
			"stopped by signal (%s); the target has everything up to " LSN_FORMAT,
			cause, LSN_ARGS(progress->resume_lsn));
	else if (progress->phase == PHASE_NONE)
		log_info("stopped by signal (%s) before anything was begun", cause);
	else if (progress->phase >= PHASE_FINISH)
		log_info(
			"stopped by signal (%s) in phase \"%s\"; run pg_portage finish "
			"again to go on",
			cause, phase_name(progress->phase));
	else
		log_info("stopped by signal (%s) in phase \"%s\"; run again to go on",
				 cause, phase_name(progress->phase));
}

int
session_end(Session *session, const Error *err)
{
	int code = error_exit_code(err);

	if (err->kind == ERROR_STOPPED)
		log_stopped(session);
	else if (error_is_set(err))
		log_error(err);
	session_close(session);
	return code;
}

/*
 * session_rules.c
 *		See session_rules.h.
 */
#include "command/session_rules.h"

#include <string.h>

void
session_rules_open(Session *session)
{
	const Options *options = session->options;
	RuleSetConfig config = { .config = options->config,
							 .source = options->source_name,
							 .target = options->target_name,
							 .stream = options->name,
							 .begun = session->progress.phase >= PHASE_STREAM };

	if (options->config != NULL && options->config->has_rules)
		session->rules = rule_set_new(&config);
}

void
session_rules_close(Session *session)
{
	rule_set_free(session->rules);
	session->rules = NULL;
}

static bool
resolve_type(void *arg, const char *type, Arena *arena, SchemaType *resolved,
			 Error *err)
{
	Source *source = arg;

	return source->ops->type_resolve(source, type, arena, resolved, err);
}

bool
session_rules_prepare(Session *session, Findings *findings, Error *err)
{
	static const SnapshotRef now = { .id = NULL };
	Source *source = session->source;
	bool translated = session->source_config.translated;
	Schema schema;
	Arena arena;
	bool ok;

	if (session->rules == NULL)
		return true;
	/* a set is compiled once, and the schema may be another one now */
	session_rules_close(session);
	session_rules_open(session);
	/* where nothing is changed it does not matter of what */
	if (rule_set_is_identity(session->rules))
		return true;
	arena_init(&arena);
	/* how long values are does not matter here */
	session->source_config.translated = false;
	ok = source->ops->schema_read(source, &now, &arena, &schema, err);
	session->source_config.translated = translated;
	ok = ok && rule_set_prepare(session->rules, &schema, resolve_type, source,
								findings, err);
	arena_release(&arena);
	return ok;
}

bool
session_rules_ready(Session *session, Error *err)
{
	Findings findings;
	Arena arena;
	bool ok;

	arena_init(&arena);
	findings_init(&findings, &arena);
	ok = session_rules_prepare(session, &findings, err) &&
		 findings_verdict(&findings, err);
	arena_release(&arena);
	return ok;
}

static void
digest_of(const Session *session, char digest[DIGEST_SIZE])
{
	digest[0] = '\0';
	if (session->rules != NULL)
		rule_set_digest(session->rules, digest);
}

void
session_rules_note(const Session *session, Progress *progress)
{
	digest_of(session, progress->rules);
}

bool
session_rules_check(const Session *session, Error *err)
{
	const Progress *progress = &session->progress;
	char digest[DIGEST_SIZE];

	digest_of(session, digest);
	if (progress->phase == PHASE_NONE || strcmp(progress->rules, digest) == 0)
		return true;
	error_set(err, P_RULES_CHANGED,
			  progress->rules[0] == '\0'
				  ? "the migration \"%s\" was begun without rules"
			  : digest[0] == '\0' ? "the migration \"%s\" was begun with rules"
								  : "the migration \"%s\" was begun with "
									"other rules",
			  session->options->name);
	error_detail(err, "Rows that are on the target already are as those rules"
					  " have made them.");
	if (session->options->config == NULL)
		return error_hint(err, "pass the --config that it was begun with");
	return false;
}

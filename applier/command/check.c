/*
 * check.c
 *		pg_portage check: both sides looked at, findings printed.
 *
 * A side that cannot be reached, or is lost in the middle, is a finding, too,
 * so that one run shows all that is to be mended; the exit code is then the
 * connection's.
 */
#include "command/check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "command/commands.h"
#include "command/pairs.h"
#include "command/preflight.h"
#include "command/walk.h"

#define EXIT_FINDINGS 1

typedef struct Check
{
	Session session;
	Findings findings;
	Error failed; /* what first kept us from looking, for the exit code */
} Check;

/* Did it go well?  If not, that is a finding about the side. */
static bool
went_well(Check *check, bool ok, FindingSide side, const Error *why)
{
	if (ok)
		return true;
	check->findings.side = side;
	if (why->kind != ERROR_STOPPED)
		finding_add_error(&check->findings, SEVERITY_ERROR,
						  side == FINDING_SOURCE ? "source" : "target", why);
	if (!error_is_set(&check->failed) || why->kind == ERROR_STOPPED)
		check->failed = *why;
	return false;
}

/* Targets of the pairs that were looked at, of any source; one thread checks. */
typedef struct Seen
{
	const Options *options;
	const TargetOps *ops;
	char fingerprint[FINGERPRINT_MAX];
} Seen;

static Seen *seen;
static int seen_count;

/* Is this target one that was looked at under another name? */
static bool
look_for_twins(Check *check, Error *err)
{
	Session *session = &check->session;
	const Options *options = session->options;
	Seen self = { .options = options, .ops = session->target->ops };
	Error twins = ERROR_INIT;

	if (options->config == NULL || options->config->target_count < 2)
		return true;
	if (!self.ops->fingerprint(session->target, self.fingerprint,
							   sizeof(self.fingerprint), err))
		return false;
	for (int i = 0; i < seen_count; i++)
	{
		if (seen[i].ops != self.ops ||
			strcmp(seen[i].fingerprint, self.fingerprint) != 0)
			continue;
		check->findings.side = FINDING_TARGET;
		if (strcmp(seen[i].options->target_name, options->target_name) != 0 &&
			!pairs_refuse_twins(seen[i].options, options, &twins))
			finding_add_error(&check->findings, SEVERITY_ERROR, "target",
							  &twins);
		return true;
	}
	seen = mem_realloc(seen, (size_t) (seen_count + 1) * sizeof(*seen));
	seen[seen_count++] = self;
	return true;
}

/* Whatever can be looked at is: each side alone, then the two together. */
static void
look(Check *check)
{
	Session *session = &check->session;
	Findings *findings = &check->findings;
	Error why = ERROR_INIT;
	bool source;
	bool target;

	source = went_well(check, session_connect_source(session, &why),
					   FINDING_SOURCE, &why);
	error_clear(&why);
	target = went_well(check, session_connect_target(session, &why),
					   FINDING_TARGET, &why);
	error_clear(&why);
	source = source &&
			 went_well(check, preflight_source(session, findings, &why),
					   FINDING_SOURCE, &why);
	error_clear(&why);
	target = target &&
			 went_well(check, preflight_target(session, findings, &why),
					   FINDING_TARGET, &why);
	error_clear(&why);
	target = target && went_well(check, look_for_twins(check, &why),
								 FINDING_TARGET, &why);
	error_clear(&why);
	if (source && target)
	{
		bool ok = preflight_pair(session, findings, &why);

		went_well(check, ok, findings->side, &why);
	}
}

static int
exit_code(const Check *check, bool strict)
{
	if (error_is_set(&check->failed))
		return error_exit_code(&check->failed);
	if (findings_count(&check->findings, SEVERITY_ERROR) > 0 ||
		(strict && findings_count(&check->findings, SEVERITY_WARNING) > 0))
		return EXIT_FINDINGS;
	return 0;
}

/* What is wrong has to be known of whom, also where the walk says nothing. */
static void
print_text(const Check *check, const Options *options)
{
	const Config *config = options->config;

	if (options->quiet && config != NULL &&
		config->source_count * config->target_count > 1)
		printf("== %s -> %s\n", options->source_name, options->target_name);
	check_print_text(&check->findings, options->quiet);
}

static int
check_pair(const Options *options)
{
	Check check = { .failed = ERROR_INIT };
	Arena arena;
	Error err = ERROR_INIT;
	int code;

	arena_init(&arena);
	findings_init(&check.findings, &arena);
	if (session_open(&check.session, options, &err))
		look(&check);
	if (check.failed.kind == ERROR_STOPPED)
		err = check.failed;
	if (!error_is_set(&err) && options->json)
		check_print_json(&check.findings, options->name);
	else if (!error_is_set(&err))
		print_text(&check, options);
	code = session_end(&check.session, &err);
	if (code == 0)
		code = exit_code(&check, options->strict);
	arena_release(&arena);
	return code;
}

int
command_check(const Options *options)
{
	int code = walk_pairs(options, check_pair, WALK_ALL);

	mem_free(seen);
	seen = NULL;
	seen_count = 0;
	return code;
}

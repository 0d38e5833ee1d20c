/*
 * check.c
 *		pg_portage check: both sides looked at, findings printed.
 *
 * A side that cannot be reached is a finding, too, so that one run shows all
 * that is to be mended; the exit code is then the connection's.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "command/commands.h"
#include "command/preflight.h"

#define EXIT_FINDINGS 1

static const char *
severity_name(Severity severity)
{
	switch (severity)
	{
		case SEVERITY_OK:
			return "ok";
		case SEVERITY_NOTE:
			return "note";
		case SEVERITY_WARNING:
			return "warning";
		case SEVERITY_ERROR:
			break;
	}
	return "error";
}

static void
print_text(const Options *options, const Findings *findings)
{
	int i;

	for (i = 0; i < findings->count; i++)
	{
		const Finding *f = &findings->items[i];

		if (options->quiet && f->severity < SEVERITY_WARNING)
			continue;
		printf("%-8s %s: %s", severity_name(f->severity), f->object,
			   f->message);
		if (f->code != 0)
			printf(" [P%04d]", (int) f->code);
		putchar('\n');
		if (f->remedy[0] != '\0')
			printf("%-8s remedy: %s\n", "", f->remedy);
	}
	printf("%d errors, %d warnings\n", findings_count(findings, SEVERITY_ERROR),
		   findings_count(findings, SEVERITY_WARNING));
}

/* Names and messages of servers may be in any encoding. */
static json_t *
text(const char *s)
{
	json_t *value = json_string(s);

	return value != NULL ? value : json_string("(not in UTF-8)");
}

static json_t *
finding_json(const Finding *f)
{
	char code[8] = "";

	if (f->code != 0)
		snprintf(code, sizeof(code), "P%04d", (int) f->code);
	return json_pack(
		"{s:s, s:o?, s:o, s:o, s:o?}", "severity", severity_name(f->severity),
		"code", code[0] != '\0' ? json_string(code) : json_null(), "object",
		text(f->object), "message", text(f->message), "remedy",
		f->remedy[0] != '\0' ? text(f->remedy) : json_null());
}

static void
print_json(const Options *options, const Findings *findings)
{
	json_t *list = json_array();
	json_t *root;
	int i;

	for (i = 0; i < findings->count; i++)
		json_array_append_new(list, finding_json(&findings->items[i]));
	root = json_pack(
		"{s:i, s:s, s:i, s:i, s:o}", "format", 1, "name", options->name,
		"errors", findings_count(findings, SEVERITY_ERROR), "warnings",
		findings_count(findings, SEVERITY_WARNING), "findings", list);
	BUG_UNLESS(root != NULL);
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

/* True if connected; what went wrong becomes a finding. */
static bool
connect_side(Session *session, bool source, Findings *findings, Error *failed)
{
	Error err = ERROR_INIT;
	const char *object = source ? "source" : "target";
	const char *remedy = err.hint;
	int number;
	int i;

	if (source ? session_connect_source(session, &err)
			   : session_connect_target(session, &err))
		return true;
	for (i = 0; err.hint[0] == '\0' &&
				error_table_entry(i, &number, NULL, NULL, NULL, &remedy);
		 i++)
	{
		if (number == (int) err.code)
			break;
	}
	if (err.hint[0] != '\0')
		remedy = err.hint;
	finding_add(findings, SEVERITY_ERROR, err.code, object, remedy, "%s",
				err.message);
	if (!error_is_set(failed))
		*failed = err;
	return false;
}

/* failed is what kept us from looking, for the exit code. */
static bool
collect(Session *session, Findings *findings, Error *failed, Error *err)
{
	bool source = connect_side(session, true, findings, failed);
	bool target = connect_side(session, false, findings, failed);

	if (failed->kind == ERROR_STOPPED)
	{
		*err = *failed;
		return false;
	}
	if (source && target)
		return preflight(session, findings, err);
	if (source)
		return session->source->ops->check(session->source, findings, err);
	if (target)
		return session->target->ops->check(session->target, findings, err);
	return true;
}

int
command_check(const Options *options)
{
	Session session;
	Findings findings;
	Arena arena;
	Error err = ERROR_INIT;
	Error failed = ERROR_INIT;
	int code;

	arena_init(&arena);
	findings_init(&findings, &arena);
	if (session_open(&session, options, &err) &&
		collect(&session, &findings, &failed, &err))
	{
		if (options->json)
			print_json(options, &findings);
		else
			print_text(options, &findings);
	}
	code = session_end(&session, &err);
	if (code == 0 && error_is_set(&failed))
		code = error_exit_code(&failed);
	if (code == 0 &&
		(findings_count(&findings, SEVERITY_ERROR) > 0 ||
		 (options->strict && findings_count(&findings, SEVERITY_WARNING) > 0)))
		code = EXIT_FINDINGS;
	arena_release(&arena);
	return code;
}

/*
 * finding.c
 *		See finding.h.
 */
#include "finding.h"

#include <stdio.h>
#include <string.h>

static const char *const severity_names[] = {
	[SEVERITY_OK] = "ok",
	[SEVERITY_NOTE] = "note",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
};

static const char *const side_names[] = {
	[FINDING_SOURCE] = "source",
	[FINDING_TARGET] = "target",
	[FINDING_HERE] = "here",
};

const char *
severity_name(Severity severity)
{
	return severity_names[severity];
}

const char *
finding_side_name(FindingSide side)
{
	return side_names[side];
}

void
findings_init(Findings *findings, Arena *arena)
{
	memset(findings, 0, sizeof(*findings));
	findings->arena = arena;
}

static Finding *
finding_next(Findings *findings)
{
	findings->items = arena_room(findings->arena, findings->items,
								 findings->count, sizeof(*findings->items));
	return &findings->items[findings->count++];
}

Finding *
finding_add(Findings *findings, Severity severity, ErrorCode code,
			const char *object, const char *remedy, const char *fmt, ...)
{
	char message[2048];
	Finding *finding;
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	finding = finding_next(findings);
	finding->severity = severity;
	finding->code = code;
	finding->side = findings->side;
	finding->object = arena_strdup(findings->arena, object);
	finding->message = arena_strdup(findings->arena, message);
	finding->remedy = arena_strdup(findings->arena, remedy);
	finding->left_behind = false;
	return finding;
}

static const char *
remedy_of(ErrorCode code)
{
	const char *remedy;
	int number;
	int i;

	for (i = 0; error_table_entry(i, &number, NULL, NULL, NULL, &remedy); i++)
	{
		if (number == (int) code)
			return remedy;
	}
	return "";
}

void
finding_add_error(Findings *findings, Severity severity, const char *object,
				  const Error *why)
{
	const char *message = why->message;

	if (strncmp(message, "source: ", 8) == 0 ||
		strncmp(message, "target: ", 8) == 0)
		message += 8;
	finding_add(findings, severity, why->code, object,
				why->hint[0] != '\0' ? why->hint : remedy_of(why->code), "%s",
				message);
}

int
findings_count(const Findings *findings, Severity severity)
{
	int count = 0;
	int i;

	for (i = 0; i < findings->count; i++)
	{
		if (findings->items[i].severity == severity)
			count++;
	}
	return count;
}

bool
findings_have(const Findings *findings, ErrorCode code)
{
	int i;

	for (i = 0; i < findings->count; i++)
	{
		if (findings->items[i].severity == SEVERITY_ERROR &&
			findings->items[i].code == code)
			return true;
	}
	return false;
}

void
findings_add_all(Findings *findings, const Findings *others)
{
	for (int i = 0; i < others->count; i++)
		*finding_next(findings) = others->items[i];
}

void
findings_own(Findings *findings, int first)
{
	Arena *arena = findings->arena;

	for (int i = first; i < findings->count; i++)
	{
		Finding *finding = &findings->items[i];

		finding->object = arena_strdup(arena, finding->object);
		finding->message = arena_strdup(arena, finding->message);
		finding->remedy = arena_strdup(arena, finding->remedy);
	}
}

bool
findings_verdict(const Findings *findings, Error *err)
{
	int errors = findings_count(findings, SEVERITY_ERROR);
	const Finding *first = findings->items;

	if (errors == 0)
		return true;
	while (first->severity != SEVERITY_ERROR)
		first++;
	error_set(err, first->code, "%s: %s", first->object, first->message);
	if (first->remedy[0] != '\0')
		error_hint(err, "%s", first->remedy);
	if (errors > 1)
		error_detail(err, "It is the first of %d; pg_portage check lists all.",
					 errors);
	return false;
}

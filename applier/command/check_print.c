/*
 * check_print.c
 *		See check.h.
 *
 * The text is a table of 80 columns: what is wrong with one object stands
 * together, what is worst stands last, just above the totals, where the eye is
 * when the command has ended.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/check.h"
#include "command/json_words.h"
#include "command/walk.h"

#define WIDTH 80
#define INDENT 17 /* behind severity and code */

/* A finding and what decides where it is printed. */
typedef struct Line
{
	const Finding *finding;
	int index;		/* as it was found */
	Severity worst; /* of all findings about the object */
	int first;		/* index of the first of them */
} Line;

static int
by_object(const void *left, const void *right)
{
	const Line *a = left;
	const Line *b = right;
	int order = (int) a->finding->side - (int) b->finding->side;

	if (order == 0)
		order = strcmp(a->finding->object, b->finding->object);
	return order != 0 ? order : a->index - b->index;
}

static int
by_place(const void *left, const void *right)
{
	const Line *a = left;
	const Line *b = right;

	if (a->worst != b->worst)
		return a->worst < b->worst ? -1 : 1;
	if (a->finding->side != b->finding->side)
		return a->finding->side < b->finding->side ? -1 : 1;
	if (a->first != b->first)
		return a->first - b->first;
	if (a->finding->severity != b->finding->severity)
		return a->finding->severity < b->finding->severity ? -1 : 1;
	return a->index - b->index;
}

static bool
same_object(const Finding *a, const Finding *b)
{
	return a->side == b->side && strcmp(a->object, b->object) == 0;
}

/* In the order in which they are printed. */
static Line *
lines_make(const Findings *findings)
{
	Line *lines = ARENA_ARRAY(findings->arena, Line, (size_t) findings->count);
	int count = findings->count;

	for (int i = 0; i < count; i++)
	{
		lines[i].finding = &findings->items[i];
		lines[i].index = i;
	}
	qsort(lines, (size_t) count, sizeof(Line), by_object);
	for (int begin = 0, end; begin < count; begin = end)
	{
		Severity worst = SEVERITY_OK;

		for (end = begin; end < count &&
						  same_object(lines[begin].finding, lines[end].finding);
			 end++)
		{
			if (lines[end].finding->severity > worst)
				worst = lines[end].finding->severity;
		}
		for (int i = begin; i < end; i++)
		{
			lines[i].worst = worst;
			lines[i].first = lines[begin].index;
		}
	}
	qsort(lines, (size_t) count, sizeof(Line), by_place);
	return lines;
}

/* Broken at blanks; the cursor is at column indent, where lines begin. */
static void
print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text != '\0')
	{
		int len = (int) strcspn(text, " \n");

		if (column > indent && column + 1 + len > WIDTH)
		{
			printf("\n%*s", indent, "");
			column = indent;
		}
		else if (column > indent)
			column += printf(" ");
		column += printf("%.*s", len, text);
		text += len;
		text += strspn(text, " \n");
	}
	putchar('\n');
}

static void
print_finding(const Finding *f)
{
	char code[8] = "";

	if (f->code != 0)
		snprintf(code, sizeof(code), "P%04d", (int) f->code);
	printf("  %-8s %-5s ", severity_name(f->severity), code);
	print_wrapped(f->message, INDENT);
	if (f->remedy[0] == '\0')
		return;
	print_wrapped(f->remedy, printf("%*sremedy: ", INDENT, ""));
}

static void
print_heading(const Finding *f)
{
	const char *side = finding_side_name(f->side);

	if (strcmp(side, f->object) == 0)
		puts(side);
	else
		printf("%s: %s\n", side, f->object);
}

static void
print_total(const char *word, int count, const char *end)
{
	printf("%d %s%s%s", count, word, count == 1 ? "" : "s", end);
}

void
check_print_text(const Findings *findings, bool quiet)
{
	const Line *lines = lines_make(findings);
	const Finding *before = NULL;

	for (int i = 0; i < findings->count; i++)
	{
		const Finding *f = lines[i].finding;

		if (quiet && f->severity < SEVERITY_WARNING)
			continue;
		if (before == NULL || !same_object(before, f))
			print_heading(f);
		before = f;
		print_finding(f);
	}
	print_total("error", findings_count(findings, SEVERITY_ERROR), ", ");
	print_total("warning", findings_count(findings, SEVERITY_WARNING), ", ");
	print_total("note", findings_count(findings, SEVERITY_NOTE), "\n");
}

void
check_print_json(const Findings *findings, const char *name)
{
	json_t *list = json_array();
	json_t *root;

	for (int i = 0; i < findings->count; i++)
		json_array_append_new(list, json_finding(&findings->items[i]));
	root = json_pack("{s:i, s:s, s:i, s:i, s:i, s:o}", "format", 1, "name",
					 name, "errors", findings_count(findings, SEVERITY_ERROR),
					 "warnings", findings_count(findings, SEVERITY_WARNING),
					 "notes", findings_count(findings, SEVERITY_NOTE),
					 "findings", list);
	BUG_UNLESS(root != NULL);
	walk_print_json(root, 0);
}

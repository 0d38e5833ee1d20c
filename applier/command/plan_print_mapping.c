/*
 * plan_print_mapping.c
 *		What a schema becomes on a target of another kind, for people who know
 *		neither system's quirks: table by table, column by column, and each
 *		decision with its reason.
 */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "command/plan.h"

#define LINE_WIDTH 79
#define NAME_WIDTH_MAX 28
#define TYPE_WIDTH_MAX 30

/* Columns on a terminal, about: those of UTF-8 that are no continuation. */
static int
width_of(const char *text, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char) text[i] & 0xC0) != 0x80;
	return width;
}

/* The text in lines, each with the indent; words are never cut. */
static void
print_wrapped(int indent, const char *text)
{
	int at = 0;

	while (*text != '\0')
	{
		size_t len = strcspn(text, " \n");
		int width = width_of(text, len);

		if (at > 0 && at + 1 + width > LINE_WIDTH)
		{
			putchar('\n');
			at = 0;
		}
		if (at == 0)
			printf("%*s", indent, "");
		else
			putchar(' ');
		printf("%.*s", (int) len, text);
		at = at == 0 ? indent + width : at + 1 + width;
		text += len;
		while (*text == ' ' || *text == '\n')
			text++;
	}
	putchar('\n');
}

static const char *
severity_prefix(Severity severity)
{
	return severity == SEVERITY_ERROR	  ? "ERROR: "
		   : severity == SEVERITY_WARNING ? "warning: "
										  : "";
}

static void
print_padded(const char *text, int width)
{
	printf("%s%*s", text, width - width_of(text, strlen(text)), "");
}

/* "name", or "name -> other" where it has another one on the target. */
static void
column_label(const TranslatedColumn *column, Buffer *out)
{
	buffer_reset(out);
	buffer_puts(out, column->name);
	if (strcmp(column->name, column->target_name) != 0)
		buffer_printf(out, " -> %s", column->target_name);
}

static void
grow(int *width, const char *text, int max)
{
	int wanted = width_of(text, strlen(text));

	if (wanted > *width)
		*width = wanted < max ? wanted : max;
}

static void
print_columns(const TranslatedTable *table)
{
	int name_width = 0;
	int type_width = 0;
	Buffer label;

	buffer_init(&label);
	for (int i = 0; i < table->column_count; i++)
	{
		column_label(&table->columns[i], &label);
		grow(&name_width, label.data, NAME_WIDTH_MAX);
		grow(&type_width, table->columns[i].source_type, TYPE_WIDTH_MAX);
	}
	for (int i = 0; i < table->column_count; i++)
	{
		const TranslatedColumn *column = &table->columns[i];

		column_label(column, &label);
		printf("    ");
		print_padded(label.data, name_width);
		printf("  ");
		print_padded(column->source_type, type_width);
		printf("  %s\n", column->target_type);
		if (column->note == NULL || column->note[0] == '\0')
			continue;
		buffer_reset(&label);
		buffer_printf(&label, "%s%s", severity_prefix(column->severity),
					  column->note);
		print_wrapped(10, label.data);
	}
	buffer_release(&label);
}

void
plan_print_mapping(const RunPlan *plan)
{
	const Translation *translation = plan->translation;

	printf("\nTables, as they are and as they become:\n");
	for (int i = 0; i < translation->table_count; i++)
	{
		const TranslatedTable *table = &translation->tables[i];

		printf("\n  %s.%s -> %s%s\n", table->schema, table->name, table->target,
			   table->exists ? " (is there, and is used as it is)" : "");
		if (table->note != NULL && table->note[0] != '\0')
			print_wrapped(6, table->note);
		print_columns(table);
	}
}

/* What is behind the prefix, or NULL if it does not begin with it. */
static const char *
behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text != NULL && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The column's name, if the finding is about one of this table. */
static const char *
column_of(const Finding *finding, const TranslatedTable *table)
{
	const char *rest = behind(finding->object, "column ");

	rest = behind(behind(rest, table->schema), ".");
	return behind(behind(rest, table->name), ".");
}

/* Is it said below its column already? */
static bool
is_shown(const Translation *translation, const Finding *finding)
{
	for (int i = 0; i < translation->table_count; i++)
	{
		const TranslatedTable *table = &translation->tables[i];
		const char *name = column_of(finding, table);

		for (int k = 0; name != NULL && k < table->column_count; k++)
		{
			const TranslatedColumn *column = &table->columns[k];

			if (strcmp(column->name, name) == 0 && column->note != NULL &&
				column->note[0] != '\0' &&
				strstr(finding->message, column->note) != NULL)
				return true;
		}
	}
	return false;
}

/* Is it said among what is to be decided first? */
static bool
is_refusal(const Translation *translation, const Finding *finding)
{
	const Findings *decisions = &translation->decisions;

	for (int i = 0; finding->severity == SEVERITY_ERROR && i < decisions->count;
		 i++)
	{
		if (decisions->items[i].severity == SEVERITY_ERROR &&
			strcmp(decisions->items[i].object, finding->object) == 0)
			return true;
	}
	return false;
}

static void
print_finding(const Finding *finding)
{
	Buffer remedy;

	printf("  %s\n", finding->object);
	print_wrapped(6, finding->message);
	if (finding->remedy[0] == '\0')
		return;
	buffer_init(&remedy);
	buffer_printf(&remedy, "What to do: %s", finding->remedy);
	print_wrapped(6, remedy.data);
	buffer_release(&remedy);
}

/* Those of a severity that are carried; errors are told whatever they are. */
static void
print_carried(const RunPlan *plan, Severity severity, const char *heading)
{
	const Findings *decisions = &plan->translation->decisions;
	bool first = true;

	for (int i = 0; i < decisions->count; i++)
	{
		const Finding *finding = &decisions->items[i];

		if (finding->severity != severity ||
			(severity != SEVERITY_ERROR &&
			 (finding->left_behind || is_shown(plan->translation, finding))))
			continue;
		if (first)
			printf("\n%s\n", heading);
		first = false;
		print_finding(finding);
	}
}

static void
print_behind(const RunPlan *plan)
{
	bool first = true;

	for (int i = 0; i < plan->behind.count; i++)
	{
		const Finding *finding = &plan->behind.items[i];

		if (is_refusal(plan->translation, finding))
			continue;
		if (first)
			printf("\nNot migrated:\n");
		first = false;
		print_finding(finding);
	}
}

/* By type, what is created behind the rows. */
static void
print_later(const RunPlan *plan)
{
	const char *before = "\nCreated behind the rows: ";

	for (int i = 0; i < plan->entry_count; i++)
	{
		const DdlEntry *entry = &plan->entries[i];
		int count = 0;
		bool told = false;

		if (entry->section != DDL_POST_DATA || entry->state == DDL_DONE)
			continue;
		for (int k = 0; k < plan->entry_count; k++)
		{
			const DdlEntry *other = &plan->entries[k];

			if (other->section != DDL_POST_DATA || other->state == DDL_DONE ||
				strcmp(other->type, entry->type) != 0)
				continue;
			told |= k < i;
			count++;
		}
		if (told)
			continue;
		printf("%s%d %s", before, count, entry->type);
		before = ", ";
	}
	if (before[0] == ',')
		printf("\n");
}

void
plan_print_decisions(const RunPlan *plan)
{
	print_carried(plan, SEVERITY_ERROR,
				  "To be decided first; run refuses to begin because of this:");
	print_behind(plan);
	print_carried(plan, SEVERITY_WARNING, "Not quite as on the source:");
	print_carried(plan, SEVERITY_NOTE, "Good to know:");
	print_later(plan);
}

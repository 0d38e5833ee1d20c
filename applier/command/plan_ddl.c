/*
 * plan_ddl.c
 *		The SQL of a RunPlan: what creates the schema, in the order in which it is
 *		carried out.
 *
 * It can be read, and most of it run, as a script.
 */
#include <stdio.h>
#include <string.h>

#include "command/plan.h"

typedef struct When
{
	const char *word;
	const char *heading;
} When;

static const When before_copy = { "before_copy", "before the copy" };

/* By state, of what does not come before the copy. */
static const When behind_copy[] = {
	[DDL_TODO] = { "after_copy", "behind the rows" },
	[DDL_DONE] = { "done", "is there already" },
	[DDL_WAITING] = { "after_stream",
					  "when the stream has passed what was copied last" },
	[DDL_DEFERRED] = { "finish", "by pg_portage finish" },
};

static const When *
when_of(const DdlEntry *entry)
{
	return entry->section == DDL_PRE_DATA && entry->state == DDL_TODO
			   ? &before_copy
			   : &behind_copy[entry->state];
}

const char *
plan_when(const DdlEntry *entry)
{
	return when_of(entry)->word;
}

/* A name may have line feeds, and a comment ends with the line. */
static void
print_name(const char *name)
{
	for (; *name != '\0'; name++)
		putchar(*name == '\n' || *name == '\r' ? ' ' : *name);
}

static void
print_entry(const DdlEntry *entry)
{
	size_t len = strlen(entry->sql);

	while (len > 0 && strchr(" \t\r\n;", entry->sql[len - 1]) != NULL)
		len--;
	printf("\n-- %s ", entry->type);
	print_name(entry->schema);
	if (entry->schema[0] != '\0')
		putchar('.');
	print_name(entry->name);
	printf("\n%.*s;\n", (int) len, entry->sql);
}

void
plan_print_ddl(const RunPlan *plan)
{
	const When *last = NULL;

	for (int i = 0; i < plan->entry_count; i++)
	{
		const When *when = when_of(&plan->entries[i]);

		if (when != last)
			printf("%s-- ---- %s\n", last == NULL ? "" : "\n", when->heading);
		last = when;
		print_entry(&plan->entries[i]);
	}
}

/*
 * help.c
 *		The texts of --help, made from the option table.
 */
#include <string.h>

#include "command/option_table.h"

#define HELP_COLUMN 25 /* lines of option_table.c then end at 80 */

/* Help of one option; lines after the first are indented like it. */
static void
print_option(const OptionDef *def, FILE *out)
{
	const char *line = def->help;
	int column;

	if (def->letter != 0)
		column = fprintf(out, "  -%c, --%s", def->letter, def->name);
	else
		column = fprintf(out, "      --%s", def->name);
	if (def->argument != NULL)
		column += fprintf(out, " %s", def->argument);
	if (column >= HELP_COLUMN - 1)
	{
		fputc('\n', out);
		column = 0;
	}
	for (;;)
	{
		size_t len = strcspn(line, "\n");

		fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", (int) len, line);
		column = 0;
		if (line[len] == '\0')
			return;
		line += len + 1;
	}
}

static void
print_actions(const CommandDef *def, FILE *out)
{
	fprintf(out, "  pg_portage %s ", def->name);
	for (int i = 0; def->actions[i] != NULL; i++)
		fprintf(out, "%s%s", i == 0 ? "" : "|", def->actions[i]);
	fputs(" --config FILE [OPTION]...\n", out);
}

static void
print_command_help(CommandId command, FILE *out)
{
	const CommandDef *def = &command_table[command];
	int i;

	fprintf(out, "pg_portage %s: %s\n\nUsage:\n", def->name, def->summary);
	if (def->actions != NULL)
		print_actions(def, out);
	else if (def->needs_source)
		fprintf(out,
				"  pg_portage %s --source URL --target URL [OPTION]...\n"
				"  pg_portage %s --config FILE [OPTION]...\n",
				def->name, def->name);
	else
		fprintf(out,
				"  pg_portage %s [--source URL] [--target URL] [OPTION]...\n"
				"  pg_portage %s --config FILE [OPTION]...\n",
				def->name, def->name);
	fprintf(out, "\n%s\n\nOptions:\n", def->text);
	for (i = 0; i < option_count; i++)
	{
		if ((option_table[i].commands & ON(command)) != 0)
			print_option(&option_table[i], out);
	}
}

static void
print_program_help(FILE *out)
{
	int i;

	fputs("pg_portage carries a live PostgreSQL database to another server, "
		  "exactly once.\n\nUsage:\n"
		  "  pg_portage COMMAND --source URL --target URL [OPTION]...\n"
		  "  pg_portage COMMAND --config FILE [OPTION]...\n"
		  "  pg_portage COMMAND --help\n\nCommands:\n",
		  out);
	for (i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-12s%s\n", command_table[i].name,
				command_table[i].summary);
	fputs("\nOptions:\n", out);
	for (i = 0; i < option_count; i++)
	{
		if (option_table[i].commands == ON_ALL || option_table[i].commands == 0)
			print_option(&option_table[i], out);
	}
	fputs(
		"\nURLs are those of libpq: postgresql://user@host:port/database, or "
		"service=NAME.\nPasswords come from PGPASSFILE or ~/.pgpass and are "
		"never printed.\n\nExit codes:\n"
		"  0   done, or stopped by a signal\n"
		"  1   check found an error, or with --strict a warning; rows stay in\n"
		"      quarantine after retry\n"
		"  2   usage, configuration, roles, or the setup of a server\n"
		"  3   a server could not be reached or kept failing\n"
		"  4   data or history was refused\n"
		"  70  a bug\n\n"
		"Examples:\n"
		"  pg_portage check --source postgresql://portage@old/shop \\\n"
		"      --target postgresql://portage@new/shop\n"
		"  pg_portage run --until caught-up --source "
		"postgresql://portage@old/shop \\\n"
		"      --target postgresql://portage@new/shop\n"
		"  pg_portage run --config shop.yaml\n",
		out);
}

void
options_print_help(const Options *options, FILE *out)
{
	if (options->command == COMMAND_COUNT)
		print_program_help(out);
	else
		print_command_help(options->command, out);
}

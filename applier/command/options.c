/*
 * options.c
 *		See options.h.
 *
 * getopt_long() is asked to hand out words in order, so that the result does
 * not depend on the environment (POSIXLY_CORRECT) and the command may stand
 * anywhere.  Which options a command takes is looked at after all have been
 * read, because the command may come last.
 */
#include "command/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "command/suggest.h"
#include "pattern.h"
#include "postgres/pg_url.h"

#define RETRY_FOR_DEFAULT_MS INT64_C(600000)
#define JOBS_DEFAULT 4
#define JOBS_MAX 64

#define ON(command) (1u << (command))
#define ON_ALL (ON(COMMAND_COUNT) - 1)

typedef struct CommandDef
{
	const char *name;
	bool needs_source;
	bool needs_target;
	const char *summary;
	const char *text; /* paragraphs of the command's help */
} CommandDef;

typedef bool (*OptionParser)(Options *options, const char *value, Error *err);

typedef struct OptionDef
{
	const char *name;
	char letter;		  /* or 0 */
	const char *argument; /* how help calls it, or NULL: a flag */
	unsigned commands;	  /* ON(...), or ON_ALL: even without a command */
	size_t offset;		  /* of a bool or const char * in Options */
	OptionParser parse;	  /* or NULL: store at the offset */
	const char *help;
} OptionDef;

static const CommandDef commands[COMMAND_COUNT] = {
	[COMMAND_CHECK] = { "check", true, true,
						"look at both sides and say what would fail",
						"Connects to both servers, changes nothing that stays, and prints "
						"each finding\nwith its severity, object, reason and remedy.  Exits "
						"with 1 if one of them is an\nerror; with --strict, if one is a "
						"warning." },
	[COMMAND_RUN] = { "run", true, true,
					  "copy the database, then follow its changes",
					  "Does the next thing until told to stop: slot, schema, copy, stream.  "
					  "It is safe\nto start again at any moment, after whatever ended it.  "
					  "SIGINT and SIGTERM stop\nit after the current target transaction, a "
					  "second signal at once." },
	[COMMAND_STATUS] = { "status", false, false,
						 "show where a migration stands",
						 "Prints phase, progress of the copy, lag, and the health of the slot. "
						 " Works with\none side down, and with one of the two URLs." },
	[COMMAND_FINISH] = { "finish", true, true,
						 "create what had to wait while the stream ran",
						 "Creates and validates foreign keys, triggers and identity columns "
						 "that were\ndeferred.  Stop the stream first, when the target is to "
						 "be used." },
	[COMMAND_DROP] = { "drop", false, false,
					   "remove the slot and all state of a migration",
					   "Removes the replication slot from the source and the migration's "
					   "rows from the\ntarget.  The migrated tables stay.  Safe to repeat, "
					   "also when half is gone." },
};

static bool parse_name(Options *options, const char *value, Error *err);
static bool parse_tables(Options *options, const char *value, Error *err);
static bool
parse_exclude_tables(Options *options, const char *value, Error *err);
static bool parse_until(Options *options, const char *value, Error *err);
static bool parse_retry_for(Options *options, const char *value, Error *err);
static bool parse_jobs(Options *options, const char *value, Error *err);
static bool
parse_synchronous_commit(Options *options, const char *value, Error *err);

#define AT(member) offsetof(Options, member), NULL
#define BY(parser) 0, parser

static const OptionDef option_table[] = {
	{ "source", 0, "URL", ON_ALL, AT(source),
	  "server and database to migrate from:\n"
	  "postgresql://user@host:port/database, or service=NAME" },
	{ "target", 0, "URL", ON_ALL, AT(target),
	  "server and database to migrate to" },
	{ "name", 0, "NAME", ON_ALL, BY(parse_name),
	  "name of the migration, 1 to 40 of a-z, 0-9 and _\n"
	  "(default: the source database's name)" },
	{ "tables", 0, "PATTERNS", ON(COMMAND_RUN) | ON(COMMAND_CHECK),
	  BY(parse_tables),
	  "only these tables: schema.table or table, with * and ?,\n"
	  "separated by commas (default: all)" },
	{ "exclude-tables", 0, "PATTERNS", ON(COMMAND_RUN) | ON(COMMAND_CHECK),
	  BY(parse_exclude_tables), "not these tables" },
	{ "until", 0, "END", ON(COMMAND_RUN), BY(parse_until),
	  "stop at an end: \"caught-up\" with what the source had\n"
	  "when the command began, or an LSN such as 0/16B3748" },
	{ "jobs", 0, "N", ON(COMMAND_RUN), BY(parse_jobs),
	  "tables to copy at a time, 1 to 64 (default: 4)" },
	{ "retry-for", 0, "DURATION", ON(COMMAND_RUN) | ON(COMMAND_FINISH),
	  BY(parse_retry_for),
	  "try again for so long when a connection was lost,\n"
	  "such as 30s or 2h; 0 is for ever (default: 10min)" },
	{ "no-wait", 0, NULL, ON(COMMAND_RUN) | ON(COMMAND_FINISH), AT(no_wait),
	  "exit at once if another applier owns the stream,\n"
	  "instead of waiting as its standby" },
	{ "takeover", 0, NULL,
	  ON(COMMAND_RUN) | ON(COMMAND_FINISH) | ON(COMMAND_DROP), AT(takeover),
	  "take the stream from another applier that runs" },
	{ "target-synchronous-commit", 0, "on|off", ON(COMMAND_RUN),
	  BY(parse_synchronous_commit),
	  "wait for the target's disk at each commit; with off,\n"
	  "a position counts once it is durable (default: off)" },
	{ "pg-bindir", 0, "FOLDER", ON(COMMAND_RUN) | ON(COMMAND_CHECK),
	  AT(pg_bindir), "where pg_dump and pg_restore are (default: PATH)" },
	{ "strict", 0, NULL, ON(COMMAND_CHECK), AT(strict),
	  "exit with 1 for warnings, too" },
	{ "json", 0, NULL, ON(COMMAND_CHECK) | ON(COMMAND_STATUS), AT(json),
	  "print one JSON object" },
	{ "yes", 'y', NULL, ON(COMMAND_DROP), AT(yes), "do not ask" },
	{ "quiet", 'q', NULL, ON_ALL, AT(quiet), "only warnings and errors" },
	{ "verbose", 'v', NULL, ON_ALL, AT(verbose), "say more" },
	{ "list-failpoints", 0, NULL, 0, AT(list_failpoints),
	  "print the places where tests can make it fail" },
	{ "help", 'h', NULL, ON_ALL, AT(help), "print this text" },
	{ "version", 'V', NULL, ON_ALL, AT(version), "print the version" },
};

#define OPTION_COUNT ((int) (sizeof(option_table) / sizeof(option_table[0])))

/* getopt_long's values for options: above every letter */
#define OPTION_VALUE 256

/* What one run over argv gathers beside the options themselves. */
typedef struct Parsing
{
	Options *options;
	Arena *arena;
	const char *command; /* as written, or NULL */
	bool seen[OPTION_COUNT];
} Parsing;

const char *
command_name(CommandId command)
{
	return command < COMMAND_COUNT ? commands[command].name : "";
}

/* ------------------------------------------------------------- values */

bool
duration_parse(const char *text, int64_t *ms)
{
	static const struct
	{
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 },
				  { "s", 1000 },
				  { "min", 60000 },
				  { "h", 3600000 },
				  { "d", 86400000 } };
	int64_t number = 0;
	int digits = 0;
	size_t i;

	for (; *text >= '0' && *text <= '9'; text++)
	{
		number = number * 10 + (*text - '0');
		if (++digits > 9)
			return false;
	}
	if (digits == 0)
		return false;
	if (*text == '\0' && number == 0)
	{
		*ms = 0;
		return true;
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (strcmp(text, units[i].unit) == 0)
		{
			*ms = number * units[i].ms;
			return true;
		}
	}
	return false;
}

void
name_from_database(const char *database, char name[STREAM_NAME_MAX + 1])
{
	int i;

	for (i = 0; i < STREAM_NAME_MAX && database[i] != '\0'; i++)
	{
		char c = database[i];

		if (c >= 'A' && c <= 'Z')
			c = (char) (c - 'A' + 'a');
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			c = '_';
		name[i] = c;
	}
	name[i] = '\0';
}

static bool
parse_name(Options *options, const char *value, Error *err)
{
	size_t len = strlen(value);

	if (len == 0 || len > STREAM_NAME_MAX ||
		strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return error_set(err, P_NAME,
						 "\"%s\" cannot be the name of a migration", value);
	options->name = value;
	return true;
}

static bool
check_patterns(const char *option, const char *value, Error *err)
{
	size_t position;
	const char *reason;

	if (strlen(value) >= sizeof(((Progress *) NULL)->tables))
		return error_set(err, P_PATTERN, "--%s is longer than %zu bytes",
						 option, sizeof(((Progress *) NULL)->tables) - 1);
	if (!pattern_list_check(value, strlen(value), &position, &reason))
		return error_set(err, P_PATTERN, "--%s: %s at position %zu of \"%s\"",
						 option, reason, position + 1, value);
	return true;
}

static bool
parse_tables(Options *options, const char *value, Error *err)
{
	options->tables = value;
	return check_patterns("tables", value, err);
}

static bool
parse_exclude_tables(Options *options, const char *value, Error *err)
{
	options->exclude_tables = value;
	return check_patterns("exclude-tables", value, err);
}

static bool
parse_until(Options *options, const char *value, Error *err)
{
	if (strcmp(value, "caught-up") == 0)
	{
		options->until_caught_up = true;
		return true;
	}
	if (!lsn_parse(value, &options->until_lsn) ||
		options->until_lsn == LSN_NONE)
		return error_set(err, P_OPTIONS,
						 "--until takes \"caught-up\" or an LSN such as "
						 "0/16B3748, not \"%s\"",
						 value);
	return true;
}

static bool
parse_retry_for(Options *options, const char *value, Error *err)
{
	if (!duration_parse(value, &options->retry_for_ms))
		return error_set(err, P_OPTIONS,
						 "--retry-for takes a duration such as 500ms, 30s, "
						 "10min or 2h, or 0, not \"%s\"",
						 value);
	return true;
}

static bool
parse_jobs(Options *options, const char *value, Error *err)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < 1 ||
		number > JOBS_MAX)
		return error_set(err, P_OPTIONS,
						 "--jobs takes a number from 1 to %d, not \"%s\"",
						 JOBS_MAX, value);
	options->jobs = (int) number;
	return true;
}

static bool
parse_synchronous_commit(Options *options, const char *value, Error *err)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return error_set(err, P_OPTIONS,
						 "--target-synchronous-commit takes on or off, not "
						 "\"%s\"",
						 value);
	options->target_synchronous_commit = strcmp(value, "on") == 0;
	return true;
}

/* ------------------------------------------------------------ parsing */

static bool
take_option(Parsing *parsing, int index, char *value, Error *err)
{
	const OptionDef *def = &option_table[index];
	char *place = (char *) parsing->options + def->offset;
	const char *copy;

	if (parsing->seen[index] && def->argument != NULL)
		return error_set(err, P_USAGE, "--%s is given twice", def->name);
	parsing->seen[index] = true;
	if (def->argument == NULL)
	{
		*(bool *) place = true;
		return true;
	}
	copy = arena_strdup(parsing->arena, value);
	if (strcmp(def->argument, "URL") == 0)
		pg_url_hide_secrets(value);
	if (def->parse != NULL)
		return def->parse(parsing->options, copy, err);
	*(const char **) place = copy;
	return true;
}

static bool
take_word(Parsing *parsing, char *word, Error *err)
{
	if (parsing->command != NULL)
	{
		/* somebody may have forgotten --source */
		pg_url_hide_secrets(word);
		return error_set(err, P_USAGE, "\"%s\" is one word too many", word);
	}
	parsing->command = word;
	return true;
}

static bool
refuse_option(int c, char *word, Error *err)
{
	const char *names[OPTION_COUNT + 1];
	const char *near;
	int i;

	for (i = 0; i < OPTION_COUNT; i++)
		names[i] = option_table[i].name;
	names[i] = NULL;
	if (optopt >= OPTION_VALUE && c == ':')
		return error_set(err, P_USAGE, "--%s needs a value: %s",
						 names[optopt - OPTION_VALUE],
						 option_table[optopt - OPTION_VALUE].argument);
	if (optopt >= OPTION_VALUE)
		return error_set(err, P_USAGE, "--%s takes no value",
						 names[optopt - OPTION_VALUE]);
	if (optopt != 0)
		return error_set(err, P_USAGE, "there is no option -%c", optopt);
	word += strspn(word, "-");
	word[strcspn(word, "=")] = '\0';
	error_set(err, P_USAGE, "there is no option --%s", word);
	near = suggest(word, names);
	if (near != NULL)
		error_hint(err, "did you mean --%s?", near);
	return false;
}

static int
option_of_letter(int letter)
{
	int i;

	for (i = 0; i < OPTION_COUNT && option_table[i].letter != letter; i++)
		;
	return i;
}

static bool
parse_words(Parsing *parsing, int argc, char **argv, Error *err)
{
	struct option longs[OPTION_COUNT + 1];
	char letters[OPTION_COUNT + 3] = "-:";
	int nletters = 2;
	int c;
	int i;

	memset(longs, 0, sizeof(longs));
	for (i = 0; i < OPTION_COUNT; i++)
	{
		longs[i].name = option_table[i].name;
		longs[i].has_arg = option_table[i].argument != NULL;
		longs[i].val = OPTION_VALUE + i;
		if (option_table[i].letter != 0)
			letters[nletters++] = option_table[i].letter;
	}
	letters[nletters] = '\0';
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1)
	{
		if (c == 1)
		{
			if (!take_word(parsing, optarg, err))
				return false;
		}
		else if (c == '?' || c == ':')
			return refuse_option(c, argv[optind - 1], err);
		else if (!take_option(parsing,
							  c >= OPTION_VALUE ? c - OPTION_VALUE
												: option_of_letter(c),
							  optarg, err))
			return false;
	}
	for (; optind < argc; optind++)
	{
		if (!take_word(parsing, argv[optind], err))
			return false;
	}
	return true;
}

static bool
find_command(Parsing *parsing, Error *err)
{
	const char *names[COMMAND_COUNT + 1];
	const char *near;
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
	{
		names[i] = commands[i].name;
		if (parsing->command != NULL && strcmp(parsing->command, names[i]) == 0)
			parsing->options->command = (CommandId) i;
	}
	names[i] = NULL;
	if (parsing->command == NULL || parsing->options->command != COMMAND_COUNT)
		return true;
	error_set(err, P_USAGE, "there is no command \"%s\"", parsing->command);
	error_detail(err, "the commands are check, run, status, finish and drop");
	near = suggest(parsing->command, names);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	return false;
}

/* --------------------------------------------------------- validation */

static bool
check_belonging(const Parsing *parsing, Error *err)
{
	CommandId command = parsing->options->command;
	int i;

	for (i = 0; i < OPTION_COUNT; i++)
	{
		if (parsing->seen[i] && (option_table[i].commands & ON(command)) == 0)
			return error_set(err, P_USAGE, "%s does not take --%s",
							 commands[command].name, option_table[i].name) ||
				   error_hint(err, "see pg_portage %s --help",
							  commands[command].name);
	}
	return true;
}

static bool
check_url(const char *url, const char *side, bool needed, Error *err)
{
	const char *scheme_end;

	if (url == NULL)
		return !needed || error_set(err, P_USAGE, "--%s URL is missing", side);
	if (pg_url_matches(url))
		return pg_url_check(url, side, err);
	scheme_end = strstr(url, "://");
	if (scheme_end == NULL)
		return error_set(err, P_URL, "the %s URL has no scheme", side);
	return error_set(err, P_URL, "there is no driver for a %s URL of %.*s://",
					 side, (int) (scheme_end - url), url);
}

static bool
default_name(Options *options, Arena *arena, Error *err)
{
	char database[256];
	char name[STREAM_NAME_MAX + 1];

	if (options->name != NULL)
		return true;
	if (options->source == NULL)
		return error_set(err, P_NAME,
						 "without --source, --name says which migration");
	if (!pg_url_database(options->source, database, sizeof(database)))
		return error_set(err, P_NAME,
						 "the source URL does not say the database's name") ||
			   error_hint(err, "pass --name");
	name_from_database(database, name);
	options->name = arena_strdup(arena, name);
	return true;
}

static bool
check_values(Options *options, Arena *arena, Error *err)
{
	const CommandDef *def = &commands[options->command];

	if (options->source == NULL && options->target == NULL &&
		!def->needs_source)
		return error_set(err, P_USAGE,
						 "--source URL or --target URL is missing");
	if (options->quiet && options->verbose)
		return error_set(err, P_OPTIONS,
						 "--quiet and --verbose exclude each other");
	return check_url(options->source, "source", def->needs_source, err) &&
		   check_url(options->target, "target", def->needs_target, err) &&
		   default_name(options, arena, err);
}

bool
options_parse(Options *options, Arena *arena, int argc, char **argv, Error *err)
{
	Parsing parsing = { .options = options, .arena = arena };

	memset(options, 0, sizeof(*options));
	options->command = COMMAND_COUNT;
	options->tables = "";
	options->exclude_tables = "";
	options->retry_for_ms = RETRY_FOR_DEFAULT_MS;
	options->jobs = JOBS_DEFAULT;
	if (!parse_words(&parsing, argc, argv, err) || !find_command(&parsing, err))
		return false;
	if (options->help || options->version || options->list_failpoints)
		return true;
	if (options->command == COMMAND_COUNT)
		return error_set(err, P_USAGE, "a command is missing") ||
			   error_detail(err, "the commands are check, run, status, finish "
								 "and drop");
	return check_belonging(&parsing, err) && check_values(options, arena, err);
}

/* --------------------------------------------------------------- help */

#define HELP_COLUMN 30

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
print_command_help(CommandId command, FILE *out)
{
	const CommandDef *def = &commands[command];
	int i;

	fprintf(out, "pg_portage %s: %s\n\nUsage:\n", def->name, def->summary);
	if (def->needs_source)
		fprintf(out, "  pg_portage %s --source URL --target URL [OPTION]...\n",
				def->name);
	else
		fprintf(out,
				"  pg_portage %s [--source URL] [--target URL] [OPTION]...\n",
				def->name);
	fprintf(out, "\n%s\n\nOptions:\n", def->text);
	for (i = 0; i < OPTION_COUNT; i++)
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
		  "  pg_portage COMMAND --help\n\nCommands:\n",
		  out);
	for (i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
	fputs("\nOptions:\n", out);
	for (i = 0; i < OPTION_COUNT; i++)
	{
		if (option_table[i].commands == ON_ALL || option_table[i].commands == 0)
			print_option(&option_table[i], out);
	}
	fputs("\nURLs are those of libpq: postgresql://user@host:port/database, or "
		  "service=NAME.\nPasswords come from PGPASSFILE or ~/.pgpass and are "
		  "never printed.\n\nExit codes:\n"
		  "  0   done, or stopped by a signal\n"
		  "  1   check found an error\n"
		  "  2   usage, roles, or the configuration of a server\n"
		  "  3   a server could not be reached or kept failing\n"
		  "  4   data or history was refused\n"
		  "  70  a bug\n\n"
		  "Examples:\n"
		  "  pg_portage check --source postgresql://portage@old/shop \\\n"
		  "      --target postgresql://portage@new/shop\n"
		  "  pg_portage run --until caught-up --source "
		  "postgresql://portage@old/shop \\\n"
		  "      --target postgresql://portage@new/shop\n",
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

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

#include <getopt.h>
#include <string.h>

#include "base/buffer.h"
#include "base/suggest.h"
#include "command/option_table.h"
#include "command/options_config.h"
#include "copy/copy_chunks.h"
#include "postgres/pg_url.h"
#include "source/source.h"

#define RETRY_FOR_DEFAULT_MS INT64_C(600000)
#define JOBS_DEFAULT 4

/* getopt_long's values for options: above every letter */
#define OPTION_VALUE 256

/* What one run over argv gathers beside the options themselves. */
typedef struct Parsing
{
	Options *options;
	Arena *arena;
	const char *command; /* as written, or NULL */
	bool seen[OPTION_MAX];
} Parsing;

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
		target_url_hide_secrets(value);
	if (def->parse != NULL)
		return def->parse(parsing->options, copy, err);
	*(const char **) place = copy;
	return true;
}

static CommandId
command_of(const char *word)
{
	int i = 0;

	while (i < COMMAND_COUNT && strcmp(word, command_table[i].name) != 0)
		i++;
	return (CommandId) i;
}

static bool
take_word(Parsing *parsing, char *word, Error *err)
{
	CommandId command = parsing->command != NULL ? command_of(parsing->command)
												 : COMMAND_COUNT;

	if (command != COMMAND_COUNT && command_table[command].actions != NULL &&
		parsing->options->action == NULL)
	{
		parsing->options->action = word;
		return true;
	}
	if (parsing->command != NULL)
	{
		/* somebody may have forgotten --source */
		target_url_hide_secrets(word);
		return error_set(err, P_USAGE, "\"%s\" is one word too many", word);
	}
	parsing->command = word;
	return true;
}

static bool
refuse_option(int c, char *word, Error *err)
{
	const char *names[OPTION_MAX + 1];
	const char *near;
	int i;

	for (i = 0; i < option_count; i++)
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

	for (i = 0; i < option_count && option_table[i].letter != letter; i++)
		;
	return i;
}

/* What getopt_long() is given. */
typedef struct Grammar
{
	struct option longs[OPTION_MAX + 1];
	char letters[OPTION_MAX + 3];
} Grammar;

/* Another option of the same name, or NULL. */
static const OptionDef *
namesake(int index)
{
	for (int i = 0; i < option_count; i++)
	{
		if (i != index &&
			strcmp(option_table[i].name, option_table[index].name) == 0)
			return &option_table[i];
	}
	return NULL;
}

/* Does the name stand for another option with this command? */
static bool
gives_way(int index, CommandId command)
{
	const OptionDef *def = &option_table[index];
	const OptionDef *other = namesake(index);

	if (other == NULL || (def->commands & ON(command)) != 0)
		return false;
	return (other->commands & ON(command)) != 0 || other < def;
}

/* Begin to read the words, which are those of this command as far as known. */
static void
grammar_begin(Grammar *grammar, CommandId command)
{
	int nletters = 2;
	int n = 0;

	memset(grammar, 0, sizeof(*grammar));
	memcpy(grammar->letters, "-:", 2);
	for (int i = 0; i < option_count; i++)
	{
		const OptionDef *def = &option_table[i];

		if (def->letter != 0)
			grammar->letters[nletters++] = def->letter;
		if (gives_way(i, command))
			continue;
		grammar->longs[n].name = def->name;
		grammar->longs[n].has_arg = def->argument != NULL;
		grammar->longs[n++].val = OPTION_VALUE + i;
	}
	opterr = 0;
	optind = 0;
}

/*
 * Which command is it?  Options of the same name take a value with one command
 * and none with another, and the command may come behind them: what looks like
 * such an option's value, and is a command, is that if there is no other.
 */
static CommandId
foresee_command(int argc, char **argv)
{
	CommandId as_value = COMMAND_COUNT;
	Grammar grammar;
	int c;

	grammar_begin(&grammar, COMMAND_COUNT);
	while ((c = getopt_long(argc, argv, grammar.letters, grammar.longs,
							NULL)) != -1)
	{
		if (optarg == NULL)
			continue;
		if (c == 1)
			return command_of(optarg);
		if (c >= OPTION_VALUE && as_value == COMMAND_COUNT &&
			namesake(c - OPTION_VALUE) != NULL)
			as_value = command_of(optarg);
	}
	return as_value;
}

static bool
parse_words(Parsing *parsing, int argc, char **argv, Error *err)
{
	Grammar grammar;
	int c;

	grammar_begin(&grammar, foresee_command(argc, argv));
	while ((c = getopt_long(argc, argv, grammar.letters, grammar.longs,
							NULL)) != -1)
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

/* As a detail of an error; false, too. */
static bool
name_commands(Error *err)
{
	Buffer names;

	buffer_init(&names);
	for (int i = 0; i < COMMAND_COUNT; i++)
		buffer_printf(&names, "%s%s",
					  i == 0				   ? ""
					  : i == COMMAND_COUNT - 1 ? " and "
											   : ", ",
					  command_table[i].name);
	error_detail(err, "the commands are %s", names.data);
	buffer_release(&names);
	return false;
}

static bool
find_command(Parsing *parsing, Error *err)
{
	const char *names[COMMAND_COUNT + 1];
	const char *near;
	int i;

	for (i = 0; i < COMMAND_COUNT; i++)
		names[i] = command_table[i].name;
	names[i] = NULL;
	if (parsing->command != NULL)
		parsing->options->command = command_of(parsing->command);
	if (parsing->command == NULL || parsing->options->command != COMMAND_COUNT)
		return true;
	error_set(err, P_USAGE, "there is no command \"%s\"", parsing->command);
	name_commands(err);
	near = suggest(parsing->command, names);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	return false;
}

/* Commands that do one of several things are told which. */
static bool
find_action(Options *options, Error *err)
{
	const CommandDef *def = &command_table[options->command];
	Buffer names;

	if (def->actions == NULL)
		return true;
	for (int i = 0; options->action != NULL && def->actions[i] != NULL; i++)
	{
		if (strcmp(def->actions[i], options->action) == 0)
			return true;
	}
	if (options->action == NULL)
		error_set(err, P_USAGE, "%s needs a word that says what to do",
				  def->name);
	else
		error_set(err, P_USAGE, "%s does not know the word \"%s\"", def->name,
				  options->action);
	buffer_init(&names);
	for (int i = 0; def->actions[i] != NULL; i++)
		buffer_printf(&names, "%s%s", i == 0 ? "" : ", ", def->actions[i]);
	error_hint(err, "one of: %s", names.data);
	buffer_release(&names);
	return false;
}

/* --------------------------------------------------------- validation */

static bool
check_belonging(const Parsing *parsing, Error *err)
{
	CommandId command = parsing->options->command;
	int i;

	for (i = 0; i < option_count; i++)
	{
		if (parsing->seen[i] && (option_table[i].commands & ON(command)) == 0)
			return error_set(err, P_USAGE, "%s does not take --%s",
							 command_table[command].name,
							 option_table[i].name) ||
				   error_hint(err, "see pg_portage %s --help",
							  command_table[command].name);
	}
	return true;
}

/* A side without a URL, which the command needs. */
static bool
refuse_absence(const Options *options, const char *side, Error *err)
{
	if (options->config == NULL)
		return error_set(err, P_USAGE, "--%s URL is missing", side);
	config_error(options->config, (ConfigPlace){ 0, 0 }, err,
				 "it has no %s, which this command needs", side);
	return error_hint(err, "write %s: URL, or %ss: with a name for each", side,
					  side);
}

/* URLs of a file have been checked with it. */
static bool
check_sides(const Options *options, Error *err)
{
	const CommandDef *def = &command_table[options->command];
	bool checked = options->config != NULL;

	if (options->source == NULL && def->needs_source)
		return refuse_absence(options, "source", err);
	if (options->source != NULL && !checked &&
		!source_url_check(options->source, "source", err))
		return false;
	if (options->target == NULL && def->needs_target)
		return refuse_absence(options, "target", err);
	return options->target == NULL || checked ||
		   target_url_check(options->target, err);
}

static bool
default_name(Options *options, Arena *arena, Error *err)
{
	char database[256];
	char name[STREAM_NAME_MAX + 1];

	if (options->name != NULL)
		return true;
	if (options->source == NULL)
		return error_set(err, P_NAME, "without %s, --name says which migration",
						 options->config == NULL ? "--source" : "a source");
	if (!pg_url_database(options->source, database, sizeof(database)))
		return error_set(err, P_NAME,
						 "the source URL does not say the database's name") ||
			   error_hint(err, "pass --name");
	name_from_database(database, name);
	options->name = arena_strdup(arena, name);
	return true;
}

/* The file may have one of the two where nobody looks. */
static bool
refuse_together(const Options *options, const char *a, const char *b,
				Error *err)
{
	const ConfigOption *in_file = options_config_find(options, a);

	if (in_file == NULL)
		in_file = options_config_find(options, b);
	error_set(err, P_OPTIONS, "--%s and --%s exclude each other", a, b);
	if (in_file != NULL)
		error_detail(err, "--%s is in line %d of %s", in_file->option,
					 in_file->place.line, options->config->path);
	return false;
}

static bool
check_values(Options *options, Arena *arena, Error *err)
{
	const CommandDef *def = &command_table[options->command];

	if (options->source == NULL && options->target == NULL &&
		!def->needs_source)
		return options->config == NULL
				   ? error_set(err, P_USAGE,
							   "--source URL or --target URL is missing")
				   : config_error(options->config, (ConfigPlace){ 0, 0 }, err,
								  "it has neither a source nor a target");
	if (options->quiet && options->verbose)
		return refuse_together(options, "quiet", "verbose", err);
	if (options->copy_only &&
		(options->until_caught_up || options->until_lsn != LSN_NONE))
		return refuse_together(options, "copy-only", "until", err);
	return check_sides(options, err) && default_name(options, arena, err);
}

/* With a file, an empty URL is none: the systemd unit passes variables. */
static const char *
given_url(const char *url)
{
	return url != NULL && url[0] != '\0' ? url : NULL;
}

/* Nothing of the one may be overlooked because of the other. */
static bool
take_config(Parsing *parsing, Error *err)
{
	Options *options = parsing->options;

	if (options->config_file == NULL)
		return true;
	options->source = given_url(options->source);
	options->target = given_url(options->target);
	if (options->source != NULL || options->target != NULL)
		return error_set(err, P_USAGE, "--config and --%s exclude each other",
						 options->source != NULL ? "source" : "target") ||
			   error_hint(err, "the file says where from and where to");
	return options_config_take(options, parsing->arena, parsing->seen, err);
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
	options->writers = 1;
	options->split_over = SPLIT_OVER_DEFAULT;
	if (!parse_words(&parsing, argc, argv, err) || !find_command(&parsing, err))
		return false;
	if (options->help || options->version || options->list_failpoints)
		return true;
	if (options->command == COMMAND_COUNT)
		return error_set(err, P_USAGE, "a command is missing") ||
			   name_commands(err);
	return find_action(options, err) && check_belonging(&parsing, err) &&
		   take_config(&parsing, err) && check_values(options, arena, err);
}

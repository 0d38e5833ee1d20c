/*
 * options_config.c
 *		See options_config.h.
 *
 * What stands for ${NAME} may be a password that somebody put into the wrong
 * variable, so no message quotes it.
 */
#include "command/options_config.h"

#include <string.h>

#include "source/query.h"
#include "source/source.h"

/* What has keys of its own there, or no meaning. */
static const char *const not_options[] = {
	"config",  "source",		  "target", "name", "help",
	"version", "list-failpoints", "rule",	"table"
};

/* Of two options, the one of the command line puts the file's out of effect. */
static const char *const rivals[][2] = { { "quiet", "verbose" },
										 { "verbose", "quiet" } };

static bool
is_config_option(const char *name)
{
	for (size_t i = 0; i < sizeof(not_options) / sizeof(not_options[0]); i++)
	{
		if (strcmp(name, not_options[i]) == 0)
			return false;
	}
	return true;
}

/*
 * The option that a key stands for.  Of two of the same name it is the one with
 * a value: the other is a flag of a command that only prints.
 */
static int
option_of_name(const char *name)
{
	int found = -1;

	for (int i = 0; i < option_count; i++)
	{
		if (strcmp(option_table[i].name, name) == 0 &&
			(found < 0 || option_table[i].argument != NULL))
			found = i;
	}
	return found;
}

int
options_config_names(ConfigOptionName names[OPTION_MAX])
{
	int count = 0;

	for (int i = 0; i < option_count; i++)
	{
		const OptionDef *def = &option_table[i];

		if (is_config_option(def->name) && option_of_name(def->name) == i)
			names[count++] = (ConfigOptionName){ def->name,
												 def->argument == NULL };
	}
	return count;
}

const ConfigOption *
options_config_find(const Options *options, const char *option)
{
	const Config *config = options->config;

	for (int i = 0; config != NULL && i < config->option_count; i++)
	{
		if (strcmp(config->options[i].option, option) == 0)
			return &config->options[i];
	}
	return NULL;
}

/* -------------------------------------------------------------- options */

/* The error of an option's parser, with its place and without secrets. */
static bool
refuse_value(const Config *config, const OptionDef *def, ConfigPlace place,
			 bool secret, Error *err)
{
	if (secret)
	{
		error_set(err, err->code, "what stands for ${...} is no value of --%s",
				  def->name);
		error_hint(err, "it takes %s", def->argument);
	}
	return error_wrap(err, "%s:%d:%d", config->path, place.line, place.column);
}

static bool
store(const OptionDef *def, const char *value, Options *options, Error *err)
{
	char *place = (char *) options + def->offset;

	if (def->parse != NULL)
		return def->parse(options, value, err);
	if (def->argument == NULL)
		*(bool *) place = true;
	else
		*(const char **) place = value;
	return true;
}

static bool
is_overruled(int index, const bool *seen)
{
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
	{
		if (strcmp(option_table[index].name, rivals[i][0]) == 0 &&
			seen[option_of_name(rivals[i][1])])
			return true;
	}
	return seen[index];
}

/* A value of the file, which has an effect only if it is this command's turn. */
static bool
take_value(Options *options, const Config *config, int index,
		   const ConfigOption *option, const bool *seen, Error *err)
{
	const OptionDef *def = &option_table[index];
	bool belongs = (def->commands & ON(options->command)) != 0;
	Options unused = *options;

	return store(def, option->value,
				 belongs && !is_overruled(index, seen) ? options : &unused,
				 err) ||
		   refuse_value(config, def, option->place, option->secret, err);
}

/* --on-loss and --schemas of a target go before those of the top level. */
static bool
take_of_target(Options *options, const Config *config, const char *name,
			   const ConfigText *text, bool first, const bool *seen, Error *err)
{
	ConfigOption option = { .option = name,
							.value = text->text,
							.place = text->place };
	int index = option_of_name(name);
	Options unused = *options;

	if (text->text == NULL)
		return true;
	option.secret = strcmp(text->text, text->shown) != 0;
	return take_value(first ? options : &unused, config, index, &option, seen,
					  err);
}

static bool
take_options(Options *options, const Config *config, const bool *seen,
			 Error *err)
{
	for (int i = 0; i < config->option_count; i++)
	{
		const ConfigOption *option = &config->options[i];

		if (!take_value(options, config, option_of_name(option->option), option,
						seen, err))
			return false;
	}
	for (int i = 0; i < config->target_count; i++)
	{
		const ConfigTarget *target = &config->targets[i];

		if (!take_of_target(options, config, "on-loss", &target->on_loss,
							i == 0, seen, err) ||
			!take_of_target(options, config, "schemas", &target->schemas,
							i == 0, seen, err))
			return false;
	}
	return true;
}

/* ----------------------------------------------------------------- URLs */

typedef bool (*UrlCheck)(const char *url, Error *err);

static bool
check_source(const char *url, Error *err)
{
	return source_url_check(url, "source", err);
}

/*
 * What is wrong with a URL is told of what is written, if that has a fault of its
 * own; else it is what stands for a variable, of which nothing is told.
 */
static bool
check_url(const Config *config, const ConfigText *url, UrlCheck check,
		  Error *err)
{
	bool written = strcmp(url->text, url->shown) == 0;

	if (check(url->text, err))
		return true;
	if (!written &&
		(strstr(url->shown, "://") == NULL || check(url->shown, err)))
	{
		error_set(err, P_URL,
				  "this URL cannot be read with what stands for ${...}");
		error_hint(err, "special characters of a password are written as %%XX");
	}
	return error_wrap(err, "%s:%d:%d", config->path, url->place.line,
					  url->place.column);
}

static bool
check_urls(const Config *config, Error *err)
{
	for (int i = 0; i < config->source_count; i++)
	{
		if (!check_url(config, &config->sources[i].url, check_source, err))
			return false;
	}
	for (int i = 0; i < config->target_count; i++)
	{
		if (!check_url(config, &config->targets[i].url, target_url_check, err))
			return false;
	}
	for (int i = 0; i < config->reference_count; i++)
	{
		const ConfigText *url = &config->references[i].url;

		if (url->text != NULL && !check_url(config, url, query_url_check, err))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- names */

/* With several sources each has a stream of its own: NAME_SOURCE. */
static bool
check_stream_names(const Options *options, const Config *config, Error *err)
{
	int name_len = options->name != NULL ? (int) strlen(options->name) : 0;

	if (config->source_count < 2)
		return true;
	if (options->name == NULL)
		return config_error(config, (ConfigPlace){ 0, 0 }, err,
							"with several sources the migration needs a "
							"name") ||
			   error_hint(err, "write name: NAME, or pass --name");
	for (int i = 0; i < config->source_count; i++)
	{
		const ConfigText *source = &config->sources[i].name;

		if (name_len + 1 + strlen(source->text) > STREAM_NAME_MAX)
			return config_error(config, source->place, err,
								"the stream %s_%s would have a name of more "
								"than %d characters",
								options->name, source->text, STREAM_NAME_MAX);
	}
	return true;
}

bool
options_config_take(Options *options, Arena *arena, const bool *seen,
					Error *err)
{
	ConfigOptionName names[OPTION_MAX];
	Config *config = ARENA_NEW(arena, Config);

	if (!config_read(options->config_file, names, options_config_names(names),
					 arena, config, err) ||
		!check_urls(config, err) || !take_options(options, config, seen, err))
		return false;
	options->config = config;
	if (options->name == NULL)
		options->name = config->name.text;
	if (config->source_count > 0)
		options->source = config->sources[0].url.text;
	if (config->target_count > 0)
		options->target = config->targets[0].url.text;
	return check_stream_names(options, config, err);
}

/*
 * pairs.c
 *		See pairs.h.
 */
#include "command/pairs.h"

#include <string.h>

#include "config/config.h"

/* What the stream of a source is called. */
static bool
stream_name(const Options *options, const ConfigSource *source, Arena *arena,
			const char **name, Error *err)
{
	const Config *config = options->config;

	*name = options->name;
	if (config->source_count == 1)
		return true;
	*name = arena_printf(arena, "%s_%s", options->name, source->name.text);
	if (strlen(*name) <= STREAM_NAME_MAX &&
		strspn(*name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(*name))
		return true;
	return config_error(config, source->name.place, err,
						"the stream of source \"%s\" would be called \"%s\": "
						"with several sources both names together have at most "
						"%d characters of a-z, 0-9 and _",
						source->name.text, *name, STREAM_NAME_MAX - 1);
}

/*
 * --on-loss or --schemas for a target: the command line goes before the target's
 * own, that before the one of the file for all.  given is what the options have,
 * which may be the first target's.
 */
static const char *
mapping_of(const Config *config, const char *option, const char *given,
		   const char *own, const char *firsts)
{
	const char *common = NULL;

	for (int i = 0; i < config->option_count; i++)
	{
		if (strcmp(config->options[i].option, option) == 0)
			common = config->options[i].value;
	}
	if (given != NULL && given != common && given != firsts)
		return given;
	return own != NULL ? own : common;
}

static void
fill_pair(Pair *pair, const Options *options, const ConfigSource *source,
		  const ConfigTarget *target, const char *name, Arena *arena)
{
	pair->options = *options;
	pair->options.source = source->url.text;
	pair->options.target = target->url.text;
	pair->options.name = name;
	pair->options.shares_slot = options->config->target_count > 1;
	pair->options.mapping_is_common = target->on_loss.text == NULL &&
									  target->schemas.text == NULL &&
									  options->config->target_count > 1;
	pair->options.on_loss = mapping_of(
		options->config, "on-loss", options->on_loss, target->on_loss.text,
		options->config->targets[0].on_loss.text);
	pair->options.schemas = mapping_of(
		options->config, "schemas", options->schemas, target->schemas.text,
		options->config->targets[0].schemas.text);
	pair->options.source_name = source->name.text;
	pair->options.target_name = target->name.text;
	pair->context = arena_printf(arena, "%s -> %s", source->name.text,
								 target->name.text);
}

bool
pairs_make(const Options *options, Arena *arena, Pairs *pairs, Error *err)
{
	const Config *config = options->config;
	bool several = config != NULL &&
				   config->source_count * config->target_count > 1;
	const char *name;

	memset(pairs, 0, sizeof(*pairs));
	pairs->source_count = several ? config->source_count : 1;
	pairs->target_count = several ? config->target_count : 1;
	pairs->count = pairs->source_count * pairs->target_count;
	pairs->items = ARENA_ARRAY(arena, Pair, (size_t) pairs->count);
	memset(pairs->items, 0, (size_t) pairs->count * sizeof(Pair));
	/* a command may do with one side, and then the file with no other */
	if (!several)
	{
		pairs->items[0].options = *options;
		if (config != NULL && config->source_count == 1)
			pairs->items[0].options.source_name = config->sources[0].name.text;
		if (config != NULL && config->target_count == 1)
			pairs->items[0].options.target_name = config->targets[0].name.text;
		return true;
	}
	for (int s = 0; s < pairs->source_count; s++)
	{
		if (!stream_name(options, &config->sources[s], arena, &name, err))
			return false;
		for (int t = 0; t < pairs->target_count; t++)
			fill_pair(&pairs_of_source(pairs, s)[t], options,
					  &config->sources[s], &config->targets[t], name, arena);
	}
	return true;
}

Pair *
pairs_of_source(const Pairs *pairs, int source)
{
	return pairs->items + source * pairs->target_count;
}

bool
pairs_refuse_twins(const Options *first, const Options *second, Error *err)
{
	const Config *config = second->config;
	const ConfigTarget *target = config_target(config, second->target_name);

	error_set(err, P_SAME_DATABASE,
			  "%s:%d:%d: the targets %s and %s are one database, by different"
			  " URLs",
			  config->path, target->url.place.line, target->url.place.column,
			  first->target_name, second->target_name);
	return error_hint(err, "name another database, or leave one of the two "
						   "out");
}

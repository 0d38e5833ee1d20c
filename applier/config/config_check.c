/*
 * config_check.c
 *		What can be said of a configuration only when all of it has been read:
 *		names that are used exist, and keys go together.
 */
#include "config/config_schema.h"

#include <string.h>

#include "base/buffer.h"
#include "base/suggest.h"
#include "pattern.h"

/* Names of this many are listed where one is unknown. */
#define LISTED_MAX 10

/* ---------------------------------------------------------------- names */

/* "there is no WHAT "x"", with what may have been meant; names: count of them,
 * each size bytes behind the other. */
static bool
refuse_name(const ConfigReader *reader, const char *what,
			const ConfigText *text, const void *records, int count, size_t size,
			Error *err)
{
	const char **names = ARENA_ARRAY(reader->arena, const char *,
									 (size_t) count + 1);
	const char *near;
	Buffer list;

	buffer_init(&list);
	for (int i = 0; i < count; i++)
	{
		/* the name is the first member of each */
		names[i] =
			((const ConfigText *) ((const char *) records + (size_t) i * size))
				->text;
		buffer_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
	}
	near = suggest(text->shown, names);
	config_error(reader->config, text->place, err, "there is no %s \"%s\"",
				 what, text->shown);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	else if (count == 0)
		error_hint(err, "the configuration has no %ss", what);
	else if (count <= LISTED_MAX)
		error_hint(err, "there %s %s", count == 1 ? "is" : "are", list.data);
	buffer_release(&list);
	return false;
}

static bool
check_source(const ConfigReader *reader, const ConfigText *source, Error *err)
{
	const Config *config = reader->config;

	return source->text == NULL ||
		   config_source(config, source->text) != NULL ||
		   refuse_name(reader, "source", source, config->sources,
					   config->source_count, sizeof(ConfigSource), err);
}

static bool
check_target(const ConfigReader *reader, const ConfigText *target, Error *err)
{
	const Config *config = reader->config;

	return config_target(config, target->text) != NULL ||
		   refuse_name(reader, "target", target, config->targets,
					   config->target_count, sizeof(ConfigTarget), err);
}

/* One pattern with schema and name; with exact, without wildcards. */
static bool
check_table(const ConfigReader *reader, const ConfigText *table, bool exact,
			Error *err)
{
	size_t len = strlen(table->text);
	const char *reason;
	size_t position;
	PatternCursor cursor;
	PatternItem item;

	if (!pattern_list_check(table->text, len, &position, &reason))
		return config_error(reader->config, table->place, err,
							"table \"%s\", at byte %zu: %s", table->shown,
							position + 1, reason);
	pattern_cursor_init(&cursor, table->text, len);
	if (!pattern_next(&cursor, &item) || cursor.pos < len)
		return config_error(reader->config, table->place, err,
							"table \"%s\" is more than one", table->shown) ||
			   error_hint(err, "each has an entry of its own");
	if (!item.has_schema)
		return config_error(reader->config, table->place, err,
							"table \"%s\" has no schema", table->shown) ||
			   error_hint(err, "write public.%s, or \"*.%s\"", table->shown,
						  table->shown);
	if (exact &&
		((!item.schema.quoted &&
		  (memchr(item.schema.text.data, '*', item.schema.text.len) ||
		   memchr(item.schema.text.data, '?', item.schema.text.len))) ||
		 (!item.name.quoted &&
		  (memchr(item.name.text.data, '*', item.name.text.len) ||
		   memchr(item.name.text.data, '?', item.name.text.len)))))
		return config_error(reader->config, table->place, err,
							"table \"%s\" has to be one, without wildcards",
							table->shown);
	return true;
}

/* ---------------------------------------------------------------- sides */

static bool
check_sides(const ConfigReader *reader, Error *err)
{
	const Config *config = reader->config;

	for (int i = 0; i < config->source_count; i++)
	{
		const ConfigSource *source = &config->sources[i];

		if (source->url.text == NULL)
			return config_error(config, source->name.place, err,
								"the source %s has no url", source->name.text);
	}
	for (int i = 0; i < config->target_count; i++)
	{
		const ConfigTarget *target = &config->targets[i];

		if (target->url.text == NULL)
			return config_error(config, target->name.place, err,
								"the target %s has no url", target->name.text);
		for (int j = 0; j < i; j++)
		{
			if (strcmp(config->targets[j].url.text, target->url.text) == 0)
				return config_error(config, target->url.place, err,
									"the targets %s and %s have the same url",
									config->targets[j].name.text,
									target->name.text);
		}
	}
	for (int i = 0; i < config->source_count; i++)
	{
		for (int j = 0; j < i; j++)
		{
			if (strcmp(config->sources[j].url.text,
					   config->sources[i].url.text) == 0)
				return config_error(config, config->sources[i].url.place, err,
									"the sources %s and %s have the same url",
									config->sources[j].name.text,
									config->sources[i].name.text);
		}
	}
	return true;
}

/* ----------------------------------------------------------- references */

static bool
refuse_for(const ConfigReader *reader, const ConfigReference *reference,
		   const char *key, ConfigPlace place, Error *err)
{
	static const char *const kinds[] = { "a query", "a file", "a table" };

	return config_error(reader->config, place, err,
						"the reference %s is %s, for which there is no %s",
						reference->name.text, kinds[reference->kind], key);
}

static bool
check_reference_name(const ConfigReader *reader, const ConfigText *name,
					 Error *err)
{
	static const char *const taken[] = { "sqlite_", "portage_", "json_",
										 "pragma_" };
	bool free = strcmp(name->text, "old") != 0;

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		free = free && strncmp(name->text, taken[i], strlen(taken[i])) != 0;
	if (free)
		return true;
	return config_error(reader->config, name->place, err,
						"\"%s\" cannot name a reference: in expressions it has "
						"a meaning of its own",
						name->text);
}

static bool
check_reference_key(const ConfigReader *reader,
					const ConfigReference *reference, Error *err)
{
	const ConfigList *only = &reference->only;
	int j;

	if (reference->key.count == 0)
		return config_error(reader->config, reference->name.place, err,
							"the reference %s has no key",
							reference->name.text) ||
			   error_hint(err, "name the columns that it is looked up by");
	for (int i = 0; i < reference->key.count && only->count > 0; i++)
	{
		const ConfigText *column = &reference->key.items[i];

		for (j = 0;
			 j < only->count && strcmp(only->items[j].text, column->text) != 0;
			 j++)
			;
		if (j == only->count)
			return config_error(reader->config, column->place, err,
								"the key's column %s is not among those of "
								"only",
								column->shown);
	}
	return true;
}

/* Keys that belong to another kind of reference. */
static bool
check_reference_keys(const ConfigReader *reader,
					 const ConfigReference *reference, Error *err)
{
	bool table = reference->kind == REFERENCE_TABLE;

	if (reference->kind == REFERENCE_QUERY && reference->url.text == NULL)
		return config_error(reader->config, reference->name.place, err,
							"the reference %s has a query, and no url to ask",
							reference->name.text);
	if (reference->kind != REFERENCE_QUERY && reference->url.text != NULL)
		return refuse_for(reader, reference, "url", reference->url.place, err);
	if (!table && reference->source.text != NULL)
		return refuse_for(reader, reference, "source", reference->source.place,
						  err);
	if (!table && reference->only.count > 0)
		return refuse_for(reader, reference, "only", reference->only.place,
						  err);
	if (table && reference->refresh_ms > 0)
		return refuse_for(reader, reference, "refresh", reference->name.place,
						  err) ||
			   error_hint(err, "a table is kept current by the stream");
	return true;
}

static bool
check_reference(const ConfigReader *reader, const ConfigReference *reference,
				Error *err)
{
	int kinds = (reference->query.text != NULL) +
				(reference->file.text != NULL) +
				(reference->table.text != NULL);

	if (!check_reference_name(reader, &reference->name, err))
		return false;
	if (kinds != 1)
		return config_error(reader->config, reference->name.place, err,
							"the reference %s has to have one of query, file "
							"and table, not %s",
							reference->name.text,
							kinds == 0 ? "none" : "several");
	return check_reference_keys(reader, reference, err) &&
		   check_reference_key(reader, reference, err) &&
		   check_source(reader, &reference->source, err) &&
		   (reference->kind != REFERENCE_TABLE ||
			check_table(reader, &reference->table, true, err));
}

/* ---------------------------------------------------------------- rules */

static bool
refuse_together(const ConfigReader *reader, ConfigPlace place, const char *a,
				const char *b, Error *err)
{
	return config_error(reader->config, place, err,
						"%s and %s exclude each other", a, b);
}

/* Where do its rows go? */
static bool
check_way(const ConfigReader *reader, const ConfigRule *rule, Error *err)
{
	const Config *config = reader->config;

	for (int i = 0; i < rule->targets.count; i++)
	{
		if (!check_target(reader, &rule->targets.items[i], err))
			return false;
	}
	if (rule->route.text != NULL && rule->targets.count == 1)
		return config_error(config, rule->route.place, err,
							"route has nothing to choose from: target is one "
							"name") ||
			   error_hint(err, "leave target out, or list all that route may "
							   "give");
	if (rule->route.text == NULL && rule->targets.count == 0 &&
		config->target_count > 1)
		return config_error(config, rule->place, err,
							"this rule has neither target nor route, and there "
							"are %d targets",
							config->target_count) ||
			   error_hint(err, "write target: NAME, or a list of names");
	return true;
}

static bool
check_match(const ConfigReader *reader, const ConfigRule *rule, Error *err)
{
	ConfigPlace place = rule->operations_place.line > 0 ? rule->operations_place
														: rule->match.place;

	if (rule->match.count == 0)
		return true;
	if (rule->operations_place.line == 0 || rule->operations != RULE_UPDATE)
		return config_error(reader->config, place, err,
							"a rule with match only changes rows that are "
							"there") ||
			   error_hint(err, "write operations: [update]; without the key "
							   "they are all four");
	if (rule->key.count > 0)
		return refuse_together(reader, rule->key.place, "key", "match", err);
	if (rule->conflict_place.line > 0)
		return refuse_together(reader, rule->conflict_place, "on_conflict",
							   "match", err);
	return true;
}

static bool
check_rule_name(const ConfigReader *reader, int index, Error *err)
{
	const ConfigRule *rules = reader->config->rules;

	for (int i = 0; i < index; i++)
	{
		if (strcmp(rules[i].name, rules[index].name) == 0)
			return config_error(reader->config, rules[index].place, err,
								"the rule in line %d is called %s, too",
								rules[i].place.line, rules[i].name);
	}
	return true;
}

static bool
check_rule(const ConfigReader *reader, int index, Error *err)
{
	const ConfigRule *rule = &reader->config->rules[index];

	if (rule->only.count > 0 && rule->omit.count > 0)
		return refuse_together(reader, rule->omit.place, "only", "omit", err);
	return check_rule_name(reader, index, err) &&
		   check_table(reader, &rule->table, false, err) &&
		   check_source(reader, &rule->source, err) &&
		   check_way(reader, rule, err) &&
		   config_into_check(reader, &rule->into, err) &&
		   check_match(reader, rule, err);
}

/* ------------------------------------------------------------- all of it */

static bool
check_head(const ConfigReader *reader, Error *err)
{
	const Config *config = reader->config;

	if (config->after.text != NULL && config->name.text != NULL &&
		strcmp(config->after.text, config->name.text) == 0)
		return config_error(config, config->after.place, err,
							"a migration cannot wait for itself");
	if (!config->has_rules && config->target_count > 1)
		return config_error(config, config->targets[1].name.place, err,
							"with several targets, rules have to say what goes "
							"where") ||
			   error_hint(err, "for everything to each of them, write a rule "
							   "with table: \"*.*\" and all of them as target");
	return true;
}

/* Whoever wrote such a key expects something of it. */
static bool
check_of_rules(const ConfigReader *reader, Error *err)
{
	const Config *config = reader->config;

	return config->has_rules || config->of_rules.text == NULL ||
		   config_error(config, config->of_rules.place, err,
						"%s is for rules, and there are none",
						config->of_rules.text) ||
		   error_hint(err, "leave it out, or write rules: the one of all "
						   "tables is - table: \"*.*\"");
}

bool
config_check(const ConfigReader *reader, Error *err)
{
	Config *config = reader->config;

	if (!check_sides(reader, err) || !check_head(reader, err))
		return false;
	for (int i = 0; i < config->reference_count; i++)
	{
		ConfigReference *reference = &config->references[i];

		reference->kind = reference->query.text != NULL	 ? REFERENCE_QUERY
						  : reference->file.text != NULL ? REFERENCE_FILE
														 : REFERENCE_TABLE;
		if (!check_reference(reader, reference, err))
			return false;
	}
	for (int i = 0; i < config->rule_count; i++)
	{
		if (!check_rule(reader, i, err))
			return false;
	}
	return check_of_rules(reader, err);
}

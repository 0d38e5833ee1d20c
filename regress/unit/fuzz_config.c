/*
 * fuzz_config.c
 *		libFuzzer target: configurations, of anything.
 *
 * Whatever comes, it is read or refused with P_CONFIG, and what was read has all
 * that config.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ConfigOptionName options[] = {
	{ "jobs", false },
	{ "on-loss", false },
	{ "retry-for", false },
	{ "no-wait", true },
};

static void
require(bool condition)
{
	if (!condition)
		abort();
}

/* Of what is there, all of it; how long it is. */
static size_t
read_text(const ConfigText *text)
{
	if (text->text == NULL)
	{
		require(text->shown == NULL && text->place.line == 0);
		return 0;
	}
	require(text->place.line > 0 && text->place.column > 0);
	return strlen(text->text) + strlen(text->shown);
}

static size_t
read_list(const ConfigList *list)
{
	size_t sum = 0;

	require((list->count > 0) == (list->place.line > 0));
	for (int i = 0; i < list->count; i++)
	{
		require(list->items[i].text[0] != '\0');
		sum += read_text(&list->items[i]);
	}
	return sum;
}

static size_t
read_references(const Config *config)
{
	size_t sum = 0;

	for (int i = 0; i < config->reference_count; i++)
	{
		const ConfigReference *reference = &config->references[i];
		const ConfigText *of_kind = reference->kind == REFERENCE_QUERY
										? &reference->query
									: reference->kind == REFERENCE_FILE
										? &reference->file
										: &reference->table;

		require(of_kind->text != NULL && reference->key.count > 0 &&
				reference->refresh_ms >= 0);
		require(config_reference(config, reference->name.text) == reference);
		require(reference->source.text == NULL ||
				config_source(config, reference->source.text) != NULL);
		sum += read_text(&reference->url) + read_text(of_kind) +
			   read_list(&reference->only) + read_list(&reference->key);
	}
	return sum;
}

static size_t
read_rule(const Config *config, const ConfigRule *rule, Arena *arena)
{
	const char *schema;
	const char *table;
	size_t sum = strlen(rule->name);

	require(rule->table.text != NULL && rule->operations != 0);
	require(rule->match.count == 0 || rule->operations == RULE_UPDATE);
	require(rule->only.count == 0 || rule->omit.count == 0);
	require((rule->on_conflict == CONFLICT_LATEST) ==
			(rule->latest.text != NULL));
	require(rule->source.text == NULL ||
			config_source(config, rule->source.text) != NULL);
	for (int i = 0; i < rule->targets.count; i++)
		require(config_target(config, rule->targets.items[i].text) != NULL);
	for (int i = 0; i < rule->column_count; i++)
	{
		require(rule->columns[i].name.text[0] != '\0' &&
				rule->columns[i].expr.text != NULL);
		sum += read_text(&rule->columns[i].name) +
			   read_text(&rule->columns[i].expr) +
			   read_text(&rule->columns[i].type);
	}
	config_into(rule, "S", "T", arena, &schema, &table);
	require(schema[0] != '\0' && table[0] != '\0');
	return sum + read_text(&rule->where) + read_text(&rule->route) +
		   read_list(&rule->only) + read_list(&rule->omit) +
		   read_list(&rule->key) + read_list(&rule->match) +
		   read_list(&rule->targets);
}

static size_t
read_config(const Config *config, Arena *arena)
{
	size_t sum = strlen(config->path) + strlen(config->folder) +
				 read_text(&config->name) + read_text(&config->after);

	for (int i = 0; i < config->source_count; i++)
		require(read_text(&config->sources[i].url) > 0);
	for (int i = 0; i < config->target_count; i++)
		require(read_text(&config->targets[i].url) > 0);
	for (int i = 0; i < config->option_count; i++)
		sum += strlen(config->options[i].option) +
			   (config->options[i].value != NULL
					? strlen(config->options[i].value)
					: 0);
	for (int i = 0; i < config->rule_count; i++)
		sum += read_rule(config, &config->rules[i], arena);
	return sum + read_references(config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile size_t sink __attribute__((unused));
	Error err = ERROR_INIT;
	Config config;
	Arena arena;

	setenv("A", "a", 1);
	arena_init(&arena);
	if (config_parse((const char *) data, size, "fuzz.yaml", options,
					 (int) (sizeof(options) / sizeof(options[0])), &arena,
					 &config, &err))
		sink += read_config(&config, &arena);
	else if (err.code != P_CONFIG)
		abort();
	arena_release(&arena);
	return 0;
}

/*
 * config_keys.c
 *		The tables of keys, and how what is no plain value becomes part of a Config.
 */
#include "config/config_schema.h"

#include <stddef.h>

/* Of source, target and reference the first member is the name. */
_Static_assert(offsetof(ConfigSource, name) == 0, "name is first");
_Static_assert(offsetof(ConfigTarget, name) == 0, "name is first");
_Static_assert(offsetof(ConfigReference, name) == 0, "name is first");

static bool
refuse_both(const ConfigReader *reader, const ConfigEntry *entry,
			const char *other, Error *err)
{
	return config_error(reader->config, entry->key_place, err,
						"%s and %s exclude each other", entry->key, other);
}

static bool
read_sources(ConfigReader *reader, const ConfigEntry *entry, void *place,
			 Error *err)
{
	Config *config = place;

	if (config->source_count > 0)
		return refuse_both(reader, entry, "source", err);
	config->sources = config_named_read(reader, entry, &section_source,
										sizeof(ConfigSource),
										&config->source_count, err);
	return config->sources != NULL;
}

static bool
read_source(ConfigReader *reader, const ConfigEntry *entry, void *place,
			Error *err)
{
	Config *config = place;

	if (config->source_count > 0)
		return refuse_both(reader, entry, "sources", err);
	config->sources = ARENA_NEW(reader->arena, ConfigSource);
	config->source_count = 1;
	config->sources->name = (ConfigText){ "source", "source",
										  entry->key_place };
	return config_value_url(reader, entry, &config->sources->url, err);
}

static bool
read_targets(ConfigReader *reader, const ConfigEntry *entry, void *place,
			 Error *err)
{
	Config *config = place;

	if (config->target_count > 0)
		return refuse_both(reader, entry, "target", err);
	config->targets = config_named_read(reader, entry, &section_target,
										sizeof(ConfigTarget),
										&config->target_count, err);
	return config->targets != NULL;
}

static bool
read_target(ConfigReader *reader, const ConfigEntry *entry, void *place,
			Error *err)
{
	Config *config = place;

	if (config->target_count > 0)
		return refuse_both(reader, entry, "targets", err);
	config->targets = ARENA_NEW(reader->arena, ConfigTarget);
	config->target_count = 1;
	config->targets->name = (ConfigText){ "target", "target",
										  entry->key_place };
	return config_value_url(reader, entry, &config->targets->url, err);
}

/* Remember the first key that says nothing without rules. */
static bool
note_of_rules(Config *config, const ConfigEntry *entry)
{
	if (config->of_rules.text == NULL)
		config->of_rules = (ConfigText){ entry->key, entry->key,
										 entry->key_place };
	return true;
}

static bool
read_references(ConfigReader *reader, const ConfigEntry *entry, void *place,
				Error *err)
{
	Config *config = place;

	config->references = config_named_read(reader, entry, &section_reference,
										   sizeof(ConfigReference),
										   &config->reference_count, err);
	return note_of_rules(config, entry) && config->references != NULL;
}

static bool
read_on_error(ConfigReader *reader, const ConfigEntry *entry, void *place,
			  Error *err)
{
	Config *config = place;

	return note_of_rules(config, entry) &&
		   config_value_on_error(reader, entry, &config->on_error, err);
}

static bool
read_ledger(ConfigReader *reader, const ConfigEntry *entry, void *place,
			Error *err)
{
	Config *config = place;

	return note_of_rules(config, entry) &&
		   config_value_ledger(reader, entry, &config->ledger, err);
}

/* --------------------------------------------------------------- tables */

#define COUNT(keys) ((int) (sizeof(keys) / sizeof((keys)[0])))
#define OF(type, member) offsetof(type, member), false
/* the reader gets the whole record */
#define WHOLE 0, false

static const ConfigKey top_keys[] = {
	{ "name", config_value_name, OF(Config, name) },
	{ "after", config_value_name, OF(Config, after) },
	{ "source", read_source, WHOLE },
	{ "sources", read_sources, WHOLE },
	{ "target", read_target, WHOLE },
	{ "targets", read_targets, WHOLE },
	{ "references", read_references, WHOLE },
	{ "on_error", read_on_error, WHOLE },
	{ "ledger", read_ledger, WHOLE },
	{ "rules", config_value_rules, 0, true },
};

static const ConfigKey source_keys[] = {
	{ "url", config_value_url, OF(ConfigSource, url) },
};

static const ConfigKey target_keys[] = {
	{ "url", config_value_url, OF(ConfigTarget, url) },
	{ "on_loss", config_value_text, OF(ConfigTarget, on_loss) },
	{ "schemas", config_value_text, OF(ConfigTarget, schemas) },
};

static const ConfigKey reference_keys[] = {
	{ "query", config_value_text, OF(ConfigReference, query) },
	{ "url", config_value_url, OF(ConfigReference, url) },
	{ "file", config_value_text, OF(ConfigReference, file) },
	{ "table", config_value_text, OF(ConfigReference, table) },
	{ "source", config_value_text, OF(ConfigReference, source) },
	{ "only", config_value_columns, OF(ConfigReference, only) },
	{ "key", config_value_columns, OF(ConfigReference, key) },
	{ "refresh", config_value_duration, OF(ConfigReference, refresh_ms) },
	{ "required", config_value_flag, OF(ConfigReference, required) },
};

static const ConfigKey rule_keys[] = {
	{ "table", config_value_text, OF(ConfigRule, table) },
	{ "name", config_value_rule_name, WHOLE },
	{ "source", config_value_text, OF(ConfigRule, source) },
	{ "target", config_value_names, OF(ConfigRule, targets) },
	{ "route", config_value_expression, OF(ConfigRule, route) },
	{ "into", config_value_text, OF(ConfigRule, into) },
	{ "where", config_value_expression, OF(ConfigRule, where) },
	{ "columns", config_value_rule_columns, WHOLE },
	{ "only", config_value_columns, OF(ConfigRule, only) },
	{ "omit", config_value_columns, OF(ConfigRule, omit) },
	{ "key", config_value_columns, OF(ConfigRule, key) },
	{ "operations", config_value_operations, WHOLE },
	{ "on_conflict", config_value_on_conflict, WHOLE },
	{ "match", config_value_columns, OF(ConfigRule, match) },
	{ "on_error", config_value_on_error, OF(ConfigRule, on_error) },
	{ "ledger", config_value_ledger, OF(ConfigRule, ledger) },
};

static const ConfigKey column_keys[] = {
	{ "expr", config_value_expression, OF(ConfigColumn, expr) },
	{ "type", config_value_text, OF(ConfigColumn, type) },
};

static const ConfigKey conflict_keys[] = {
	{ "latest_wins", config_value_text, OF(ConfigRule, latest) },
};

const ConfigSection section_top = { "the configuration", top_keys,
									COUNT(top_keys) };
const ConfigSection section_source = { "a source", source_keys,
									   COUNT(source_keys) };
const ConfigSection section_target = { "a target", target_keys,
									   COUNT(target_keys) };
const ConfigSection section_reference = { "a reference", reference_keys,
										  COUNT(reference_keys) };
const ConfigSection section_rule = { "a rule", rule_keys, COUNT(rule_keys) };
const ConfigSection section_column = { "a column", column_keys,
									   COUNT(column_keys) };
const ConfigSection section_conflict = { "on_conflict", conflict_keys,
										 COUNT(conflict_keys) };

const ConfigSection *const config_sections[] = {
	&section_top,  &section_source, &section_target,   &section_reference,
	&section_rule, &section_column, &section_conflict, NULL
};

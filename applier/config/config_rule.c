/*
 * config_rule.c
 *		How rules are read.
 */
#include "config/config_schema.h"

#include <stddef.h>
#include <string.h>

/* Their names and numbers are compared with each other. */
#define RULES_MAX 10000

bool
config_value_rule_name(ConfigReader *reader, const ConfigEntry *entry,
					   void *place, Error *err)
{
	ConfigText name;

	if (!config_value_name(reader, entry, &name, err))
		return false;
	((ConfigRule *) place)->name = name.text;
	return true;
}

static bool
read_column(ConfigReader *reader, const ConfigPair *pair, ConfigColumn *column,
			Error *err)
{
	ConfigEntry entry = { pair->key, pair->place, pair->value };

	if (!config_column_check(reader, pair->key, pair->place, err))
		return false;
	column->name = (ConfigText){ pair->key, pair->key, pair->place };
	if (pair->value->kind == NODE_TEXT)
		return config_value_expression(reader, &entry, &column->expr, err);
	if (pair->value->kind != NODE_MAP)
		return config_value_refuse(reader, pair->key,
								   "an expression, or a map of expr and type",
								   pair->value, err);
	if (!config_section_read(reader, &section_column, pair->value, column, err))
		return false;
	return column->expr.text != NULL ||
		   config_error(reader->config, pair->value->place, err,
						"the column %s has no expr", pair->key);
}

bool
config_value_rule_columns(ConfigReader *reader, const ConfigEntry *entry,
						  void *place, Error *err)
{
	const ConfigNode *value = entry->value;
	ConfigRule *rule = place;

	if (value->kind != NODE_MAP)
		return config_value_refuse(
			reader, entry->key, "a map of columns to expressions", value, err);
	if (value->count == 0)
		return config_error(reader->config, value->place, err, "%s is empty",
							entry->key);
	rule->columns = ARENA_ARRAY(reader->arena, ConfigColumn,
								(size_t) value->count);
	rule->column_count = value->count;
	for (int i = 0; i < value->count; i++)
	{
		if (!read_column(reader, &value->pairs[i], &rule->columns[i], err))
			return false;
	}
	return true;
}

bool
config_value_operations(ConfigReader *reader, const ConfigEntry *entry,
						void *place, Error *err)
{
	static const char *const words[] = { "insert", "update", "delete",
										 "truncate", NULL };
	const ConfigNode *value = entry->value;
	ConfigRule *rule = place;
	ConfigList list = { 0 };

	if (value->kind == NODE_TEXT && strcmp(value->text, "all") == 0)
		return config_error(reader->config, value->place, err,
							"%s has to be a list", entry->key) ||
			   error_hint(err, "leave it out: without it they are all four");
	if (!config_value_columns(reader, entry, &list, err))
		return false;
	rule->operations = 0;
	rule->operations_place = value->place;
	for (int i = 0; i < value->count; i++)
	{
		int word = config_value_word(reader, entry->key, value->items[i], words,
									 err);

		if (word < 0)
			return false;
		rule->operations |= 1u << word;
	}
	return true;
}

/* A word, or { latest_wins: COLUMN }. */
bool
config_value_on_conflict(ConfigReader *reader, const ConfigEntry *entry,
						 void *place, Error *err)
{
	static const char *const words[] = { "error", "source_wins", "target_wins",
										 "latest_wins", NULL };
	const ConfigNode *value = entry->value;
	ConfigRule *rule = place;
	int word;

	rule->conflict_place = value->place;
	if (value->kind == NODE_LIST)
		return config_value_refuse(reader, entry->key,
								   "a word, or a map with latest_wins", value,
								   err);
	if (value->kind == NODE_TEXT)
	{
		word = config_value_word(reader, entry->key, value, words, err);
		rule->on_conflict = (ConflictWinner) word;
		if (word != CONFLICT_LATEST)
			return word >= 0;
		config_error(reader->config, value->place, err,
					 "latest_wins has to say what is later");
		return error_hint(err, "write %s: { latest_wins: COLUMN }", entry->key);
	}
	rule->on_conflict = CONFLICT_LATEST;
	if (!config_section_read(reader, &section_conflict, value, rule, err))
		return false;
	return rule->latest.text != NULL ||
		   config_error(reader->config, value->place, err, "%s is an empty map",
						entry->key);
}

/*
 * One rule of the list.  What it does not say is as the top level says, which
 * has been read.
 */
static bool
read_rule(ConfigReader *reader, const ConfigNode *item, int number,
		  ConfigRule *rule, Error *err)
{
	const Config *config = reader->config;

	if (item->kind != NODE_MAP)
		return config_value_refuse(reader, "a rule", "a map of keys", item,
								   err);
	rule->place = item->place;
	rule->number = number;
	rule->name = arena_printf(reader->arena, "rule %d", number);
	rule->operations = RULE_ALL_OPERATIONS;
	rule->on_error = config->on_error;
	rule->ledger = config->ledger;
	if (!config_section_read(reader, &section_rule, item, rule, err))
		return false;
	return rule->table.text != NULL ||
		   config_error(config, rule->place, err, "this rule has no table") ||
		   error_hint(err, "write table: SCHEMA.TABLE");
}

bool
config_value_rules(ConfigReader *reader, const ConfigEntry *entry, void *place,
				   Error *err)
{
	const ConfigNode *value = entry->value;
	Config *config = place;

	if (value->kind != NODE_LIST)
	{
		config_value_refuse(reader, entry->key, "a list", value, err);
		if (value->kind == NODE_MAP)
			error_hint(err, "begin each rule with \"- \"");
		return false;
	}
	if (value->count == 0)
		return config_error(config, value->place, err, "%s is an empty list",
							entry->key) ||
			   error_hint(err, "leave it out to migrate every table");
	if (value->count > RULES_MAX)
		return config_error(config, value->place, err,
							"there are more than %d rules", RULES_MAX);
	config->has_rules = true;
	config->rules = ARENA_ARRAY(reader->arena, ConfigRule,
								(size_t) value->count);
	config->rule_count = value->count;
	for (int i = 0; i < value->count; i++)
	{
		if (!read_rule(reader, value->items[i], i + 1, &config->rules[i], err))
			return false;
	}
	return true;
}

/*
 * config_value.c
 *		The kinds of values that keys of the configuration have.
 *
 * Messages show a value as it is written in the file, never what stands for
 * ${NAME}.
 */
#include "config/config_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "base/units.h"

/* Longest name of a column: that of PostgreSQL. */
#define COLUMN_NAME_MAX 63
/* More than a table has columns. */
#define LIST_MAX 2000
/* Asking a server or a file more often is a mistake of units. */
#define REFRESH_MIN_MS 1000

bool
config_value_refuse(const ConfigReader *reader, const char *key,
					const char *should, const ConfigNode *value, Error *err)
{
	config_error(reader->config, value->place, err, "%s has to be %s, not %s",
				 key, should, config_node_describe(value));
	if (value->kind == NODE_MAP && value->flow)
		error_hint(err, "put text that begins with { in quotes");
	else if (value->kind == NODE_LIST && value->flow)
		error_hint(err, "put text that begins with [ in quotes");
	return false;
}

/* Is it text that is not empty? */
static bool
check_text(const ConfigReader *reader, const char *key, const ConfigNode *value,
		   Error *err)
{
	if (value->kind != NODE_TEXT)
		return config_value_refuse(reader, key, "text", value, err);
	if (config_node_is_missing(value))
		return config_error(reader->config, value->place, err,
							"%s has no value", key);
	return value->text[0] != '\0' ||
		   config_error(reader->config, value->place, err, "%s is empty", key);
}

static bool
check_value(const ConfigReader *reader, const char *key,
			const ConfigNode *value, Error *err)
{
	if (value->kind == NODE_TEXT && config_node_is_null(value))
		return config_error(reader->config, value->place, err,
							"%s has no value", key);
	return check_text(reader, key, value, err);
}

static ConfigText
text_of(const ConfigNode *value)
{
	return (ConfigText){ value->text, value->shown, value->place };
}

bool
config_value_text(ConfigReader *reader, const ConfigEntry *entry, void *place,
				  Error *err)
{
	if (!check_value(reader, entry->key, entry->value, err))
		return false;
	*(ConfigText *) place = text_of(entry->value);
	return true;
}

bool
config_value_expression(ConfigReader *reader, const ConfigEntry *entry,
						void *place, Error *err)
{
	const ConfigNode *value = entry->value;

	if (!check_text(reader, entry->key, value, err))
		return false;
	*(ConfigText *) place = text_of(value);
	return value->text[strspn(value->text, " \t\r\n")] != '\0' ||
		   config_error(reader->config, value->place, err, "%s is empty",
						entry->key);
}

/* ----------------------------------------------------------------- URLs */

/*
 * A password that ends too early would leave its rest to be taken for a host, and
 * hosts are shown.  So what stands for ${NAME} where a password is written must
 * not hold what ends one.
 */
static bool
check_password(const ConfigReader *reader, const char *key,
			   const ConfigNode *value, Error *err)
{
	const char *shown = strstr(value->shown, "://");
	const char *text = strstr(value->text, "://");
	const char *shown_at = shown != NULL ? strrchr(shown, '@') : NULL;
	const char *at = text != NULL ? strrchr(text, '@') : NULL;
	const char *colon = text != NULL ? strchr(text + 3, ':') : NULL;

	if (!value->secret || shown_at == NULL || at == NULL || colon == NULL ||
		colon > at || strcspn(colon, "/?#@") == (size_t) (at - colon))
		return true;
	config_error(reader->config, value->place, err,
				 "the password in %s, with what stands for ${...}, has a "
				 "character that ends it",
				 key);
	return error_hint(err, "write such characters as %%XX in the variable: @ "
						   "is %%40, / is %%2F, ? is %%3F, # is %%23");
}

bool
config_value_url(ConfigReader *reader, const ConfigEntry *entry, void *place,
				 Error *err)
{
	if (!check_value(reader, entry->key, entry->value, err) ||
		!check_password(reader, entry->key, entry->value, err))
		return false;
	*(ConfigText *) place = text_of(entry->value);
	return true;
}

/* ---------------------------------------------------------------- names */

/* Is every byte of it one that names have? */
static bool
has_name_bytes(const char *name)
{
	size_t len = strlen(name);

	return len > 0 &&
		   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

bool
config_name_check(const ConfigReader *reader, const char *what,
				  const char *name, ConfigPlace place, Error *err)
{
	if (!has_name_bytes(name))
		return config_error(
			reader->config, place, err,
			"\"%s\" cannot name %s: names are of a-z, 0-9 and _", name, what);
	return strlen(name) <= CONFIG_NAME_MAX ||
		   config_error(reader->config, place, err,
						"\"%s\" cannot name %s: names have %d characters at "
						"most",
						name, what, CONFIG_NAME_MAX);
}

bool
config_column_check(const ConfigReader *reader, const char *name,
					ConfigPlace place, Error *err)
{
	if (name[0] == '\0')
		return config_error(reader->config, place, err,
							"the name of a column is empty");
	return strlen(name) <= COLUMN_NAME_MAX ||
		   config_error(reader->config, place, err,
						"\"%.80s\" cannot be a column: names have %d bytes at "
						"most",
						name, COLUMN_NAME_MAX);
}

bool
config_value_name(ConfigReader *reader, const ConfigEntry *entry, void *place,
				  Error *err)
{
	const ConfigNode *value = entry->value;

	if (!config_value_text(reader, entry, place, err))
		return false;
	return (has_name_bytes(value->text) &&
			strlen(value->text) <= CONFIG_NAME_MAX) ||
		   config_error(reader->config, value->place, err,
						"%s is 1 to %d of a-z, 0-9 and _, not \"%s\"",
						entry->key, CONFIG_NAME_MAX, value->shown);
}

/* ---------------------------------------------------------------- words */

bool
config_value_flag(ConfigReader *reader, const ConfigEntry *entry, void *place,
				  Error *err)
{
	static const char *const words[] = { "true", "false", NULL };
	int word;

	if (entry->value->kind != NODE_TEXT)
		return config_value_refuse(reader, entry->key, "true or false",
								   entry->value, err);
	word = config_value_word(reader, entry->key, entry->value, words, err);
	*(bool *) place = word == 0;
	return word >= 0;
}

bool
config_value_duration(ConfigReader *reader, const ConfigEntry *entry,
					  void *place, Error *err)
{
	const ConfigNode *value = entry->value;
	int64_t *ms = place;

	if (!check_value(reader, entry->key, value, err))
		return false;
	if (!duration_parse(value->text, ms))
		return config_error(reader->config, value->place, err,
							"%s takes a duration such as 30s, 10min or 2h, not "
							"\"%s\"",
							entry->key, value->shown);
	return *ms == 0 || *ms >= REFRESH_MIN_MS ||
		   config_error(reader->config, value->place, err,
						"%s is 0 or at least 1s", entry->key);
}

int
config_value_word(const ConfigReader *reader, const char *key,
				  const ConfigNode *value, const char *const *words, Error *err)
{
	const char *near;
	char list[200] = "";
	size_t used = 0;
	int count = 0;

	if (!check_value(reader, key, value, err))
		return -1;
	for (; words[count] != NULL; count++)
	{
		if (strcmp(words[count], value->text) == 0)
			return count;
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s",
								  count == 0				 ? ""
								  : words[count + 1] == NULL ? " or "
															 : ", ",
								  words[count]);
	}
	config_error(reader->config, value->place, err, "%s is %s, not \"%s\"", key,
				 list, value->shown);
	near = suggest(value->shown, words);
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	return -1;
}

bool
config_value_on_error(ConfigReader *reader, const ConfigEntry *entry,
					  void *place, Error *err)
{
	static const char *const words[] = { "stop", "quarantine", NULL };
	int word = config_value_word(reader, entry->key, entry->value, words, err);

	*(RuleOnError *) place = word == 1 ? RULE_QUARANTINE : RULE_STOP;
	return word >= 0;
}

bool
config_value_ledger(ConfigReader *reader, const ConfigEntry *entry, void *place,
					Error *err)
{
	static const char *const words[] = { "counts", "keys", NULL };
	int word = config_value_word(reader, entry->key, entry->value, words, err);

	*(RuleLedger *) place = word == 1 ? RULE_LEDGER_KEYS : RULE_LEDGER_COUNTS;
	return word >= 0;
}

/* ---------------------------------------------------------------- lists */

static bool
list_add(const ConfigReader *reader, const char *key, const ConfigNode *item,
		 ConfigList *list, Error *err)
{
	if (!check_text(reader, key, item, err))
		return false;
	for (int i = 0; i < list->count; i++)
	{
		if (strcmp(list->items[i].text, item->text) == 0)
			return config_error(reader->config, item->place, err,
								"%s has \"%s\" twice", key, item->shown);
	}
	list->items[list->count++] = text_of(item);
	return true;
}

/* A list of text, or with single also text alone. */
static bool
read_list(ConfigReader *reader, const ConfigEntry *entry, bool single,
		  ConfigList *list, Error *err)
{
	const ConfigNode *value = entry->value;
	int count = value->kind == NODE_LIST ? value->count : 1;

	if (value->kind == NODE_MAP || (value->kind == NODE_TEXT && !single))
	{
		config_value_refuse(reader, entry->key,
							single ? "a name or a list of names" : "a list",
							value, err);
		if (value->kind == NODE_TEXT && !config_node_is_missing(value))
			error_hint(err, "write %s: [%s]", entry->key, value->shown);
		return false;
	}
	if (count == 0)
		return config_error(reader->config, value->place, err,
							"%s is an empty list", entry->key) ||
			   error_hint(err, "leave it out, or say what is in it");
	if (count > LIST_MAX)
		return config_error(reader->config, value->place, err,
							"%s has more than %d items", entry->key, LIST_MAX);
	list->items = ARENA_ARRAY(reader->arena, ConfigText, (size_t) count);
	list->count = 0;
	list->place = value->place;
	for (int i = 0; i < count; i++)
	{
		if (!list_add(reader, entry->key,
					  value->kind == NODE_LIST ? value->items[i] : value, list,
					  err))
			return false;
	}
	return true;
}

bool
config_value_columns(ConfigReader *reader, const ConfigEntry *entry,
					 void *place, Error *err)
{
	ConfigList *list = place;

	if (!read_list(reader, entry, false, list, err))
		return false;
	for (int i = 0; i < list->count; i++)
	{
		if (strlen(list->items[i].text) > COLUMN_NAME_MAX)
			return config_column_check(reader, list->items[i].shown,
									   list->items[i].place, err);
	}
	return true;
}

bool
config_value_names(ConfigReader *reader, const ConfigEntry *entry, void *place,
				   Error *err)
{
	return read_list(reader, entry, true, place, err);
}

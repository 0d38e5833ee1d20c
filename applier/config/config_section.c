/*
 * config_section.c
 *		Reading by the tables of keys: maps of one section, and maps of names
 *		that users choose.
 *
 * A top-level key that is in no table may stand for an option of the command
 * line.
 */
#include "config/config_schema.h"

#include <stdio.h>
#include <string.h>

#include "base/suggest.h"

/* Keys of so few are listed where one is unknown. */
#define LISTED_MAX 3

/* ------------------------------------------------------------- options */

/* The option that a top-level key stands for: its name with "_" for "-". */
static const ConfigOptionName *
find_option(const ConfigReader *reader, const char *key)
{
	for (int i = 0; i < reader->option_count; i++)
	{
		const char *option = reader->options[i].option;
		size_t n = 0;

		while (option[n] != '\0' &&
			   key[n] == (option[n] == '-' ? '_' : option[n]))
			n++;
		if (option[n] == '\0' && key[n] == '\0')
			return &reader->options[i];
	}
	return NULL;
}

static bool
read_option(ConfigReader *reader, const ConfigEntry *entry,
			const ConfigOptionName *name, Error *err)
{
	Config *config = reader->config;
	ConfigOption *option = &config->options[config->option_count];
	ConfigText text = { 0 };
	bool set = true;

	if (name->flag)
	{
		if (!config_value_flag(reader, entry, &set, err))
			return false;
	}
	else if (!config_value_text(reader, entry, &text, err))
	{
		if (entry->value->kind == NODE_LIST)
			error_hint(err, "write it as the option's value, in one text");
		return false;
	}
	if (!set)
		return true;
	option->option = name->option;
	option->value = text.text;
	option->secret = entry->value->secret;
	option->place = entry->value->place;
	config->option_count++;
	return true;
}

/* -------------------------------------------------------- unknown keys */

static const ConfigKey *
find_key(const ConfigSection *section, const char *name)
{
	for (int i = 0; i < section->count; i++)
	{
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	}
	return NULL;
}

/* The nearest key of the section, and on top of the options. */
static const char *
suggest_key(const ConfigReader *reader, const ConfigSection *section,
			const char *name)
{
	int options = section == &section_top ? reader->option_count : 0;
	const char **words = ARENA_ARRAY(reader->arena, const char *,
									 (size_t) (section->count + options + 1));
	int count = 0;

	for (int i = 0; i < section->count; i++)
		words[count++] = section->keys[i].name;
	for (int i = 0; i < options; i++)
	{
		char *word = arena_strdup(reader->arena, reader->options[i].option);

		words[count++] = word;
		for (; *word != '\0'; word++)
		{
			if (*word == '-')
				*word = '_';
		}
	}
	return suggest(name, words);
}

static bool
hint_keys(const ConfigSection *section, Error *err)
{
	char list[100] = "";
	size_t used = 0;

	for (int i = 0; i < section->count; i++)
		used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s",
								  i == 0 ? "" : ", ", section->keys[i].name);
	return error_hint(err, "there %s %s", section->count == 1 ? "is" : "are",
					  list);
}

static bool
refuse_key(const ConfigReader *reader, const ConfigSection *section,
		   const ConfigPair *pair, Error *err)
{
	const char *near = suggest_key(reader, section, pair->key);

	config_error(reader->config, pair->place, err,
				 "there is no key \"%s\" in %s", pair->key, section->name);
	if (near != NULL)
		return error_hint(err, "did you mean %s?", near);
	for (int i = 0; config_sections[i] != NULL; i++)
	{
		if (find_key(config_sections[i], pair->key) != NULL)
			return error_hint(err, "it is one of %s: look at the indentation",
							  config_sections[i]->name);
	}
	if (section->count <= LISTED_MAX)
		return hint_keys(section, err);
	if (find_option(reader, pair->key) != NULL)
		return error_hint(err, "it is one of the configuration: look at the "
							   "indentation");
	return false;
}

/* ------------------------------------------------------------ sections */

static bool
read_pair(ConfigReader *reader, const ConfigSection *section,
		  const ConfigPair *pair, bool late, void *record, Error *err)
{
	const ConfigKey *key = find_key(section, pair->key);
	ConfigEntry entry = { pair->key, pair->place, pair->value };
	const ConfigOptionName *option;

	if (key != NULL)
		return key->late != late ||
			   key->read(reader, &entry, (char *) record + key->offset, err);
	if (late)
		return true;
	option = section == &section_top ? find_option(reader, pair->key) : NULL;
	if (option != NULL)
		return read_option(reader, &entry, option, err);
	return refuse_key(reader, section, pair, err);
}

bool
config_section_read(ConfigReader *reader, const ConfigSection *section,
					const ConfigNode *map, void *record, Error *err)
{
	for (int late = 0; late <= 1; late++)
	{
		for (int i = 0; i < map->count; i++)
		{
			if (!read_pair(reader, section, &map->pairs[i], late == 1, record,
						   err))
				return false;
		}
	}
	return true;
}

void *
config_named_read(ConfigReader *reader, const ConfigEntry *entry,
				  const ConfigSection *section, size_t size, int *count,
				  Error *err)
{
	const ConfigNode *value = entry->value;
	char *records;

	if (value->kind != NODE_MAP)
	{
		config_value_refuse(reader, entry->key, "a map of names", value, err);
		return NULL;
	}
	if (value->count == 0)
	{
		config_error(reader->config, value->place, err, "%s is empty",
					 entry->key);
		return NULL;
	}
	records = arena_zalloc(reader->arena, (size_t) value->count, size);
	for (int i = 0; i < value->count; i++)
	{
		const ConfigPair *pair = &value->pairs[i];
		void *record = records + (size_t) i * size;

		if (!config_name_check(reader, section->name, pair->key, pair->place,
							   err))
			return NULL;
		if (pair->value->kind != NODE_MAP)
		{
			config_value_refuse(reader, pair->key, "a map", pair->value, err);
			if (pair->value->kind == NODE_TEXT)
				error_hint(err, "write %s: { %s: ... }", pair->key,
						   section->keys[0].name);
			return NULL;
		}
		*(ConfigText *) record = (ConfigText){ pair->key, pair->key,
											   pair->place };
		if (!config_section_read(reader, section, pair->value, record, err))
			return NULL;
	}
	*count = value->count;
	return records;
}

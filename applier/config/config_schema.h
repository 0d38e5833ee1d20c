/*
 * config_schema.h
 *		What keys a configuration may have, section by section, and how the value
 *		of each becomes a member of the section's struct.
 *
 * The tables are the whole grammar: keys that they do not have are refused, and
 * doc/configuration.md is tested to have an example of each.
 */
#ifndef PORTAGE_CONFIG_SCHEMA_H
#define PORTAGE_CONFIG_SCHEMA_H

#include "config/config.h"
#include "config/config_node.h"

/* What one reading of a file works on. */
typedef struct ConfigReader
{
	Config *config;
	Arena *arena;
	const ConfigOptionName *options;
	int option_count;
} ConfigReader;

/* The value of a key, and where it stands. */
typedef struct ConfigEntry
{
	const char *key;
	ConfigPlace key_place;
	const ConfigNode *value;
} ConfigEntry;

/* Put the value into the member at place; P_CONFIG. */
typedef bool (*ConfigValueReader)(ConfigReader *reader,
								  const ConfigEntry *entry, void *place,
								  Error *err);

typedef struct ConfigKey
{
	const char *name;
	ConfigValueReader read;
	size_t offset; /* of the member in the section's struct */
	bool late;	   /* read when all others of the section have been */
} ConfigKey;

typedef struct ConfigSection
{
	const char *name; /* as errors call it: "a rule" */
	const ConfigKey *keys;
	int count;
} ConfigSection;

extern const ConfigSection section_top;
extern const ConfigSection section_source;
extern const ConfigSection section_target;
extern const ConfigSection section_reference;
extern const ConfigSection section_rule;
extern const ConfigSection section_column;
extern const ConfigSection section_conflict;

/* All of them, NULL at the end. */
extern const ConfigSection *const config_sections[];

/* Every pair of the map into the record. */
bool
config_section_read(ConfigReader *reader, const ConfigSection *section,
					const ConfigNode *map, void *record, Error *err) MUST_CHECK;

/*
 * A map of names to maps of the section: an array of records of that size, each
 * of which begins with its name as a ConfigText.  NULL with an error.
 */
void *config_named_read(ConfigReader *reader, const ConfigEntry *entry,
						const ConfigSection *section, size_t size, int *count,
						Error *err);

/* ---- values of single keys: config_value.c; place is what the comment says */

/* ConfigText; not empty */
bool config_value_text(ConfigReader *reader, const ConfigEntry *entry,
					   void *place, Error *err);
/* ConfigText of SQL: null is that of SQL */
bool config_value_expression(ConfigReader *reader, const ConfigEntry *entry,
							 void *place, Error *err);
/* ConfigText: a URL, of which no message shows anything */
bool config_value_url(ConfigReader *reader, const ConfigEntry *entry,
					  void *place, Error *err);
/* ConfigText: 1 to CONFIG_NAME_MAX of a-z, 0-9 and _ */
bool config_value_name(ConfigReader *reader, const ConfigEntry *entry,
					   void *place, Error *err);
/* bool */
bool config_value_flag(ConfigReader *reader, const ConfigEntry *entry,
					   void *place, Error *err);
/* int64_t, milliseconds */
bool config_value_duration(ConfigReader *reader, const ConfigEntry *entry,
						   void *place, Error *err);
/* ConfigList of names of columns; not empty, none twice */
bool config_value_columns(ConfigReader *reader, const ConfigEntry *entry,
						  void *place, Error *err);
/* ConfigList of names: one, or a list of them */
bool config_value_names(ConfigReader *reader, const ConfigEntry *entry,
						void *place, Error *err);
/* RuleOnError, RuleLedger */
bool config_value_on_error(ConfigReader *reader, const ConfigEntry *entry,
						   void *place, Error *err);
bool config_value_ledger(ConfigReader *reader, const ConfigEntry *entry,
						 void *place, Error *err);

/* Config, ConfigRule: config_rule.c */
bool config_value_rules(ConfigReader *reader, const ConfigEntry *entry,
						void *place, Error *err);
bool config_value_rule_name(ConfigReader *reader, const ConfigEntry *entry,
							void *place, Error *err);
bool config_value_rule_columns(ConfigReader *reader, const ConfigEntry *entry,
							   void *place, Error *err);
bool config_value_operations(ConfigReader *reader, const ConfigEntry *entry,
							 void *place, Error *err);
bool config_value_on_conflict(ConfigReader *reader, const ConfigEntry *entry,
							  void *place, Error *err);

/* The index of the text among the words, NULL at the end; -1 with an error. */
int config_value_word(const ConfigReader *reader, const char *key,
					  const ConfigNode *value, const char *const *words,
					  Error *err);

/* Can the key of a map name what (such as "a source"), or a column? */
bool
config_name_check(const ConfigReader *reader, const char *what,
				  const char *name, ConfigPlace place, Error *err) MUST_CHECK;
bool config_column_check(const ConfigReader *reader, const char *name,
						 ConfigPlace place, Error *err) MUST_CHECK;

/* P_CONFIG: the key's value is of another kind than it should. */
bool
config_value_refuse(const ConfigReader *reader, const char *key,
					const char *should, const ConfigNode *value, Error *err);

/* ---- the file as a whole: config_check.c */

/* What needs more than one key to be seen. */
bool config_check(const ConfigReader *reader, Error *err) MUST_CHECK;

/* Split "into" at its dot: P_CONFIG where it cannot be. */
bool config_into_check(const ConfigReader *reader, const ConfigText *into,
					   Error *err) MUST_CHECK;

#endif /* PORTAGE_CONFIG_SCHEMA_H */

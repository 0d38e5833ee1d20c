/*
 * config.h
 *		The configuration file as values: sources, targets, references, rules.
 *
 * Everything here was read from one YAML document and checked by itself: keys are
 * known, values have their types, names that the file itself defines exist.
 * What only a database can tell (tables, columns, types) is checked when the
 * rules are compiled, with the places that are kept here.  All of it lives in the
 * caller's arena and never changes.
 */
#ifndef PORTAGE_CONFIG_H
#define PORTAGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Longest name of a migration, source, target, reference or rule: [a-z0-9_]+ */
#define CONFIG_NAME_MAX 40

/* Where something stands in the file, from 1; 0 for what is not in it. */
typedef struct ConfigPlace
{
	int line;
	int column;
} ConfigPlace;

/*
 * A string and where it stands; text is NULL where the key is not there.  People
 * are shown what is written in the file: what stands for ${NAME} may be secret.
 */
typedef struct ConfigText
{
	const char *text;  /* ${NAME} replaced */
	const char *shown; /* as written */
	ConfigPlace place;
} ConfigText;

typedef struct ConfigList
{
	ConfigText *items;
	int count;
	ConfigPlace place; /* of the list; line 0: the key is not there */
} ConfigList;

typedef struct ConfigSource
{
	ConfigText name;
	ConfigText url; /* never shown, since it may hold a password as written */
} ConfigSource;

typedef struct ConfigTarget
{
	ConfigText name;
	ConfigText url;
	ConfigText on_loss; /* instead of the option, for this target */
	ConfigText schemas; /* the same */
} ConfigTarget;

typedef enum ReferenceKind
{
	REFERENCE_QUERY, /* a query on a server */
	REFERENCE_FILE,	 /* a CSV file */
	REFERENCE_TABLE	 /* a table of the rule's own source, followed */
} ReferenceKind;

typedef struct ConfigReference
{
	ConfigText name;
	ReferenceKind kind;
	ConfigText url;		/* QUERY */
	ConfigText query;	/* QUERY */
	ConfigText file;	/* FILE; as written, relative to the configuration */
	ConfigText table;	/* TABLE: schema.table */
	ConfigText source;	/* TABLE: where there are several */
	ConfigList only;	/* TABLE: its columns; all by default */
	ConfigList key;		/* always there */
	int64_t refresh_ms; /* QUERY, FILE; 0: read once */
	bool required;		/* a key that is missing is an error, not NULL */
} ConfigReference;

typedef struct ConfigColumn
{
	ConfigText name;
	ConfigText expr;
	ConfigText type; /* a type of PostgreSQL */
} ConfigColumn;

/* bits of ConfigRule.operations */
#define RULE_INSERT 0x1
#define RULE_UPDATE 0x2
#define RULE_DELETE 0x4
#define RULE_TRUNCATE 0x8
#define RULE_ALL_OPERATIONS 0xF
#define RULE_ROWS (RULE_INSERT | RULE_UPDATE | RULE_DELETE)

typedef enum ConflictWinner
{
	CONFLICT_ERROR,
	CONFLICT_SOURCE,
	CONFLICT_TARGET,
	CONFLICT_LATEST /* by a column, or by the commit time */
} ConflictWinner;

typedef enum RuleOnError
{
	RULE_STOP,
	RULE_QUARANTINE
} RuleOnError;

typedef enum RuleLedger
{
	RULE_LEDGER_COUNTS,
	RULE_LEDGER_KEYS
} RuleLedger;

typedef struct ConfigRule
{
	ConfigPlace place;
	int number;		  /* from 1, in the order of the file */
	const char *name; /* key name, or "rule N" */
	ConfigText table; /* schema.table as in pattern.h: one, with both parts */
	ConfigText source;
	ConfigList targets; /* target: a name or a list; none: all there are.  With
						 * route: those that it may choose from */
	ConfigText route;
	ConfigText into; /* see config_into() */
	ConfigText where;
	ConfigColumn *columns;
	int column_count;
	ConfigList only;
	ConfigList omit;
	ConfigList key;
	unsigned operations; /* RULE_* */
	ConfigPlace operations_place;
	ConflictWinner on_conflict;
	ConfigPlace conflict_place; /* line 0: the key is not there */
	ConfigText latest;			/* the column, or "commit time" */
	ConfigList match;			/* with RULE_UPDATE only; excludes key */
	RuleOnError on_error;
	RuleLedger ledger;
} ConfigRule;

/* A top-level key that stands for a long option: name with "-", value as text. */
typedef struct ConfigOption
{
	const char *option;
	const char *value; /* NULL for a flag, which is true: false is not there */
	bool secret;	   /* some of the value comes from the environment */
	ConfigPlace place;
} ConfigOption;

typedef struct Config
{
	const char *path; /* as given, for messages */
	const char *folder;
	ConfigText name;
	ConfigText after; /* another migration that is to be caught up first */
	/* source: URL is one that is called "source", target: URL one "target" */
	ConfigSource *sources;
	int source_count;
	ConfigTarget *targets;
	int target_count;
	ConfigReference *references;
	int reference_count;
	bool has_rules; /* rules: is there; without it everything is migrated */
	ConfigText of_rules; /* a key at the top that is about rules, if any */
	ConfigRule *rules;
	int rule_count;
	RuleOnError on_error; /* the rules' default */
	RuleLedger ledger;
	ConfigOption *options;
	int option_count;
} Config;

/* What top-level keys stand for options; the caller's table. */
typedef struct ConfigOptionName
{
	const char *option; /* long name, with "-" */
	bool flag;			/* true or false, no value of its own */
} ConfigOptionName;

/*
 * Read and check the file.  P_CONFIG names file, line, column, and what may have
 * been meant; the first error only.
 */
bool
config_read(const char *path, const ConfigOptionName *options, int option_count,
			Arena *arena, Config *config, Error *err) MUST_CHECK;

/* The same of text, for tests and fuzzing; path is for messages. */
bool config_parse(const char *text, size_t len, const char *path,
				  const ConfigOptionName *options, int option_count,
				  Arena *arena, Config *config, Error *err) MUST_CHECK;

/* NULL if there is none of that name. */
const ConfigSource *config_source(const Config *config, const char *name);
const ConfigTarget *config_target(const Config *config, const char *name);
const ConfigReference *config_reference(const Config *config, const char *name);

/*
 * Where a rule puts a table of the source.  In "into", a part without quotes is
 * folded to lower case, as in patterns; {schema} and {table} are the source's
 * names as they are, within quotes as well.  Without "into" the names stay.
 */
void
config_into(const ConfigRule *rule, const char *schema, const char *table,
			Arena *arena, const char **into_schema, const char **into_table);

/*
 * P_CONFIG at a place of the file: "shop.yaml:12:5: ...", without the numbers where
 * line is 0.  Returns false.
 */
bool config_error(const Config *config, ConfigPlace place, Error *err,
				  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif /* PORTAGE_CONFIG_H */

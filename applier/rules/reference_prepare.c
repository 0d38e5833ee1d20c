/*
 * reference_prepare.c
 *		Which references the rules ask for, and what columns they have.
 *
 * What is asked for is found in the text of the expressions, word by word: a word
 * that only looks like a reference costs its being read.  Nothing else is known
 * before their tables are there to compile against.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "kept.h"
#include "pattern.h"
#include "rules/rule_match.h"
#include "rules/rule_reference.h"
#include "rules/rule_set_parts.h"
#include "source/query.h"
#include "text/csv_file.h"

/* in the half that a server gives out last, as derived tables have them */
#define OWN_OIDS UINT32_C(0x80000000)

/* ---- which */

static bool
is_word_byte(char c)
{
	return isalnum((unsigned char) c) || c == '_' || ((unsigned char) c & 0x80);
}

/* Does the word stand in the text, whatever it means there? */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; *at != '\0'; at++)
	{
		if (strncasecmp(at, word, len) == 0 && !is_word_byte(at[len]) &&
			(at == text || !is_word_byte(at[-1])))
			return true;
	}
	return false;
}

static bool
rule_asks(const ConfigRule *rule, const char *name)
{
	if ((rule->where.text != NULL && has_word(rule->where.text, name)) ||
		(rule->route.text != NULL && has_word(rule->route.text, name)))
		return true;
	for (int i = 0; i < rule->column_count; i++)
	{
		if (has_word(rule->columns[i].expr.text, name))
			return true;
	}
	return false;
}

/* Do rules for this source and target? */
static bool
set_asks(const RuleSet *set, const char *name)
{
	const Config *config = set->config.config;

	for (int i = 0; i < config->rule_count; i++)
	{
		const ConfigRule *rule = &config->rules[i];

		if (rule_is_for_source(rule, set->config.source) &&
			rule_goes_to(rule, set->config.target) && rule_asks(rule, name))
			return true;
	}
	return false;
}

static bool
anybody_asks(const Config *config, const char *name)
{
	for (int i = 0; i < config->rule_count; i++)
	{
		if (rule_asks(&config->rules[i], name))
			return true;
	}
	return false;
}

static bool
is_foreign(const RuleSet *set, const ConfigReference *reference)
{
	return reference->kind == REFERENCE_TABLE &&
		   reference->source.text != NULL &&
		   strcmp(reference->source.text, set->config.source) != 0;
}

const ConfigReference *
rule_reference_foreign(const RuleSet *set, const char *text)
{
	const Config *config = set->config.config;

	for (int i = 0; i < config->reference_count; i++)
	{
		const ConfigReference *reference = &config->references[i];

		if (is_foreign(set, reference) && has_word(text, reference->name.text))
			return reference;
	}
	return NULL;
}

/* ---- findings */

typedef struct Look
{
	RuleSet *set;
	const Schema *schema;
	Findings *findings;
	const ConfigReference *config;
	RuleReference *reference;
} Look;

static bool
refuse(const Look *look, const Error *err)
{
	char object[CONFIG_NAME_MAX + 16];

	snprintf(object, sizeof(object), "reference %s", look->config->name.text);
	finding_add_error(look->findings, SEVERITY_ERROR, object, err);
	return false;
}

bool
rule_reference_wrap(const RuleSet *set, const ConfigReference *reference,
					Error *err)
{
	return error_wrap(err, "%s:%d:%d: reference %s", set->config.config->path,
					  reference->name.place.line, reference->name.place.column,
					  reference->name.text);
}

static bool
unknown_column(const Look *look, const ConfigText *word, Error *err)
{
	const ExprReference *shape = &look->reference->shape;
	const char **names = ARENA_ARRAY(&look->set->arena, const char *,
									 (size_t) shape->column_count + 1);
	const char *meant;

	for (int i = 0; i < shape->column_count; i++)
		names[i] = shape->columns[i].name;
	meant = suggest(word->shown, names);
	config_error(look->set->config.config, word->place, err,
				 "reference %s: there is no column \"%s\"",
				 look->config->name.text, word->shown);
	if (meant != NULL)
		error_hint(err, "Did you mean \"%s\"?", meant);
	return refuse(look, err);
}

/* The key's columns, by name. */
static bool
take_key(const Look *look)
{
	ExprReference *shape = &look->reference->shape;
	const ConfigList *key = &look->config->key;
	Error err = ERROR_INIT;
	int *indexes = ARENA_ARRAY(&look->set->arena, int, (size_t) key->count);

	for (int i = 0; i < key->count; i++)
	{
		int column = shape->column_count - 1;

		while (column >= 0 &&
			   strcmp(shape->columns[column].name, key->items[i].text) != 0)
			column--;
		if (column < 0)
			return unknown_column(look, &key->items[i], &err);
		indexes[i] = column;
	}
	shape->key = indexes;
	shape->key_count = key->count;
	return true;
}

/* ---- a file */

char *
rule_reference_path(const RuleSet *set, const ConfigReference *reference,
					Arena *arena)
{
	if (reference->file.text[0] == '/')
		return arena_strdup(arena, reference->file.text);
	return arena_printf(arena, "%s/%s", set->config.config->folder,
						reference->file.text);
}

static bool
look_at_header(const Look *look, CsvFile *csv, Error *err)
{
	ExprReference *shape = &look->reference->shape;
	Arena *arena = &look->set->arena;
	ExprColumn *columns;
	CsvRow row;

	if (!csv_next(csv, &row, err))
		return false;
	if (row.count == 0)
		return error_set(err, P_REFERENCE,
						 "%s is empty: its first line names the columns",
						 look->config->file.shown);
	columns = ARENA_ARRAY(arena, ExprColumn, (size_t) row.count);
	for (int i = 0; i < row.count; i++)
	{
		if (row.fields[i].data == NULL || row.fields[i].len == 0)
			return error_set(err, P_REFERENCE, "%s:%d: column %d has no name",
							 look->config->file.shown, row.line, i + 1);
		columns[i].name = arena_strdup(arena, row.fields[i].data);
		columns[i].bind = EXPR_BIND_TEXT;
	}
	shape->columns = columns;
	shape->column_count = row.count;
	return true;
}

static bool
look_at_file(const Look *look, Error *err)
{
	CsvFile *csv = csv_open(
		rule_reference_path(look->set, look->config, &look->set->arena), err);
	bool ok = csv != NULL && look_at_header(look, csv, err);

	csv_close(csv);
	return ok;
}

/* ---- a query */

static bool
look_at_query(const Look *look, Error *err)
{
	Query query = { look->config->url.text, look->config->query.text };
	QueryColumns columns;

	if (!query_describe(&query, &look->set->arena, &columns, err))
		return false;
	look->reference->shape.columns = columns.columns;
	look->reference->shape.column_count = columns.count;
	return true;
}

/* ---- a table that is followed */

static const SchemaTable *
find_table(const Look *look)
{
	const char *text = look->config->table.text;

	for (int i = 0; i < look->schema->table_count; i++)
	{
		const SchemaTable *table = &look->schema->tables[i];

		if (table->root_oid == 0 &&
			pattern_list_match(
				text, strlen(text),
				(PatternText){ table->schema, strlen(table->schema) },
				(PatternText){ table->name, strlen(table->name) }))
			return table;
	}
	return NULL;
}

static bool
unknown_table(const Look *look, Error *err)
{
	Arena *arena = &look->set->arena;
	const char **names = ARENA_ARRAY(arena, const char *,
									 (size_t) look->schema->table_count + 1);
	const char *meant;

	for (int i = 0; i < look->schema->table_count; i++)
		names[i] = arena_printf(arena, "%s.%s", look->schema->tables[i].schema,
								look->schema->tables[i].name);
	meant = suggest(look->config->table.shown, names);
	config_error(look->set->config.config, look->config->table.place, err,
				 "reference %s: there is no table %s on the source",
				 look->config->name.text, look->config->table.shown);
	if (meant != NULL)
		error_hint(err, "Did you mean %s?", meant);
	return refuse(look, err);
}

/* What only names, or all that there is. */
static bool
take_columns(const Look *look, const RuleInput *input)
{
	const ConfigList *only = &look->config->only;
	ExprReference *shape = &look->reference->shape;
	size_t most = (size_t) input->column_count + (size_t) only->count;
	ExprColumn *columns = ARENA_ARRAY(&look->set->arena, ExprColumn, most);
	Error err = ERROR_INIT;
	int count = 0;

	for (int i = 0; i < input->column_count; i++)
	{
		if ((input->columns[i].flags & WIRE_COLUMN_VIRTUAL) != 0)
			continue;
		columns[count].name = input->columns[i].name;
		columns[count++].bind = expr_bind_of(input->columns[i].base_type_oid);
	}
	shape->columns = columns;
	shape->column_count = count;
	if (only->count == 0)
		return true;
	columns = ARENA_ARRAY(&look->set->arena, ExprColumn, most);
	for (int i = 0; i < only->count; i++)
	{
		int k = shape->column_count - 1;

		while (k >= 0 &&
			   strcmp(shape->columns[k].name, only->items[i].text) != 0)
			k--;
		if (k < 0)
			return unknown_column(look, &only->items[i], &err);
		columns[i] = shape->columns[k];
	}
	shape->columns = columns;
	shape->column_count = only->count;
	return true;
}

static bool
in_key(const ConfigList *key, const char *column)
{
	for (int i = 0; i < key->count; i++)
	{
		if (strcmp(key->items[i].text, column) == 0)
			return true;
	}
	return false;
}

/* Two rows never have the same key, not even within a transaction. */
static bool
key_is_unique(const ConfigList *key, const SchemaTable *table)
{
	for (int i = 0; i < table->index_count; i++)
	{
		const SchemaIndex *index = &table->indexes[i];
		bool within = true;

		if ((index->kind != SCHEMA_PRIMARY && index->kind != SCHEMA_UNIQUE) ||
			index->deferrable || !index->valid || index->predicate != NULL)
			continue;
		for (int k = 0; k < index->part_count; k++)
			within = within && index->parts[k].column != NULL &&
					 in_key(key, index->parts[k].column);
		if (within)
			return true;
	}
	return false;
}

static bool
key_refused(const Look *look, const char *why, const char *hint, Error *err)
{
	config_error(look->set->config.config, look->config->key.place, err,
				 "reference %s: %s", look->config->name.text, why);
	error_hint(err, "%s", hint);
	return refuse(look, err);
}

/* Can its rows be told apart in the stream, too? */
static bool
check_key(const Look *look, const RuleInput *input, const SchemaTable *table)
{
	const ConfigList *key = &look->config->key;
	Error err = ERROR_INIT;

	if (table->unlogged)
		return key_refused(look,
						   "an unlogged table cannot be followed: the WAL says"
						   " nothing of it",
						   "Use a query.", &err);
	if (input->partitioned)
		return key_refused(look,
						   "a partitioned table cannot be followed: only one"
						   " that is not",
						   "Use a query.", &err);
	if (!key_is_unique(key, table))
		return key_refused(look,
						   "its key is not unique in the table, by an index"
						   " that is not deferrable",
						   "Name the columns of the primary key, or of a unique"
						   " index.",
						   &err);
	for (int i = 0; i < key->count; i++)
	{
		int column = rule_input_column(input, key->items[i].text);

		BUG_UNLESS(column >= 0);
		if (input->identity == 'f' ||
			(input->columns[column].flags & WIRE_COLUMN_KEY) != 0)
			continue;
		return key_refused(
			look,
			arena_printf(&look->set->arena,
						 "\"%s\" is not in the WAL of a row that changes, or"
						 " goes",
						 key->items[i].text),
			arena_printf(&look->set->arena,
						 "ALTER TABLE %s.%s REPLICA IDENTITY FULL",
						 table->schema, table->name),
			&err);
	}
	return true;
}

/* Of its chunk in the copy: of table and reference, whoever else copies it. */
static uint32_t
own_oid(uint32_t oid, const char *name)
{
	return OWN_OIDS | (uint32_t) XXH3_64bits_withSeed(name, strlen(name), oid);
}

static bool
look_at_table(const Look *look)
{
	RuleReference *reference = look->reference;
	const SchemaTable *table = find_table(look);
	const RuleInput *input = table != NULL
								 ? rule_set_input(look->set, table->oid)
								 : NULL;
	Error err = ERROR_INIT;

	if (input == NULL)
		return unknown_table(look, &err);
	reference->input = input;
	reference->area = arena_printf(&look->set->arena, KEPT_AREA_REFERENCE "%s",
								   look->config->name.text);
	reference->oid = own_oid(input->oid, look->config->name.text);
	return take_columns(look, input) && take_key(look) &&
		   check_key(look, input, table);
}

/* ---- all */

/* False for what passes by itself; *good: nothing is wrong with it. */
static bool
look_at(const Look *look, bool *good, Error *err)
{
	const ConfigReference *config = look->config;
	Error why = ERROR_INIT;
	bool ok;

	look->reference->config = config;
	look->reference->shape.name = config->name.text;
	look->reference->shape.required = config->required;
	if (config->kind == REFERENCE_TABLE)
	{
		*good = look_at_table(look);
		return true;
	}
	ok = config->kind == REFERENCE_FILE ? look_at_file(look, &why)
										: look_at_query(look, &why);
	if (ok)
	{
		*good = take_key(look);
		return true;
	}
	(void) rule_reference_wrap(look->set, config, &why);
	*good = false;
	if (why.code == P_REFERENCE)
	{
		(void) refuse(look, &why);
		return true;
	}
	*err = why;
	return false;
}

static void
tell_unasked(const Look *look)
{
	char object[CONFIG_NAME_MAX + 16];

	if (anybody_asks(look->set->config.config, look->config->name.text))
		return;
	snprintf(object, sizeof(object), "reference %s", look->config->name.text);
	finding_add(look->findings, SEVERITY_NOTE, 0, object, "",
				"no rule asks it: it is not read");
}

bool
rule_references_prepare(RuleSet *set, const Schema *schema, Findings *findings,
						Error *err)
{
	const Config *config = set->config.config;

	set->references = ARENA_ARRAY(&set->arena, RuleReference,
								  (size_t) config->reference_count);
	for (int i = 0; i < config->reference_count; i++)
	{
		Look look = { set, schema, findings, &config->references[i],
					  &set->references[set->reference_count] };
		bool good = true;

		if (!set_asks(set, look.config->name.text))
			tell_unasked(&look);
		else if (!is_foreign(set, look.config))
		{
			if (!look_at(&look, &good, err))
				return false;
			set->reference_count += good;
			set->references_wrong |= !good;
		}
	}
	return true;
}

bool
rule_reference_clear(const RuleReference *reference, ExprDb *db, Error *err)
{
	return expr_reference_clear(db, reference->shape.name, err);
}

bool
rule_references_create(const RuleSet *set, ExprDb *db, Error *err)
{
	for (int i = 0; i < set->reference_count; i++)
	{
		if (!expr_reference_create(db, &set->references[i].shape, err))
			return rule_reference_wrap(set, set->references[i].config, err);
	}
	return true;
}

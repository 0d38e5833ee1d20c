/*
 * reference_table.c
 *		A table of the source that is followed as a reference: is it there, and can its
 *		rows be told apart in the stream?
 */
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "kept.h"
#include "pattern.h"
#include "rules/reference_parts.h"

static const SchemaTable *
find_table(const ReferenceLook *look)
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
unknown_table(const ReferenceLook *look, Error *err)
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
	return reference_refuse(look, err);
}

/* What only names, or all that there is. */
static bool
take_columns(const ReferenceLook *look, const RuleInput *input)
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
		int k = reference_column(shape, only->items[i].text);

		if (k < 0)
			return reference_unknown_column(look, &only->items[i], &err);
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
key_refused(const ReferenceLook *look, const char *why, const char *hint,
			Error *err)
{
	config_error(look->set->config.config, look->config->key.place, err,
				 "reference %s: %s", look->config->name.text, why);
	error_hint(err, "%s", hint);
	return reference_refuse(look, err);
}

/* Can its rows be told apart in the stream, too? */
static bool
check_key(const ReferenceLook *look, const RuleInput *input,
		  const SchemaTable *table)
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

bool
reference_look_at_table(const ReferenceLook *look)
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
	return take_columns(look, input) && reference_take_key(look) &&
		   check_key(look, input, table);
}

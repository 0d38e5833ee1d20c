/*
 * rule_schema_keys.c
 *		Foreign keys behind the rules.
 *
 * One stays where what it promises still holds: every row that it refers to is
 * here, in a table where the columns it refers to are a key, and no row of its own
 * outlives what it refers to.
 */
#include <string.h>

#include "rules/rule_schema_parts.h"

static void
leave_key(Making *self, const MadeTable *made, const SchemaForeignKey *key,
		  const char *why)
{
	Finding *finding = finding_add(
		self->findings, SEVERITY_NOTE, 0,
		arena_printf(self->arena, "table %s.%s", made->source->schema,
					 made->source->name),
		"", "foreign key %s is left out: %s", key->name, why);

	finding->left_behind = true;
}

/* Is each row of the source here, as long as it is there? */
static const char *
rows_missing(const Derived *derived)
{
	const ConfigRule *rule = derived->rule;

	if (derived->unchanged)
		return NULL;
	if (derived->match != NULL)
		return "a rule with match makes no rows";
	if (derived->has_where || derived->has_route)
		return "rows of it may be filtered";
	if ((derived->operations & (RULE_INSERT | RULE_UPDATE)) !=
		(RULE_INSERT | RULE_UPDATE))
		return "not all of its changes come here";
	if (rule->on_conflict == CONFLICT_TARGET ||
		rule->on_conflict == CONFLICT_LATEST)
		return "rows of it may give way to others";
	if (rule->on_error == RULE_QUARANTINE && !derived->plain)
		return "rows of it may be in quarantine";
	return NULL;
}

static bool
index_is(const SchemaIndex *index, const char *const *columns, int count)
{
	if ((index->kind != SCHEMA_PRIMARY && index->kind != SCHEMA_UNIQUE) ||
		index->predicate != NULL || index->part_count != count)
		return false;
	for (int i = 0; i < count; i++)
	{
		bool found = false;

		for (int k = 0; !found && k < count; k++)
			found = index->parts[k].column != NULL &&
					strcmp(index->parts[k].column, columns[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Do the columns make a key of the table? */
static bool
is_key(const SchemaTable *table, const char *const *columns, int count)
{
	for (int i = 0; i < table->index_count; i++)
	{
		if (index_is(&table->indexes[i], columns, count))
			return true;
	}
	return false;
}

/* Refer to what the table has become; why not, or NULL. */
static const char *
refer_to(Making *self, const MadeTable *referred, SchemaForeignKey *key)
{
	const SchemaTable *table = &referred->owner->table;
	const char *why = rows_missing(referred->derived);
	const char **names;
	SqlColumns columns;

	if (why != NULL || referred->derived->unchanged)
		return why;
	names = ARENA_ARRAY(self->arena, const char *, (size_t) key->column_count);
	derived_columns(referred->derived, referred->source, self->arena, &columns);
	for (int i = 0; i < key->column_count; i++)
	{
		names[i] = sql_column_now(&columns, key->ref_columns[i]);
		if (names[i] == NULL)
			return arena_printf(self->arena,
								"\"%s\" of %s.%s is not what it was on the"
								" source",
								key->ref_columns[i], key->ref_schema,
								key->ref_table);
	}
	if (key->set_columns)
		return "it sets some of its columns only when what it refers to goes";
	if (!is_key(table, names, key->column_count))
		return arena_printf(self->arena,
							"what it refers to is not a key of %s.%s",
							table->schema, table->name);
	key->ref_columns = names;
	key->ref_oid = table->oid;
	key->ref_schema = table->schema;
	key->ref_table = table->name;
	key->derived = true;
	return NULL;
}

/* The first of what the table has become that serves. */
static const char *
resolve(Making *self, SchemaForeignKey *key)
{
	const char *why = NULL;

	for (int i = 0; i < self->made_count; i++)
	{
		const char *now;

		if (self->made[i].source->oid != key->ref_oid)
			continue;
		now = refer_to(self, &self->made[i], key);
		if (now == NULL)
			return NULL;
		if (why == NULL)
			why = now;
	}
	return why != NULL
			   ? why
			   : arena_printf(self->arena, "table %s.%s does not come here",
							  key->ref_schema, key->ref_table);
}

/* Rows that stay behind on this side would refer to nothing. */
static const char *
outlives(const Derived *derived)
{
	unsigned needed = RULE_UPDATE | RULE_DELETE | RULE_TRUNCATE;

	return derived->unchanged || (derived->operations & needed) == needed
			   ? NULL
			   : "its rows may stay when those that they refer to go";
}

static void
resolve_table(Making *self, MadeTable *made)
{
	SchemaTable *table = &made->table;
	SchemaForeignKey *keys = ARENA_ARRAY(self->arena, SchemaForeignKey,
										 (size_t) table->foreign_key_count);
	int count = 0;

	for (int i = 0; i < table->foreign_key_count; i++)
	{
		SchemaForeignKey *key = &keys[count];
		const char *why;

		*key = table->foreign_keys[i];
		why = table->shared ? "others write to the table, too"
							: outlives(made->derived);
		if (why == NULL && key->set_columns && table->derived)
			why = "it sets some of its columns only when what it refers to"
				  " goes";
		if (why == NULL)
			why = resolve(self, key);
		if (why == NULL)
			count++;
		else
			leave_key(self, made, key, why);
	}
	table->foreign_keys = keys;
	table->foreign_key_count = count;
}

void
making_foreign_keys(Making *self)
{
	for (int i = 0; i < self->made_count; i++)
	{
		if (self->made[i].owner == &self->made[i] &&
			self->made[i].derived->match == NULL)
			resolve_table(self, &self->made[i]);
	}
}

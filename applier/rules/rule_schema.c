/*
 * rule_schema.c
 *		See rule_schema.h.
 *
 * Each table is derived by itself; then those that go into the same table are
 * brought together: the first of them, in the order of rules and of OIDs, makes it,
 * and the others must have the same columns.  A rule with match makes nothing: the
 * table whose rows it changes must have its columns.
 */
#include "rules/rule_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules/rule_derive.h"
#include "rules/rule_schema_parts.h"

void
making_wrong(Making *self, const MadeTable *made, const char *fmt, ...)
{
	char message[600];
	Error err = ERROR_INIT;
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	rule_error(self->set, made->derived->rule, made->derived->input,
			   made->derived->rule->into.place, &err, "%s", message);
	finding_add_error(self->findings, SEVERITY_ERROR,
					  arena_printf(self->arena, "table %s.%s",
								   made->source->schema, made->source->name),
					  &err);
}

const char *
making_place(const Making *self, const MadeTable *made)
{
	const ConfigRule *rule = made->derived->rule;

	if (rule == NULL)
		return "no rule";
	return arena_printf(self->arena, "%s:%d, %s, table %s.%s",
						rule_set_config(self->set)->config->path,
						rule->place.line, rule->name, made->source->schema,
						made->source->name);
}

/* ---- each by itself */

static void
add_made(Making *self, const Derived *derived, const SchemaTable *source)
{
	MadeTable *made = &self->made[self->made_count++];

	made->derived = derived;
	made->source = source;
	made->owner = made;
	if (derived->unchanged)
		made->table = *source;
	else
		derived_schema_table(derived, source, self->arena, &made->table,
							 self->findings);
}

static bool
derive_table(Making *self, const SchemaTable *source, Error *err)
{
	const Derived *const *derived;
	RuleInput input;
	int count;
	bool left = true;

	rule_input_of_schema(source, self->arena, &input);
	if (!rule_engine_derive(self->engine, &input, &derived, &count, err))
		return false;
	for (int i = 0; i < count; i++)
	{
		add_made(self, derived[i], source);
		left &= !derived[i]->unchanged;
		self->out->derived |= !derived[i]->unchanged;
	}
	if (left)
		self->out->left_out[self->out->left_out_count++] = source->oid;
	return true;
}

static bool
derive_all(Making *self, Error *err)
{
	const Schema *source = self->source;
	size_t rules = 1 + (size_t) rule_set_config(self->set)->config->rule_count;

	self->made = ARENA_ARRAY(self->arena, MadeTable,
							 (size_t) source->table_count * rules);
	self->out->left_out = ARENA_ARRAY(self->arena, uint32_t,
									  (size_t) source->table_count);
	for (int i = 0; i < source->table_count; i++)
	{
		if (source->tables[i].root_oid == 0 &&
			!derive_table(self, &source->tables[i], err))
			return false;
	}
	return true;
}

/* ---- those that are one table */

static bool
is_match(const MadeTable *made)
{
	return made->derived->match != NULL;
}

/* By name; then who makes it comes first. */
static int
compare_made(const void *left, const void *right)
{
	const MadeTable *a = *(MadeTable *const *) left;
	const MadeTable *b = *(MadeTable *const *) right;
	int order = strcmp(a->table.schema, b->table.schema);
	int a_rule = a->derived->rule != NULL ? a->derived->rule->number : 0;
	int b_rule = b->derived->rule != NULL ? b->derived->rule->number : 0;

	if (order == 0)
		order = strcmp(a->table.name, b->table.name);
	if (order == 0)
		order = is_match(a) - is_match(b);
	/* what a dump brings is there already */
	if (order == 0)
		order = b->derived->unchanged - a->derived->unchanged;
	if (order == 0)
		order = a_rule - b_rule;
	if (order == 0)
		order = a->source->oid < b->source->oid
					? -1
					: a->source->oid > b->source->oid;
	return order;
}

static bool
same_name(const MadeTable *a, const MadeTable *b)
{
	return strcmp(a->table.schema, b->table.schema) == 0 &&
		   strcmp(a->table.name, b->table.name) == 0;
}

static bool
same_key(const MadeTable *a, const MadeTable *b)
{
	if (a->derived->key_count != b->derived->key_count)
		return false;
	for (int i = 0; i < a->derived->column_count; i++)
	{
		const RuleColumn *column = &a->derived->columns[i].as;
		bool found = (column->flags & WIRE_COLUMN_KEY) == 0;

		for (int k = 0; !found && k < b->derived->column_count; k++)
			found = (b->derived->columns[k].as.flags & WIRE_COLUMN_KEY) != 0 &&
					strcmp(b->derived->columns[k].as.name, column->name) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Has the owner all columns of the other, with their types? */
static bool
has_columns(Making *self, const MadeTable *owner, const MadeTable *other)
{
	for (int i = 0; i < other->table.column_count; i++)
	{
		const SchemaColumn *column = &other->table.columns[i];
		const SchemaColumn *found = schema_column(&owner->table, column->name);

		if (found != NULL && strcmp(found->type.sql, column->type.sql) == 0)
			continue;
		if (found == NULL)
			making_wrong(
				self, other,
				"column \"%s\" is not a column of %s.%s as %s makes it",
				column->name, owner->table.schema, owner->table.name,
				making_place(self, owner));
		else
			making_wrong(self, other,
						 "column \"%s\" is of type %s, and %s as %s makes it",
						 column->name, column->type.sql, found->type.sql,
						 making_place(self, owner));
		return false;
	}
	return true;
}

static void
agree(Making *self, const MadeTable *owner, const MadeTable *other)
{
	if (!has_columns(self, owner, other) || is_match(other))
		return;
	for (int i = 0; i < owner->table.column_count; i++)
	{
		const char *name = owner->table.columns[i].name;

		if (schema_column(&other->table, name) != NULL)
			continue;
		making_wrong(self, other, "%s.%s has a column \"%s\" as %s makes it",
					 owner->table.schema, owner->table.name, name,
					 making_place(self, owner));
		return;
	}
	if (!same_key(owner, other))
		making_wrong(self, other, "%s.%s has another key as %s makes it",
					 owner->table.schema, owner->table.name,
					 making_place(self, owner));
}

/* What a rule with match changes is made by another one. */
static void
check_owner(Making *self, const MadeTable *owner)
{
	const Config *config = rule_set_config(self->set)->config;

	if (is_match(owner) && config->source_count < 2)
		making_wrong(self, owner,
					 "match is to change rows of %s.%s, and no rule makes this"
					 " table",
					 owner->table.schema, owner->table.name);
}

static void
bring_together(Making *self)
{
	MadeTable **sorted = ARENA_ARRAY(self->arena, MadeTable *,
									 (size_t) self->made_count);

	for (int i = 0; i < self->made_count; i++)
		sorted[i] = &self->made[i];
	qsort(sorted, (size_t) self->made_count, sizeof(*sorted), compare_made);
	for (int i = 0; i < self->made_count; i++)
	{
		if (i > 0 && same_name(sorted[i - 1], sorted[i]))
		{
			sorted[i]->owner = sorted[i - 1]->owner;
			sorted[i]->owner->table.conflicts |= sorted[i]->table.conflicts;
			agree(self, sorted[i]->owner, sorted[i]);
		}
		else
			check_owner(self, sorted[i]);
	}
}

/* ---- the result */

/* What is written to another's table has its columns, as far as it has any. */
static void
put_part(Making *self, const MadeTable *made, uint32_t oid)
{
	SchemaTable *out =
		&self->out->schema.tables[self->out->schema.table_count++];

	*out = made->table;
	out->oid = oid;
	out->root_oid = made->owner->table.oid;
	out->index_count = 0;
	out->foreign_key_count = 0;
	out->check_count = 0;
	/* others may lack what this one has not null: the table's own word counts */
	out->kind = 'r';
}

/* Of a partitioned table, its partitions as well. */
static void
put_made(Making *self, MadeTable *made)
{
	Schema *schema = &self->out->schema;

	if (made->owner == made)
		schema->tables[schema->table_count++] = made->table;
	else
		put_part(self, made, made->table.oid);
	for (int i = 0; i < self->source->table_count; i++)
	{
		const SchemaTable *leaf = &self->source->tables[i];

		if (leaf->root_oid != made->source->oid)
			continue;
		if (made->derived->unchanged)
			schema->tables[schema->table_count++] = *leaf;
		else
			put_part(self, made, derived_oid(made->derived, leaf->oid));
	}
}

static int
compare_tables(const void *left, const void *right)
{
	const SchemaTable *a = left;
	const SchemaTable *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

/* Views, functions and the like are said of tables that come here in any form. */
static void
put_others(Making *self)
{
	const Schema *source = self->source;
	Schema *schema = &self->out->schema;

	schema->others = ARENA_ARRAY(self->arena, SchemaOther,
								 (size_t) source->other_count);
	for (int i = 0; i < source->other_count; i++)
	{
		const SchemaOther *other = &source->others[i];
		bool comes = other->table_oid == 0 ||
					 schema_table(source, other->table_oid) == NULL;

		for (int k = 0; !comes && k < self->made_count; k++)
			comes = self->made[k].source ==
					schema_root(source, schema_table(source, other->table_oid));
		if (comes)
			schema->others[schema->other_count++] = *other;
	}
}

static void
put_schema(Making *self)
{
	const Schema *source = self->source;
	Schema *schema = &self->out->schema;
	size_t most = (size_t) self->made_count;

	for (int i = 0; i < self->made_count; i++)
	{
		for (int k = 0; k < source->table_count; k++)
			most += source->tables[k].root_oid == self->made[i].source->oid;
	}
	schema->database = source->database;
	schema->encoding = source->encoding;
	schema->collation_bytes = source->collation_bytes;
	schema->tables = ARENA_ARRAY(self->arena, SchemaTable, most);
	for (int i = 0; i < self->made_count; i++)
	{
		/* one of another source makes the table that it changes */
		if (self->made[i].owner != &self->made[i] || !is_match(&self->made[i]))
			put_made(self, &self->made[i]);
	}
	qsort(schema->tables, (size_t) schema->table_count, sizeof(SchemaTable),
		  compare_tables);
	put_others(self);
}

/* Partitions of what is left out are, too. */
static void
leave_partitions(Making *self)
{
	const Schema *source = self->source;
	RuleSchema *out = self->out;
	int roots = out->left_out_count;
	uint32_t *all = ARENA_ARRAY(self->arena, uint32_t,
								(size_t) source->table_count);
	int count = 0;

	/* the schema's tables ascend, and each is looked at once */
	for (int i = 0; i < source->table_count; i++)
	{
		const SchemaTable *table = &source->tables[i];
		uint32_t oid = table->root_oid != 0 ? table->root_oid : table->oid;

		for (int k = 0; k < roots; k++)
		{
			if (out->left_out[k] == oid)
			{
				all[count++] = table->oid;
				break;
			}
		}
	}
	out->left_out = all;
	out->left_out_count = count;
}

bool
rule_schema_make(RuleEngine *engine, const Schema *source, Arena *arena,
				 RuleSchema *out, Findings *findings, Error *err)
{
	Making self = { .engine = engine,
					.set = rule_engine_set(engine),
					.source = source,
					.arena = arena,
					.findings = findings,
					.out = out };

	memset(out, 0, sizeof(*out));
	if (rule_set_is_identity(self.set))
	{
		out->schema = *source;
		return true;
	}
	if (!derive_all(&self, err))
		return false;
	bring_together(&self);
	making_foreign_keys(&self);
	making_name_indexes(&self);
	making_sequences(&self);
	put_schema(&self);
	leave_partitions(&self);
	return true;
}

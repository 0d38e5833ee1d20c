/*
 * derived.c
 *		See derived.h; derived_schema.c has the schema.
 */
#include "rules/derived.h"

#include <string.h>

#include "rules/rule_derive.h"

static void
column_of(const DerivedColumn *from, const Relation *relation, Arena *arena,
		  Column *to)
{
	rule_column_announce(&from->as, arena, to);
	/* rows from before the column: the same as on the source, where it is one */
	if (from->from >= 0 && from->type == NULL)
	{
		Slice missing = relation->columns[from->from].missing;

		if (missing.data != NULL)
		{
			to->missing.data = arena_strndup(arena, missing.data, missing.len);
			to->missing.len = missing.len;
			to->flags |= WIRE_COLUMN_MISSING;
		}
	}
}

static char
derived_identity(const Derived *derived)
{
	if (derived->key_count > 0)
		return 'd';
	return derived->old_known ? 'f' : 'n';
}

const Relation *
derived_relation_new(const Derived *derived, const Relation *relation)
{
	Relation *out = relation_new();
	Column *columns = ARENA_ARRAY(&out->arena, Column,
								  (size_t) derived->column_count);

	out->oid = derived_oid(derived, relation->oid);
	out->storage = relation->storage;
	out->schema = arena_strdup(&out->arena, derived->schema);
	out->name = arena_strdup(&out->arena, derived->name);
	/* a partition has a number of its own, and shares the table */
	out->root_oid = relation->root_oid != 0 ? derived->oid : 0;
	out->root_schema = relation->root_oid != 0 ? out->schema : "";
	out->root_name = relation->root_oid != 0 ? out->name : "";
	out->kind = 'r';
	out->identity = derived_identity(derived);
	out->derived = true;
	out->column_count = derived->column_count;
	out->key_count = derived->key_count;
	for (int i = 0; i < derived->column_count; i++)
		column_of(&derived->columns[i], relation, &out->arena, &columns[i]);
	out->columns = columns;
	return out;
}

/* As format_type() would say it: the written type, or the source's. */
static const char *
type_text(const Derived *derived, const DerivedColumn *column,
		  const Table *table)
{
	const char *name = column->from >= 0
						   ? derived->input->columns[column->from].name
						   : column->as.name;

	if (column->type != NULL)
		return column->type->sql;
	for (int i = 0; i < table->column_count; i++)
	{
		if (strcmp(table->columns[i], name) == 0)
			return table->types[i];
	}
	for (int i = 0; i < table->generated_count; i++)
	{
		if (strcmp(table->generated[i], name) == 0)
			return table->generated_types[i];
	}
	return "text";
}

void
derived_table(const Derived *derived, const Table *table, Arena *arena,
			  Table *out)
{
	size_t count = (size_t) derived->column_count;

	*out = *table;
	out->oid = derived_oid(derived, table->oid);
	out->schema = derived->schema;
	out->name = derived->name;
	out->identity = derived->key_count > 0 ? IDENTITY_KEY
					: derived->old_known   ? IDENTITY_FULL
										   : IDENTITY_NONE;
	out->columns = ARENA_ARRAY(arena, const char *, count);
	out->types = ARENA_ARRAY(arena, const char *, count);
	out->column_count = derived->column_count;
	out->computed_count = 0;
	out->generated_count = 0;
	out->binary = false;
	out->shared = derived->shared || derived->input->partitioned;
	out->conflicts = derived->conflicts;
	/* pieces by key would have to be told apart by the derived one */
	out->identity_index = NULL;
	out->key = NULL;
	out->key_primary = false;
	out->altered = NULL;
	for (int i = 0; i < derived->column_count; i++)
	{
		out->columns[i] = derived->columns[i].as.name;
		out->types[i] = type_text(derived, &derived->columns[i], table);
	}
}

static const ShapeColumn *
source_column(const Derived *derived, const DerivedColumn *column,
			  const Shape *shape)
{
	return column->from < 0
			   ? NULL
			   : shape_column_named(shape,
									derived->input->columns[column->from].name);
}

void
derived_shape(const Derived *derived, const Shape *shape, Arena *arena,
			  Shape *out)
{
	memset(out, 0, sizeof(*out));
	out->oid = derived_oid(derived, shape->oid);
	out->schema = derived->schema;
	out->name = derived->name;
	out->kind = 'r';
	out->storage = shape->storage;
	out->root_oid = shape->root_oid != 0 ? derived->oid : 0;
	out->root = shape->root_oid == 0
					? ""
					: arena_printf(arena, "%s.%s", out->schema, out->name);
	out->key_is_primary = derived->key_count > 0;
	out->unlogged = shape->unlogged;
	out->column_count = derived->column_count;
	out->columns = ARENA_ARRAY(arena, ShapeColumn,
							   (size_t) derived->column_count);
	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		const ShapeColumn *from = source_column(derived, column, shape);
		ShapeColumn *to = &out->columns[i];

		to->num = column->as.num;
		to->name = column->as.name;
		to->type_schema = column->as.type_schema;
		to->type_name = column->as.type_name;
		to->typmod = column->as.type_oid == column->as.base_type_oid
						 ? column->as.typmod
						 : -1;
		to->not_null = (column->as.flags & WIRE_COLUMN_NOT_NULL) != 0;
		to->key = (column->as.flags & WIRE_COLUMN_KEY) != 0;
		to->type = column->type;
		if (from == NULL || column->type != NULL)
			continue;
		to->typmod = from->typmod;
		to->default_sql = from->default_sql;
		to->collation = from->collation;
		to->missing = from->missing;
		to->type = from->type;
	}
}

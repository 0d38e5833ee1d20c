/*
 * derived_schema.c
 *		The schema of one derived table; see derived.h.
 *
 * What the source's table has goes along if it means the same there: a column that
 * was computed anew, or has another type, is another column.  Lists of columns
 * follow a column to its new name; expressions and predicates do not.
 */
#include <string.h>

#include "rules/derived_parts.h"

/* ---- columns */

static const SchemaColumn *
source_column(const Derived *derived, const SchemaTable *table,
			  const DerivedColumn *column)
{
	return column->from < 0
			   ? NULL
			   : schema_column(table,
							   derived->input->columns[column->from].name);
}

/* Has it the source's values in the source's type? */
static bool
is_plain(const DerivedColumn *column, const SchemaColumn *source)
{
	return source != NULL && (column->type == NULL ||
							  strcmp(column->type->sql, source->type.sql) == 0);
}

/* The first that has the source's column, or better the one of its name. */
static const char *
name_now(const Derived *derived, const SchemaTable *table,
		 const SchemaColumn *source)
{
	const char *first = NULL;

	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];

		if (source_column(derived, table, column) != source ||
			!is_plain(column, source))
			continue;
		if (strcmp(column->as.name, source->name) == 0)
			return column->as.name;
		if (first == NULL)
			first = column->as.name;
	}
	return first;
}

void
derived_columns(const Derived *derived, const SchemaTable *table, Arena *arena,
				SqlColumns *columns)
{
	size_t count = (size_t) table->column_count;

	columns->table = table->name;
	columns->count = table->column_count;
	columns->names = ARENA_ARRAY(arena, const char *, count);
	columns->now = ARENA_ARRAY(arena, const char *, count);
	for (int i = 0; i < table->column_count; i++)
	{
		columns->names[i] = table->columns[i].name;
		columns->now[i] = name_now(derived, table, &table->columns[i]);
	}
}

static const SchemaType text_type = {
	.sql = "text",
	.oid = 25,
	.base_schema = "pg_catalog",
	.base_name = "text",
	.base_oid = 25,
	.typmod = -1,
	.kind = 'b',
	.category = 'S',
};

/* An expression in a column's place has that one's type, unless it says its own. */
static void
take_type(const Deriving *self, const DerivedColumn *column,
		  const SchemaColumn *source, SchemaColumn *out)
{
	if (source == NULL)
		source = schema_column(self->table, column->as.name);
	out->type = column->type != NULL ? *column->type
				: source != NULL	 ? source->type
									 : text_type;
	out->max_chars = -1;
	out->max_bytes = -1;
	if (column->type == NULL && source != NULL)
	{
		out->collation = source->collation;
		out->collation_bytes = source->collation_bytes;
		out->collation_nondeterministic = source->collation_nondeterministic;
	}
}

/*
 * Its values are sent, so it is never generated.  Only one of several columns of
 * the same values takes what numbers new rows, and none whose rows others number,
 * too.
 */
static void
take_plain(const Deriving *self, const SchemaColumn *source, const char *as,
		   SchemaColumn *out)
{
	const char *now = sql_column_now(&self->columns, source->name);

	*out = *source;
	if (source->generated != 0)
		out->default_sql = NULL;
	out->generated = 0;
	if (!self->derived->shared && strcmp(now, as) == 0)
		return;
	if (source->sequence != NULL)
		out->default_sql = NULL;
	out->identity = 0;
	out->sequence = NULL;
	out->numbering = NULL;
}

void
deriving_note(const Deriving *self, const char *fmt, const char *what,
			  const char *why)
{
	const char *message = arena_printf(self->arena, fmt, what, why);
	Finding *finding;

	finding = finding_add(self->notes, SEVERITY_NOTE, 0, self->object, "",
						  "%s: %s", self->derived->rule_name, message);
	finding->left_behind = true;
}

static void
take_columns(Deriving *self)
{
	const Derived *derived = self->derived;
	SchemaTable *out = self->out;

	out->column_count = derived->column_count;
	out->columns = ARENA_ARRAY(self->arena, SchemaColumn,
							   (size_t) derived->column_count);
	for (int i = 0; i < derived->column_count; i++)
	{
		const DerivedColumn *column = &derived->columns[i];
		const SchemaColumn *source = source_column(derived, self->table,
												   column);
		SchemaColumn *to = &out->columns[i];

		if (is_plain(column, source))
			take_plain(self, source, column->as.name, to);
		else
		{
			take_type(self, column, source, to);
			if (source != NULL && source->default_sql != NULL)
				deriving_note(self, "the default of column %s is left out: %s",
							  column->as.name, "it has another type");
		}
		to->name = column->as.name;
		to->num = column->as.num;
		to->not_null = (column->as.flags & WIRE_COLUMN_NOT_NULL) != 0;
	}
}

/* ---- checks and foreign keys */

static void
take_checks(Deriving *self)
{
	const SchemaTable *table = self->table;
	SchemaTable *out = self->out;

	out->checks = ARENA_ARRAY(self->arena, SchemaCheck,
							  (size_t) table->check_count);
	out->check_count = 0;
	for (int i = 0; i < table->check_count; i++)
	{
		const SchemaCheck *check = &table->checks[i];
		SchemaCheck *to = &out->checks[out->check_count];
		const char *obstacle = NULL;

		*to = *check;
		if (check->domain != NULL)
		{
			to->column = sql_column_now(&self->columns, check->column);
			out->check_count += to->column != NULL;
			continue;
		}
		obstacle = sql_first_changed(&self->columns, check->sql);
		if (obstacle == NULL)
			out->check_count++;
		else
			deriving_note(
				self,
				"check %s is left out: \"%s\" is not what it was on the"
				" source",
				check->name, obstacle);
	}
}

static void
take_foreign_key(Deriving *self, const SchemaForeignKey *key)
{
	SchemaForeignKey *to =
		&self->out->foreign_keys[self->out->foreign_key_count];

	*to = *key;
	to->derived = true;
	to->columns = ARENA_ARRAY(self->arena, const char *,
							  (size_t) key->column_count);
	for (int i = 0; i < key->column_count; i++)
	{
		to->columns[i] = sql_column_now(&self->columns, key->columns[i]);
		if (to->columns[i] != NULL)
			continue;
		deriving_note(
			self,
			"foreign key %s is left out: \"%s\" is not what it was on the"
			" source",
			key->name, key->columns[i]);
		return;
	}
	self->out->foreign_key_count++;
}

static void
take_foreign_keys(Deriving *self)
{
	const SchemaTable *table = self->table;

	self->out->foreign_keys = ARENA_ARRAY(self->arena, SchemaForeignKey,
										  (size_t) table->foreign_key_count);
	self->out->foreign_key_count = 0;
	for (int i = 0; i < table->foreign_key_count; i++)
		take_foreign_key(self, &table->foreign_keys[i]);
}

void
derived_schema_table(const Derived *derived, const SchemaTable *table,
					 Arena *arena, SchemaTable *out, Findings *notes)
{
	Deriving self = { derived, table, arena, out, notes, NULL, { 0 } };

	*out = *table;
	out->oid = derived->oid;
	out->schema = derived->schema;
	out->name = derived->name;
	out->kind = 'r';
	out->root_oid = 0;
	out->partition_key = NULL;
	out->inherits = false;
	out->derived = true;
	out->shared = derived->shared;
	out->conflicts = derived->conflicts;
	self.object = arena_printf(arena, "table %s.%s", table->schema,
							   table->name);
	derived_columns(derived, table, arena, &self.columns);
	take_columns(&self);
	deriving_take_indexes(&self);
	take_checks(&self);
	take_foreign_keys(&self);
}

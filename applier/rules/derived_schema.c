/*
 * derived_schema.c
 *		The schema of one derived table; see derived.h.
 *
 * What the source's table has goes along if it means the same there: a column that
 * was computed anew, or has another type, is another column.  Lists of columns
 * follow a column to its new name; expressions and predicates do not.
 *
 * Where others write to the table, too, what is unique in ours need not be in
 * theirs: only the derived key stays unique.
 */
#include <string.h>

#include "base/mem.h"
#include "rules/derived.h"

#define NAME_BYTES_MAX 63

typedef struct Deriving
{
	const Derived *derived;
	const SchemaTable *table; /* the source's */
	Arena *arena;
	SchemaTable *out;
	Findings *notes;
	const char *object;
	SqlColumns columns;
} Deriving;

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

static void
note(const Deriving *self, const char *fmt, const char *what, const char *why)
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
				note(self, "the default of column %s is left out: %s",
					 column->as.name, "it has another type");
		}
		to->name = column->as.name;
		to->num = column->as.num;
		to->not_null = (column->as.flags & WIRE_COLUMN_NOT_NULL) != 0;
	}
}

/* ---- indexes */

static bool
is_key_column(const Derived *derived, const char *name)
{
	for (int i = 0; i < derived->column_count; i++)
	{
		if (strcmp(derived->columns[i].as.name, name) == 0)
			return (derived->columns[i].as.flags & WIRE_COLUMN_KEY) != 0;
	}
	return false;
}

/* Is it unique in just the columns of the derived key, for every row? */
static bool
is_key(const Deriving *self, const SchemaIndex *index)
{
	if ((index->kind != SCHEMA_PRIMARY && index->kind != SCHEMA_UNIQUE) ||
		index->predicate != NULL || index->deferrable ||
		index->part_count != self->derived->key_count)
		return false;
	for (int i = 0; i < index->part_count; i++)
	{
		const char *now = index->parts[i].column == NULL
							  ? NULL
							  : sql_column_now(&self->columns,
											   index->parts[i].column);

		if (now == NULL || !is_key_column(self->derived, now))
			return false;
	}
	return true;
}

/* What keeps the index from going along: a column or a word; NULL: nothing. */
static const char *
index_obstacle(const Deriving *self, const SchemaIndex *index)
{
	for (int i = 0; i < index->part_count; i++)
	{
		const SchemaIndexPart *part = &index->parts[i];
		const char *word = NULL;

		if (part->column == NULL)
			word = sql_first_changed(&self->columns, part->sql);
		else if (sql_column_now(&self->columns, part->column) == NULL)
			word = part->column;
		if (word != NULL)
			return word;
	}
	return index->predicate != NULL
			   ? sql_first_changed(&self->columns, index->predicate)
			   : NULL;
}

static void
take_parts(const Deriving *self, const SchemaIndex *index, SchemaIndex *out)
{
	out->parts = ARENA_ARRAY(self->arena, SchemaIndexPart,
							 (size_t) index->part_count);
	for (int i = 0; i < index->part_count; i++)
	{
		SchemaIndexPart *part = &out->parts[i];
		Buffer name;

		*part = index->parts[i];
		if (part->column == NULL)
			continue;
		part->column = sql_column_now(&self->columns, part->column);
		buffer_init(&name);
		sql_put_name(&name, part->column);
		part->sql = arena_strndup(self->arena, name.data, name.len);
		buffer_release(&name);
	}
}

/* A key that is none any more is still worth an index. */
static void
make_plain(const Deriving *self, SchemaIndex *out)
{
	Buffer text;

	out->kind = SCHEMA_PLAIN;
	out->constraint = false;
	out->identity = false;
	out->deferrable = false;
	out->nulls_not_distinct = false;
	out->include_count = 0;
	out->method = "btree";
	buffer_init(&text);
	buffer_puts(&text, "USING btree (");
	for (int i = 0; i < out->part_count; i++)
		buffer_printf(&text, "%s%s", i > 0 ? ", " : "", out->parts[i].sql);
	buffer_putc(&text, ')');
	if (out->predicate != NULL)
		buffer_printf(&text, " WHERE (%s)", out->predicate);
	out->definition = arena_strndup(self->arena, text.data, text.len);
	buffer_release(&text);
}

/* Does it stay unique? */
static bool
stays_unique(const Deriving *self, const SchemaIndex *index)
{
	if (is_key(self, index))
		return true;
	if (index->kind == SCHEMA_PRIMARY && self->derived->rule->key.count > 0)
		return false;
	return !self->derived->shared;
}

static void
take_index(Deriving *self, const SchemaIndex *index)
{
	SchemaIndex *out = &self->out->indexes[self->out->index_count];
	const char *obstacle = index_obstacle(self, index);
	const char *definition = NULL;

	if (!index->valid)
		return;
	if (obstacle == NULL)
		definition = sql_index_columns(&self->columns, index->definition,
									   self->arena, &obstacle);
	if (obstacle != NULL)
	{
		note(self,
			 "index %s is left out: \"%s\" is not what it was on the source",
			 index->name, obstacle);
		return;
	}
	*out = *index;
	take_parts(self, index, out);
	out->definition = definition;
	if (index->kind != SCHEMA_PLAIN && !stays_unique(self, index))
	{
		if (index->kind == SCHEMA_EXCLUSION)
		{
			note(self, "constraint %s is left out: %s", index->name,
				 "others write to the table, too");
			return;
		}
		note(self, "%s does not stay unique: %s", index->name,
			 self->derived->shared ? "others write to the table, too"
								   : "the rule has a key of its own");
		make_plain(self, out);
	}
	self->out->index_count++;
}

/* A name of the table's with a suffix, as the server would make it. */
static const char *
name_with(const char *name, const char *suffix, Arena *arena)
{
	size_t len = strlen(name);
	size_t most = NAME_BYTES_MAX - strlen(suffix);

	if (len > most)
		len = most;
	/* not in the middle of a character */
	while (len > 0 && ((unsigned char) name[len] & 0xC0) == 0x80)
		len--;
	return arena_printf(arena, "%.*s%s", (int) len, name, suffix);
}

/* In the rule's order, or in that of the columns. */
static int
key_columns(const Deriving *self, const char **names)
{
	const Derived *derived = self->derived;
	const ConfigList *key = &derived->rule->key;
	int count = 0;

	for (int i = 0; i < key->count; i++)
		names[count++] = key->items[i].text;
	for (int i = 0; key->count == 0 && i < derived->column_count; i++)
	{
		if ((derived->columns[i].as.flags & WIRE_COLUMN_KEY) != 0)
			names[count++] = derived->columns[i].as.name;
	}
	return count;
}

/* The derived key, where no key of the source is it: first, as keys are. */
static void
make_key(Deriving *self, bool primary)
{
	SchemaTable *out = self->out;
	SchemaIndex *index = &out->indexes[0];
	const char **names = ARENA_ARRAY(self->arena, const char *,
									 (size_t) self->derived->column_count);
	Buffer text;

	memmove(index + 1, index, (size_t) out->index_count++ * sizeof(*index));
	memset(index, 0, sizeof(*index));
	index->kind = primary ? SCHEMA_PRIMARY : SCHEMA_UNIQUE;
	index->name = name_with(out->name, primary ? "_pkey" : "_key", self->arena);
	index->method = "btree";
	index->constraint = true;
	index->valid = true;
	index->identity = !primary;
	index->part_count = key_columns(self, names);
	index->parts = ARENA_ARRAY(self->arena, SchemaIndexPart,
							   (size_t) index->part_count);
	buffer_init(&text);
	buffer_puts(&text, primary ? "PRIMARY KEY (" : "UNIQUE (");
	for (int i = 0; i < index->part_count; i++)
	{
		size_t start = text.len;

		sql_put_name(&text, names[i]);
		index->parts[i].column = names[i];
		index->parts[i].sql = arena_strdup(self->arena, text.data + start);
		index->parts[i].default_opclass = true;
		buffer_puts(&text, i < index->part_count - 1 ? ", " : ")");
	}
	index->definition = arena_strndup(self->arena, text.data, text.len);
	buffer_release(&text);
}

static void
take_indexes(Deriving *self)
{
	const SchemaTable *table = self->table;
	SchemaTable *out = self->out;
	bool primary = false;
	bool key = self->derived->key_count == 0;

	out->replica_identity = self->derived->key_count > 0 ? 'd' : 'f';
	out->indexes = ARENA_ARRAY(self->arena, SchemaIndex,
							   (size_t) table->index_count + 1);
	out->index_count = 0;
	for (int i = 0; i < table->index_count; i++)
	{
		int before = out->index_count;

		take_index(self, &table->indexes[i]);
		if (out->index_count == before)
			continue;
		primary |= out->indexes[before].kind == SCHEMA_PRIMARY;
		key |= is_key(self, &table->indexes[i]);
	}
	if (!key)
		make_key(self, !primary);
	for (int i = 0; i < out->index_count; i++)
	{
		if (out->indexes[i].identity)
			out->replica_identity = 'i';
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
			note(self,
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
		note(self,
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
	take_indexes(&self);
	take_checks(&self);
	take_foreign_keys(&self);
}

/*
 * derived_indexes.c
 *		The keys and indexes of a derived table.
 *
 * Where others write to the table, too, what is unique in ours need not be in
 * theirs: only the derived key stays unique.  It is always there, as a key of the
 * source's that has just its columns, or as one that is made.
 */
#include <string.h>

#include "rules/derived_parts.h"
#include "rules/rule_derive.h"

/* Longer names are cut by PostgreSQL. */
#define NAME_BYTES_MAX 63

static bool
is_key_column(const Derived *derived, const char *name)
{
	int i = derived_column(derived, name);

	return i >= 0 && (derived->columns[i].as.flags & WIRE_COLUMN_KEY) != 0;
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
		deriving_note(
			self,
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
			deriving_note(self, "constraint %s is left out: %s", index->name,
						  "others write to the table, too");
			return;
		}
		deriving_note(self, "%s does not stay unique: %s", index->name,
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

void
deriving_take_indexes(Deriving *self)
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

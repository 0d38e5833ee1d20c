/*
 * rule_schema_names.c
 *		Names of indexes, and sequences, where one table has become several.
 *
 * In PostgreSQL an index has a name of its schema, which tables have as well.  The
 * table that comes first keeps the source's name; of others the name of their own
 * table is put before it.  A server of another kind, where names are a table's own,
 * loses nothing by it.
 */
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "rules/rule_schema_parts.h"

#define NAME_BYTES_MAX 63
#define HASH_BYTES 9 /* "_" and 8 digits */

typedef struct TakenName
{
	const char *schema;
	const char *name;
} TakenName;

typedef struct Names
{
	TakenName *names;
	int count;
} Names;

static bool
is_taken(const Names *self, const char *schema, const char *name)
{
	for (int i = 0; i < self->count; i++)
	{
		if (strcmp(self->names[i].name, name) == 0 &&
			strcmp(self->names[i].schema, schema) == 0)
			return true;
	}
	return false;
}

static void
take(Names *self, const char *schema, const char *name)
{
	self->names[self->count++] = (TakenName){ schema, name };
}

/* Told from others, and never too long. */
static const char *
other_name(const char *table, const char *index, Arena *arena)
{
	char *name = arena_printf(arena, "%s_%s", table, index);
	uint64_t hash = XXH3_64bits(name, strlen(name));
	size_t len = NAME_BYTES_MAX - HASH_BYTES;

	if (strlen(name) <= NAME_BYTES_MAX)
		return name;
	while (((unsigned char) name[len] & 0xC0) == 0x80)
		len--;
	return arena_printf(arena, "%.*s_%08x", (int) len, name, (unsigned) hash);
}

static void
name_indexes(Making *self, Names *names, SchemaTable *table)
{
	for (int i = 0; i < table->index_count; i++)
	{
		SchemaIndex *index = &table->indexes[i];

		if (table->derived && is_taken(names, table->schema, index->name))
			index->name = other_name(table->name, index->name, self->arena);
		take(names, table->schema, index->name);
	}
}

void
making_name_indexes(Making *self)
{
	Names names = { NULL, 0 };
	size_t most = (size_t) self->made_count;

	for (int i = 0; i < self->made_count; i++)
		most += (size_t) self->made[i].table.index_count;
	names.names = mem_zalloc((most + 1) * sizeof(TakenName));
	for (int i = 0; i < self->made_count; i++)
	{
		if (self->made[i].owner == &self->made[i])
			take(&names, self->made[i].table.schema, self->made[i].table.name);
	}
	/* what a dump brings cannot give way */
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < self->made_count; i++)
		{
			MadeTable *made = &self->made[i];

			if (made->owner == made && made->table.derived == (pass == 1))
				name_indexes(self, &names, &made->table);
		}
	}
	mem_free(names.names);
}

static void
lose_numbers(Making *self, const MadeTable *made, SchemaColumn *column)
{
	Finding *finding = finding_add(
		self->findings, SEVERITY_NOTE, 0,
		arena_printf(self->arena, "table %s.%s", made->source->schema,
					 made->source->name),
		"",
		"%s: column %s of %s.%s has no default: the sequence %s goes with"
		" another table",
		made->derived->rule_name, column->name, made->table.schema,
		made->table.name, column->sequence);

	finding->left_behind = true;
	column->default_sql = NULL;
	column->identity = 0;
	column->numbering = NULL;
	column->sequence = NULL;
}

/* Of what a dump brings the first, then of what the rules make in their order. */
static void
take_sequences(Making *self, Names *taken, MadeTable *made)
{
	for (int i = 0; i < made->table.column_count; i++)
	{
		SchemaColumn *column = &made->table.columns[i];

		if (column->sequence == NULL)
			continue;
		if (made->table.derived && is_taken(taken, "", column->sequence))
			lose_numbers(self, made, column);
		else
			take(taken, "", column->sequence);
	}
}

void
making_sequences(Making *self)
{
	Names taken = { NULL, 0 };
	size_t most = 0;

	for (int i = 0; i < self->made_count; i++)
		most += (size_t) self->made[i].table.column_count;
	taken.names = mem_zalloc((most + 1) * sizeof(TakenName));
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < self->made_count; i++)
		{
			MadeTable *made = &self->made[i];

			if (made->owner == made && made->table.derived == (pass == 1))
				take_sequences(self, &taken, made);
		}
	}
	mem_free(taken.names);
}

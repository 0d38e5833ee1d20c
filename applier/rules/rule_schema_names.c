/*
 * rule_schema_names.c
 *		Names of indexes where one table has become several.
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

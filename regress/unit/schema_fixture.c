/*
 * schema_fixture.c
 *		See schema_fixture.h.
 */
#include "schema_fixture.h"

#include <string.h>

void
fixture_init(SchemaFixture *fixture, bool mariadb)
{
	memset(fixture, 0, sizeof(*fixture));
	arena_init(&fixture->arena);
	fixture->schema.database = "source";
	fixture->schema.encoding = "UTF8";
	fixture->schema.tables = ARENA_ARRAY(&fixture->arena, SchemaTable,
										 FIXTURE_MAX);
	fixture->schema.others = ARENA_ARRAY(&fixture->arena, SchemaOther,
										 FIXTURE_MAX);
	fixture->target.mariadb = mariadb;
	fixture->target.version = mariadb ? 101119 : 90704;
	fixture->target.collation = mariadb ? "utf8mb4_nopad_bin"
										: "utf8mb4_0900_bin";
	fixture->target.database = "d";
}

void
fixture_release(SchemaFixture *fixture)
{
	arena_release(&fixture->arena);
}

void
fixture_on_loss(SchemaFixture *fixture, const char *on_loss)
{
	Error err = ERROR_INIT;

	if (!loss_rules_parse(on_loss, &fixture->arena, &fixture->target.losses,
						  &err))
		fixture->target.losses.count = 0;
}

SchemaTable *
fixture_table(SchemaFixture *fixture, const char *schema, const char *name)
{
	int number = fixture->schema.table_count++;
	SchemaTable *table = &fixture->schema.tables[number];

	table->oid = 16384 + (uint32_t) number;
	table->schema = schema;
	table->name = name;
	table->kind = 'r';
	table->replica_identity = 'd';
	table->columns = ARENA_ARRAY(&fixture->arena, SchemaColumn, FIXTURE_MAX);
	table->indexes = ARENA_ARRAY(&fixture->arena, SchemaIndex, FIXTURE_MAX);
	table->foreign_keys = ARENA_ARRAY(&fixture->arena, SchemaForeignKey,
									  FIXTURE_MAX);
	table->checks = ARENA_ARRAY(&fixture->arena, SchemaCheck, FIXTURE_MAX);
	return table;
}

SchemaColumn *
fixture_column(SchemaFixture *fixture, SchemaTable *table, const char *name,
			   const char *type, int32_t typmod)
{
	SchemaColumn *column = &table->columns[table->column_count++];

	(void) fixture;
	column->num = (uint16_t) table->column_count;
	column->name = name;
	column->type.sql = type;
	column->type.base_schema = "pg_catalog";
	column->type.base_name = type;
	column->type.typmod = typmod;
	column->type.kind = 'b';
	column->max_chars = -1;
	column->max_bytes = -1;
	if (type[0] == '_')
	{
		column->type.category = 'A';
		column->type.element_name = type + 1;
		column->type.element_schema = "pg_catalog";
		column->type.element_kind = 'b';
	}
	return column;
}

SchemaColumn *
fixture_key_column(SchemaFixture *fixture, SchemaTable *table, const char *name,
				   const char *type, int32_t typmod)
{
	SchemaColumn *column = fixture_column(fixture, table, name, type, typmod);

	column->not_null = true;
	return column;
}

/* The next of a list; commas inside of parentheses are its own. */
static char *
next_name(SchemaFixture *fixture, const char **list)
{
	const char *start = *list + strspn(*list, " ,");
	const char *p = start;
	int depth = 0;

	if (*start == '\0')
		return NULL;
	for (; *p != '\0' && (*p != ',' || depth > 0); p++)
		depth += (*p == '(') - (*p == ')');
	*list = p;
	return arena_strndup(&fixture->arena, start, (size_t) (p - start));
}

SchemaIndex *
fixture_index(SchemaFixture *fixture, SchemaTable *table, const char *name,
			  SchemaIndexKind kind, const char *columns)
{
	SchemaIndex *index = &table->indexes[table->index_count++];
	char *column;

	index->name = name;
	index->kind = kind;
	index->method = "btree";
	index->constraint = kind == SCHEMA_PRIMARY;
	index->valid = true;
	index->definition = "";
	index->parts = ARENA_ARRAY(&fixture->arena, SchemaIndexPart, FIXTURE_MAX);
	while ((column = next_name(fixture, &columns)) != NULL)
	{
		SchemaIndexPart *part = &index->parts[index->part_count++];

		part->column = column[0] == '(' ? NULL : column;
		part->sql = column;
		part->default_opclass = true;
	}
	return index;
}

SchemaForeignKey *
fixture_foreign_key(SchemaFixture *fixture, SchemaTable *table,
					const char *name, const char *columns,
					const SchemaTable *parent, const char *ref_columns)
{
	SchemaForeignKey *key = &table->foreign_keys[table->foreign_key_count++];
	char *column;

	key->name = name;
	key->columns = ARENA_ARRAY(&fixture->arena, const char *, FIXTURE_MAX);
	key->ref_columns = ARENA_ARRAY(&fixture->arena, const char *, FIXTURE_MAX);
	key->ref_oid = parent->oid;
	key->ref_schema = parent->schema;
	key->ref_table = parent->name;
	key->on_delete = 'a';
	key->on_update = 'a';
	key->match = 's';
	key->validated = true;
	while ((column = next_name(fixture, &columns)) != NULL)
	{
		key->columns[key->column_count] = column;
		key->ref_columns[key->column_count++] = next_name(fixture,
														  &ref_columns);
	}
	return key;
}

SchemaCheck *
fixture_check(SchemaFixture *fixture, SchemaTable *table, const char *name,
			  const char *sql)
{
	SchemaCheck *check = &table->checks[table->check_count++];

	(void) fixture;
	check->name = name;
	check->sql = sql;
	check->validated = true;
	return check;
}

void
fixture_translate(SchemaFixture *fixture)
{
	translate_schema(&fixture->schema, &fixture->target, &fixture->arena,
					 &fixture->result);
}

/* ---- the result */

const DdlEntry *
fixture_entry(const SchemaFixture *fixture, const char *type, const char *name)
{
	const Translation *base = &fixture->result.base;

	for (int i = 0; i < base->entry_count; i++)
	{
		if (strcmp(base->entries[i].type, type) == 0 &&
			strcmp(base->entries[i].name, name) == 0)
			return &base->entries[i];
	}
	return NULL;
}

const Finding *
fixture_finding(const SchemaFixture *fixture, const char *object,
				const char *message)
{
	const Findings *decisions = &fixture->result.base.decisions;

	for (int i = 0; i < decisions->count; i++)
	{
		if (strcmp(decisions->items[i].object, object) == 0 &&
			strstr(decisions->items[i].message, message) != NULL)
			return &decisions->items[i];
	}
	return NULL;
}

const TranslatedColumn *
fixture_translated(const SchemaFixture *fixture, const char *table,
				   const char *column)
{
	const Translation *base = &fixture->result.base;

	for (int i = 0; i < base->table_count; i++)
	{
		if (strcmp(base->tables[i].name, table) != 0)
			continue;
		for (int c = 0; c < base->tables[i].column_count; c++)
		{
			if (strcmp(base->tables[i].columns[c].name, column) == 0)
				return &base->tables[i].columns[c];
		}
	}
	return NULL;
}

const TableMap *
fixture_map(const SchemaFixture *fixture, const char *table)
{
	for (int i = 0; i < fixture->result.map_count; i++)
	{
		if (strcmp(fixture->result.maps[i].name, table) == 0)
			return &fixture->result.maps[i];
	}
	return NULL;
}

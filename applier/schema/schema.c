/*
 * schema.c
 *		See schema.h.
 */
#include "schema/schema.h"

#include <stddef.h>
#include <string.h>

const SchemaTable *
schema_table(const Schema *schema, uint32_t oid)
{
	for (int i = 0; i < schema->table_count; i++)
	{
		if (schema->tables[i].oid == oid)
			return &schema->tables[i];
	}
	return NULL;
}

const SchemaColumn *
schema_column(const SchemaTable *table, const char *name)
{
	for (int i = 0; i < table->column_count; i++)
	{
		if (strcmp(table->columns[i].name, name) == 0)
			return &table->columns[i];
	}
	return NULL;
}

const SchemaIndex *
schema_primary_key(const SchemaTable *table)
{
	for (int i = 0; i < table->index_count; i++)
	{
		if (table->indexes[i].kind == SCHEMA_PRIMARY)
			return &table->indexes[i];
	}
	return NULL;
}

const SchemaTable *
schema_root(const Schema *schema, const SchemaTable *table)
{
	return table->root_oid == 0 ? table : schema_table(schema, table->root_oid);
}

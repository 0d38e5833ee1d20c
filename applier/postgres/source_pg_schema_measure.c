/*
 * source_pg_schema_measure.c
 *		How long the longest texts in keys are.
 *
 * Other systems index only texts of a limited length.  Where a column's type
 * names no limit, its values do: one statement for each table with such a
 * column in a primary key, a unique index or a foreign key.  bytea counts, too.
 */
#include "postgres/source_pg_schema.h"

#include <string.h>

#include "base/log.h"

/* Text, or bytes, of any length? */
static bool
is_unlimited(const SchemaType *type)
{
	static const char *const names[] = { "text", "varchar", "bpchar", "citext",
										 "bytea" };

	if (type->typmod >= 0)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(type->base_name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
among(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
in_unique_index(const SchemaTable *table, const char *column)
{
	for (int i = 0; i < table->index_count; i++)
	{
		const SchemaIndex *index = &table->indexes[i];

		if (index->kind != SCHEMA_PRIMARY && index->kind != SCHEMA_UNIQUE)
			continue;
		for (int k = 0; k < index->part_count; k++)
		{
			if (index->parts[k].column != NULL &&
				strcmp(index->parts[k].column, column) == 0)
				return true;
		}
	}
	return false;
}

/* What a foreign key refers to is in a unique index of that table. */
static bool
in_key(const SchemaTable *table, const char *column)
{
	for (int i = 0; i < table->foreign_key_count; i++)
	{
		const SchemaForeignKey *key = &table->foreign_keys[i];

		if (among(column, key->columns, key->column_count))
			return true;
	}
	return in_unique_index(table, column);
}

static bool
is_measured(const SchemaTable *table, const SchemaColumn *column)
{
	return is_unlimited(&column->type) && in_key(table, column->name);
}

/* In the encoding that the target will have them in. */
static void
append_lengths(Buffer *sql, const SchemaColumn *column, bool convert)
{
	bool bytes = strcmp(column->type.base_name, "bytea") == 0;

	buffer_puts(sql, bytes ? "-1, max(octet_length(" : "max(char_length(");
	pg_quote_ident(sql, column->name);
	if (bytes)
		buffer_puts(sql, "))");
	else
	{
		buffer_printf(sql, "::text)), max(octet_length(%s",
					  convert ? "convert_to(" : "");
		pg_quote_ident(sql, column->name);
		buffer_puts(sql, convert ? "::text, 'UTF8')))" : "::text))");
	}
}

/* An empty table has nothing to measure: its columns hold 0. */
static bool
measure_table(SchemaRead *read, SchemaTable *table, const char *columns,
			  Error *err)
{
	PGresult *res;
	int field = 0;
	Buffer sql;

	log_debug("table %s.%s: measuring the texts in its keys", table->schema,
			  table->name);
	buffer_init(&sql);
	buffer_printf(&sql, "SELECT %s FROM %s", columns,
				  table->kind == 'r' ? "ONLY " : "");
	pg_quote_table(&sql, table->schema, table->name);
	res = pg_query(read->conn, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return error_wrap(err, "table %s.%s", table->schema, table->name);
	for (int i = 0; i < table->column_count; i++)
	{
		SchemaColumn *column = &table->columns[i];

		if (!is_measured(table, column))
			continue;
		column->max_chars = pg_value_int(res, 0, field++);
		column->max_bytes = pg_value_int(res, 0, field++);
	}
	PQclear(res);
	return true;
}

bool
source_pg_schema_measure(SchemaRead *read, Error *err)
{
	bool convert = strcmp(read->schema->encoding, "UTF8") != 0 &&
				   strcmp(read->schema->encoding, "SQL_ASCII") != 0;
	bool ok = true;
	Buffer columns;

	buffer_init(&columns);
	for (int i = 0; ok && i < read->schema->table_count; i++)
	{
		SchemaTable *table = &read->schema->tables[i];

		buffer_reset(&columns);
		for (int k = 0; table->root_oid == 0 && k < table->column_count; k++)
		{
			if (!is_measured(table, &table->columns[k]))
				continue;
			if (columns.len > 0)
				buffer_puts(&columns, ", ");
			append_lengths(&columns, &table->columns[k], convert);
		}
		if (columns.len > 0)
			ok = measure_table(read, table, columns.data, err);
	}
	buffer_release(&columns);
	return ok;
}

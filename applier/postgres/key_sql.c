/*
 * key_sql.c
 *		See key_sql.h.
 */
#include "postgres/key_sql.h"

#include <string.h>

#include "plan/plan.h"
#include "postgres/pg_conn.h"

void
key_sql_type(Buffer *sql, const Column *column)
{
	pg_quote_table(sql, column->base_schema, column->base_name);
}

/*
 * Where the operators of an extension's types are not: citext would be compared
 * as text, and its index left alone.  They stand in the schema of their type.
 * Enums, composites, arrays and ranges have theirs in pg_catalog.
 */
void
key_sql_operator(Buffer *sql, const Column *column, const char *name)
{
	if (strcmp(column->base_schema, "pg_catalog") == 0 ||
		strchr("ACERP", column->category) != NULL)
	{
		buffer_printf(sql, " %s ", name);
		return;
	}
	buffer_puts(sql, " OPERATOR(");
	pg_quote_ident(sql, column->base_schema);
	buffer_printf(sql, ".%s) ", name);
}

/*
 * A nominated index may have another collation than its column: then rows that
 * the index tells apart may be equal to the column, and the column's equality
 * does not use the index.  Bytes are what both of them have.  (A primary key
 * has its columns' collations.)
 */
static bool
needs_same_bytes(const Relation *relation, const Column *column)
{
	return relation->identity == 'i' && column->category == 'S' &&
		   strcmp(column->base_schema, "pg_catalog") == 0 &&
		   (strcmp(column->base_name, "text") == 0 ||
			strcmp(column->base_name, "varchar") == 0);
}

/*
 * A domain is compared as what it is over, on both sides: operators that take
 * any enum, or any of an extension's types, do not see through a domain.  An
 * index does, so it is used all the same.
 */
void
key_sql_equals(Buffer *sql, const Relation *relation, int column,
			   const char *left, const char *right)
{
	const Column *col = &relation->columns[column];

	buffer_puts(sql, left);
	if (col->type_oid != col->base_type_oid)
	{
		buffer_puts(sql, "::");
		key_sql_type(sql, col);
	}
	key_sql_operator(sql, col, "=");
	buffer_printf(sql, "%s::", right);
	key_sql_type(sql, col);
	if (!needs_same_bytes(relation, col))
		return;
	buffer_printf(sql, " AND %s COLLATE \"C\" = %s::", left, right);
	key_sql_type(sql, col);
}

static bool
is_key(const Relation *relation, int column)
{
	return (relation->columns[column].flags & WIRE_COLUMN_KEY) != 0;
}

static void
put_assignment(Buffer *sql, const char *before, const char *column,
			   const char *from)
{
	buffer_puts(sql, before);
	pg_quote_ident(sql, column);
	buffer_printf(sql, " = %s.", from);
	pg_quote_ident(sql, column);
}

/* A row of nothing but its key is there already: then it is only looked at. */
static void
put_overwrite(Buffer *sql, const Relation *relation, const uint8_t *columns)
{
	const char *before = " DO UPDATE SET ";
	int key = 0;

	for (int i = 0; i < relation->column_count; i++)
	{
		if (is_key(relation, i))
			key = i;
		else if (plan_column_in(columns, i))
		{
			put_assignment(sql, before, relation->columns[i].name, "excluded");
			before = ", ";
		}
	}
	if (before[0] == ' ')
		put_assignment(sql, before, relation->columns[key].name, "t");
}

void
key_sql_conflict(Buffer *sql, const Relation *relation, const uint8_t *columns)
{
	const char *before = " ON CONFLICT (";

	for (int i = 0; i < relation->column_count; i++)
	{
		if (!is_key(relation, i))
			continue;
		buffer_puts(sql, before);
		pg_quote_ident(sql, relation->columns[i].name);
		before = ", ";
	}
	buffer_putc(sql, ')');
	if (columns == NULL)
		buffer_puts(sql, " DO NOTHING");
	else
		put_overwrite(sql, relation, columns);
}

/*
 * key_sql.c
 *		See key_sql.h.
 */
#include "postgres/key_sql.h"

#include <string.h>

#include "postgres/pg_conn.h"

void
key_sql_type(Buffer *sql, const Column *column)
{
	pg_quote_table(sql, column->base_schema, column->base_name);
}

/*
 * The session's search_path is pg_catalog, where the operators of an
 * extension's types are not: citext would be compared as text, and its index
 * left alone.  They stand in the schema of their type.  Enums, composites,
 * arrays and ranges have theirs in pg_catalog.
 */
static void
put_equals(Buffer *sql, const Column *column)
{
	if (strcmp(column->base_schema, "pg_catalog") == 0 ||
		strchr("ACERP", column->category) != NULL)
	{
		buffer_puts(sql, " = ");
		return;
	}
	buffer_puts(sql, " OPERATOR(");
	pg_quote_ident(sql, column->base_schema);
	buffer_puts(sql, ".=) ");
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
	put_equals(sql, col);
	buffer_printf(sql, "%s::", right);
	key_sql_type(sql, col);
	if (!needs_same_bytes(relation, col))
		return;
	buffer_printf(sql, " AND %s COLLATE \"C\" = %s::", left, right);
	key_sql_type(sql, col);
}

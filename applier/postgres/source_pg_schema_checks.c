/*
 * source_pg_schema_checks.c
 *		Checks of the selected tables, and of the domains of their columns.
 *
 * A domain's check becomes one of each column that has the domain, directly or
 * through another domain.
 */
#include "postgres/source_pg_schema.h"

#define CHECKS_SQL                                                     \
	"SELECT k.conrelid, k.conname, pg_get_expr(k.conbin, k.conrelid)," \
	" k.convalidated, obj_description(k.oid, 'pg_constraint')"         \
	" FROM" SCHEMA_WHOLE_TABLES " JOIN pg_constraint k"                \
	"  ON k.conrelid = t.oid AND k.contype = 'c'"                      \
	" ORDER BY k.conrelid, k.conname"

#define DOMAIN_CHECKS_SQL                                                     \
	"SELECT k.contypid, k.conname, pg_get_expr(k.conbin, 0), k.convalidated," \
	" obj_description(k.oid, 'pg_constraint')"                                \
	" FROM pg_constraint k WHERE k.contypid <> 0 AND k.contype = 'c'"         \
	" ORDER BY k.contypid, k.conname"

static void
take_check(SchemaRead *read, const PGresult *res, int row, SchemaCheck *check)
{
	check->name = schema_text(read, res, row, 1);
	check->sql = schema_text(read, res, row, 2);
	check->validated = pg_value_bool(res, row, 3);
	check->comment = schema_text(read, res, row, 4);
}

static void
take_domain_checks(SchemaRead *read, const PGresult *res)
{
	read->domain_check_count = PQntuples(res);
	read->domain_checks = ARENA_ARRAY(read->arena, DomainCheck,
									  (size_t) read->domain_check_count);
	for (int row = 0; row < read->domain_check_count; row++)
	{
		DomainCheck *check = &read->domain_checks[row];

		check->domain_oid = schema_oid(res, row, 0);
		take_check(read, res, row, &check->check);
	}
}

/* Those of the domains of one column; into checks unless that is NULL. */
static int
column_checks(const SchemaRead *read, const SchemaColumn *column,
			  SchemaCheck *checks)
{
	const CatalogType *type = schema_type_find(read, column->type.oid);
	int count = 0;

	for (; type != NULL && type->kind == 'd';
		 type = schema_type_find(read, type->base_oid))
	{
		for (int i = 0; i < read->domain_check_count; i++)
		{
			if (read->domain_checks[i].domain_oid != type->oid)
				continue;
			if (checks != NULL)
			{
				checks[count] = read->domain_checks[i].check;
				checks[count].domain = arena_printf(read->arena, "%s.%s",
													type->schema, type->name);
				checks[count].column = column->name;
			}
			count++;
		}
	}
	return count;
}

/* Its own come first. */
static void
table_checks(SchemaRead *read, const PGresult *res, int first, int own,
			 SchemaTable *table)
{
	int count = own;

	for (int i = 0; table->root_oid == 0 && i < table->column_count; i++)
		count += column_checks(read, &table->columns[i], NULL);
	table->check_count = count;
	table->checks = ARENA_ARRAY(read->arena, SchemaCheck, (size_t) count);
	for (count = 0; count < own; count++)
		take_check(read, res, first + count, &table->checks[count]);
	for (int i = 0; table->root_oid == 0 && i < table->column_count; i++)
		count += column_checks(read, &table->columns[i], &table->checks[count]);
}

bool
source_pg_schema_checks(SchemaRead *read, Error *err)
{
	PGresult *res = pg_query(read->conn, err, DOMAIN_CHECKS_SQL);
	int row = 0;

	if (res == NULL)
		return false;
	take_domain_checks(read, res);
	PQclear(res);
	res = schema_query(read, CHECKS_SQL, err);
	if (res == NULL)
		return false;
	for (int i = 0; i < read->schema->table_count; i++)
	{
		SchemaTable *table = &read->schema->tables[i];
		int own = schema_rows_of(res, &row, table->oid);

		table_checks(read, res, row, own, table);
	}
	PQclear(res);
	return true;
}

/*
 * source_pg_schema_types.c
 *		Types of the selected tables' columns, with all that they are made of:
 *		what is below domains, elements of arrays, labels of enums.
 */
#include "postgres/source_pg_schema.h"

#include <stdlib.h>
#include <string.h>

/*
 * int2vector and oidvector have elements as well, but are no arrays: the
 * element's type says which one its array is.
 */
#define TYPES_SQL(some)                                                        \
	"WITH RECURSIVE used (oid) AS (" some                                      \
	" UNION SELECT p.oid FROM used u JOIN pg_type y ON y.oid = u.oid"          \
	"  JOIN pg_type p ON p.oid = y.typbasetype AND y.typtype = 'd'"            \
	"   OR p.oid = y.typelem AND p.typarray = y.oid)"                          \
	" SELECT y.oid, n.nspname, y.typname, y.typtype, y.typcategory,"           \
	" y.typbasetype, y.typtypmod, y.typnotnull,"                               \
	" coalesce(pg_get_expr(y.typdefaultbin, 0), quote_literal(y.typdefault))," \
	" CASE WHEN e.typarray = y.oid THEN e.oid ELSE 0 END, y.typcollation"      \
	" FROM used u JOIN pg_type y ON y.oid = u.oid"                             \
	" JOIN pg_namespace n ON n.oid = y.typnamespace"                           \
	" LEFT JOIN pg_type e ON e.oid = y.typelem ORDER BY y.oid"

#define TYPES_OF_TABLES                                            \
	" SELECT DISTINCT a.atttypid FROM" SCHEMA_TABLES               \
	"  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0" \
	"   AND NOT a.attisdropped"

#define LABELS_SQL                                   \
	"SELECT e.enumtypid, e.enumlabel FROM pg_enum e" \
	" WHERE e.enumtypid = ANY ($1::oid[]) ORDER BY e.enumtypid, e.enumsortorder"

static int
compare_types(const void *left, const void *right)
{
	const CatalogType *a = left;
	const CatalogType *b = right;

	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

const CatalogType *
schema_type_find(const SchemaRead *read, uint32_t oid)
{
	CatalogType key = { .oid = oid };

	if (oid == 0 || read->type_count == 0)
		return NULL;
	return bsearch(&key, read->types, (size_t) read->type_count,
				   sizeof(CatalogType), compare_types);
}

static void
take_types(SchemaRead *read, const PGresult *res)
{
	read->type_count = PQntuples(res);
	read->types = ARENA_ARRAY(read->arena, CatalogType,
							  (size_t) read->type_count);
	for (int row = 0; row < read->type_count; row++)
	{
		CatalogType *type = &read->types[row];

		type->oid = schema_oid(res, row, 0);
		type->schema = schema_text(read, res, row, 1);
		type->name = schema_text(read, res, row, 2);
		type->kind = schema_char(res, row, 3);
		type->category = schema_char(res, row, 4);
		type->base_oid = schema_oid(res, row, 5);
		type->typmod = (int32_t) pg_value_int(res, row, 6);
		type->not_null = pg_value_bool(res, row, 7);
		type->default_sql = schema_text(read, res, row, 8);
		type->element_oid = schema_oid(res, row, 9);
		type->collation_oid = schema_oid(res, row, 10);
	}
}

/* Both in the order of OIDs. */
static void
take_labels(SchemaRead *read, const PGresult *res)
{
	int row = 0;

	for (int i = 0; i < read->type_count; i++)
	{
		CatalogType *type = &read->types[i];

		type->label_count = schema_rows_of(res, &row, type->oid);
		type->labels = ARENA_ARRAY(read->arena, const char *,
								   (size_t) type->label_count);
		for (int k = 0; k < type->label_count; k++)
			type->labels[k] = schema_text(read, res, row + k, 1);
	}
}

static PGresult *
query_labels(SchemaRead *read, Error *err)
{
	const char *params[1];
	const char *comma = "";
	PGresult *res;
	Buffer oids;

	buffer_init(&oids);
	buffer_putc(&oids, '{');
	for (int i = 0; i < read->type_count; i++)
	{
		if (read->types[i].kind != 'e')
			continue;
		buffer_printf(&oids, "%s%u", comma, read->types[i].oid);
		comma = ",";
	}
	buffer_putc(&oids, '}');
	params[0] = oids.data;
	res = pg_query_params(read->conn, err, LABELS_SQL, 1, params);
	buffer_release(&oids);
	return res;
}

/* And the labels of those that are enums; takes over res. */
static bool
take_all(SchemaRead *read, PGresult *res, Error *err)
{
	if (res == NULL)
		return false;
	take_types(read, res);
	PQclear(res);
	res = query_labels(read, err);
	if (res == NULL)
		return false;
	take_labels(read, res);
	PQclear(res);
	return true;
}

bool
source_pg_schema_types(SchemaRead *read, Error *err)
{
	return take_all(read, schema_query(read, TYPES_SQL(TYPES_OF_TABLES), err),
					err);
}

bool
source_pg_schema_type(SchemaRead *read, const char *oid, Error *err)
{
	const char *params[] = { oid };

	return take_all(read,
					pg_query_params(read->conn, err,
									TYPES_SQL(" SELECT $1::oid"), 1, params),
					err);
}

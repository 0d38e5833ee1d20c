/*
 * source_pg_shapes.c
 *		What the source's tables look like, and the key of its DDL messages.
 */
#include "postgres/source_pg_copy.h"

#include <string.h>

#include "base/hex.h"

#define SHAPES_SQL                                                          \
	"SELECT c.oid, n.nspname, c.relname, c.relkind,"                        \
	" CASE WHEN c.relkind = 'r' THEN c.relfilenode ELSE 0 END,"             \
	" CASE WHEN r.oid = c.oid THEN 0 ELSE coalesce(r.oid, 0) END,"          \
	" rn.nspname, r.relname FROM pg_class c"                                \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                        \
	" LEFT JOIN pg_class r ON c.relispartition"                             \
	"  AND r.oid = pg_partition_root(c.oid)"                                \
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"                 \
	" WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"            \
	" AND c.oid >= 16384"                                                   \
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')" \
	" AND NOT EXISTS (SELECT FROM pg_depend d"                              \
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"          \
	"  AND d.deptype = 'e') ORDER BY c.oid"

#define SHAPE_COLUMNS_SQL                                           \
	"SELECT a.attrelid, a.attnum, a.attname, n.nspname, t.typname," \
	" a.atttypmod, a.attnotnull FROM pg_attribute a"                \
	" JOIN pg_class c ON c.oid = a.attrelid"                        \
	" JOIN pg_type t ON t.oid = a.atttypid"                         \
	" JOIN pg_namespace n ON n.oid = t.typnamespace"                \
	" WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"    \
	" AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped"   \
	" ORDER BY a.attrelid, a.attnum"

/* NULL as well where one may not ask: then there is no key for us. */
#define KEY_TABLE_SQL                                                     \
	"SELECT c.oid IS NOT NULL AND has_schema_privilege(n.oid, 'USAGE')"   \
	" AND has_table_privilege(c.oid, 'SELECT')"                           \
	" FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid" \
	"  AND c.relname = 'ddl_key' AND c.relkind = 'r'"                     \
	" WHERE n.nspname = 'portage'"

static int
shapes_take(const SourceConfig *config, const PGresult *res, Arena *arena,
			Shape *shapes)
{
	int count = 0;

	for (int row = 0; row < PQntuples(res); row++)
	{
		const char *schema = pg_value(res, row, 1);
		const char *name = pg_value(res, row, 2);
		Shape *shape = &shapes[count];

		if (!source_pg_selected(config, schema, name, pg_value(res, row, 6),
								pg_value(res, row, 7)))
			continue;
		shape->oid = (uint32_t) pg_value_int(res, row, 0);
		shape->schema = arena_strdup(arena, schema);
		shape->name = arena_strdup(arena, name);
		shape->kind = pg_value(res, row, 3)[0];
		shape->storage = (uint32_t) pg_value_int(res, row, 4);
		shape->root_oid = (uint32_t) pg_value_int(res, row, 5);
		shape->root = "";
		count++;
	}
	return count;
}

/* The columns of the tables, both in the order of their OIDs. */
static void
shapes_columns(const PGresult *res, Arena *arena, Shape *shapes, int count)
{
	int rows = PQntuples(res);
	int row = 0;

	for (int i = 0; i < count; i++)
	{
		Shape *shape = &shapes[i];
		int first;

		while (row < rows && (uint32_t) pg_value_int(res, row, 0) < shape->oid)
			row++;
		first = row;
		while (row < rows && (uint32_t) pg_value_int(res, row, 0) == shape->oid)
			row++;
		shape->column_count = row - first;
		shape->columns = ARENA_ARRAY(arena, ShapeColumn,
									 (size_t) shape->column_count);
		for (int c = 0; c < shape->column_count; c++)
		{
			ShapeColumn *column = &shape->columns[c];

			column->num = (uint16_t) pg_value_int(res, first + c, 1);
			column->name = arena_strdup(arena, pg_value(res, first + c, 2));
			column->type_schema = arena_strdup(arena,
											   pg_value(res, first + c, 3));
			column->type_name = arena_strdup(arena,
											 pg_value(res, first + c, 4));
			column->typmod = (int32_t) pg_value_int(res, first + c, 5);
			column->not_null = pg_value_bool(res, first + c, 6);
		}
	}
}

bool
source_pg_shapes_list(Source *source, const SnapshotRef *snapshot, Arena *arena,
					  Shape **shapes, int *count, Error *err)
{
	PgConn *conn = source_pg_snapshot_session((SourcePg *) source, "catalog",
											  snapshot, err);
	PGresult *columns = NULL;
	PGresult *res;

	if (conn == NULL)
		return false;
	res = pg_query(conn, err, SHAPES_SQL);
	if (res != NULL)
		columns = pg_query(conn, err, SHAPE_COLUMNS_SQL);
	if (columns != NULL)
	{
		*shapes = ARENA_ARRAY(arena, Shape, (size_t) PQntuples(res));
		*count = shapes_take(source->config, res, arena, *shapes);
		shapes_columns(columns, arena, *shapes, *count);
	}
	PQclear(res);
	pg_conn_close(conn);
	if (columns == NULL)
		return error_wrap(err, "list of columns");
	PQclear(columns);
	return true;
}

/* bytea_output is hex in every session of ours. */
static bool
key_parse(const char *text, unsigned char key[DDL_KEY_SIZE])
{
	return strlen(text) == DDL_KEY_SIZE * 2 + 2 &&
		   hex_get(key, text + 2, DDL_KEY_SIZE);
}

bool
source_pg_ddl_key(Source *source, unsigned char key[DDL_KEY_SIZE], bool *known,
				  Error *err)
{
	PgConn *conn = source_pg_session((SourcePg *) source, "catalog", false,
									 err);
	PGresult *res;
	bool readable;

	*known = false;
	if (conn == NULL)
		return false;
	res = pg_query(conn, err, KEY_TABLE_SQL);
	readable = res != NULL && PQntuples(res) == 1 && pg_value_bool(res, 0, 0);
	if (readable)
	{
		PQclear(res);
		res = pg_query(conn, err, "SELECT key FROM portage.ddl_key");
		*known = res != NULL && PQntuples(res) == 1 &&
				 key_parse(pg_value(res, 0, 0), key);
	}
	PQclear(res);
	pg_conn_close(conn);
	return res != NULL;
}

/*
 * source_pg_needs_schema.c
 *		In which schemas does a migration create something?
 *
 * Where a target has such a schema already, as it has public, its role must be
 * let in.  What is created is decided by dump_select.c, from a dump; here, where
 * none is made yet, it is foreseen from the catalog.
 */
#include "postgres/source_pg_needs.h"

#include <string.h>

#include "postgres/source_pg_copy.h"

/* what is nobody's to carry */
#define OTHER_SCHEMAS                                        \
	" n.nspname NOT IN ('pg_catalog', 'information_schema'," \
	" 'portage') AND n.nspname !~ '^pg_(toast|temp)'"

/* Not a table, nor the sequence of one; word and what else is to be known. */
static const char objects_sql[] =
	"SELECT 'pg_class'::regclass AS class, c.oid AS oid,"
	"  c.relnamespace AS namespace, CASE c.relkind WHEN 'v' THEN 'view'"
	"   WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'"
	"   ELSE 'sequence' END AS word, c.relname AS name,"
	"  c.relkind IN ('v', 'm') AS perhaps FROM pg_class c"
	"  WHERE c.relkind IN ('v', 'm', 'f', 'S') AND c.relpersistence <> 't'"
	"  AND NOT EXISTS (SELECT FROM pg_depend d"
	"   WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass"
	"   AND d.objid = c.oid AND d.refclassid = d.classid"
	"   AND d.refobjsubid > 0 AND d.deptype = 'a')"
	" UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typnamespace, 'type',"
	"  t.typname, false FROM pg_type t LEFT JOIN pg_class c"
	"  ON c.oid = t.typrelid WHERE t.typtype IN ('d', 'e', 'r')"
	"  OR t.typtype = 'c' AND c.relkind = 'c'"
	"  OR t.typtype = 'b' AND t.typcategory <> 'A'"
	" UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace, 'function',"
	"  proname, false FROM pg_proc"
	" UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace,"
	"  'operator', oprname, false FROM pg_operator"
	" UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace,"
	"  'operator class', opcname, false FROM pg_opclass"
	" UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfnamespace,"
	"  'operator family', opfname, false FROM pg_opfamily"
	" UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace,"
	"  'collation', collname, false FROM pg_collation"
	" UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace,"
	"  'conversion', conname, false FROM pg_conversion"
	" UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace,"
	"  'text search configuration', cfgname, false FROM pg_ts_config"
	" UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace,"
	"  'text search dictionary', dictname, false FROM pg_ts_dict";

/*
 * A schema with one object: each of its tables, because patterns may leave that
 * out, with the root of the partition it may be; then one of all others.  Views
 * go with the tables that they read: with patterns, they are created perhaps.
 */
static const char schemas_sql[] =
	"SELECT n.nspname, 'table ' || n.nspname || '.' || c.relname, c.relname,"
	" rn.nspname, r.relname, false"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
	" AND c.oid >= 16384 AND" OTHER_SCHEMAS
	" AND NOT EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.deptype = 'e') UNION ALL SELECT n.nspname,"
	" min(o.word || ' ' || n.nspname || '.' || o.name), NULL, NULL, NULL,"
	" o.perhaps FROM (%s) AS o JOIN pg_namespace n ON n.oid = o.namespace"
	" WHERE o.oid >= 16384 AND" OTHER_SCHEMAS
	" AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class"
	"  AND d.objid = o.oid AND d.deptype IN ('e', 'i'))"
	" GROUP BY n.nspname, o.perhaps ORDER BY 1, 6, 3 NULLS LAST";

/* Of each schema the first object that is created. */
static int
take_schemas(const SourceConfig *config, const PGresult *res, Arena *arena,
			 Need *needs)
{
	const char *last = NULL;
	int count = 0;

	for (int i = 0; i < PQntuples(res); i++)
	{
		const char *schema = pg_value(res, i, 0);
		bool table = !pg_is_null(res, i, 2);

		if ((last != NULL && strcmp(schema, last) == 0) ||
			(table &&
			 !source_pg_selected(config, schema, pg_value(res, i, 2),
								 pg_value(res, i, 3), pg_value(res, i, 4))))
			continue;
		last = schema;
		needs[count++] = (Need){
			.kind = NEED_SCHEMA,
			.name = arena_strdup(arena, schema),
			.detail = arena_strdup(arena, pg_value(res, i, 1)),
			.perhaps = pg_value_bool(res, i, 5) && source_pg_selects(config),
		};
	}
	return count;
}

bool
source_pg_needs_schemas(SourcePg *self, Arena *arena, Needs *needs, Error *err)
{
	Buffer sql;
	PGresult *res;
	Need *items;

	buffer_init(&sql);
	buffer_printf(&sql, schemas_sql, objects_sql);
	res = pg_query(self->sql, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	items = ARENA_ARRAY(arena, Need,
						(size_t) needs->count + (size_t) PQntuples(res));
	if (needs->count > 0)
		memcpy(items, needs->items, (size_t) needs->count * sizeof(Need));
	needs->items = items;
	needs->count += take_schemas(self->base.config, res, arena,
								 items + needs->count);
	PQclear(res);
	return true;
}

/*
 * source_pg_schema_others.c
 *		Whatever else the source has: a target of another kind names it, and
 *		leaves it out.
 *
 * What extensions brought stands for the extension alone.  What belongs to a
 * table is told if the table is selected.  That a table inherits, or has row
 * security, is said by the table itself.
 */
#include "postgres/source_pg_schema.h"

/* of an object in namespace n */
#define OUTSIDE \
	" n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'portage')"

/* what follows is "'class'::regclass AND ext.objid = oid)" */
#define OF_NO_EXTENSION                                              \
	" NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e'" \
	" AND ext.classid = "

#define NO_TABLE ", 0::oid"

/* "x on public.t", of table c in namespace n */
#define ON_TABLE " || ' on ' || n.nspname || '.' || c.relname, c.oid"
#define OF_TABLES                                             \
	" FROM" SCHEMA_TABLES " JOIN pg_class c ON c.oid = t.oid" \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"

/* Each gives type, schema, name and table; $2 is the types that tables use. */
static const char *const queries[] = {
	/* a sequence that serial or identity took is its column's */
	"SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN"
	" 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'SEQUENCE' END,"
	" n.nspname::text, c.relname::text" NO_TABLE
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('v', 'm', 'f', 'S') AND c.relpersistence <> 't'"
	" AND c.oid >= 16384 AND" OUTSIDE " AND" OF_NO_EXTENSION
	"'pg_class'::regclass AND ext.objid = c.oid)"
	" AND (c.relkind <> 'S' OR NOT EXISTS (SELECT FROM pg_depend d"
	"  LEFT JOIN pg_attrdef f ON f.adrelid = d.refobjid"
	"   AND f.adnum = d.refobjsubid"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"
	"  AND (d.deptype = 'i' OR d.deptype = 'a'"
	"   AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\\([^()]*\\)$'"
	"   AND EXISTS (SELECT FROM pg_depend u"
	"    WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid"
	"    AND u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid))))",

	/* those of range types come with the type */
	"SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN"
	" 'AGGREGATE' ELSE 'FUNCTION' END, n.nspname, p.proname || '('"
	" || pg_get_function_identity_arguments(p.oid) || ')'" NO_TABLE
	" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
	" WHERE p.oid >= 16384 AND" OUTSIDE " AND" OF_NO_EXTENSION
	"'pg_proc'::regclass AND ext.objid = p.oid)"
	" AND NOT EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid"
	"  AND d.deptype = 'i')",

	/* types that no selected table uses, by whichever way */
	"SELECT CASE y.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,"
	" n.nspname, y.typname" NO_TABLE
	" FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace"
	" LEFT JOIN pg_class c ON c.oid = y.typrelid"
	" WHERE y.oid >= 16384 AND y.typtype IN ('b', 'c', 'd', 'e', 'r')"
	" AND (y.typrelid = 0 OR c.relkind = 'c') AND" OUTSIDE
	" AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = y.oid)"
	" AND" OF_NO_EXTENSION "'pg_type'::regclass AND ext.objid = y.oid)"
	" AND NOT y.oid = ANY ($2::oid[])",

	"SELECT 'TRIGGER', '', g.tgname" ON_TABLE OF_TABLES
	" JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal"
	"  AND g.tgparentid = 0",

	"SELECT 'RULE', '', w.rulename" ON_TABLE OF_TABLES
	" JOIN pg_rewrite w ON w.ev_class = c.oid",

	"SELECT 'POLICY', '', p.polname" ON_TABLE OF_TABLES
	" JOIN pg_policy p ON p.polrelid = c.oid",

	"SELECT 'STATISTICS', '', s.stxname" ON_TABLE OF_TABLES
	" JOIN pg_statistic_ext s ON s.stxrelid = c.oid",

	/* what a partition has that its root does not have */
	"SELECT 'INDEX', '', x.relname" ON_TABLE OF_TABLES
	" JOIN pg_index i ON i.indrelid = c.oid"
	" JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition"
	" WHERE c.relispartition",

	"SELECT CASE k.contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE"
	" 'CHECK CONSTRAINT' END, '', k.conname" ON_TABLE OF_TABLES
	" JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('c', 'f')"
	"  AND k.conparentid = 0 AND k.coninhcount = 0 WHERE c.relispartition",

	/* a foreign key of ranges of time compares what others cannot */
	"SELECT 'FK CONSTRAINT', '', k.conname" ON_TABLE OF_TABLES
	" JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'"
	"  AND k.conparentid = 0 AND NOT c.relispartition"
	" WHERE to_jsonb(k) ->> 'conperiod' = 'true'",

	/* a domain's check holds for an array's elements as well */
	"SELECT DISTINCT 'CHECK CONSTRAINT', '', 'of domain ' || dn.nspname"
	" || '.' || d.typname || ' for the elements of ' || a.attname" ON_TABLE
		OF_TABLES " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
	"  AND NOT a.attisdropped JOIN pg_type d ON d.typarray = a.atttypid"
	"  AND d.typtype = 'd' JOIN pg_namespace dn ON dn.oid = d.typnamespace"
	" JOIN pg_constraint k ON k.contypid = d.oid AND k.contype = 'c'"
	" WHERE NOT c.relispartition",

	"SELECT 'COMMENT', '', 'on database ' || d.datname" NO_TABLE
	" FROM pg_database d WHERE d.datname = current_database()"
	" AND shobj_description(d.oid, 'pg_database') IS NOT NULL",

	"SELECT 'COMMENT', '', 'on schema ' || n.nspname" NO_TABLE
	" FROM pg_namespace n WHERE" OUTSIDE
	" AND obj_description(n.oid, 'pg_namespace') <> CASE n.nspname"
	"  WHEN 'public' THEN 'standard public schema' ELSE '' END",

	"SELECT 'COMMENT', '', 'on type ' || n.nspname || '.' || y.typname" NO_TABLE
	" FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace"
	" WHERE y.oid >= 16384 AND y.oid = ANY ($2::oid[]) AND" OF_NO_EXTENSION
	"'pg_type'::regclass AND ext.objid = y.oid)"
	" AND obj_description(y.oid, 'pg_type') IS NOT NULL",

	"SELECT 'EXTENSION', '', e.extname" NO_TABLE " FROM pg_extension e"
	" WHERE e.extname NOT IN ('plpgsql', 'pg_portage')",

	"SELECT 'EVENT TRIGGER', '', g.evtname" NO_TABLE
	" FROM pg_event_trigger g WHERE" OF_NO_EXTENSION
	"'pg_event_trigger'::regclass AND ext.objid = g.oid)",

	"SELECT 'PUBLICATION', '', p.pubname" NO_TABLE
	" FROM pg_publication p WHERE" OF_NO_EXTENSION
	"'pg_publication'::regclass AND ext.objid = p.oid)",

	"SELECT 'SUBSCRIPTION', '', s.subname" NO_TABLE
	" FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
	" WHERE d.datname = current_database()",

	"SELECT 'LARGE OBJECTS', '', count(*) || ' of them'" NO_TABLE
	" FROM pg_largeobject_metadata HAVING count(*) > 0",

	/* what the server itself describes best */
	"SELECT upper(w.type), '', w.identity" NO_TABLE " FROM ("
	" SELECT 'pg_operator'::regclass::oid AS class, oid FROM pg_operator"
	" UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass"
	" UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast"
	" UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation"
	" UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion"
	" UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config"
	" UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict"
	" UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language"
	" UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform"
	" UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am"
	" UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid"
	"  FROM pg_foreign_data_wrapper"
	" UNION ALL SELECT 'pg_foreign_server'::regclass, oid"
	"  FROM pg_foreign_server) AS o"
	" CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) AS w"
	" WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e"
	"  WHERE e.classid = o.class AND e.objid = o.oid"
	"  AND e.deptype IN ('e', 'i'))",
};

/* All of them as one statement. */
static void
append_queries(Buffer *sql)
{
	buffer_puts(sql, "SELECT o.type, o.schema, o.name, o.table_oid FROM (");
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		buffer_printf(sql, "%s%s", i > 0 ? " UNION ALL " : "", queries[i]);
	buffer_puts(sql,
				") AS o(type, schema, name, table_oid) ORDER BY 1, 2, 3, 4");
}

/* The types that tables use, as an array's text. */
static void
append_types(const SchemaRead *read, Buffer *oids)
{
	buffer_putc(oids, '{');
	for (int i = 0; i < read->type_count; i++)
		buffer_printf(oids, "%s%u", i > 0 ? "," : "", read->types[i].oid);
	buffer_putc(oids, '}');
}

bool
source_pg_schema_others(SchemaRead *read, Error *err)
{
	Schema *schema = read->schema;
	const char *params[2] = { read->oids, NULL };
	PGresult *res;
	Buffer types;
	Buffer sql;

	buffer_init(&types);
	buffer_init(&sql);
	append_types(read, &types);
	append_queries(&sql);
	params[1] = types.data;
	res = pg_query_params(read->conn, err, sql.data, 2, params);
	buffer_release(&types);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	schema->other_count = PQntuples(res);
	schema->others = ARENA_ARRAY(read->arena, SchemaOther,
								 (size_t) schema->other_count);
	for (int row = 0; row < schema->other_count; row++)
	{
		SchemaOther *other = &schema->others[row];

		other->type = schema_text(read, res, row, 0);
		other->schema = schema_text(read, res, row, 1);
		other->name = schema_text(read, res, row, 2);
		other->table_oid = schema_oid(res, row, 3);
	}
	PQclear(res);
	return true;
}

/*
 * source_pg_schema_others.c
 *		Whatever else the source has: a target of another kind names it, and
 *		leaves it out.
 *
 * What extensions brought stands for the extension alone.  What belongs to a
 * table is told if the table is selected.
 */
#include "postgres/source_pg_schema.h"

#define OUTSIDE(namespace) \
	" " namespace ".nspname !~ '^pg_' AND " namespace ".nspname NOT IN ('information_schema', 'portage')"

#define NO_TABLE ", 0::oid"

/* "x on public.t", of c with its namespace n */
#define ON_TABLE(name) name " || ' on ' || n.nspname || '.' || c.relname, c.oid"
#define OF_TABLES                                     \
	SCHEMA_TABLES " JOIN pg_class c ON c.oid = t.oid" \
				  " JOIN pg_namespace n ON n.oid = c.relnamespace"

/* a sequence that serial or identity took is its column's */
#define RELATIONS                                                                   \
	"SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN"                      \
	" 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'SEQUENCE' END,"       \
	" n.nspname::text, c.relname::text" NO_TABLE                                    \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                \
	" WHERE c.relkind IN ('v', 'm', 'f', 'S') AND c.relpersistence <> 't'"          \
	" AND c.oid >= 16384 AND" OUTSIDE("n") " AND NOT" SCHEMA_OF_EXTENSION(          \
		"pg_class",                                                                 \
		"c.oid") " AND (c.relkind <> 'S' OR NOT EXISTS (SELECT FROM pg_depend d"    \
				 "  LEFT JOIN pg_attrdef f ON f.adrelid = d.refobjid"               \
				 "   AND f.adnum = d.refobjsubid"                                   \
				 "  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"     \
				 "  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0"  \
				 "  AND (d.deptype = 'i' OR d.deptype = 'a'"                        \
				 "   AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\\([^()]*\\)$'" \
				 "   AND EXISTS (SELECT FROM pg_depend u"                           \
				 "    WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid" \
				 "    AND u.refclassid = 'pg_class'::regclass AND u.refobjid = c.oid))))"

#define FUNCTIONS                                                            \
	"SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN"          \
	" 'AGGREGATE' ELSE 'FUNCTION' END, n.nspname, p.proname || '('"          \
	" || pg_get_function_identity_arguments(p.oid) || ')'" NO_TABLE          \
	" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"          \
	" WHERE p.oid >= 16384 AND" OUTSIDE("n") " AND NOT" SCHEMA_OF_EXTENSION( \
		"pg_proc", "p.oid") /* those of range types come with the type */    \
		" AND NOT EXISTS (SELECT FROM pg_depend d"                           \
		"  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid"        \
		"  AND d.deptype = 'i')"

/* types that no selected table uses, by whichever way */
#define TYPES                                                                   \
	"SELECT CASE y.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,"             \
	" n.nspname, y.typname" NO_TABLE                                            \
	" FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace"             \
	" LEFT JOIN pg_class c ON c.oid = y.typrelid"                               \
	" WHERE y.oid >= 16384 AND y.typtype IN ('b', 'c', 'd', 'e', 'r')"          \
	" AND (y.typrelid = 0 OR c.relkind = 'c') AND" OUTSIDE(                     \
		"n") " AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = y.oid)" \
			 " AND NOT" SCHEMA_OF_EXTENSION(                                    \
				 "pg_type", "y.oid") " AND NOT y.oid = ANY ($2::oid[])"

#define TRIGGERS                                              \
	"SELECT 'TRIGGER', '', " ON_TABLE(                        \
		"g.tgname") " FROM" OF_TABLES                         \
					" JOIN pg_trigger g ON g.tgrelid = c.oid" \
					"  AND NOT g.tgisinternal AND g.tgparentid = 0"

#define RULES                           \
	"SELECT 'RULE', '', " ON_TABLE(     \
		"w.rulename") " FROM" OF_TABLES \
					  " JOIN pg_rewrite w ON w.ev_class = c.oid"

#define POLICIES                                                                     \
	"SELECT 'POLICY', '', " ON_TABLE(                                                \
		"p.polname") " FROM" OF_TABLES                                               \
					 " JOIN pg_policy p ON p.polrelid = c.oid"                       \
					 " UNION ALL SELECT 'ROW SECURITY', n.nspname, c.relname, c.oid" \
					 " FROM" OF_TABLES " WHERE c.relrowsecurity"

#define STATISTICS                        \
	"SELECT 'STATISTICS', '', " ON_TABLE( \
		"s.stxname") " FROM" OF_TABLES    \
					 " JOIN pg_statistic_ext s ON s.stxrelid = c.oid"

#define INHERITANCE                                                                          \
	"SELECT 'INHERITANCE', '', " ON_TABLE(                                                   \
		"pn.nspname || '.' || p.relname") " FROM" OF_TABLES                                  \
										  " JOIN pg_inherits i ON i.inhrelid = c.oid"        \
										  " JOIN pg_class p ON p.oid = i.inhparent"          \
										  " JOIN pg_namespace pn ON pn.oid = p.relnamespace" \
										  " WHERE NOT c.relispartition"

/* what a partition has that its root does not have */
#define OF_PARTITIONS                                                                        \
	"SELECT 'INDEX', '', " ON_TABLE(                                                         \
		"x.relname") " FROM" OF_TABLES                                                       \
					 " JOIN pg_index i ON i.indrelid = c.oid"                                \
					 " JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition"     \
					 " WHERE c.relispartition UNION ALL SELECT CASE k.contype WHEN 'f' THEN" \
					 " 'FK CONSTRAINT' ELSE 'CHECK CONSTRAINT' END, '', " ON_TABLE(          \
						 "k.conname") " FROM" OF_TABLES                                      \
									  " JOIN pg_constraint k ON k.conrelid = c.oid"          \
									  "  AND k.contype IN ('c', 'f') AND k.conparentid = 0"  \
									  "  AND k.coninhcount = 0 WHERE c.relispartition"

/* a foreign key of ranges of time compares what others cannot */
#define PERIODS                                                                             \
	"SELECT 'FK CONSTRAINT', '', " ON_TABLE(                                                \
		"k.conname") " FROM" OF_TABLES                                                      \
					 " JOIN pg_constraint k ON k.conrelid = c.oid"                          \
					 "  AND k.contype = 'f' AND k.conparentid = 0 AND NOT c.relispartition" \
					 " WHERE to_jsonb(k) ->> 'conperiod' = 'true'"

/* a domain's check holds for an array's elements as well */
#define ELEMENT_CHECKS                                                       \
	"SELECT DISTINCT 'CHECK CONSTRAINT', '', 'of domain ' || dn.nspname"     \
	" || '.' || d.typname || ' for the elements of ' || a.attname || ' of '" \
	" || n.nspname || '.' || c.relname, c.oid FROM" OF_TABLES                \
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"            \
	"  AND NOT a.attisdropped JOIN pg_type d ON d.typarray = a.atttypid"     \
	"  AND d.typtype = 'd' JOIN pg_namespace dn ON dn.oid = d.typnamespace"  \
	" JOIN pg_constraint k ON k.contypid = d.oid AND k.contype = 'c'"        \
	" WHERE NOT c.relispartition"

#define COMMENTS                                                               \
	"SELECT 'COMMENT', '', 'on database ' || d.datname" NO_TABLE               \
	" FROM pg_database d WHERE d.datname = current_database()"                 \
	" AND shobj_description(d.oid, 'pg_database') IS NOT NULL"                 \
	" UNION ALL SELECT 'COMMENT', '', 'on schema ' || n.nspname" NO_TABLE      \
	" FROM pg_namespace n WHERE" OUTSIDE(                                      \
		"n") " AND obj_description(n.oid, 'pg_namespace') <> CASE n.nspname"   \
			 "  WHEN 'public' THEN 'standard public schema' ELSE '' END"       \
			 " UNION ALL SELECT 'COMMENT', '', 'on type ' || n.nspname || '.'" \
			 " || y.typname" NO_TABLE                                          \
			 " FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace"   \
			 " WHERE y.oid >= 16384 AND y.oid = ANY ($2::oid[])"               \
			 " AND NOT" SCHEMA_OF_EXTENSION(                                   \
				 "pg_type",                                                    \
				 "y.oid") " AND obj_description(y.oid, 'pg_type') IS NOT NULL"

#define WHOLE_DATABASE                                                                          \
	"SELECT 'EXTENSION', '', e.extname" NO_TABLE " FROM pg_extension e"                         \
	" WHERE e.extname NOT IN ('plpgsql', 'pg_portage')"                                         \
	" UNION ALL SELECT 'EVENT TRIGGER', '', e.evtname" NO_TABLE                                 \
	" FROM pg_event_trigger e"                                                                  \
	" WHERE NOT" SCHEMA_OF_EXTENSION(                                                           \
		"pg_event_trigger",                                                                     \
		"e.oid") " UNION ALL SELECT 'PUBLICATION', '', p.pubname" NO_TABLE                      \
				 " FROM pg_publication p"                                                       \
				 " WHERE NOT" SCHEMA_OF_EXTENSION(                                              \
					 "pg_publication",                                                          \
					 "p.oid") " UNION ALL SELECT 'SUBSCRIPTION', '', s.subname" NO_TABLE        \
							  " FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid" \
							  " WHERE d.datname = current_database()"                           \
							  " UNION ALL SELECT 'LARGE OBJECTS', '', count(*)::text" NO_TABLE  \
							  " FROM pg_largeobject_metadata HAVING count(*) > 0"

/* what the server itself describes best: operators, casts, text search ... */
#define DESCRIBED                                                         \
	"SELECT upper(w.type), '', w.identity" NO_TABLE " FROM ("             \
	" SELECT 'pg_operator'::regclass::oid AS class, oid FROM pg_operator" \
	" UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass"       \
	" UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast"             \
	" UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation"   \
	" UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion" \
	" UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config"   \
	" UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict"       \
	" UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language"     \
	" UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform"   \
	" UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am"                 \
	" UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid"          \
	"  FROM pg_foreign_data_wrapper"                                      \
	" UNION ALL SELECT 'pg_foreign_server'::regclass, oid"                \
	"  FROM pg_foreign_server) AS o"                                      \
	" CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) AS w"      \
	" WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e"       \
	"  WHERE e.classid = o.class AND e.objid = o.oid"                     \
	"  AND e.deptype IN ('e', 'i'))"

#define AND_ALSO " UNION ALL "
#define OTHERS_SQL                                                           \
	"SELECT o.type, o.schema, o.name, o.table_oid FROM (" RELATIONS AND_ALSO \
		FUNCTIONS AND_ALSO TYPES AND_ALSO TRIGGERS AND_ALSO RULES AND_ALSO   \
			POLICIES AND_ALSO STATISTICS AND_ALSO INHERITANCE AND_ALSO       \
				OF_PARTITIONS AND_ALSO PERIODS AND_ALSO ELEMENT_CHECKS       \
					AND_ALSO COMMENTS AND_ALSO WHOLE_DATABASE AND_ALSO       \
						DESCRIBED ") AS o(type, schema, name, table_oid)"    \
	" ORDER BY 1, 2, 3, 4"

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

	buffer_init(&types);
	append_types(read, &types);
	params[1] = types.data;
	res = pg_query_params(read->conn, err, OTHERS_SQL, 2, params);
	buffer_release(&types);
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

/*
 * source_pg_needs.c
 *		What the source's database takes for granted of its server.
 */
#include "postgres/pg_check.h"
#include "postgres/source_pg_copy.h"
#include "postgres/source_pg_needs.h"

#define USER_RELATION                                              \
	"c.oid >= 16384 AND n.nspname NOT IN"                          \
	" ('pg_catalog', 'information_schema', 'portage', 'pg_toast')" \
	" AND c.relpersistence <> 't'"

/* Nor of another object, as the constructors of a range type are. */
#define OF_NO_EXTENSION(class, oid)                                 \
	"NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '" class \
		"'::regclass AND d.objid = " oid " AND d.deptype IN ('e', 'i'))"

/* Each with one that needs it, for the message. */
static const char items_query[] =
	"SELECT 0, extname, extversion FROM pg_extension"
	" WHERE extname <> 'pg_portage'"
	" UNION ALL SELECT 1, s.spcname, min(n.nspname || '.' || c.relname)"
	"  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  JOIN pg_tablespace s ON s.oid = c.reltablespace"
	"  WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND " USER_RELATION
	"  GROUP BY s.spcname"
	" UNION ALL SELECT 2, CASE tn.nspname WHEN 'pg_catalog' THEN ''"
	"   ELSE quote_ident(tn.nspname) || '.' END || quote_ident(t.typname),"
	"  min(n.nspname || '.' || c.relname || '.' || a.attname)"
	"  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  JOIN pg_type t ON t.oid = a.atttypid AND t.oid < 16384"
	"  JOIN pg_namespace tn ON tn.oid = t.typnamespace"
	"  WHERE c.relkind IN ('r', 'p') AND a.attnum > 0"
	"  AND NOT a.attisdropped AND " USER_RELATION
	" GROUP BY tn.nspname, t.typname"
	" UNION ALL SELECT 3, l.collname,"
	"  min(n.nspname || '.' || c.relname || '.' || a.attname)"
	"  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace"
	"  JOIN pg_collation l ON l.oid = a.attcollation AND l.oid < 16384"
	"  WHERE c.relkind IN ('r', 'p') AND a.attnum > 0"
	"  AND NOT a.attisdropped AND l.collname <> 'default'"
	"  AND " USER_RELATION " GROUP BY l.collname"
	" UNION ALL SELECT 4, 'foreign data wrapper ' || w.fdwname, ''"
	"  FROM pg_foreign_data_wrapper w"
	"  WHERE " OF_NO_EXTENSION(
		"pg_foreign_data_wrapper",
		"w.oid") " UNION ALL SELECT 4, format('function %s.%s', n.nspname, p.proname), ''"
				 "  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
				 "  JOIN pg_language l ON l.oid = p.prolang AND NOT l.lanpltrusted"
				 "  WHERE p.oid >= 16384 AND p.prokind <> 'a' AND " OF_NO_EXTENSION(
					 "pg_proc",
					 "p.oid") " UNION ALL SELECT 4, format('type %s.%s', n.nspname, t.typname), ''"
							  "  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
							  "  WHERE t.oid >= 16384 AND t.typtype = 'b' AND t.typcategory <> 'A'"
							  "  AND " OF_NO_EXTENSION(
								  "pg_type",
								  "t.oid") " UNION ALL SELECT 4, format('operator class %s.%s', n.nspname,"
										   "   o.opcname), ''"
										   "  FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace"
										   "  WHERE o.oid >= 16384 AND " OF_NO_EXTENSION(
											   "pg_opclass",
											   "o.oid") " ORDER BY 1, 2";

/* What the target will hold as well; rows of unlogged tables do not travel. */
static const char sizes_query[] =
	"SELECT n.nspname, c.relname, rn.nspname, r.relname,"
	" pg_table_size(c.oid), pg_indexes_size(c.oid)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE (c.relkind = 'm' OR c.relkind = 'r' AND c.relpersistence = 'p')"
	" AND " USER_RELATION " AND " OF_NO_EXTENSION("pg_class", "c.oid");

static bool
read_sizes(SourcePg *self, Needs *needs, Error *err)
{
	PGresult *res = pg_query(self->sql, err, sizes_query);

	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
	{
		if (!source_pg_selected(self->base.config, pg_value(res, i, 0),
								pg_value(res, i, 1), pg_value(res, i, 2),
								pg_value(res, i, 3)))
			continue;
		needs->table_bytes += pg_value_int(res, i, 4);
		needs->index_bytes += pg_value_int(res, i, 5);
	}
	PQclear(res);
	return true;
}

bool
source_pg_needs(Source *source, Arena *arena, Needs *needs, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	PGresult *res;

	if (!pg_locale_read(self->sql, arena, needs, err) ||
		!read_sizes(self, needs, err))
		return false;
	res = pg_query(self->sql, err, items_query);
	if (res == NULL)
		return false;
	needs->count = PQntuples(res);
	needs->items = ARENA_ARRAY(arena, Need, (size_t) needs->count);
	for (int i = 0; i < needs->count; i++)
	{
		needs->items[i].kind = (NeedKind) pg_value_int(res, i, 0);
		needs->items[i].name = arena_strdup(arena, pg_value(res, i, 1));
		needs->items[i].detail = arena_strdup(arena, pg_value(res, i, 2));
	}
	PQclear(res);
	return source_pg_needs_schemas(self, arena, needs, err);
}

/*
 * source_pg_check_objects.c
 *		Preflight of a PostgreSQL source: what its catalog says of objects that
 *		do not travel, or not as they are.
 *
 * One query for each kind of finding; it gives the object, what is to be said of
 * it and the remedy, and for what belongs to a table that table and the root of
 * the partition it may be, because patterns leave tables out.
 */
#include "postgres/source_pg_check.h"

#include "postgres/source_pg_copy.h"

/* columns of a query; the last four are not there for the whole database's */
enum
{
	COLUMN_OBJECT,
	COLUMN_MESSAGE,
	COLUMN_REMEDY,
	COLUMN_SCHEMA,
	COLUMN_TABLE,
	COLUMN_ROOT_SCHEMA,
	COLUMN_ROOT
};

typedef struct CatalogCheck
{
	Severity severity;
	ErrorCode code;
	bool left_behind;
	bool for_stream; /* a copy alone does without */
	bool
		for_dump; /* a target of another kind says itself what it makes of it */
	const char *sql;
} CatalogCheck;

/* Tables that are carried, as c, for queries that end in OF_TABLES. */
#define THE_TABLE ", n.nspname, c.relname, rn.nspname, r.relname"
#define JOIN_TABLE                                   \
	" JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" LEFT JOIN pg_class r ON c.relispartition"      \
	"  AND r.oid = pg_partition_root(c.oid)"         \
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
#define OF_TABLES                                                           \
	" c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"                  \
	" AND c.oid >= 16384"                                                   \
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')" \
	" AND NOT EXISTS (SELECT FROM pg_depend d"                              \
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"          \
	"  AND d.deptype = 'e')"
#define OF_NO_EXTENSION(class, oid)                                  \
	" NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '" class \
		"'::regclass AND d.objid = " oid " AND d.deptype = 'e')"
#define ON_TARGET "'create it on the target, if it is to have it'"

static const CatalogCheck catalog_checks[] = {
	{ SEVERITY_WARNING, 0, true, false, true,
	  "SELECT 'large objects', count(*) || ' large objects are not carried',"
	  " 'carry them by other means, or store them as bytea'"
	  " FROM pg_largeobject_metadata HAVING count(*) > 0" },
	{ SEVERITY_WARNING, 0, true, false, false,
	  "SELECT format('column %s.%s.%s', n.nspname, c.relname, a.attname),"
	  " format('its type is %s: what it refers to may be large objects, which"
	  " are not carried', t.typname),"
	  " 'carry them by other means, or store them as bytea'" THE_TABLE
	  " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
	  " JOIN pg_type t ON t.oid = a.atttypid" JOIN_TABLE
	  " WHERE a.attnum > 0 AND NOT a.attisdropped AND (t.oid = 'oid'::regtype"
	  "  OR t.typtype = 'd' AND t.typbasetype = 'oid'::regtype)"
	  " AND EXISTS (SELECT FROM pg_largeobject_metadata) AND" OF_TABLES
	  " ORDER BY 1" },
	{ SEVERITY_NOTE, 0, false, false, false,
	  "SELECT 'sequences', count(*) || ' sequences do not move with the stream:"
	  " they are set after the copy, whenever run --until has reached its end,"
	  " and by pg_portage finish', '' FROM pg_sequence s"
	  " WHERE s.seqrelid >= 16384 AND " OF_NO_EXTENSION("pg_class",
														"s.seqrelid") " HAVING "
																	  "count(*)"
																	  " > 0" },
	{ SEVERITY_NOTE, 0, false, false, true,
	  "SELECT format('column %s.%s.%s', n.nspname, c.relname, a.attname),"
	  " 'it is GENERATED ALWAYS AS IDENTITY: on the target it is BY DEFAULT"
	  " until pg_portage finish', ''" THE_TABLE
	  " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid" JOIN_TABLE
	  " WHERE a.attnum > 0 AND a.attidentity = 'a' AND" OF_TABLES
	  " ORDER BY 1" },
	{ SEVERITY_NOTE, 0, false, false, true,
	  "SELECT format('table %s.%s', n.nspname, c.relname),"
	  " format('it has %s inheritance children: each is a table of its own,"
	  " to be selected by its own name', count(*)), ''" THE_TABLE
	  " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent" JOIN_TABLE
	  " WHERE c.relkind = 'r' AND" OF_TABLES
	  " GROUP BY 4, 5, 6, 7 ORDER BY 1" },
	{ SEVERITY_NOTE, 0, false, false, true,
	  "SELECT format('rule %s on table %s.%s', w.rulename, n.nspname,"
	  " c.relname), CASE WHEN w.ev_enabled IN ('A', 'R')"
	  "  THEN 'it acts where rules are switched off, too: it waits for"
	  " pg_portage finish' ELSE 'it does not act on what the applier writes;"
	  " it waits for pg_portage finish where the target role cannot switch"
	  " rules off' END, ''" THE_TABLE
	  " FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class" JOIN_TABLE
	  " WHERE" OF_TABLES " ORDER BY 1" },
	{ SEVERITY_NOTE, 0, false, false, true,
	  "SELECT format('trigger %s on table %s.%s', t.tgname, n.nspname,"
	  " c.relname), format('it is ENABLE %s: it would fire for what the"
	  " applier writes, so all triggers wait for pg_portage finish',"
	  " CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE 'REPLICA' END), ''" THE_TABLE
	  " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid" JOIN_TABLE
	  " WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') AND" OF_TABLES
	  " ORDER BY 1" },
	{ SEVERITY_WARNING, 0, true, false, true,
	  "SELECT format('index %s.%s', n.nspname, x.relname),"
	  " 'it is invalid: it is not carried',"
	  " format('REINDEX INDEX %I.%I, or drop it', n.nspname,"
	  "  x.relname)" THE_TABLE
	  " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
	  " JOIN pg_class c ON c.oid = i.indrelid" JOIN_TABLE
	  " WHERE NOT i.indisvalid AND x.relkind = 'i' AND" OF_TABLES
	  " ORDER BY 1" },
	{ SEVERITY_NOTE, 0, true, false, true,
	  "SELECT format('event trigger %s', e.evtname), 'it is not carried',"
	  " " ON_TARGET " FROM pg_event_trigger e"
	  " WHERE" OF_NO_EXTENSION("pg_event_trigger", "e.oid") " ORDER BY 1" },
	{ SEVERITY_NOTE, 0, true, false, true,
	  "SELECT format('publication %s', pubname), 'it is not carried',"
	  " " ON_TARGET " FROM pg_publication ORDER BY 1" },
	{ SEVERITY_NOTE, 0, true, false, true,
	  "SELECT format('subscription %s', s.subname), 'it is not carried; what it"
	  " brings until the end arrives through the source', " ON_TARGET
	  " FROM pg_subscription s JOIN pg_database b ON b.oid = s.subdbid"
	  " WHERE b.datname = current_database() ORDER BY 1" },
	{ SEVERITY_NOTE, 0, true, false, false,
	  "SELECT format('setting %s', split_part(v.setting, '=', 1)),"
	  " format('it is set for %s in this database, and not carried',"
	  "  coalesce('role ' || o.rolname, 'everybody')),"
	  " 'ALTER DATABASE or ALTER ROLE ... SET on the target, if it is to hold"
	  " there' FROM pg_db_role_setting s"
	  " JOIN pg_database b ON b.oid = s.setdatabase"
	  " LEFT JOIN pg_roles o ON o.oid = s.setrole,"
	  " unnest(s.setconfig) AS v(setting)"
	  " WHERE b.datname = current_database() ORDER BY 1" },
	{ SEVERITY_NOTE, 0, false, true, false,
	  "SELECT 'extension pg_portage', 'it is not installed: DDL is followed only"
	  " as far as changed rows show it', 'CREATE EXTENSION pg_portage, if"
	  " tables change during the migration'"
	  " WHERE NOT EXISTS (SELECT FROM pg_extension"
	  "  WHERE extname = 'pg_portage')" },
	{ SEVERITY_WARNING, P_SCHEMA_DIFFERS, false, true, false,
	  "SELECT format('event trigger %s', e.evtname),"
	  " 'it is disabled: DDL is followed only as far as changed rows show it',"
	  " format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', e.evtname)"
	  " FROM pg_event_trigger e JOIN pg_depend d"
	  "  ON d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid"
	  "  AND d.deptype = 'e'"
	  " JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'pg_portage'"
	  " WHERE e.evtenabled = 'D' ORDER BY 1" },
	{ SEVERITY_WARNING, P_SCHEMA_DIFFERS, false, true, false,
	  "SELECT 'table portage.ddl_key', format('the role %s may not read it: DDL"
	  " is followed only as far as changed rows show it', current_user),"
	  " format('GRANT USAGE ON SCHEMA portage TO %I; GRANT SELECT ON"
	  " portage.ddl_key TO %I', current_user, current_user)"
	  " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	  " WHERE n.nspname = 'portage' AND c.relname = 'ddl_key'"
	  " AND NOT (has_schema_privilege(n.oid, 'USAGE')"
	  "  AND has_table_privilege(c.oid, 'SELECT'))" },
};

static bool
row_selected(const SourceConfig *config, const PGresult *res, int row)
{
	return PQnfields(res) <= COLUMN_SCHEMA ||
		   source_pg_selected(config, pg_value(res, row, COLUMN_SCHEMA),
							  pg_value(res, row, COLUMN_TABLE),
							  pg_value(res, row, COLUMN_ROOT_SCHEMA),
							  pg_value(res, row, COLUMN_ROOT));
}

static void
add_rows(const SourceConfig *config, const CatalogCheck *check,
		 const PGresult *res, Findings *findings)
{
	for (int row = 0; row < PQntuples(res); row++)
	{
		if (row_selected(config, res, row))
			finding_add(findings, check->severity, check->code,
						pg_value(res, row, COLUMN_OBJECT),
						pg_value(res, row, COLUMN_REMEDY), "%s",
						pg_value(res, row, COLUMN_MESSAGE))
				->left_behind = check->left_behind;
	}
}

bool
source_pg_check_catalog(SourcePg *self, SourceState *state, Findings *findings,
						Error *err)
{
	const SourceConfig *config = self->base.config;
	size_t i;

	(void) state;
	for (i = 0; i < sizeof(catalog_checks) / sizeof(CatalogCheck); i++)
	{
		const CatalogCheck *check = &catalog_checks[i];
		PGresult *res;

		if ((check->for_stream && config->copy_only) ||
			(check->for_dump && config->translated))
			continue;
		res = pg_query(self->sql, err, check->sql);
		if (res != NULL)
			add_rows(config, check, res, findings);
		else if (err->kind == ERROR_STOPPED || !pg_conn_alive(self->sql))
			return false;
		else
			finding_add_error(findings, SEVERITY_WARNING, "catalog", err);
		error_clear(err);
		PQclear(res);
	}
	return true;
}

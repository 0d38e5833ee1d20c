/*
 * source_pg_check_types.c
 *		Preflight of a PostgreSQL source: columns whose values another server may
 *		not be able to read.
 *
 * Values travel as text.  The text of some types is a name, of a function, a
 * role ..., which is looked up where it is read; that of others is read by no
 * server at all.  Such a type may be anywhere in a column's: in an array, a
 * domain, a composite, a range.  A NULL of it travels well, so it is an error
 * only if there is a value.
 */
#include <string.h>

#include "postgres/source_pg_check.h"
#include "postgres/source_pg_copy.h"

#define LEAVE_OUT ", or leave the table out with --exclude-tables"
#define AS_TEXT "make the column text" LEAVE_OUT
#define WITH_ARGUMENTS(type) "make the column " type " or text" LEAVE_OUT
#define WITH_ROLES                             \
	"create the roles on the target, make the" \
	" column text" LEAVE_OUT

typedef struct DoubtfulType
{
	const char *name;
	ErrorCode code;		/* what the copy stops with */
	const char *names;	/* what a value names; NULL: nobody reads it */
	const char *remedy; /* with names */
} DoubtfulType;

/* Those of extensions are what their indexes keep; they can be columns, too. */
static const DoubtfulType doubtful_types[] = {
	{ "regclass", P_TABLE_UNKNOWN,
	  "a table, view, sequence or index (which is created behind the rows)",
	  AS_TEXT },
	{ "regcollation", P_SCHEMA_DIFFERS, "a collation", AS_TEXT },
	{ "regconfig", P_SCHEMA_DIFFERS, "a text search configuration", AS_TEXT },
	{ "regdictionary", P_SCHEMA_DIFFERS, "a text search dictionary", AS_TEXT },
	{ "regnamespace", P_COPY, "a schema", AS_TEXT },
	{ "regoper", P_COPY,
	  "an operator without its operands, of which there "
	  "must be only one",
	  WITH_ARGUMENTS("regoperator") },
	{ "regoperator", P_COPY, "an operator", AS_TEXT },
	{ "regproc", P_COPY,
	  "a function without its arguments, of which there "
	  "must be only one",
	  WITH_ARGUMENTS("regprocedure") },
	{ "regprocedure", P_COPY, "a function", AS_TEXT },
	{ "regtype", P_SCHEMA_DIFFERS, "a type", AS_TEXT },
	{ "regrole", P_SCHEMA_DIFFERS, "a role (which is not carried)",
	  WITH_ROLES },
	{ "aclitem", P_SCHEMA_DIFFERS, "roles (which are not carried)",
	  WITH_ROLES },
	{ "pg_node_tree", P_COPY, NULL, NULL },
	{ "pg_ndistinct", P_COPY, NULL, NULL },
	{ "pg_dependencies", P_COPY, NULL, NULL },
	{ "pg_mcv_list", P_COPY, NULL, NULL },
	{ "pg_brin_bloom_summary", P_COPY, NULL, NULL },
	{ "pg_brin_minmax_multi_summary", P_COPY, NULL, NULL },
	{ "gtsvector", P_COPY, NULL, NULL },
	{ "gbtreekey2", P_COPY, NULL, NULL },
	{ "gbtreekey4", P_COPY, NULL, NULL },
	{ "gbtreekey8", P_COPY, NULL, NULL },
	{ "gbtreekey16", P_COPY, NULL, NULL },
	{ "gbtreekey32", P_COPY, NULL, NULL },
	{ "gbtreekey_var", P_COPY, NULL, NULL },
	{ "ghstore", P_COPY, NULL, NULL },
	{ "gtrgm", P_COPY, NULL, NULL },
	{ "intbig_gkey", P_COPY, NULL, NULL },
	{ "ltree_gist", P_COPY, NULL, NULL },
};

/*
 * $1: names of types.  holds are all types that such a one is in, direct if it
 * is that or a domain of it.  The catalog of 13 has no multiranges.
 */
static const char columns_query[] =
	"WITH RECURSIVE parts(whole, part, domain) AS ("
	" SELECT t.oid, t.typelem, false FROM pg_type t"
	"  WHERE t.typelem <> 0 AND t.typlen = -1"
	" UNION ALL SELECT t.oid, t.typbasetype, true FROM pg_type t"
	"  WHERE t.typtype = 'd'"
	" UNION ALL SELECT r.rngtypid, r.rngsubtype, false FROM pg_range r"
	" UNION ALL SELECT (to_jsonb(r) ->> 'rngmultitypid')::oid, r.rngtypid,"
	"  false FROM pg_range r"
	" UNION ALL SELECT c.reltype, a.atttypid, false FROM pg_class c"
	"  JOIN pg_attribute a ON a.attrelid = c.oid"
	"  WHERE c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped),"
	" holds(oid, name, direct) AS ("
	" SELECT t.oid, t.typname, true FROM pg_type t"
	"  WHERE t.typname = ANY ($1) AND t.typtype = 'b'"
	"  AND (t.typnamespace = 'pg_catalog'::regnamespace"
	"   OR EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid"
	"    AND d.classid = 'pg_type'::regclass AND d.deptype = 'e'))"
	" UNION SELECT p.whole, h.name, h.direct AND p.domain"
	"  FROM holds h JOIN parts p ON p.part = h.oid)"
	" SELECT n.nspname, c.relname, rn.nspname, r.relname, a.attname,"
	" format_type(a.atttypid, a.atttypmod), h.name,"
	" h.direct AND has_schema_privilege(n.oid, 'USAGE')"
	"  AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
	" FROM holds h JOIN pg_attribute a ON a.atttypid = h.oid"
	" JOIN pg_class c ON c.oid = a.attrelid"
	" JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384"
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"
	" AND NOT EXISTS (SELECT FROM pg_depend d"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.deptype = 'e')"
	" AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
	" ORDER BY 1, 2, a.attnum, 7";

/* A row of the query. */
typedef struct DoubtfulColumn
{
	const char *schema;
	const char *table;
	const char *root_schema;
	const char *root;
	const char *name;
	const char *type; /* the column's */
	const char *part; /* what of it is doubtful */
	bool may_look;	  /* it is no more than that, and we may read it */
} DoubtfulColumn;

static const DoubtfulType *
type_of(const char *name)
{
	const DoubtfulType *type = doubtful_types;

	while (strcmp(type->name, name) != 0)
		type++;
	return type;
}

/* Not known, because it takes long or is refused, counts as no. */
static bool
has_value(SourcePg *self, const DoubtfulColumn *column, bool *has, Error *err)
{
	Buffer sql;
	PGresult *res;

	*has = false;
	if (!column->may_look)
		return true;
	buffer_init(&sql);
	buffer_puts(&sql, "SELECT EXISTS (SELECT FROM ONLY ");
	pg_quote_table(&sql, column->schema, column->table);
	buffer_puts(&sql, " WHERE ");
	pg_quote_ident(&sql, column->name);
	buffer_puts(&sql, " IS NOT NULL)");
	res = pg_query(self->sql, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
	{
		if (err->kind == ERROR_STOPPED || !pg_conn_alive(self->sql))
			return false;
		error_clear(err);
		return true;
	}
	*has = pg_value_bool(res, 0, 0);
	PQclear(res);
	return true;
}

static bool
check_column(SourcePg *self, const DoubtfulColumn *column, Findings *findings,
			 Error *err)
{
	const DoubtfulType *type = type_of(column->part);
	const char *object = arena_printf(findings->arena, "column %s.%s.%s",
									  column->schema, column->table,
									  column->name);
	const char *what =
		strcmp(column->type, column->part) == 0
			? arena_printf(findings->arena, "its type is %s", column->type)
			: arena_printf(findings->arena, "its type %s holds %s",
						   column->type, column->part);
	bool has;

	if (type->names != NULL)
	{
		finding_add(findings, SEVERITY_WARNING, type->code, object,
					type->remedy,
					"%s: a value names %s, and stops copy or stream unless "
					"the target has it when it arrives",
					what, type->names)
			->left_behind = true;
		return true;
	}
	if (!has_value(self, column, &has, err))
		return false;
	finding_add(findings, has ? SEVERITY_ERROR : SEVERITY_WARNING, type->code,
				object, AS_TEXT, "%s, which no server reads from text: %s",
				what,
				has ? "it has values, which cannot be copied"
					: "a value stops copy or stream")
		->left_behind = true;
	return true;
}

static bool
check_columns(SourcePg *self, const PGresult *res, Findings *findings,
			  Error *err)
{
	for (int i = 0; i < PQntuples(res); i++)
	{
		DoubtfulColumn column = {
			.schema = pg_value(res, i, 0),
			.table = pg_value(res, i, 1),
			.root_schema = pg_value(res, i, 2),
			.root = pg_value(res, i, 3),
			.name = pg_value(res, i, 4),
			.type = pg_value(res, i, 5),
			.part = pg_value(res, i, 6),
			.may_look = pg_value_bool(res, i, 7),
		};

		if (source_pg_selected(self->base.config, column.schema, column.table,
							   column.root_schema, column.root) &&
			!check_column(self, &column, findings, err))
			return false;
	}
	return true;
}

bool
source_pg_check_types(SourcePg *self, SourceState *state, Findings *findings,
					  Error *err)
{
	const char *params[1];
	Buffer names;
	PGresult *res;
	bool ok;

	(void) state;
	buffer_init(&names);
	for (size_t i = 0; i < sizeof(doubtful_types) / sizeof(DoubtfulType); i++)
		buffer_printf(&names, "%c%s", i == 0 ? '{' : ',',
					  doubtful_types[i].name);
	buffer_putc(&names, '}');
	params[0] = names.data;
	res = pg_query_params(self->sql, err, columns_query, 1, params);
	buffer_release(&names);
	if (res == NULL)
		return false;
	ok = pg_exec(self->sql, err, LOOK_TIMEOUT) &&
		 check_columns(self, res, findings, err) &&
		 pg_exec(self->sql, err, LOOK_TIMEOUT_END);
	PQclear(res);
	return ok;
}

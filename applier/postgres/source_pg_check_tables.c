/*
 * source_pg_check_tables.c
 *		Preflight of a PostgreSQL source: what is to be copied.
 *
 * What does not travel is named, so that nobody misses it afterwards: rows of
 * unlogged tables, contents of materialized views, large objects, rows of
 * foreign tables, publications, subscriptions and event triggers.
 */
#include "postgres/source_pg_check.h"

#include <stdio.h>
#include <string.h>

#include "postgres/source_pg_copy.h"

#define NOT_OURS                                                       \
	"n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')" \
	" AND n.nspname !~ '^pg_(toast|temp)'"                             \
	" AND NOT EXISTS (SELECT FROM pg_depend d"                         \
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"     \
	"  AND d.deptype = 'e')"

/* Privileges are asked for by oid: names need USAGE on their schema first. */
static const char relations_query[] =
	"SELECT n.nspname, c.relname, c.relkind, c.relpersistence,"
	" c.relreplident, coalesce(rn.nspname, ''), coalesce(r.relname, ''),"
	" EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid"
	"  AND i.indisvalid AND i.indimmediate"
	"  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary"
	"   WHEN 'i' THEN i.indisreplident ELSE false END),"
	" has_schema_privilege(n.oid, 'USAGE'),"
	" CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')"
	"  ELSE has_table_privilege(c.oid, 'SELECT') END,"
	" c.relrowsecurity AND row_security_active(c.oid), current_user"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S')"
	" AND c.relpersistence <> 't' AND c.oid >= 16384 AND " NOT_OURS
	" ORDER BY 1, 2";

typedef struct RelationRow
{
	const char *schema;
	const char *name;
	char kind;
	bool unlogged;
	char identity;
	bool has_index;
	bool usage;
	bool select;
	bool row_security;
	const char *role;
	char *object;  /* "table public.t" */
	Buffer quoted; /* "public"."t" */
} RelationRow;

static void
check_privileges(const RelationRow *row, Findings *findings)
{
	Buffer remedy;

	buffer_init(&remedy);
	if (!row->usage)
	{
		buffer_puts(&remedy, "GRANT USAGE ON SCHEMA ");
		pg_quote_ident(&remedy, row->schema);
		buffer_puts(&remedy, " TO ");
		pg_quote_ident(&remedy, row->role);
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, row->object,
					remedy.data, "the role may not use the schema %s",
					row->schema);
	}
	else if (!row->select)
	{
		buffer_printf(&remedy, "GRANT SELECT ON %s%s TO ",
					  row->kind == 'S' ? "SEQUENCE " : "", row->quoted.data);
		pg_quote_ident(&remedy, row->role);
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, row->object,
					remedy.data, "the role may not read it");
	}
	if (row->row_security)
	{
		buffer_reset(&remedy);
		buffer_puts(&remedy, "ALTER ROLE ");
		pg_quote_ident(&remedy, row->role);
		buffer_puts(&remedy, " BYPASSRLS");
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, row->object,
					remedy.data, "row security would hide rows from the role");
	}
	buffer_release(&remedy);
}

static void
check_identity(const RelationRow *row, Findings *findings)
{
	Buffer remedy;

	if (row->identity == 'f' || row->has_index)
		return;
	buffer_init(&remedy);
	buffer_printf(&remedy,
				  "add a primary key, or ALTER TABLE %s REPLICA IDENTITY FULL",
				  row->quoted.data);
	finding_add(findings, SEVERITY_WARNING, P_NO_IDENTITY, row->object,
				remedy.data,
				"it has no usable replica identity%s: an UPDATE or DELETE "
				"will stop the stream",
				row->identity == 'n' ? " (NOTHING)" : "");
	buffer_release(&remedy);
}

static void
check_relation(const RelationRow *row, Findings *findings)
{
	switch (row->kind)
	{
		case 'm':
			finding_add(findings, SEVERITY_NOTE, 0, row->object,
						"REFRESH MATERIALIZED VIEW on the target, at the end",
						"its definition is carried, its contents are not");
			return;
		case 'f':
			finding_add(findings, SEVERITY_WARNING, 0, row->object, "",
						"its definition is carried, its rows stay where they "
						"are");
			return;
		default:
			break;
	}
	if (row->unlogged && row->kind == 'r')
		finding_add(findings, SEVERITY_WARNING, 0, row->object,
					"ALTER TABLE ... SET LOGGED, if its rows matter",
					"it is unlogged: it is created on the target, its rows "
					"are not carried");
	else if (row->kind == 'r')
		check_identity(row, findings);
	check_privileges(row, findings);
}

static const char *
kind_word(char kind)
{
	switch (kind)
	{
		case 'm':
			return "materialized view";
		case 'f':
			return "foreign table";
		case 'S':
			return "sequence";
		default:
			return "table";
	}
}

static bool
check_relations(SourcePg *self, Findings *findings, Error *err)
{
	PGresult *res = pg_query(self->sql, err, relations_query);
	int selected = 0;
	int i;

	if (res == NULL)
		return error_wrap(err, "cannot look at the source's tables");
	for (i = 0; i < PQntuples(res); i++)
	{
		RelationRow row = {
			.schema = pg_value(res, i, 0),
			.name = pg_value(res, i, 1),
			.kind = pg_value(res, i, 2)[0],
			.unlogged = pg_value(res, i, 3)[0] == 'u',
			.identity = pg_value(res, i, 4)[0],
			.has_index = pg_value_bool(res, i, 7),
			.usage = pg_value_bool(res, i, 8),
			.select = pg_value_bool(res, i, 9),
			.row_security = pg_value_bool(res, i, 10),
			.role = pg_value(res, i, 11),
		};

		/* patterns are of tables; sequences are looked at without any */
		if (row.kind == 'S'
				? source_pg_selects(self->base.config)
				: !source_pg_selected(self->base.config, row.schema, row.name,
									  pg_value(res, i, 5), pg_value(res, i, 6)))
			continue;
		selected += row.kind == 'r';
		row.object = arena_printf(findings->arena, "%s %s.%s",
								  kind_word(row.kind), row.schema, row.name);
		buffer_init(&row.quoted);
		pg_quote_table(&row.quoted, row.schema, row.name);
		check_relation(&row, findings);
		buffer_release(&row.quoted);
	}
	PQclear(res);
	finding_add(findings, SEVERITY_OK, 0, "source", "",
				"%d tables are to be migrated", selected);
	return true;
}

/* Things of the database, not of a table, that stay behind. */
static bool
check_left_behind(SourcePg *self, Findings *findings, Error *err)
{
	static const struct
	{
		const char *what;
		const char *remedy;
	} kinds[] = {
		{ "large objects",
		  "carry them by other means, or store them as bytea" },
		{ "publications", "create them on the target, if it is to have them" },
		{ "subscriptions", "create them on the target, if it is to have them" },
		{ "event triggers",
		  "create them on the target, if it is to have them" },
	};
	PGresult *res;
	int i;

	res = pg_query(self->sql, err,
				   "SELECT (SELECT count(*) FROM pg_largeobject_metadata),"
				   " (SELECT count(*) FROM pg_publication),"
				   " (SELECT count(subname) FROM pg_subscription"
				   "  WHERE subdbid = (SELECT oid FROM pg_database"
				   "  WHERE datname = current_database())),"
				   " (SELECT count(*) FROM pg_event_trigger)");
	if (res == NULL)
		return error_wrap(err, "cannot look at the source's database");
	for (i = 0; i < PQnfields(res); i++)
	{
		if (pg_value_int(res, 0, i) > 0)
			finding_add(findings, i == 0 ? SEVERITY_WARNING : SEVERITY_NOTE, 0,
						"source", kinds[i].remedy, "%s %s are not carried",
						pg_value(res, 0, i), kinds[i].what);
	}
	PQclear(res);
	return true;
}

bool
source_pg_check_tables(SourcePg *self, Findings *findings, Error *err)
{
	return check_relations(self, findings, err) &&
		   check_left_behind(self, findings, err);
}

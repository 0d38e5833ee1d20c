/*
 * source_pg_check_tables.c
 *		Preflight of a PostgreSQL source: the relations that are to be copied.
 *
 * Of each: may we read it, can its rows be found again, and what of it does not
 * travel, so that nobody misses it afterwards.
 */
#include "postgres/source_pg_check.h"

#include <stdio.h>
#include <string.h>

#include "postgres/source_pg_copy.h"

/* Privileges are asked for by oid: names need USAGE on their schema first. */
static const char relations_query[] =
	"SELECT n.nspname, c.relname, c.relkind, c.relpersistence,"
	" coalesce(rn.nspname, ''), coalesce(r.relname, ''),"
	" CASE WHEN c.relreplident = 'f' THEN 'full'"
	"  WHEN c.relreplident = 'n' THEN 'nothing'"
	"  ELSE coalesce((SELECT CASE WHEN NOT i.indisvalid THEN 'invalid'"
	"    WHEN NOT i.indimmediate THEN 'deferrable' ELSE 'key' END"
	"   FROM pg_index i WHERE i.indrelid = c.oid"
	"   AND CASE c.relreplident WHEN 'd' THEN i.indisprimary"
	"    ELSE i.indisreplident END LIMIT 1),"
	"   CASE c.relreplident WHEN 'd' THEN 'none' ELSE 'dropped' END) END,"
	" EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid"
	"  AND i.indisprimary AND i.indisvalid AND i.indimmediate),"
	" has_schema_privilege(n.oid, 'USAGE'),"
	" CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')"
	"  ELSE has_table_privilege(c.oid, 'SELECT') END,"
	" c.relrowsecurity AND row_security_active(c.oid), current_user,"
	" (SELECT e.extname FROM pg_depend d"
	"  JOIN pg_extension e ON e.oid = d.refobjid"
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
	"  AND d.deptype = 'e' LIMIT 1)"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S') AND c.oid >= 16384"
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"
	" AND n.nspname !~ '^pg_toast' ORDER BY 1, 2";

typedef struct RelationRow
{
	const char *schema;
	const char *name;
	char kind;
	char persistence;
	const char *identity; /* what the query says */
	bool has_key;		  /* a primary key that is always enforced */
	bool usage;
	bool select;
	bool row_security;
	const char *role;
	const char *extension; /* it belongs to, or NULL */
	char *object;		   /* "table public.t" */
	Buffer quoted;		   /* "public"."t" */
} RelationRow;

/* How its identity fails, by what the query says of it. */
typedef struct IdentityFault
{
	const char *state;
	const char *reason;
	const char *remedy; /* before "ALTER TABLE ... REPLICA IDENTITY FULL" */
} IdentityFault;

static const IdentityFault identity_faults[] = {
	{ "none", "", "add a primary key" },
	{ "nothing", " (it is NOTHING)", "set it to DEFAULT" },
	{ "deferrable", " (its primary key is DEFERRABLE)",
	  "make the key NOT DEFERRABLE" },
	{ "invalid", " (its index is invalid)", "REINDEX the index" },
	{ "dropped", " (its index was dropped)", "nominate another index" },
};

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

/* An UPDATE or DELETE has to find its row on the target. */
static void
check_identity(const RelationRow *row, Findings *findings)
{
	size_t i;

	if (strcmp(row->identity, "full") == 0 && !row->has_key)
		finding_add(findings, SEVERITY_NOTE, 0, row->object,
					"add a primary key, if it is large and rows change",
					"it has no primary key: a changed row is found by "
					"comparing whole rows, which takes long in a large table");
	for (i = 0; i < sizeof(identity_faults) / sizeof(IdentityFault); i++)
	{
		const IdentityFault *fault = &identity_faults[i];

		if (strcmp(row->identity, fault->state) != 0)
			continue;
		finding_add(
			findings, SEVERITY_WARNING, P_NO_IDENTITY, row->object,
			arena_printf(findings->arena,
						 "%s, or ALTER TABLE %s REPLICA IDENTITY FULL",
						 fault->remedy, row->quoted.data),
			"it has no usable replica identity%s: an UPDATE or DELETE will "
			"stop the stream",
			fault->reason);
	}
}

static void
add_left_behind(const RelationRow *row, Findings *findings, Severity severity,
				const char *remedy, const char *message)
{
	finding_add(findings, severity, 0, row->object, remedy, "%s", message)
		->left_behind = true;
}

/* Of whom it is said that, nothing more has to be said. */
static bool
is_left_behind(const RelationRow *row, bool translated, Findings *findings)
{
	if (row->persistence == 't')
		add_left_behind(row, findings, SEVERITY_NOTE, "",
						"it is temporary and stays with its session");
	else if (row->extension != NULL && row->kind == 'r' && translated)
		add_left_behind(row, findings, SEVERITY_NOTE,
						"carry it yourself, if it matters",
						arena_printf(findings->arena,
									 "it belongs to the extension %s: it is "
									 "not carried",
									 row->extension));
	else if (row->extension != NULL && row->kind == 'r')
		add_left_behind(row, findings, SEVERITY_NOTE,
						"carry its rows yourself, if they matter",
						arena_printf(findings->arena,
									 "it belongs to the extension %s: CREATE "
									 "EXTENSION makes it on the target, its "
									 "rows are not carried",
									 row->extension));
	else if (row->extension != NULL ||
			 (translated && (row->kind == 'm' || row->kind == 'f')))
		;
	else if (row->kind == 'm')
		finding_add(findings, SEVERITY_NOTE, 0, row->object, "",
					"its definition is carried; pg_portage finish computes "
					"its contents on the target");
	else if (row->kind == 'f')
		add_left_behind(row, findings, SEVERITY_WARNING,
						"make sure that the target reaches its server, too",
						"its definition is carried, its rows stay where they "
						"are");
	else
		return false;
	return true;
}

static void
check_relation(const RelationRow *row, const SourceConfig *config,
			   Findings *findings)
{
	if (is_left_behind(row, config->translated, findings))
		return;
	if (row->persistence == 'u' && config->translated)
		return;
	if (row->persistence == 'u' && row->kind == 'r')
		add_left_behind(
			row, findings, SEVERITY_WARNING,
			arena_printf(findings->arena,
						 "ALTER TABLE %s SET LOGGED, if its rows matter",
						 row->quoted.data),
			"it is unlogged: it is created on the target, its rows are not "
			"carried");
	else if (row->kind == 'r' && !config->copy_only)
		check_identity(row, findings);
	check_privileges(row, findings);
}

static const char *
kind_word(const RelationRow *row)
{
	switch (row->kind)
	{
		case 'm':
			return "materialized view";
		case 'f':
			return "foreign table";
		case 'S':
			return row->persistence == 't' ? "temporary sequence" : "sequence";
		default:
			return row->persistence == 't' ? "temporary table" : "table";
	}
}

/* Is it among what is to be migrated, by the patterns? */
static bool
is_selected(const SourceConfig *config, const RelationRow *row,
			const char *root_schema, const char *root_name)
{
	/* patterns are of tables; sequences are looked at without any */
	if (row->kind == 'S')
		return !source_pg_selects(config);
	return source_pg_selected(config, row->schema, row->name, root_schema,
							  root_name);
}

static RelationRow
relation_row(const PGresult *res, int i)
{
	return (RelationRow){
		.schema = pg_value(res, i, 0),
		.name = pg_value(res, i, 1),
		.kind = pg_value(res, i, 2)[0],
		.persistence = pg_value(res, i, 3)[0],
		.identity = pg_value(res, i, 6),
		.has_key = pg_value_bool(res, i, 7),
		.usage = pg_value_bool(res, i, 8),
		.select = pg_value_bool(res, i, 9),
		.row_security = pg_value_bool(res, i, 10),
		.role = pg_value(res, i, 11),
		.extension = pg_is_null(res, i, 12) ? NULL : pg_value(res, i, 12),
	};
}

bool
source_pg_check_relations(SourcePg *self, SourceState *state,
						  Findings *findings, Error *err)
{
	const SourceConfig *config = self->base.config;
	PGresult *res = pg_query(self->sql, err, relations_query);
	int selected = 0;

	(void) state;
	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
	{
		RelationRow row = relation_row(res, i);

		if (!is_selected(config, &row, pg_value(res, i, 4),
						 pg_value(res, i, 5)))
			continue;
		selected += row.kind == 'r' && row.persistence != 't' &&
					row.extension == NULL;
		row.object = arena_printf(findings->arena, "%s %s.%s", kind_word(&row),
								  row.schema, row.name);
		buffer_init(&row.quoted);
		pg_quote_table(&row.quoted, row.schema, row.name);
		check_relation(&row, config, findings);
		buffer_release(&row.quoted);
	}
	PQclear(res);
	finding_add(findings, SEVERITY_OK, 0, "source", "",
				"%d tables are to be migrated", selected);
	return true;
}

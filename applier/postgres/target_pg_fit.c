/*
 * target_pg_fit.c
 *		Does a PostgreSQL target have what the source's database needs?  And
 *		later: is there something on its tables that would act on the stream?
 */
#include <stdlib.h>
#include <string.h>

#include "postgres/pg_check.h"
#include "postgres/target_pg.h"
#include "postgres/target_pg_fit.h"

/* $1: a name.  What a need looks like where it is met. */
#define EXTENSION_SQL                                                   \
	"SELECT x.extversion, a.default_version,"                           \
	" NOT v.superuser OR v.trusted AND"                                 \
	"  has_database_privilege(current_database(), 'CREATE')"            \
	"  OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)" \
	" FROM pg_available_extensions a"                                   \
	" JOIN pg_available_extension_versions v ON v.name = a.name"        \
	"  AND v.version = a.default_version"                               \
	" LEFT JOIN pg_extension x ON x.extname = a.name WHERE a.name = $1"
#define TABLESPACE_SQL                               \
	"SELECT has_tablespace_privilege(oid, 'CREATE')" \
	" FROM pg_tablespace WHERE spcname = $1"
#define TYPE_SQL "SELECT true WHERE to_regtype($1) IS NOT NULL"
#define COLLATION_SQL                                             \
	"SELECT true FROM pg_collation WHERE collname = $1"           \
	" AND collnamespace = 'pg_catalog'::regnamespace"             \
	" AND collencoding IN (-1, (SELECT encoding FROM pg_database" \
	"  WHERE datname = current_database()))"

#define SUPERUSER_SQL               \
	"SELECT rolsuper FROM pg_roles" \
	" WHERE rolname = current_user AND $1::text <> ''"

/* No row: a migration creates it, but for public. */
#define SCHEMA_SQL                                                             \
	"SELECT has_schema_privilege(oid, 'USAGE')"                                \
	" AND has_schema_privilege(oid, 'CREATE'), current_user FROM pg_namespace" \
	" WHERE nspname = $1"

int
version_compare(const char *left, const char *right)
{
	while (*left != '\0' || *right != '\0')
	{
		char *left_end;
		char *right_end;
		long l = strtol(left, &left_end, 10);
		long r = strtol(right, &right_end, 10);

		if (l != r)
			return l < r ? -1 : 1;
		/* words compare as they are, and so does what follows no number */
		left = left_end + strspn(left_end, ".-");
		right = right_end + strspn(right_end, ".-");
		if (left == left_end && right == right_end)
			return strcmp(left, right);
	}
	return 0;
}

static void
extension_met(const Need *need, const PGresult *res, Findings *findings)
{
	const char *object = arena_printf(findings->arena, "extension %s",
									  need->name);
	bool there = PQntuples(res) == 1 && !pg_is_null(res, 0, 0);
	const char *version;

	if (PQntuples(res) == 0)
	{
		finding_add(findings, SEVERITY_ERROR, P_DDL, object,
					"install its package on the target's server, or drop it "
					"on the source",
					"it is not available on the target; the source has "
					"version %s",
					need->detail);
		return;
	}
	if (!there && !pg_value_bool(res, 0, 2))
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, object,
					"have a superuser create it in the target's database",
					"the role may not create it");
	version = pg_value(res, 0, there ? 0 : 1);
	if (version_compare(version, need->detail) < 0)
		finding_add(findings, SEVERITY_WARNING, P_DDL, object,
					"install the newer version on the target",
					"the target's version is %s, the source's is %s", version,
					need->detail);
}

/* In a schema of somebody else's, which public is since 15, few may create. */
static void
schema_met(const Need *need, const PGresult *res, Findings *findings)
{
	Severity severity = need->perhaps ? SEVERITY_WARNING : SEVERITY_ERROR;
	const char *object = arena_printf(findings->arena, "schema %s", need->name);
	Buffer remedy;

	if (PQntuples(res) == 0)
	{
		if (strcmp(need->name, "public") == 0)
			finding_add(findings, severity, P_DDL, object,
						"CREATE SCHEMA public, owned by the target's role",
						"the target does not have it; %s is created there",
						need->detail);
		return;
	}
	if (pg_value_bool(res, 0, 0))
		return;
	buffer_init(&remedy);
	buffer_puts(&remedy, "GRANT USAGE, CREATE ON SCHEMA ");
	pg_quote_ident(&remedy, need->name);
	buffer_puts(&remedy, " TO ");
	pg_quote_ident(&remedy, pg_value(res, 0, 1));
	finding_add(findings, severity, P_PRIVILEGE, object, remedy.data,
				"the role %s may not create in it; %s is created there",
				pg_value(res, 0, 1), need->detail);
	buffer_release(&remedy);
}

static void
need_met(const Need *need, const PGresult *res, Findings *findings)
{
	static const char *const words[] = {
		[NEED_TABLESPACE] = "tablespace",
		[NEED_TYPE] = "type",
		[NEED_COLLATION] = "collation",
	};
	const char *object;

	if (need->kind == NEED_EXTENSION)
	{
		extension_met(need, res, findings);
		return;
	}
	if (need->kind == NEED_SCHEMA)
	{
		schema_met(need, res, findings);
		return;
	}
	if (need->kind == NEED_SUPERUSER)
	{
		if (!pg_value_bool(res, 0, 0))
			finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, need->name,
						"migrate with a superuser of the target, or drop it "
						"on the source",
						"only a superuser may create it on the target");
		return;
	}
	object = arena_printf(findings->arena, "%s %s", words[need->kind],
						  need->name);
	if (PQntuples(res) == 0)
		finding_add(findings, SEVERITY_ERROR, P_DDL, object,
					need->kind == NEED_TABLESPACE
						? "create it on the target's server"
						: "use a target that has it",
					"the target does not have it; %s needs it", need->detail);
	else if (!pg_value_bool(res, 0, 0))
		finding_add(findings, SEVERITY_ERROR, P_PRIVILEGE, object,
					"GRANT CREATE ON TABLESPACE to the target's role",
					"the role may not use it; %s needs it", need->detail);
}

static bool
check_needs(TargetPg *self, const Needs *needs, Findings *findings, Error *err)
{
	static const char *const queries[] = {
		[NEED_EXTENSION] = EXTENSION_SQL, [NEED_TABLESPACE] = TABLESPACE_SQL,
		[NEED_TYPE] = TYPE_SQL,			  [NEED_COLLATION] = COLLATION_SQL,
		[NEED_SUPERUSER] = SUPERUSER_SQL, [NEED_SCHEMA] = SCHEMA_SQL,
	};

	for (int i = 0; i < needs->count; i++)
	{
		const Need *need = &needs->items[i];
		const char *params[] = { need->name };
		PGresult *res = pg_query_params(self->conn, err, queries[need->kind], 1,
										params);

		if (res == NULL)
			return false;
		need_met(need, res, findings);
		PQclear(res);
	}
	return true;
}

void
fit_versions(int source, int target, Findings *findings)
{
	if (target / 10000 < source / 10000)
		finding_add(findings, SEVERITY_WARNING, P_DDL, "target",
					"use a target of the source's version or newer",
					"its version is %d, the source's is %d: it may refuse "
					"what a newer pg_dump writes, or lack what the schema "
					"uses",
					target / 10000, source / 10000);
}

/* Every text of the source must fit into the target's encoding. */
static void
fit_encodings(const char *source, const char *ours, Findings *findings)
{
	if (strcmp(ours, source) == 0)
		return;
	if (strcmp(ours, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_ERROR, P_SERVER_SETUP, "target",
					"use a database with the source's encoding, or UTF8",
					"the encoding is SQL_ASCII, the source's is %s: text "
					"would be stored without its encoding being known",
					source);
	else if (strcmp(source, "SQL_ASCII") == 0)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "target",
					"use a database with the encoding SQL_ASCII",
					"the encoding is %s, the source's is SQL_ASCII: text that "
					"is not valid here is refused and stops the stream",
					ours);
	else if (strcmp(ours, "UTF8") != 0)
		finding_add(findings, SEVERITY_WARNING, P_VALUE, "target",
					"use a database with the source's encoding, or UTF8",
					"the encoding is %s, the source's is %s: characters that "
					"it lacks stop the stream",
					ours, source);
}

static void
fit_locales(const Needs *source, const Needs *ours, Findings *findings)
{
	if (strcmp(source->provider, ours->provider) != 0 ||
		strcmp(source->locale, ours->locale) != 0 ||
		strcmp(source->ctype, ours->ctype) != 0)
		finding_add(findings, SEVERITY_WARNING, P_DDL, "locale",
					"create the target's database with the source's locale, "
					"from template0",
					"the target sorts text by %s of %s (ctype %s), the source "
					"by %s of %s (ctype %s): ORDER BY, ranges of text and "
					"partition bounds may mean something else",
					ours->locale, ours->provider, ours->ctype, source->locale,
					source->provider, source->ctype);
	else if (strcmp(source->locale_version, ours->locale_version) != 0)
		finding_add(findings, SEVERITY_NOTE, 0, "locale", "",
					"its version is %s on the target and %s on the source: "
					"text may sort in another order; the target's indexes are "
					"built by its own",
					ours->locale_version, source->locale_version);
}

bool
target_pg_check_fit(Target *target, const Needs *needs, Findings *findings,
					Error *err)
{
	TargetPg *self = (TargetPg *) target;
	Needs ours;

	findings->side = FINDING_TARGET;
	if (!pg_locale_read(self->conn, findings->arena, &ours, err))
		return false;
	fit_versions(needs->server_version, self->conn->server_version, findings);
	fit_encodings(needs->encoding, ours.encoding, findings);
	fit_locales(needs, &ours, findings);
	finding_add(findings, SEVERITY_NOTE, 0, "disk space", "",
				"on the source, the tables to migrate take %lld MB and their "
				"indexes %lld MB: the target needs about as much, and room for "
				"its WAL",
				(long long) ((needs->table_bytes + 999999) / 1000000),
				(long long) ((needs->index_bytes + 999999) / 1000000));
	return check_needs(self, needs, findings, err);
}

/*
 * What would act on the stream's own writes: $1 is the stream, $2 whether the
 * role can switch off what does not say ALWAYS or REPLICA.
 */
static const char in_way_query[] =
	"WITH t AS (SELECT DISTINCT c.oid, n.nspname, c.relname,"
	"  c.relforcerowsecurity OR c.relrowsecurity"
	"   AND row_security_active(c.oid) AS secured FROM portage.chunk k"
	"  JOIN pg_namespace n ON n.nspname = k.table_schema"
	"  JOIN pg_class c ON c.relnamespace = n.oid"
	"   AND c.relname = k.table_name WHERE k.stream = $1)"
	" SELECT format('foreign key %s on table %s.%s', o.conname, t.nspname,"
	"  t.relname), 'it is enforced on each change of the stream'"
	"  FROM t JOIN pg_constraint o ON o.conrelid = t.oid"
	"  WHERE o.contype = 'f' AND NOT $2::bool"
	" UNION ALL SELECT format('trigger %s on table %s.%s', g.tgname,"
	"  t.nspname, t.relname), 'it fires for what the stream writes'"
	"  FROM t JOIN pg_trigger g ON g.tgrelid = t.oid"
	"  WHERE NOT g.tgisinternal AND g.tgenabled <> 'D'"
	"  AND (g.tgenabled IN ('A', 'R') OR NOT $2::bool)"
	" UNION ALL SELECT format('rule %s on table %s.%s', w.rulename,"
	"  t.nspname, t.relname), 'it acts on what the stream writes'"
	"  FROM t JOIN pg_rewrite w ON w.ev_class = t.oid"
	"  WHERE w.ev_enabled <> 'D'"
	"  AND (w.ev_enabled IN ('A', 'R') OR NOT $2::bool)"
	" UNION ALL SELECT format('table %s.%s', t.nspname, t.relname),"
	"  'row security hides rows of it from the stream' FROM t"
	"  WHERE t.secured ORDER BY 1";

bool
target_pg_check_tables(Target *target, Findings *findings, Error *err)
{
	TargetPg *self = (TargetPg *) target;
	bool can;
	const char *params[2] = { target->config->stream };
	PGresult *res;

	findings->side = FINDING_TARGET;
	if (!target_pg_can_disable_triggers(target, &can, err))
		return false;
	params[1] = can ? "t" : "f";
	res = pg_query_params(self->conn, err, in_way_query, 2, params);
	if (res == NULL)
		return false;
	for (int i = 0; i < PQntuples(res); i++)
		finding_add(findings, SEVERITY_WARNING, P_ROW_CONFLICT,
					pg_value(res, i, 0),
					"drop or disable it, and create it when the stream has "
					"ended",
					"%s", pg_value(res, i, 1));
	PQclear(res);
	return true;
}

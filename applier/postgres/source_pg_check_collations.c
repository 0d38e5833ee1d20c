/*
 * source_pg_check_collations.c
 *		Preflight of a PostgreSQL source: collations whose library has changed.
 *
 * The server records the version of the library that a collation, or the
 * database's locale, was made with.  Where it has another one now, what was
 * stored in the old order may not be found by the new one: an index misses
 * rows, a unique one lets duplicates in, which the target's then refuses.
 */
#include <string.h>

#include "postgres/source_pg_check.h"
#include "postgres/source_pg_copy.h"

#define DATABASE_VERSION_MIN 150000

/* how many objects a message names */
#define NAMED_MAX 5

/*
 * What is stored in the order of a collation: of each collation whose recorded
 * version is not the library's, in order; %s adds that of the database.  As the
 * server does, take a version that was recorded and has gone for a difference.
 */
static const char uses_query[] =
	"WITH uses(sorted_by, object, relation) AS ("
	" SELECT u.oid, format('index %%s.%%s', n.nspname, x.relname), i.indrelid"
	"  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid"
	"  JOIN pg_namespace n ON n.oid = x.relnamespace,"
	"  unnest(i.indcollation::oid[]) AS u(oid)"
	" UNION SELECT u.oid, format('partition key of table %%s.%%s', n.nspname,"
	"  c.relname), p.partrelid FROM pg_partitioned_table p"
	"  JOIN pg_class c ON c.oid = p.partrelid"
	"  JOIN pg_namespace n ON n.oid = c.relnamespace,"
	"  unnest(p.partcollation::oid[]) AS u(oid)),"
	" versions(oid, object, remedy, recorded, actual) AS ("
	" SELECT l.oid, format('collation %%s.%%s', n.nspname, l.collname),"
	"  format('ALTER COLLATION %%I.%%I REFRESH VERSION', n.nspname, l.collname),"
	"  l.collversion, pg_collation_actual_version(l.oid)"
	"  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
	"  WHERE l.oid IN (SELECT sorted_by FROM uses)%s)"
	" SELECT v.object, v.remedy, v.recorded,"
	"  coalesce('has ' || v.actual, 'tells none'), u.object,"
	"  n.nspname, c.relname, rn.nspname, r.relname"
	" FROM versions v JOIN uses u ON u.sorted_by = v.oid"
	" JOIN pg_class c ON c.oid = u.relation"
	" JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE v.actual IS DISTINCT FROM v.recorded AND v.recorded IS NOT NULL"
	" AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'"
	" AND c.oid >= 16384"
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"
	" ORDER BY v.object, v.oid, u.object";

#define OF_DATABASE                                                  \
	" UNION ALL SELECT 'pg_catalog.\"default\"'::regcollation::oid," \
	" 'database ' || datname,"                                       \
	" format('ALTER DATABASE %I REFRESH COLLATION VERSION',"         \
	"  datname), datcollversion,"                                    \
	" pg_database_collation_actual_version(oid) FROM pg_database"    \
	" WHERE datname = current_database()"

/* One collation, and what depends on it. */
typedef struct Changed
{
	const char *object;
	const char *remedy;
	const char *recorded;
	const char *actual;
	const char *names;
	int count;
} Changed;

static void
add_changed(const Changed *changed, Findings *findings)
{
	const char *names = changed->names;

	if (changed->count == 0)
		return;
	if (changed->count > NAMED_MAX)
		names = arena_printf(findings->arena, "%s and %d more", names,
							 changed->count - NAMED_MAX);
	finding_add(findings, SEVERITY_WARNING, P_DDL, changed->object,
				arena_printf(findings->arena,
							 "REINDEX what is named, mend what that refuses, "
							 "then %s",
							 changed->remedy),
				"version %s is recorded, its library %s: what was stored in "
				"the old order may not be found, or twice, and keys may sort "
				"otherwise: %s",
				changed->recorded, changed->actual, names);
}

static void
add_name(Changed *changed, const char *name, Arena *arena)
{
	if (changed->count++ < NAMED_MAX)
		changed->names = arena_printf(arena, "%s%s%s", changed->names,
									  changed->count > 1 ? ", " : "", name);
}

static void
add_rows(const SourceConfig *config, const PGresult *res, Findings *findings)
{
	Changed changed = { .object = "", .count = 0 };

	for (int i = 0; i < PQntuples(res); i++)
	{
		if (strcmp(changed.object, pg_value(res, i, 0)) != 0)
		{
			add_changed(&changed, findings);
			changed = (Changed){ .object = pg_value(res, i, 0),
								 .remedy = pg_value(res, i, 1),
								 .recorded = pg_value(res, i, 2),
								 .actual = pg_value(res, i, 3),
								 .names = "" };
		}
		if (source_pg_selected(config, pg_value(res, i, 5), pg_value(res, i, 6),
							   pg_value(res, i, 7), pg_value(res, i, 8)))
			add_name(&changed, pg_value(res, i, 4), findings->arena);
	}
	add_changed(&changed, findings);
}

bool
source_pg_check_collations(SourcePg *self, SourceState *state,
						   Findings *findings, Error *err)
{
	Buffer sql;
	PGresult *res;

	buffer_init(&sql);
	buffer_printf(&sql, uses_query,
				  state->version >= DATABASE_VERSION_MIN ? OF_DATABASE : "");
	res = pg_query(self->sql, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	add_rows(self->base.config, res, findings);
	PQclear(res);
	return true;
}

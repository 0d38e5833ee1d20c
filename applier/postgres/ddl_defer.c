/*
 * ddl_defer.c
 *		What must not act while the stream runs, around a command of it.
 *
 * portage.ddl holds what waits for pg_portage finish: foreign keys, triggers,
 * rules.  A command may rename, change or drop such an object, or the columns
 * that it speaks of.  So what waits on the tables of a command is created for
 * its time, the command finds what it found on the source, and afterwards it is
 * taken away again as it is then.  Where nothing can be switched off for our
 * role, the same is done with what the command itself has made.
 */
#include "postgres/ddl_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres/foreign_key.h"

/*
 * What waits on these tables, or on another of the same partitioned table, which
 * hands its triggers down; foreign keys and rules also count for the tables that
 * they speak of, the names of which the dump writes in full.  $3: or on any.
 */
#define WAITING_SQL                                                           \
	"WITH family AS (SELECT f.table_oid, format('%I.%I', f.table_schema,"     \
	"  f.table_name) AS name FROM portage.relation r JOIN portage.relation f" \
	"  ON f.stream = r.stream AND coalesce(nullif(f.root_oid, 0),"            \
	"  f.table_oid) = coalesce(nullif(r.root_oid, 0), r.table_oid)"           \
	"  WHERE r.stream = $1 AND r.table_oid = ANY($2::oid[]))"                 \
	" SELECT number, type, state, sql, object_name FROM portage.ddl d"        \
	" WHERE stream = $1 AND state IN ('waiting', 'deferred')"                 \
	" AND type <> 'MATERIALIZED VIEW DATA'"                                   \
	" AND (table_oid = ANY($2::oid[]) OR (state = 'deferred'"                 \
	"  AND ($3::boolean OR table_oid IN (SELECT table_oid FROM family)))"     \
	" OR (type IN ('FK CONSTRAINT', 'RULE') AND EXISTS (SELECT FROM family"   \
	"  WHERE position(CASE type WHEN 'RULE' THEN name"                        \
	"   ELSE ' REFERENCES ' || name || '(' END IN d.sql) > 0)))"              \
	" ORDER BY number"

/* The views whose contents wait, by their OIDs, and what they are called. */
#define VIEWS_SQL                                             \
	"SELECT coalesce(array_agg(number), '{}'),"               \
	" coalesce(array_agg(oid::oid), '{}') FROM portage.ddl,"  \
	" to_regclass(substring(sql FROM"                         \
	"  '^REFRESH MATERIALIZED VIEW (.+?);(?:\\s|$)')) AS oid" \
	" WHERE stream = $1 AND type = 'MATERIALIZED VIEW DATA'"  \
	" AND oid IS NOT NULL"

#define NAME_VIEWS_SQL                                                  \
	"UPDATE portage.ddl d SET object_schema = n.nspname, object_name =" \
	" c.relname, sql = format('REFRESH MATERIALIZED VIEW %I.%I;',"      \
	"  n.nspname, c.relname) FROM unnest($2::integer[], $3::oid[])"     \
	"  AS v (number, oid) JOIN pg_class c ON c.oid = v.oid"             \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                    \
	" WHERE d.stream = $1 AND d.number = v.number"                      \
	" AND (d.object_schema, d.object_name) <> (n.nspname, c.relname)"

/*
 * A foreign key is known by its OID, which it keeps when it is renamed, and by all
 * that it says: it is made anew when the type of one of its columns is changed.
 */
#define FOREIGN_KEY_NAMES \
	"ARRAY[k.oid::text, " \
	"concat_ws(' ', k.conrelid, k.conname, pg_get_constraintdef(k.oid))]"

/* Every object of these kinds that exists, by its catalog's OID or as above. */
#define EXISTING_SQL                                                       \
	"SELECT (SELECT coalesce(array_agg(name), '{}') FROM pg_constraint k," \
	"  unnest(" FOREIGN_KEY_NAMES ") AS name WHERE contype = 'f'"          \
	"  AND conparentid = 0 AND oid::text <> ALL($1::text[])),"             \
	" (SELECT coalesce(array_agg(oid), '{}') FROM pg_trigger"              \
	"  WHERE NOT tgisinternal AND tgparentid = 0"                          \
	"  AND oid <> ALL($2::oid[])),"                                        \
	" (SELECT coalesce(array_agg(oid), '{}') FROM pg_rewrite"              \
	"  WHERE rulename <> '_RETURN' AND oid <> ALL($3::oid[]))"

/* What was said of an object, as pg_dump writes it; takes name and table. */
#define COMMENT_SQL(kind, oid, catalog, name)                             \
	" CASE WHEN obj_description(" oid ", '" catalog "') IS NULL THEN ''"  \
	"  ELSE format(' COMMENT ON " kind " %I ON %I.%I IS %L;', " name      \
	"   , n.nspname, c.relname, obj_description(" oid ", '" catalog "'))" \
	"  END"

#define KNOWN_TABLE                                                    \
	" JOIN portage.relation r ON r.stream = $1"                        \
	"  AND to_regclass(format('%I.%I', r.table_schema, r.table_name))" \
	"  = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace"

/* type, schema, object, table, its OID on the source, to remove, to restore */
#define FOREIGN_KEYS_SQL                                                                       \
	"SELECT 'FK CONSTRAINT', n.nspname, k.conname, c.relname, r.table_oid,"                    \
	" format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname,"                    \
	"  k.conname), format('ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s;',"                        \
	"  CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END, n.nspname,"                         \
	"  c.relname, k.conname, CASE WHEN $4::text[] && " FOREIGN_KEY_NAMES                       \
	"   THEN regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')"                   \
	"   ELSE pg_get_constraintdef(k.oid) END) ||" COMMENT_SQL(                                 \
		"CONSTRAINT", "k.oid", "pg_constraint",                                                \
		"k.conname") " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid" KNOWN_TABLE \
					 " WHERE k.contype = 'f' AND k.conparentid = 0"                            \
					 " AND (NOT $2::boolean OR $3::text[] && " FOREIGN_KEY_NAMES               \
					 ")"

/* " ALTER TABLE ... TRIGGER ...;" of a trigger t on table c of schema n. */
#define TRIGGER_STATE(only)                                 \
	"format(' ALTER TABLE " only "%I.%I %s TRIGGER %I;',"   \
	" n.nspname, c.relname, CASE t.tgenabled WHEN 'O' THEN" \
	"  'ENABLE' WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN"      \
	"  'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, t.tgname)"

/* Those that partitions have of it, where they differ; parents first. */
#define PARTITION_TRIGGERS_SQL                                             \
	" coalesce((WITH RECURSIVE down AS (SELECT d.oid, d.tgenabled, 1 AS n" \
	"  FROM pg_trigger d WHERE d.tgparentid = top.oid UNION ALL"           \
	"  SELECT d.oid, d.tgenabled, down.n + 1 FROM down JOIN pg_trigger d"  \
	"   ON d.tgparentid = down.oid) SELECT string_agg(" TRIGGER_STATE(     \
		"ONLY ") ", '' ORDER BY down.n) FROM down JOIN pg_trigger t ON"    \
				 "  t.oid = down.oid JOIN pg_class c ON c.oid = t.tgrelid" \
				 " JOIN pg_namespace n ON n.oid = c.relnamespace"          \
				 " WHERE t.tgenabled <> top.tgenabled), '')"

#define TRIGGERS_SQL                                                                    \
	"SELECT 'TRIGGER', n.nspname, t.tgname, c.relname, r.table_oid,"                    \
	" format('DROP TRIGGER %I ON %I.%I', t.tgname, n.nspname,"                          \
	"  c.relname), pg_get_triggerdef(t.oid) || ';' || CASE t.tgenabled"                 \
	"  WHEN 'O' THEN '' ELSE " TRIGGER_STATE(                                           \
		"") " END || " PARTITION_TRIGGERS_SQL                                           \
			" ||" COMMENT_SQL(                                                          \
				"TRIGGER", "t.oid", "pg_trigger",                                       \
				"t.tgname") " FROM pg_trigger t JOIN pg_trigger top ON top.oid = t.oid" \
							" JOIN pg_class c ON c.oid = t.tgrelid" KNOWN_TABLE         \
							" WHERE NOT t.tgisinternal AND t.tgparentid = 0"            \
							" AND (NOT $2::boolean OR t.tgenabled IN ('A', 'R')"        \
							"  OR t.oid = ANY($3::oid[]) OR " PARTITION_TRIGGERS_SQL    \
							"  ~ ' ENABLE (ALWAYS|REPLICA) TRIGGER ')"

#define RULES_SQL                                                                            \
	"SELECT 'RULE', n.nspname, w.rulename, c.relname, r.table_oid,"                          \
	" format('DROP RULE %I ON %I.%I', w.rulename, n.nspname, c.relname),"                    \
	" format('%s%s', pg_get_ruledef(w.oid), CASE w.ev_enabled"                               \
	"  WHEN 'O' THEN '' ELSE format(' ALTER TABLE %I.%I %s RULE %I;',"                       \
	"   n.nspname, c.relname, CASE w.ev_enabled WHEN 'D' THEN 'DISABLE'"                     \
	"    WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,"                           \
	"   w.rulename) END) ||" COMMENT_SQL(                                                    \
		"RULE", "w.oid", "pg_rewrite",                                                       \
		"w.rulename") " FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class" KNOWN_TABLE \
					  " WHERE w.rulename <> '_RETURN' AND (NOT $2::boolean"                  \
					  "  OR w.ev_enabled IN ('A', 'R') OR w.oid = ANY($3::oid[]))"

#define ROW_SECURITY_SQL                                                   \
	"SELECT 'ROW SECURITY', n.nspname, c.relname, c.relname, r.table_oid," \
	" format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', n.nspname,"   \
	"  c.relname), format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY;'," \
	"  n.nspname, c.relname) FROM pg_class c" KNOWN_TABLE                  \
	" WHERE c.relrowsecurity AND c.relforcerowsecurity"

#define ADD_SQL                                                      \
	"INSERT INTO portage.ddl (stream, number, section, state, type," \
	" object_schema, object_name, table_oid, sql)"                   \
	" SELECT $1, coalesce(max(number), 0) + 1, 'post-data', $7,"     \
	" $2, $3, $4, $5, $6 FROM portage.ddl WHERE stream = $1"

/* Objects that exist, one array for each catalog. */
typedef struct Existing
{
	const char *foreign_keys;
	const char *triggers;
	const char *rules;
} Existing;

/* What exists that is not in except. */
static bool
existing(DdlWork *work, const Existing *except, Existing *out)
{
	const char *params[] = { except->foreign_keys, except->triggers,
							 except->rules };
	PGresult *res = pg_query_params(work->conn, work->err, EXISTING_SQL, 3,
									params);

	if (res == NULL)
		return false;
	out->foreign_keys = arena_strdup(&work->arena, pg_value(res, 0, 0));
	out->triggers = arena_strdup(&work->arena, pg_value(res, 0, 1));
	out->rules = arena_strdup(&work->arena, pg_value(res, 0, 2));
	PQclear(res);
	return true;
}

/*
 * A foreign key that need not look at the rows; NULL if it has to, or if the
 * source has it so.  Partitioned tables have none such before version 18.
 */
static const char *
without_validation(DdlWork *work, const char *sql)
{
	const char *quick;
	ForeignKey key;
	Buffer text;

	if (!foreign_key_parse(&key, sql) || key.inherited || key.unvalidated)
		return NULL;
	buffer_init(&text);
	foreign_key_add_sql(&key, &text);
	quick = arena_strdup(&work->arena, text.data);
	buffer_release(&text);
	return quick;
}

static bool
is_waiting(const PGresult *res, int row)
{
	return strcmp(pg_value(res, row, 2), "waiting") == 0;
}

/* In two passes: those whose NOT VALID is ours are told apart by that. */
static bool
create_waiting(DdlWork *work, const PGresult *res, bool unvalidated)
{
	bool ok = true;

	for (int i = 0; ok && i < PQntuples(res); i++)
	{
		bool fk = strcmp(pg_value(res, i, 1), "FK CONSTRAINT") == 0;
		const char *quick = fk ? without_validation(work, pg_value(res, i, 3))
							   : NULL;

		/* rows that are still to come would be missed */
		if (is_waiting(res, i) && quick == NULL)
			return ddl_work_refuse(work,
								   "%s %s waits until the stream has passed "
								   "the interrupted copy",
								   pg_value(res, i, 1), pg_value(res, i, 4));
		if ((quick != NULL) == unvalidated)
			ok = pg_exec(work->conn, work->err,
						 quick != NULL ? quick : pg_value(res, i, 3));
	}
	return ok;
}

static bool
remove_entries(DdlWork *work, const PGresult *res)
{
	bool ok = true;

	for (int i = 0; ok && i < PQntuples(res); i++)
	{
		const char *params[] = { work->stream, pg_value(res, i, 0) };

		ok = pg_exec_params(work->conn, work->err,
							"DELETE FROM portage.ddl"
							" WHERE stream = $1 AND number = $2",
							2, params);
	}
	return ok;
}

static bool
open_entries(DdlWork *work, const PGresult *res, Deferral *deferral)
{
	const Existing none = { "{}", "{}", "{}" };
	Existing before;
	Existing after;

	if (!existing(work, &none, &before) || !create_waiting(work, res, true) ||
		!existing(work, &before, &after))
		return false;
	deferral->were_valid = after.foreign_keys;
	if (!create_waiting(work, res, false) || !existing(work, &before, &after))
		return false;
	deferral->foreign_keys = after.foreign_keys;
	deferral->triggers = after.triggers;
	deferral->rules = after.rules;
	for (int i = 0; i < PQntuples(res); i++)
		deferral->waiting |= is_waiting(res, i);
	return remove_entries(work, res);
}

/* What is refreshed later may be renamed until then. */
static bool
open_views(DdlWork *work, Deferral *deferral)
{
	const char *params[] = { work->stream };
	PGresult *res = pg_query_params(work->conn, work->err, VIEWS_SQL, 1,
									params);

	if (res == NULL)
		return false;
	deferral->view_numbers = arena_strdup(&work->arena, pg_value(res, 0, 0));
	deferral->view_oids = arena_strdup(&work->arena, pg_value(res, 0, 1));
	PQclear(res);
	return true;
}

static bool
close_views(DdlWork *work, const Deferral *deferral)
{
	const char *params[] = { work->stream, deferral->view_numbers,
							 deferral->view_oids };

	return pg_exec_params(work->conn, work->err, NAME_VIEWS_SQL, 3, params);
}

bool
defer_open(DdlWork *work, const char *table_oids, bool all, Deferral *deferral)
{
	const char *params[] = { work->stream, table_oids, all ? "true" : "false" };
	PGresult *res = pg_query_params(work->conn, work->err, WAITING_SQL, 3,
									params);
	bool ok = res != NULL && open_views(work, deferral);

	deferral->foreign_keys = "{}";
	deferral->were_valid = "{}";
	deferral->triggers = "{}";
	deferral->rules = "{}";
	deferral->waiting = false;
	if (ok && PQntuples(res) > 0)
		ok = open_entries(work, res, deferral);
	PQclear(res);
	return ok;
}

static bool
add_entry(DdlWork *work, const char *type, const char *schema, const char *name,
		  const char *table_oid, const char *sql, const char *state)
{
	const char *params[] = { work->stream, type, schema, name,
							 table_oid,	   sql,	 state };

	return pg_exec_params(work->conn, work->err, ADD_SQL, 7, params);
}

bool
defer_add(DdlWork *work, const char *type, const char *schema, const char *name,
		  const char *table_oid, const char *sql)
{
	return add_entry(work, type, schema, name, table_oid, sql, "deferred");
}

static bool
take_away(DdlWork *work, const PGresult *res, const char *state)
{
	bool ok = true;

	for (int i = 0; ok && i < PQntuples(res); i++)
	{
		const char *name = arena_printf(
			&work->arena, "%s %s", pg_value(res, i, 3), pg_value(res, i, 2));

		ok = pg_exec(work->conn, work->err, pg_value(res, i, 5)) &&
			 add_entry(work, pg_value(res, i, 0), pg_value(res, i, 1), name,
					   pg_value(res, i, 4), pg_value(res, i, 6), state);
	}
	return ok;
}

static bool
close_kind(DdlWork *work, const char *sql, int nparams, const char *recreated,
		   const char *were_valid, const char *state)
{
	const char *params[] = { work->stream,
							 work->self->replica_role ? "true" : "false",
							 recreated, were_valid };
	PGresult *res = pg_query_params(work->conn, work->err, sql, nparams,
									params);
	bool ok = res != NULL && take_away(work, res, state);

	PQclear(res);
	return ok;
}

bool
defer_close(DdlWork *work, const Deferral *deferral)
{
	return close_kind(work, TRIGGERS_SQL, 3, deferral->triggers, NULL,
					  "deferred") &&
		   close_kind(work, RULES_SQL, 3, deferral->rules, NULL, "deferred") &&
		   close_kind(work, FOREIGN_KEYS_SQL, 4, deferral->foreign_keys,
					  deferral->were_valid,
					  deferral->waiting ? "waiting" : "deferred") &&
		   close_kind(work, ROW_SECURITY_SQL, 1, NULL, NULL, "deferred") &&
		   close_views(work, deferral) &&
		   target_pg_identity_change(work->conn, work->stream, work->err);
}

/*
 * source_pg_check_size.c
 *		Preflight of a PostgreSQL source: rows that come near what it can send.
 *
 * A row as text, in COPY or in the stream, has to fit into one allocation of
 * the server.  Only what is stored out of line can be that large, so tables
 * without much of that are left alone, and lengths are read without the values
 * themselves.  What a column holds compressed is known for text and bytea only.
 */
#include <stdio.h>

#include "postgres/source_pg_check.h"
#include "postgres/source_pg_copy.h"

/* the server's limit, and from where on it is told */
#define ROW_LIMIT_BYTES INT64_C(1073741823)
#define ROW_NEAR_BYTES INT64_C(500000000)

/*
 * Of a table's main part no more than this is read.  No compression of a server
 * does better than 255 to 1, so a large value takes 1 MB out of line at least.
 */
#define SAMPLE_BYTES INT64_C(67108864)
#define TABLES_MAX 50
#define TOAST_MIN "1000000"

/* How long each value of variable length is as text: bytea is hexadecimal. */
#define LENGTHS                                                             \
	"(SELECT string_agg(format(CASE a.atttypid"                             \
	"   WHEN 'bytea'::regtype THEN '2 * octet_length(t.%I)::bigint'"        \
	"   WHEN 'text'::regtype THEN 'octet_length(t.%I)'"                     \
	"   WHEN 'varchar'::regtype THEN 'octet_length(t.%I)'"                  \
	"   ELSE 'pg_column_size(t.%I)' END, a.attname), ', '"                  \
	"   ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid"    \
	"  AND a.attnum > 0 AND a.attlen = -1 AND NOT a.attisdropped),"         \
	" (SELECT string_agg(quote_literal(a.attname), ', ' ORDER BY a.attnum)" \
	"  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"       \
	"  AND a.attlen = -1 AND NOT a.attisdropped)"

static const char tables_query[] =
	"SELECT n.nspname, c.relname, rn.nspname, r.relname,"
	" pg_relation_size(c.oid), " LENGTHS
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" LEFT JOIN pg_class r ON c.relispartition"
	"  AND r.oid = pg_partition_root(c.oid)"
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"
	" WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.oid >= 16384"
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"
	" AND has_table_privilege(c.oid, 'SELECT')"
	" AND has_schema_privilege(n.oid, 'USAGE') AND c.reltoastrelid <> 0"
	" AND pg_relation_size(c.reltoastrelid) >= " TOAST_MIN
	" ORDER BY pg_relation_size(c.reltoastrelid) DESC";

static void
add_row(const char *schema, const char *name, const PGresult *largest,
		Findings *findings)
{
	int64_t bytes = pg_value_int(largest, 0, 0);
	bool over = bytes >= ROW_LIMIT_BYTES;

	finding_add(findings, over ? SEVERITY_ERROR : SEVERITY_WARNING, P_COPY,
				arena_printf(findings->arena, "column %s.%s.%s", schema, name,
							 pg_value(largest, 0, 1)),
				"leave the table out with --exclude-tables, or divide the "
				"value",
				"a row has %lld MB as text, %lld MB of them here; %s",
				(long long) (bytes / 1000000),
				(long long) (pg_value_int(largest, 0, 2) / 1000000),
				over ? "the server cannot send rows above 1 GB"
					 : "from 1 GB on the server could not send it");
}

/* The largest row of a table, if it is near the limit. */
static bool
look_at(SourcePg *self, const PGresult *tables, int i, Findings *findings,
		Error *err)
{
	int64_t size = pg_value_int(tables, i, 4);
	Buffer sql;
	PGresult *res;

	buffer_init(&sql);
	buffer_puts(&sql, "SELECT v.total, v.name, v.bytes FROM ONLY ");
	pg_quote_table(&sql, pg_value(tables, i, 0), pg_value(tables, i, 1));
	buffer_puts(&sql, " AS t");
	if (size > SAMPLE_BYTES)
		buffer_printf(&sql, " TABLESAMPLE SYSTEM (%.6f)",
					  (double) SAMPLE_BYTES * 100 / (double) size);
	buffer_printf(&sql,
				  ", LATERAL (SELECT sum(b)::bigint AS total, max(b) AS bytes,"
				  " (array_agg(n ORDER BY b DESC NULLS LAST))[1] AS name"
				  " FROM unnest(ARRAY[%s]::bigint[], ARRAY[%s]::text[])"
				  " AS u(b, n)) AS v WHERE v.total >= %lld"
				  " ORDER BY v.total DESC LIMIT 1",
				  pg_value(tables, i, 5), pg_value(tables, i, 6),
				  (long long) ROW_NEAR_BYTES);
	res = pg_query(self->sql, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	if (PQntuples(res) == 1)
		add_row(pg_value(tables, i, 0), pg_value(tables, i, 1), res, findings);
	PQclear(res);
	return true;
}

static bool
look_at_tables(SourcePg *self, const PGresult *tables, Findings *findings,
			   Error *err)
{
	int looked = 0;

	for (int i = 0; i < PQntuples(tables) && looked < TABLES_MAX; i++)
	{
		const char *schema = pg_value(tables, i, 0);
		const char *name = pg_value(tables, i, 1);

		if (!source_pg_selected(self->base.config, schema, name,
								pg_value(tables, i, 2), pg_value(tables, i, 3)))
			continue;
		looked++;
		if (look_at(self, tables, i, findings, err))
			continue;
		if (err->kind == ERROR_STOPPED || !pg_conn_alive(self->sql))
			return false;
		finding_add(findings, SEVERITY_NOTE, 0,
					arena_printf(findings->arena, "table %s.%s", schema, name),
					"", "how large its rows are was not found out: %s",
					err->message);
		error_clear(err);
	}
	return true;
}

bool
source_pg_check_sizes(SourcePg *self, SourceState *state, Findings *findings,
					  Error *err)
{
	PGresult *tables = pg_query(self->sql, err, tables_query);
	bool ok;

	(void) state;
	if (tables == NULL)
		return false;
	ok = pg_exec(self->sql, err, LOOK_TIMEOUT) &&
		 look_at_tables(self, tables, findings, err) &&
		 pg_exec(self->sql, err, LOOK_TIMEOUT_END);
	PQclear(tables);
	return ok;
}

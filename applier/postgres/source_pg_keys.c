/*
 * source_pg_keys.c
 *		By which keys the rows of a table can be told apart, and split.
 *
 * The applier has to find out for each change of the stream into which range
 * its row falls.  So only types count whose order it can repeat exactly, see
 * stream/key_order.c: whole numbers, uuid, dates and times, and text whose
 * column has COLLATE "C", which compares bytes.  The database's own collation
 * does not count even if it is C, since the target's may be another.
 */
#include "postgres/source_pg_copy.h"

#include <stdio.h>
#include <string.h>

/* rows lie in the order of a key if their correlation is above this */
#define CORRELATION_MIN "0.9"

/* how many blocks a sample has for each piece */
#define SAMPLE_BLOCKS 16

/* Domains count as what they are made of. */
#define KEYS_SQL                                                            \
	"WITH RECURSIVE part (domain, type) AS ("                               \
	" SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd'"             \
	" UNION ALL SELECT p.domain, t.typbasetype FROM part p"                 \
	"  JOIN pg_type t ON t.oid = p.type AND t.typtype = 'd'),"              \
	" base AS (SELECT p.domain, p.type FROM part p"                         \
	"  JOIN pg_type t ON t.oid = p.type AND t.typtype <> 'd')"              \
	" SELECT i.indrelid, ic.relname, a.attname,"                            \
	" coalesce(b.type, a.atttypid) IN (20, 21, 23, 26, 1082, 1114, 1184,"   \
	"  2950), coalesce(b.type, a.atttypid) IN (25, 1043)"                   \
	"  AND a.attcollation = 950,"                                           \
	" coalesce(abs(s.correlation) > " CORRELATION_MIN ", false),"           \
	" i.indisprimary"                                                       \
	" FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"                \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                        \
	" JOIN pg_class ic ON ic.oid = i.indexrelid"                            \
	" JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]" \
	" LEFT JOIN base b ON b.domain = a.atttypid"                            \
	" LEFT JOIN pg_stats s ON s.schemaname = n.nspname"                     \
	"  AND s.tablename = c.relname AND s.attname = a.attname"               \
	"  AND NOT s.inherited"                                                 \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384" \
	" AND i.indisvalid AND i.indimmediate AND CASE c.relreplident"          \
	"  WHEN 'i' THEN i.indisreplident WHEN 'n' THEN false"                  \
	"  ELSE i.indisprimary END"                                             \
	" ORDER BY i.indrelid"

bool
source_pg_keys(PgConn *conn, Arena *arena, Table *tables, int count, Error *err)
{
	PGresult *res = pg_query(conn, err, KEYS_SQL);
	int i = 0;

	if (res == NULL)
		return false;
	for (int row = 0; row < PQntuples(res); row++)
	{
		uint32_t oid = (uint32_t) pg_value_int(res, row, 0);
		Table *table;

		while (i < count && tables[i].oid < oid)
			i++;
		if (i == count || tables[i].oid != oid)
			continue;
		table = &tables[i];
		table->identity_index = arena_strdup(arena, pg_value(res, row, 1));
		table->key_bytes = pg_value_bool(res, row, 4);
		if (!pg_value_bool(res, row, 3) && !table->key_bytes)
			continue;
		table->key = arena_strdup(arena, pg_value(res, row, 2));
		table->key_ordered = pg_value_bool(res, row, 5);
		table->key_primary = pg_value_bool(res, row, 6);
	}
	PQclear(res);
	return true;
}

/* How much of the table has to be looked at, in percent. */
static bool
sample_percent(PgConn *conn, const Table *table, int pieces, double *percent,
			   Error *err)
{
	char oid[16];
	const char *params[1] = { oid };
	PGresult *res;
	double blocks;

	snprintf(oid, sizeof(oid), "%u", table->oid);
	res = pg_query_params(conn, err,
						  "SELECT pg_relation_size($1::oid)"
						  " / current_setting('block_size')::integer",
						  1, params);
	if (res == NULL)
		return false;
	blocks = (double) pg_value_int(res, 0, 0);
	PQclear(res);
	*percent = 100;
	if (blocks > (double) pieces * SAMPLE_BLOCKS)
		*percent = 100.0 * pieces * SAMPLE_BLOCKS / blocks;
	return true;
}

/* The values at the ends of equal parts of a sample of blocks. */
static void
bounds_sql(Buffer *sql, const Table *table, int pieces, double percent)
{
	buffer_puts(sql, "WITH sample AS (SELECT ");
	pg_quote_ident(sql, table->key);
	buffer_puts(sql, " AS k FROM ONLY ");
	pg_quote_table(sql, table->schema, table->name);
	buffer_printf(sql,
				  " TABLESAMPLE SYSTEM (%.9f)),"
				  " part AS (SELECT percentile_disc(ARRAY(SELECT"
				  " n::float8 / %d FROM generate_series(1, %d) AS n))"
				  " WITHIN GROUP (ORDER BY k) AS ks FROM sample)"
				  " SELECT b.k::text FROM (SELECT DISTINCT unnest(ks) AS k"
				  " FROM part) AS b WHERE b.k IS NOT NULL ORDER BY b.k",
				  percent, pieces, pieces - 1);
}

bool
source_pg_key_bounds(Source *source, const SnapshotRef *snapshot,
					 const Table *table, int pieces, Arena *arena,
					 const char ***bounds, int *count, Error *err)
{
	PgConn *conn = source_pg_snapshot_session((SourcePg *) source, "catalog",
											  snapshot, err);
	PGresult *res = NULL;
	double percent;
	Buffer sql;

	if (conn == NULL)
		return false;
	if (sample_percent(conn, table, pieces, &percent, err))
	{
		buffer_init(&sql);
		bounds_sql(&sql, table, pieces, percent);
		res = pg_query(conn, err, sql.data);
		buffer_release(&sql);
	}
	if (res != NULL)
	{
		*count = PQntuples(res);
		*bounds = ARENA_ARRAY(arena, const char *, (size_t) *count);
		for (int i = 0; i < *count; i++)
			(*bounds)[i] = arena_strdup(arena, pg_value(res, i, 0));
	}
	PQclear(res);
	pg_conn_close(conn);
	return res != NULL ||
		   error_wrap(err, "table %s.%s", table->schema, table->name);
}

/*
 * source_pg_schema.c
 *		The source's schema as values; see schema.h.
 *
 * All of it is read in one session under the given snapshot.  Patterns are
 * compared with names in the server's own encoding, as everywhere else; then the
 * session is turned to UTF-8, which is what the schema is in.
 */
#include "postgres/source_pg_schema.h"

#include <stdlib.h>
#include <string.h>

/*
 * Plain tables, leaf partitions and topmost partitioned tables.  Those in
 * between hold no rows and have nothing that the topmost one does not have.
 */
#define SELECT_SQL                                                          \
	"SELECT c.oid, n.nspname, c.relname, rn.nspname, r.relname, r.oid"      \
	" FROM pg_class c"                                                      \
	" JOIN pg_namespace n ON n.oid = c.relnamespace"                        \
	" LEFT JOIN pg_class r ON c.relispartition"                             \
	"  AND r.oid = pg_partition_root(c.oid)"                                \
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"                 \
	" WHERE (c.relkind = 'r' OR c.relkind = 'p' AND NOT c.relispartition)"  \
	" AND c.relpersistence <> 't' AND c.oid >= 16384"                       \
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')" \
	" AND NOT" SCHEMA_OF_EXTENSION("pg_class", "c.oid") " ORDER BY c.oid"

#define TABLES_SQL                                                      \
	"SELECT c.oid, n.nspname, c.relname, c.relkind, CASE WHEN"          \
	" c.relispartition THEN pg_partition_root(c.oid)::oid ELSE 0 END,"  \
	" CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,"     \
	" c.relpersistence = 'u', c.relrowsecurity, NOT c.relispartition"   \
	" AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)," \
	" c.relreplident, obj_description(c.oid, 'pg_class')"               \
	" FROM" SCHEMA_TABLES " JOIN pg_class c ON c.oid = t.oid"           \
	" JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY c.oid"

#define DATABASE_SQL                                                      \
	"SELECT d.datname, pg_encoding_to_char(d.encoding), d.datcollate,"    \
	" coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') FROM pg_database d" \
	" WHERE d.datname = current_database()"

PGresult *
schema_query(SchemaRead *read, const char *sql, Error *err)
{
	const char *params[1] = { read->oids };

	return pg_query_params(read->conn, err, sql, 1, params);
}

const char *
schema_text(const SchemaRead *read, const PGresult *res, int row, int column)
{
	return pg_is_null(res, row, column)
			   ? NULL
			   : arena_strdup(read->arena, pg_value(res, row, column));
}

char
schema_char(const PGresult *res, int row, int column)
{
	return pg_value(res, row, column)[0];
}

uint32_t
schema_oid(const PGresult *res, int row, int column)
{
	return (uint32_t) pg_value_int(res, row, column);
}

bool
schema_collation_bytes(const PGresult *res, int row, int first)
{
	const char *collate = pg_value(res, row, first);
	char provider = schema_char(res, row, first + 1);

	/* the builtin ones go by code points, which is the order of UTF-8's bytes */
	return provider == 'b' ||
		   (provider == 'c' &&
			(strcmp(collate, "C") == 0 || strcmp(collate, "POSIX") == 0));
}

int
schema_rows_of(const PGresult *res, int *row, uint32_t oid)
{
	int rows = PQntuples(res);
	int end;

	while (*row < rows && schema_oid(res, *row, 0) < oid)
		(*row)++;
	end = *row;
	while (end < rows && schema_oid(res, end, 0) == oid)
		end++;
	return end - *row;
}

/* Rows are ascending by the OID in their first column; -1: it has none. */
static int
row_of(const PGresult *res, uint32_t oid)
{
	int low = 0;
	int high = PQntuples(res);

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (schema_oid(res, middle, 0) < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < PQntuples(res) && schema_oid(res, low, 0) == oid ? low : -1;
}

/* The selected, and with a partition its root: as an array's text. */
static void
select_tables(SchemaRead *read, const PGresult *res)
{
	int rows = PQntuples(res);
	bool *taken = ARENA_ARRAY(read->arena, bool, (size_t) rows);
	const char *comma = "";
	Buffer oids;

	for (int row = 0; row < rows; row++)
	{
		int root = row_of(res, schema_oid(res, row, 5));

		if (!source_pg_selected(read->config, pg_value(res, row, 1),
								pg_value(res, row, 2), pg_value(res, row, 3),
								pg_value(res, row, 4)))
			continue;
		taken[row] = true;
		if (root >= 0)
			taken[root] = true;
	}
	buffer_init(&oids);
	buffer_putc(&oids, '{');
	for (int row = 0; row < rows; row++)
	{
		if (!taken[row])
			continue;
		buffer_printf(&oids, "%s%s", comma, pg_value(res, row, 0));
		comma = ",";
	}
	buffer_putc(&oids, '}');
	read->oids = arena_strdup(read->arena, oids.data);
	buffer_release(&oids);
}

static bool
find_tables(SchemaRead *read, Error *err)
{
	PGresult *res = pg_query(read->conn, err, SELECT_SQL);

	if (res == NULL)
		return false;
	select_tables(read, res);
	PQclear(res);
	return pg_exec(read->conn, err, "SET LOCAL client_encoding = 'UTF8'");
}

static bool
read_tables(SchemaRead *read, Error *err)
{
	Schema *schema = read->schema;
	PGresult *res = schema_query(read, TABLES_SQL, err);

	if (res == NULL)
		return false;
	schema->table_count = PQntuples(res);
	schema->tables = ARENA_ARRAY(read->arena, SchemaTable,
								 (size_t) schema->table_count);
	for (int row = 0; row < schema->table_count; row++)
	{
		SchemaTable *table = &schema->tables[row];

		table->oid = schema_oid(res, row, 0);
		table->schema = schema_text(read, res, row, 1);
		table->name = schema_text(read, res, row, 2);
		table->kind = schema_char(res, row, 3);
		table->root_oid = schema_oid(res, row, 4);
		table->partition_key = schema_text(read, res, row, 5);
		table->unlogged = pg_value_bool(res, row, 6);
		table->row_security = pg_value_bool(res, row, 7);
		table->inherits = pg_value_bool(res, row, 8);
		table->replica_identity = schema_char(res, row, 9);
		table->comment = schema_text(read, res, row, 10);
	}
	PQclear(res);
	return true;
}

static bool
read_database(SchemaRead *read, Error *err)
{
	Schema *schema = read->schema;
	PGresult *res = pg_query(read->conn, err, DATABASE_SQL);

	if (res == NULL)
		return false;
	schema->database = schema_text(read, res, 0, 0);
	schema->encoding = schema_text(read, res, 0, 1);
	schema->collation_bytes = schema_collation_bytes(res, 0, 2);
	PQclear(res);
	return true;
}

bool
source_pg_schema_read(Source *source, const SnapshotRef *snapshot, Arena *arena,
					  Schema *schema, Error *err)
{
	SchemaRead read = { .config = source->config,
						.arena = arena,
						.schema = schema };
	bool ok;

	memset(schema, 0, sizeof(*schema));
	read.conn = source_pg_snapshot_session((SourcePg *) source, "schema",
										   snapshot, err);
	if (read.conn == NULL)
		return false;
	ok = find_tables(&read, err) && read_database(&read, err) &&
		 read_tables(&read, err) && source_pg_schema_types(&read, err) &&
		 source_pg_schema_columns(&read, err) &&
		 source_pg_schema_indexes(&read, err) &&
		 source_pg_schema_keys(&read, err) &&
		 source_pg_schema_checks(&read, err) &&
		 /* only servers of another kind ask how long texts are */
		 (!source->config->translated ||
		  source_pg_schema_measure(&read, err)) &&
		 source_pg_schema_others(&read, err);
	pg_conn_close(read.conn);
	return ok || error_wrap(err, "schema");
}

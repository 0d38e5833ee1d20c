/*
 * source_pg_catalog.c
 *		Tables and sequences of the source.
 *
 * Tables of extensions are not listed: CREATE EXTENSION makes them, and their
 * first rows, on the target, and there they belong to whoever may do that.
 */
#include "postgres/source_pg_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "postgres/copy_binary.h"
#include "selection.h"

/* how many sequences one statement asks for */
#define SEQUENCES_AT_ONCE 100

/* Ranges of ctid are read as such, and not by looking at all rows, since 14. */
#define TABLES_SQL                                                            \
	"SELECT c.oid, n.nspname, c.relname, c.relpersistence = 'u',"             \
	" c.relreplident, coalesce(pg_relation_size(c.oid), 0)"                   \
	"  + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0),"          \
	" c.reltuples::bigint, rn.nspname, rc.relname,"                           \
	" EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid"                \
	"  AND i.indisvalid AND i.indimmediate"                                   \
	"  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary"                  \
	"   WHEN 'i' THEN i.indisreplident ELSE false END),"                      \
	" EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass" \
	"  AND d.objid = c.oid AND d.deptype = 'e'),"                             \
	" c.relfilenode, CASE WHEN"                                               \
	"  current_setting('server_version_num')::integer >= 140000 THEN"         \
	"  coalesce(pg_relation_size(c.oid), 0)"                                  \
	"  / current_setting('block_size')::integer ELSE 0 END"                   \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"          \
	" LEFT JOIN pg_class rc ON c.relispartition"                              \
	"  AND rc.oid = pg_partition_root(c.oid)"                                 \
	" LEFT JOIN pg_namespace rn ON rn.oid = rc.relnamespace"                  \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384"   \
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"   \
	" ORDER BY c.oid"

#define COLUMNS_SQL                                                         \
	"SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod),"   \
	" " COPY_BINARY_TYPE ", a.attgenerated = 's'"                           \
	" FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"             \
	" JOIN pg_class c ON c.oid = a.attrelid"                                \
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384" \
	" AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'"    \
	" ORDER BY a.attrelid, a.attgenerated <> '', a.attnum"

/* Owned sequences with the table that owns them, and its root. */
#define SEQUENCES_SQL                                                        \
	"SELECT n.nspname, c.relname, t.oid IS NOT NULL, tn.nspname, t.relname," \
	" rn.nspname, r.relname"                                                 \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"         \
	" LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"             \
	"  AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass"          \
	"  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')"                    \
	" LEFT JOIN pg_class t ON t.oid = d.refobjid"                            \
	" LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace"                  \
	" LEFT JOIN pg_class r ON t.relispartition"                              \
	"  AND r.oid = pg_partition_root(t.oid)"                                 \
	" LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace"                  \
	" WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.oid >= 16384"  \
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'portage')"  \
	" AND NOT EXISTS (SELECT FROM pg_depend e"                               \
	"  WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid"           \
	"  AND e.deptype = 'e')"                                                 \
	" ORDER BY n.nspname, c.relname"

bool
source_pg_selected(const SourceConfig *config, const char *schema,
				   const char *name, const char *root_schema,
				   const char *root_name)
{
	return selection_has(config->tables, config->exclude_tables, schema, name,
						 root_schema, root_name);
}

bool
source_pg_selects(const SourceConfig *config)
{
	return config->tables[0] != '\0' || config->exclude_tables[0] != '\0';
}

static IdentityKind
identity_of(const PGresult *res, int row)
{
	if (pg_value(res, row, 4)[0] == 'f')
		return IDENTITY_FULL;
	return pg_value_bool(res, row, 9) ? IDENTITY_KEY : IDENTITY_NONE;
}

/* Names and types of some columns. */
static void
columns_take(const PGresult *res, int first, int count, Arena *arena,
			 const char ***names, const char ***types)
{
	*names = ARENA_ARRAY(arena, const char *, (size_t) count);
	*types = ARENA_ARRAY(arena, const char *, (size_t) count);
	for (int i = 0; i < count; i++)
	{
		(*names)[i] = arena_strdup(arena, pg_value(res, first + i, 1));
		(*types)[i] = arena_strdup(arena, pg_value(res, first + i, 2));
	}
}

/*
 * The columns of the tables, both in the order of their OIDs; generated ones
 * behind the others.
 */
static void
tables_columns(const PGresult *res, Arena *arena, Table *tables, int count)
{
	int rows = PQntuples(res);
	int row = 0;
	int i;

	for (i = 0; i < count; i++)
	{
		Table *table = &tables[i];
		int first;

		while (row < rows && (uint32_t) pg_value_int(res, row, 0) < table->oid)
			row++;
		table->binary = true;
		for (first = row;
			 row < rows && (uint32_t) pg_value_int(res, row, 0) == table->oid;
			 row++)
		{
			if (pg_value_bool(res, row, 4))
				table->generated_count++;
			else
				table->binary &= pg_value_bool(res, row, 3);
		}
		table->column_count = row - first - table->generated_count;
		table->binary &= table->column_count > 0;
		columns_take(res, first, table->column_count, arena, &table->columns,
					 &table->types);
		columns_take(res, first + table->column_count, table->generated_count,
					 arena, &table->generated, &table->generated_types);
	}
}

static int
tables_take(const SourceConfig *config, const PGresult *res, Arena *arena,
			Table *tables)
{
	int count = 0;

	for (int row = 0; row < PQntuples(res); row++)
	{
		const char *schema = pg_value(res, row, 1);
		const char *name = pg_value(res, row, 2);
		Table *table = &tables[count];

		if (!source_pg_selected(config, schema, name, pg_value(res, row, 7),
								pg_value(res, row, 8)))
			continue;
		if (pg_value_bool(res, row, 10))
		{
			log_info("table %s.%s belongs to an extension: its rows are not"
					 " copied",
					 schema, name);
			continue;
		}
		table->oid = (uint32_t) pg_value_int(res, row, 0);
		table->schema = arena_strdup(arena, schema);
		table->name = arena_strdup(arena, name);
		table->unlogged = pg_value_bool(res, row, 3);
		table->partition = !pg_is_null(res, row, 8);
		table->identity = identity_of(res, row);
		table->bytes = pg_value_int(res, row, 5);
		table->rows = pg_value_int(res, row, 6);
		table->storage = (uint32_t) pg_value_int(res, row, 11);
		table->blocks = pg_value_int(res, row, 12);
		count++;
	}
	return count;
}

static int
bigger_first(const void *left, const void *right)
{
	const Table *a = left;
	const Table *b = right;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->oid < b->oid ? -1 : a->oid > b->oid;
}

bool
source_pg_tables_list(Source *source, const SnapshotRef *snapshot, Arena *arena,
					  Table **tables, int *count, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	PgConn *conn = source_pg_snapshot_session(self, "catalog", snapshot, err);
	PGresult *res = NULL;
	PGresult *columns = NULL;
	bool ok = false;

	if (conn == NULL)
		return false;
	res = pg_query(conn, err, TABLES_SQL);
	if (res != NULL)
		columns = pg_query(conn, err, COLUMNS_SQL);
	if (columns != NULL)
	{
		*tables = ARENA_ARRAY(arena, Table, (size_t) PQntuples(res));
		*count = tables_take(source->config, res, arena, *tables);
		tables_columns(columns, arena, *tables, *count);
		ok = source_pg_keys(conn, arena, *tables, *count, err);
		qsort(*tables, (size_t) *count, sizeof(Table), bigger_first);
	}
	PQclear(columns);
	PQclear(res);
	pg_conn_close(conn);
	return ok || error_wrap(err, "list of tables");
}

/* Read the state of some sequences: only they know it, no catalog does. */
static bool
sequences_read(PgConn *conn, Sequence *sequences, int count, Error *err)
{
	Buffer sql;
	PGresult *res;

	buffer_init(&sql);
	for (int i = 0; i < count; i++)
	{
		buffer_printf(&sql, "%sSELECT %d AS n, last_value, is_called FROM ",
					  i > 0 ? " UNION ALL " : "", i);
		pg_quote_table(&sql, sequences[i].schema, sequences[i].name);
	}
	buffer_puts(&sql, " ORDER BY n");
	res = pg_query(conn, err, sql.data);
	buffer_release(&sql);
	if (res == NULL)
		return false;
	BUG_UNLESS(PQntuples(res) == count);
	for (int i = 0; i < count; i++)
	{
		sequences[i].last_value = pg_value_int(res, i, 1);
		sequences[i].is_called = pg_value_bool(res, i, 2);
	}
	PQclear(res);
	return true;
}

/* Sequences of tables that are left out are left out as well. */
static int
sequences_take(const SourceConfig *config, const PGresult *res, Arena *arena,
			   Sequence *sequences)
{
	int count = 0;

	for (int row = 0; row < PQntuples(res); row++)
	{
		if (pg_value_bool(res, row, 2) &&
			!source_pg_selected(config, pg_value(res, row, 3),
								pg_value(res, row, 4), pg_value(res, row, 5),
								pg_value(res, row, 6)))
			continue;
		sequences[count].schema = arena_strdup(arena, pg_value(res, row, 0));
		sequences[count].name = arena_strdup(arena, pg_value(res, row, 1));
		count++;
	}
	return count;
}

bool
source_pg_sequences_list(Source *source, Arena *arena, Sequence **sequences,
						 int *count, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	SnapshotRef now = { NULL, false, LSN_NONE };
	PgConn *conn = source_pg_snapshot_session(self, "sequences", &now, err);
	PGresult *res;
	bool ok;

	if (conn == NULL)
		return false;
	res = pg_query(conn, err, SEQUENCES_SQL);
	ok = res != NULL;
	if (ok)
	{
		*sequences = ARENA_ARRAY(arena, Sequence, (size_t) PQntuples(res));
		*count = sequences_take(source->config, res, arena, *sequences);
	}
	PQclear(res);
	for (int i = 0; ok && i < *count; i += SEQUENCES_AT_ONCE)
		ok = sequences_read(conn, *sequences + i,
							*count - i < SEQUENCES_AT_ONCE ? *count - i
														   : SEQUENCES_AT_ONCE,
							err);
	pg_conn_close(conn);
	return ok || error_wrap(err, "list of sequences");
}

/* In ascending order; their rows are not copied, so they cannot be followed. */
bool
source_pg_extension_tables(Source *source, Arena *arena, uint32_t **oids,
						   int *count, Error *err)
{
	SourcePg *self = (SourcePg *) source;
	PGresult *res;

	res = pg_query(self->sql, err,
				   "SELECT c.oid FROM pg_class c JOIN pg_depend d"
				   " ON d.classid = 'pg_class'::regclass AND d.objid = c.oid"
				   " AND d.deptype = 'e' WHERE c.relkind = 'r' ORDER BY c.oid");
	if (res == NULL)
		return false;
	*count = PQntuples(res);
	*oids = ARENA_ARRAY(arena, uint32_t, (size_t) *count + 1);
	for (int i = 0; i < *count; i++)
		(*oids)[i] = (uint32_t) pg_value_int(res, i, 0);
	PQclear(res);
	return true;
}

/*
 * source_pg_schema_keys.c
 *		Foreign keys of the selected tables.
 *
 * The server keeps more rows for one key where partitions are involved; only
 * the one that somebody wrote counts.  A key that refers to a partition is told
 * as one to its root, the table that its rows become part of.
 */
#include "postgres/source_pg_schema.h"

/* one that compares ranges of time (PERIOD) is no key of values: others */
#define KEYS_SQL                                                        \
	"SELECT k.conrelid, k.oid, k.conname, r.oid, n.nspname, r.relname," \
	" k.confdeltype, k.confupdtype, k.confmatchtype,"                   \
	" to_jsonb(k) ->> 'confdelsetcols' IS NOT NULL, k.condeferrable,"   \
	" k.convalidated, obj_description(k.oid, 'pg_constraint'),"         \
	" k.condeferred FROM" SCHEMA_WHOLE_TABLES " JOIN pg_constraint k"   \
	"  ON k.conrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0" \
	" JOIN pg_class f ON f.oid = k.confrelid"                           \
	" JOIN pg_class r ON r.oid = CASE WHEN f.relispartition"            \
	"  THEN pg_partition_root(f.oid) ELSE f.oid END"                    \
	" JOIN pg_namespace n ON n.oid = r.relnamespace"                    \
	" WHERE coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'"   \
	" ORDER BY k.conrelid, k.conname, k.oid"

/* columns of it */
enum
{
	KEY_TABLE,
	KEY_OID,
	KEY_NAME,
	KEY_REF_OID,
	KEY_REF_SCHEMA,
	KEY_REF_TABLE,
	KEY_ON_DELETE,
	KEY_ON_UPDATE,
	KEY_MATCH,
	KEY_SET_COLUMNS,
	KEY_DEFERRABLE,
	KEY_VALIDATED,
	KEY_COMMENT,
	KEY_DEFERRED
};

#define PAIRS_SQL                                                           \
	"SELECT k.conrelid, k.oid, a.attname, b.attname"                        \
	" FROM" SCHEMA_WHOLE_TABLES " JOIN pg_constraint k"                     \
	"  ON k.conrelid = t.oid AND k.contype = 'f' AND k.conparentid = 0"     \
	" CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY"       \
	"  AS p(own, ref, n)"                                                   \
	" JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.own"  \
	" JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.ref" \
	" WHERE coalesce(to_jsonb(k) ->> 'conperiod', 'false') = 'false'"       \
	" ORDER BY k.conrelid, k.conname, k.oid, p.n"

static void
take_key(SchemaRead *read, const PGresult *res, int row, SchemaForeignKey *key)
{
	key->name = schema_text(read, res, row, KEY_NAME);
	key->ref_oid = schema_oid(res, row, KEY_REF_OID);
	key->ref_schema = schema_text(read, res, row, KEY_REF_SCHEMA);
	key->ref_table = schema_text(read, res, row, KEY_REF_TABLE);
	key->on_delete = schema_char(res, row, KEY_ON_DELETE);
	key->on_update = schema_char(res, row, KEY_ON_UPDATE);
	key->match = schema_char(res, row, KEY_MATCH);
	key->set_columns = pg_value_bool(res, row, KEY_SET_COLUMNS);
	key->deferrable = pg_value_bool(res, row, KEY_DEFERRABLE);
	key->validated = pg_value_bool(res, row, KEY_VALIDATED);
	key->comment = schema_text(read, res, row, KEY_COMMENT);
	key->deferred = pg_value_bool(res, row, KEY_DEFERRED);
}

static void
take_pairs(SchemaRead *read, const PGresult *pairs, int *row, uint32_t oid,
		   SchemaForeignKey *key)
{
	int first = *row;
	size_t count;

	while (*row < PQntuples(pairs) && schema_oid(pairs, *row, KEY_OID) == oid)
		(*row)++;
	key->column_count = *row - first;
	count = (size_t) key->column_count;
	key->columns = ARENA_ARRAY(read->arena, const char *, count);
	key->ref_columns = ARENA_ARRAY(read->arena, const char *, count);
	for (int i = 0; i < key->column_count; i++)
	{
		key->columns[i] = schema_text(read, pairs, first + i, 2);
		key->ref_columns[i] = schema_text(read, pairs, first + i, 3);
	}
}

static void
take_keys(SchemaRead *read, const PGresult *res, const PGresult *pairs)
{
	int pair = 0;
	int row = 0;

	for (int i = 0; i < read->schema->table_count; i++)
	{
		SchemaTable *table = &read->schema->tables[i];

		table->foreign_key_count = schema_rows_of(res, &row, table->oid);
		table->foreign_keys = ARENA_ARRAY(read->arena, SchemaForeignKey,
										  (size_t) table->foreign_key_count);
		for (int k = 0; k < table->foreign_key_count; k++)
		{
			take_key(read, res, row + k, &table->foreign_keys[k]);
			take_pairs(read, pairs, &pair, schema_oid(res, row + k, KEY_OID),
					   &table->foreign_keys[k]);
		}
	}
}

bool
source_pg_schema_keys(SchemaRead *read, Error *err)
{
	PGresult *res = schema_query(read, KEYS_SQL, err);
	PGresult *pairs = NULL;

	if (res != NULL)
		pairs = schema_query(read, PAIRS_SQL, err);
	if (pairs != NULL)
		take_keys(read, res, pairs);
	PQclear(res);
	PQclear(pairs);
	return pairs != NULL;
}

/*
 * source_pg_schema_indexes.c
 *		Indexes of the selected tables, those of constraints among them.
 *
 * Partitions have none here: they are their root's.  What a partition has
 * beside is told by source_pg_schema_others.c.
 */
#include "postgres/source_pg_schema.h"

#define INDEXES_SQL                                                            \
	"SELECT i.indrelid, i.indexrelid, x.relname, CASE"                         \
	"  WHEN i.indisexclusion THEN 'x' WHEN i.indisprimary THEN 'p'"            \
	"  WHEN i.indisunique THEN 'u' ELSE 'i' END, m.amname,"                    \
	" k.oid IS NOT NULL, coalesce(k.condeferrable, false),"                    \
	" coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false'),"               \
	" i.indisvalid, i.indisreplident, pg_get_expr(i.indpred, i.indrelid),"     \
	" CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid)"              \
	"  ELSE pg_get_constraintdef(k.oid) END, i.indnatts - i.indnkeyatts,"      \
	" coalesce(obj_description(k.oid, 'pg_constraint'),"                       \
	"  obj_description(i.indexrelid, 'pg_class'))"                             \
	" FROM" SCHEMA_WHOLE_TABLES " JOIN pg_index i ON i.indrelid = t.oid"       \
	" JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam" \
	" LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid"                  \
	"  AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')"           \
	" ORDER BY i.indrelid, NOT i.indisprimary, x.relname"

/* columns of it */
enum
{
	INDEX_TABLE,
	INDEX_OID,
	INDEX_NAME,
	INDEX_KIND,
	INDEX_METHOD,
	INDEX_CONSTRAINT,
	INDEX_DEFERRABLE,
	INDEX_NULLS_NOT_DISTINCT,
	INDEX_VALID,
	INDEX_IDENTITY,
	INDEX_PREDICATE,
	INDEX_DEFINITION,
	INDEX_INCLUDED,
	INDEX_COMMENT
};

/* In the order of the indexes; the first column is again the table. */
#define PARTS_SQL                                                        \
	"SELECT i.indrelid, i.indexrelid, a.attname,"                        \
	" pg_get_indexdef(i.indexrelid, p.n, false),"                        \
	" (i.indoption[p.n - 1] & 1) = 1, o.opcdefault"                      \
	" FROM" SCHEMA_WHOLE_TABLES " JOIN pg_index i ON i.indrelid = t.oid" \
	" JOIN pg_class x ON x.oid = i.indexrelid"                           \
	" CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS p(n)"      \
	" LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid"               \
	"  AND a.attnum = i.indkey[p.n - 1] AND a.attnum <> 0"               \
	" LEFT JOIN pg_opclass o ON o.oid = i.indclass[p.n - 1]"             \
	" ORDER BY i.indrelid, NOT i.indisprimary, x.relname, p.n"

static SchemaIndexKind
index_kind(char kind)
{
	switch (kind)
	{
		case 'p':
			return SCHEMA_PRIMARY;
		case 'u':
			return SCHEMA_UNIQUE;
		case 'x':
			return SCHEMA_EXCLUSION;
		default:
			return SCHEMA_PLAIN;
	}
}

static void
take_parts(SchemaRead *read, const PGresult *parts, int *row, uint32_t oid,
		   SchemaIndex *index)
{
	int first = *row;

	while (*row < PQntuples(parts) && schema_oid(parts, *row, 1) == oid)
		(*row)++;
	index->part_count = *row - first;
	index->parts = ARENA_ARRAY(read->arena, SchemaIndexPart,
							   (size_t) index->part_count);
	for (int i = 0; i < index->part_count; i++)
	{
		SchemaIndexPart *part = &index->parts[i];

		part->column = schema_text(read, parts, first + i, 2);
		part->sql = schema_text(read, parts, first + i, 3);
		part->descending = pg_value_bool(parts, first + i, 4);
		part->default_opclass = pg_value_bool(parts, first + i, 5);
	}
}

static void
take_index(SchemaRead *read, const PGresult *res, int row, SchemaIndex *index)
{
	index->name = schema_text(read, res, row, INDEX_NAME);
	index->kind = index_kind(schema_char(res, row, INDEX_KIND));
	index->method = schema_text(read, res, row, INDEX_METHOD);
	index->constraint = pg_value_bool(res, row, INDEX_CONSTRAINT);
	index->deferrable = pg_value_bool(res, row, INDEX_DEFERRABLE);
	index->nulls_not_distinct = pg_value_bool(res, row,
											  INDEX_NULLS_NOT_DISTINCT);
	index->valid = pg_value_bool(res, row, INDEX_VALID);
	index->identity = pg_value_bool(res, row, INDEX_IDENTITY);
	index->predicate = schema_text(read, res, row, INDEX_PREDICATE);
	index->definition = schema_text(read, res, row, INDEX_DEFINITION);
	index->include_count = (int) pg_value_int(res, row, INDEX_INCLUDED);
	index->comment = schema_text(read, res, row, INDEX_COMMENT);
}

static void
take_indexes(SchemaRead *read, const PGresult *res, const PGresult *parts)
{
	int part = 0;
	int row = 0;

	for (int i = 0; i < read->schema->table_count; i++)
	{
		SchemaTable *table = &read->schema->tables[i];

		table->index_count = schema_rows_of(res, &row, table->oid);
		table->indexes = ARENA_ARRAY(read->arena, SchemaIndex,
									 (size_t) table->index_count);
		for (int k = 0; k < table->index_count; k++)
		{
			take_index(read, res, row + k, &table->indexes[k]);
			take_parts(read, parts, &part, schema_oid(res, row + k, INDEX_OID),
					   &table->indexes[k]);
		}
	}
}

bool
source_pg_schema_indexes(SchemaRead *read, Error *err)
{
	PGresult *res = schema_query(read, INDEXES_SQL, err);
	PGresult *parts = NULL;

	if (res != NULL)
		parts = schema_query(read, PARTS_SQL, err);
	if (parts != NULL)
		take_indexes(read, res, parts);
	PQclear(res);
	PQclear(parts);
	return parts != NULL;
}

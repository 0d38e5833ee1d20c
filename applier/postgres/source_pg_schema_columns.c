/*
 * source_pg_schema_columns.c
 *		Columns of the selected tables.
 *
 * A domain's typmod, NOT NULL and default are the column's, as far as it has
 * none of its own.
 */
#include "base/mem.h"
#include "postgres/source_pg_schema.h"

/*
 * A sequence counts if the column owns it and takes its default from it, and
 * from nothing else.
 */
#define SEQUENCE_OF_COLUMN                                                   \
	" SELECT sn.nspname || '.' || s.relname FROM pg_depend d"                \
	"  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'"               \
	"  JOIN pg_namespace sn ON sn.oid = s.relnamespace"                      \
	"  WHERE d.classid = 'pg_class'::regclass"                               \
	"  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid"  \
	"  AND d.refobjsubid = a.attnum AND (d.deptype = 'i' OR d.deptype = 'a'" \
	"   AND pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\\([^()]*\\)$'"       \
	"   AND EXISTS (SELECT FROM pg_depend u"                                 \
	"    WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid"       \
	"    AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid))"   \
	"  LIMIT 1"

/* What stands in the parentheses of GENERATED ... AS IDENTITY. */
#define NUMBERING_OF_COLUMN                                                 \
	" SELECT format('SEQUENCE NAME %I.%I START WITH %s INCREMENT BY %s"     \
	"  MINVALUE %s MAXVALUE %s CACHE %s%s', sn.nspname, s.relname,"         \
	"  q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,"         \
	"  CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)"                     \
	" FROM pg_depend d JOIN pg_class s ON s.oid = d.objid"                  \
	"  JOIN pg_namespace sn ON sn.oid = s.relnamespace"                     \
	"  JOIN pg_sequence q ON q.seqrelid = s.oid"                            \
	" WHERE d.classid = 'pg_class'::regclass"                               \
	"  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid" \
	"  AND d.refobjsubid = a.attnum AND d.deptype = 'i' LIMIT 1"

#define COLUMNS_SQL                                                      \
	"SELECT a.attrelid, a.attnum, a.attname, a.atttypid,"                \
	" format_type(a.atttypid, a.atttypmod), a.atttypmod, a.attnotnull,"  \
	" a.attgenerated, a.attidentity, pg_get_expr(f.adbin, f.adrelid),"   \
	" (" SEQUENCE_OF_COLUMN "), a.attcollation,"                         \
	" ln.nspname || '.' || l.collname, l.collcollate, l.collprovider,"   \
	" NOT l.collisdeterministic, col_description(a.attrelid, a.attnum)," \
	" CASE WHEN a.attidentity <> '' THEN (" NUMBERING_OF_COLUMN ") END"  \
	" FROM" SCHEMA_TABLES                                                \
	" JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0"        \
	"  AND NOT a.attisdropped"                                           \
	" LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid"                  \
	"  AND f.adnum = a.attnum"                                           \
	" LEFT JOIN pg_collation l ON l.oid = a.attcollation"                \
	" LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace"             \
	" ORDER BY a.attrelid, a.attnum"

/* columns of it */
enum
{
	COLUMN_TABLE,
	COLUMN_NUM,
	COLUMN_NAME,
	COLUMN_TYPE,
	COLUMN_TYPE_SQL,
	COLUMN_TYPMOD,
	COLUMN_NOT_NULL,
	COLUMN_GENERATED,
	COLUMN_IDENTITY,
	COLUMN_DEFAULT,
	COLUMN_SEQUENCE,
	COLUMN_COLLATION_OID,
	COLUMN_COLLATION,
	COLUMN_COLLATE,
	COLUMN_PROVIDER,
	COLUMN_NONDETERMINISTIC,
	COLUMN_COMMENT,
	COLUMN_NUMBERING
};

#define DEFAULT_COLLATION 100

/* What is below domains; type and *column get what they say. */
static const CatalogType *
unwrap(const SchemaRead *read, const CatalogType *type, SchemaType *declared,
	   SchemaColumn *column)
{
	while (type != NULL && type->kind == 'd')
	{
		if (declared != NULL && declared->typmod < 0)
			declared->typmod = type->typmod;
		if (column != NULL)
		{
			column->not_null |= type->not_null;
			if (column->default_sql == NULL && column->identity == 0 &&
				column->generated == 0)
				column->default_sql = type->default_sql;
		}
		type = schema_type_find(read, type->base_oid);
	}
	return type;
}

static void
take_element(const SchemaRead *read, const CatalogType *array, SchemaType *type)
{
	const CatalogType *element = schema_type_find(read, array->element_oid);

	element = unwrap(read, element, NULL, NULL);
	if (element == NULL)
		return;
	type->element_name = element->name;
	type->element_schema = element->schema;
	type->element_kind = element->kind;
	type->element_category = element->category;
	type->labels = element->labels;
	type->label_count = element->label_count;
}

void
schema_type_take(const SchemaRead *read, SchemaType *type, SchemaColumn *column)
{
	const CatalogType *declared = schema_type_find(read, type->oid);
	const CatalogType *base;

	BUG_UNLESS(declared != NULL);
	if (declared->kind == 'd')
		type->domain = arena_printf(read->arena, "%s.%s", declared->schema,
									declared->name);
	base = unwrap(read, declared, type, column);
	BUG_UNLESS(base != NULL);
	type->base_schema = base->schema;
	type->base_name = base->name;
	type->base_oid = base->oid;
	type->kind = base->kind;
	type->category = base->category;
	type->labels = base->labels;
	type->label_count = base->label_count;
	if (base->element_oid != 0)
		take_element(read, base, type);
}

static void
take_type(const SchemaRead *read, const PGresult *res, int row,
		  SchemaColumn *column)
{
	SchemaType *type = &column->type;
	const CatalogType *base;

	type->oid = schema_oid(res, row, COLUMN_TYPE);
	type->sql = schema_text(read, res, row, COLUMN_TYPE_SQL);
	type->typmod = (int32_t) pg_value_int(res, row, COLUMN_TYPMOD);
	schema_type_take(read, type, column);
	base = schema_type_find(read, type->base_oid);
	/* the type's own order is nothing that the column says */
	if (schema_oid(res, row, COLUMN_COLLATION_OID) != base->collation_oid &&
		schema_oid(res, row, COLUMN_COLLATION_OID) != DEFAULT_COLLATION)
		column->collation = schema_text(read, res, row, COLUMN_COLLATION);
}

static void
take_column(const SchemaRead *read, const PGresult *res, int row,
			SchemaColumn *column)
{
	column->num = (uint16_t) pg_value_int(res, row, COLUMN_NUM);
	column->name = schema_text(read, res, row, COLUMN_NAME);
	column->not_null = pg_value_bool(res, row, COLUMN_NOT_NULL);
	column->generated = schema_char(res, row, COLUMN_GENERATED);
	column->identity = schema_char(res, row, COLUMN_IDENTITY);
	column->default_sql = schema_text(read, res, row, COLUMN_DEFAULT);
	column->sequence = schema_text(read, res, row, COLUMN_SEQUENCE);
	column->collation_bytes =
		schema_oid(res, row, COLUMN_COLLATION_OID) == DEFAULT_COLLATION
			? read->schema->collation_bytes
			: schema_collation_bytes(res, row, COLUMN_COLLATE);
	column->collation_nondeterministic = pg_value_bool(res, row,
													   COLUMN_NONDETERMINISTIC);
	column->comment = schema_text(read, res, row, COLUMN_COMMENT);
	column->numbering = schema_text(read, res, row, COLUMN_NUMBERING);
	column->max_chars = -1;
	column->max_bytes = -1;
	take_type(read, res, row, column);
}

bool
source_pg_schema_columns(SchemaRead *read, Error *err)
{
	PGresult *res = schema_query(read, COLUMNS_SQL, err);
	int row = 0;

	if (res == NULL)
		return false;
	for (int i = 0; i < read->schema->table_count; i++)
	{
		SchemaTable *table = &read->schema->tables[i];

		table->column_count = schema_rows_of(res, &row, table->oid);
		table->columns = ARENA_ARRAY(read->arena, SchemaColumn,
									 (size_t) table->column_count);
		for (int k = 0; k < table->column_count; k++)
			take_column(read, res, row + k, &table->columns[k]);
	}
	PQclear(res);
	return true;
}

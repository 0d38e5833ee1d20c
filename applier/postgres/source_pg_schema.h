/*
 * source_pg_schema.h
 *		What the parts that read the schema as values share.
 *
 *		source_pg_schema.c			the whole; which tables there are
 *		source_pg_schema_types.c	types, domains unwrapped; labels of enums
 *		source_pg_schema_columns.c	columns
 *		source_pg_type_resolve.c	a type that a rule names
 *		source_pg_schema_indexes.c	indexes and what they are made of
 *		source_pg_schema_keys.c		foreign keys
 *		source_pg_schema_checks.c	checks, those of domains, too
 *		source_pg_schema_measure.c	how long the texts in keys are
 *		source_pg_schema_others.c	whatever else there is
 *
 * A few statements serve the whole database.  Each is given the OIDs of the
 * tables as an array, and its rows are in their order, so that one pass hands
 * them out.  What the servers' versions do not all have is asked for by name,
 * with to_jsonb().
 */
#ifndef PORTAGE_SOURCE_PG_SCHEMA_H
#define PORTAGE_SOURCE_PG_SCHEMA_H

#include "postgres/source_pg_copy.h"
#include "schema/schema.h"

/* The tables asked for, as t(oid) to join with. */
#define SCHEMA_TABLES " unnest($1::oid[]) AS t(oid)"

/* The roots, and tables that are no partitions: what has keys of its own. */
#define SCHEMA_WHOLE_TABLES                                           \
	" (SELECT w.oid FROM unnest($1::oid[]) AS w(oid)"                 \
	"  JOIN pg_class wc ON wc.oid = w.oid AND NOT wc.relispartition)" \
	" AS t(oid)"

/* Is the object one that an extension brought? */
#define SCHEMA_OF_EXTENSION(class, oid)                              \
	" EXISTS (SELECT FROM pg_depend ext WHERE ext.classid = '" class \
		"'::regclass AND ext.objid = " oid " AND ext.deptype = 'e')"

/* A type as the catalog has it; see source_pg_schema_types.c */
typedef struct CatalogType
{
	uint32_t oid;
	const char *schema;
	const char *name;
	char kind;
	char category;
	uint32_t base_oid; /* of a domain */
	int32_t typmod;	   /* of a domain */
	bool not_null;	   /* of a domain */
	const char *default_sql;
	uint32_t element_oid; /* of an array */
	uint32_t collation_oid;
	const char **labels;
	int label_count;
} CatalogType;

/* A CHECK of a domain. */
typedef struct DomainCheck
{
	uint32_t domain_oid;
	SchemaCheck check;
} DomainCheck;

typedef struct SchemaRead
{
	PgConn *conn; /* under the snapshot; says everything in UTF-8 */
	const SourceConfig *config;
	Arena *arena;
	Schema *schema;		/* its tables ascending by oid */
	const char *oids;	/* of the tables: "{1,2,3}" */
	CatalogType *types; /* ascending by oid */
	int type_count;
	DomainCheck *domain_checks; /* ascending by domain */
	int domain_check_count;
} SchemaRead;

/* In this order: what comes later needs what came before. */
bool source_pg_schema_types(SchemaRead *read, Error *err) MUST_CHECK;
/* Or only the one with this OID, and what it is made of. */
bool
source_pg_schema_type(SchemaRead *read, const char *oid, Error *err) MUST_CHECK;
bool source_pg_schema_columns(SchemaRead *read, Error *err) MUST_CHECK;
bool source_pg_schema_indexes(SchemaRead *read, Error *err) MUST_CHECK;
bool source_pg_schema_keys(SchemaRead *read, Error *err) MUST_CHECK;
bool source_pg_schema_checks(SchemaRead *read, Error *err) MUST_CHECK;
bool source_pg_schema_measure(SchemaRead *read, Error *err) MUST_CHECK;
bool source_pg_schema_others(SchemaRead *read, Error *err) MUST_CHECK;

/* Run a statement that takes the tables' OIDs as $1. */
PGresult *schema_query(SchemaRead *read, const char *sql, Error *err);

/* Copied; NULL for NULL. */
const char *
schema_text(const SchemaRead *read, const PGresult *res, int row, int column);
/* The first character, 0 for NULL or none. */
char schema_char(const PGresult *res, int row, int column);
uint32_t schema_oid(const PGresult *res, int row, int column);

/* Do collate and provider, in these columns, compare texts by their bytes? */
bool schema_collation_bytes(const PGresult *res, int row, int first);

/*
 * Rows are ascending by the OID in their first column: put *row on the first
 * one of oid and return how many it has.
 */
int schema_rows_of(const PGresult *res, int *row, uint32_t oid);

/* NULL if the type is not one that the tables use. */
const CatalogType *schema_type_find(const SchemaRead *read, uint32_t oid);

/*
 * type->oid and typmod are set: fill the rest in, but for sql.  column, if not
 * NULL, gets what domains say.
 */
void schema_type_take(const SchemaRead *read, SchemaType *type,
					  SchemaColumn *column);

#endif /* PORTAGE_SOURCE_PG_SCHEMA_H */

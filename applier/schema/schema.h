/*
 * schema.h
 *		The schema of a source as values: what a target of another kind builds
 *		its own from.
 *
 * A target of the source's own kind replays the dump of the schema (DdlEntry)
 * and never looks at this.  Everything is read under one snapshot and lives in
 * the caller's arena.  Expressions are the source's own words, as its catalog
 * prints them.  All of it is UTF-8, whatever the source's encoding is: names in
 * the stream and in the copy (change.h, catalog.h) are not, which makes no
 * difference as long as they are ASCII; see copy_schema.c.
 */
#ifndef PORTAGE_SCHEMA_H
#define PORTAGE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

/* A type, with domains unwrapped. */
typedef struct SchemaType
{
	const char *sql; /* as people know it: "numeric(10,2)", "public.mood[]" */
	uint32_t oid;	 /* as declared */
	const char *domain; /* "schema.name" of the outermost domain, or NULL */
	const char *base_schema; /* of what is below the domains */
	const char *base_name;	 /* pg_type.typname: "numeric", "_int4", "mood" */
	uint32_t base_oid;
	int32_t typmod;		 /* of the column, else of the domain; -1: none */
	char kind;			 /* pg_type.typtype of the base: b, c, e, r, m, p */
	char category;		 /* pg_type.typcategory of the base */
	const char **labels; /* of an enum (or an array's element), in order */
	int label_count;
	const char *element_name; /* an array's element: typname, or NULL */
	const char *element_schema;
	char element_kind; /* typtype of the element, or 0 */
	char element_category;
} SchemaType;

typedef struct SchemaColumn
{
	uint16_t num; /* attnum; of a partition's root: the root's */
	const char *name;
	SchemaType type;
	bool not_null;
	char generated;			 /* 's', 'v' or 0 */
	char identity;			 /* 'a', 'd' or 0 */
	const char *default_sql; /* pg_get_expr(); the expression if generated */
	const char *sequence;	 /* "schema.name": owned, and its default */
	const char *numbering;	 /* of an identity: SEQUENCE NAME and its options */
	const char *collation;	 /* "schema.name" if not the type's default */
	bool collation_bytes;	 /* C, POSIX, or the database's is */
	bool collation_nondeterministic;
	const char *comment; /* or NULL */

	/*
	 * The longest value in characters and bytes of UTF-8: of text in a primary or
	 * foreign key or a unique index, whose type says no limit; of bytea there,
	 * its bytes.  -1: not measured.
	 */
	int64_t max_chars;
	int64_t max_bytes;
} SchemaColumn;

typedef enum SchemaIndexKind
{
	SCHEMA_PRIMARY, /* primary key */
	SCHEMA_UNIQUE,	/* constraint or index */
	SCHEMA_PLAIN,
	SCHEMA_EXCLUSION
} SchemaIndexKind;

/* A key column, or an expression. */
typedef struct SchemaIndexPart
{
	const char *column; /* name, or NULL */
	const char *sql;	/* pg_get_indexdef() of the part */
	bool descending;
	bool default_opclass;
} SchemaIndexPart;

typedef struct SchemaIndex
{
	const char *name;
	SchemaIndexKind kind;
	const char *method; /* btree, hash, gin, ... */
	bool constraint;	/* it is a constraint's */
	bool deferrable;
	bool nulls_not_distinct;
	bool valid;
	bool identity;			/* REPLICA IDENTITY USING INDEX */
	const char *predicate;	/* of a partial one, or NULL */
	const char *definition; /* pg_get_indexdef() or pg_get_constraintdef(); of a
							 * derived table, an index's from USING on */
	SchemaIndexPart *parts;
	int part_count;
	int include_count; /* columns that are only carried along */
	const char *comment;
} SchemaIndex;

typedef struct SchemaForeignKey
{
	const char *name;
	const char **columns;
	uint32_t ref_oid; /* of the table, or of a partition's root */
	const char *ref_schema;
	const char *ref_table;
	const char **ref_columns;
	int column_count;
	char on_delete; /* a: no action, r: restrict, c, n, d as pg_constraint */
	char on_update;
	char match;		  /* s, f */
	bool set_columns; /* ON DELETE SET NULL (some columns) */
	bool deferrable;
	bool deferred; /* INITIALLY DEFERRED */
	bool validated;
	bool derived; /* what rules make is on one of its sides */
	const char *comment;
} SchemaForeignKey;

typedef struct SchemaCheck
{
	const char *name;
	const char *domain; /* "schema.name" if it is a domain's, or NULL */
	const char *column; /* of that type, or NULL */
	const char *sql;	/* the expression; a domain's speaks of VALUE */
	bool validated;
	const char *comment;
} SchemaCheck;

/*
 * A table, a partitioned table, or a leaf partition of one.  What rules make is a
 * plain table; whatever else is written to it has an entry of its own with that
 * one's OID as root_oid, as a partition has.
 */
typedef struct SchemaTable
{
	uint32_t oid;
	const char *schema;
	const char *name;
	char kind;				   /* 'r' or 'p' */
	uint32_t root_oid;		   /* of a partition: the topmost table; else 0 */
	const char *partition_key; /* of kind 'p': pg_get_partkeydef() */
	bool unlogged;
	bool row_security;
	bool inherits; /* plain inheritance, not a partition */
	char replica_identity;
	SchemaColumn *columns; /* none that was dropped */
	int column_count;
	SchemaIndex *indexes; /* of a partition: none, they are its root's */
	int index_count;
	SchemaForeignKey *foreign_keys;
	int foreign_key_count;
	SchemaCheck *checks;
	int check_count;
	const char *comment;

	/* of what rules make of tables, see rules/rule_schema.h */
	bool derived;
	bool shared;	/* others write to it, too, and may have made it already */
	bool conflicts; /* rows of the copy have to find those of their key */
} SchemaTable;

/* Whatever else there is: a target of another kind may not have it at all. */
typedef struct SchemaOther
{
	const char *type; /* "VIEW", "FUNCTION", "TRIGGER", "SEQUENCE", ... */
	const char *schema;
	const char *name;	/* "t on public.x" for what belongs to a table */
	uint32_t table_oid; /* or 0 */
} SchemaOther;

typedef struct Schema
{
	const char *database;
	const char *encoding; /* of the server */
	bool collation_bytes; /* the database's collation compares bytes */
	SchemaTable *tables;  /* those selected, and the roots of partitions;
						   * ascending by oid */
	int table_count;
	SchemaOther *others;
	int other_count;
} Schema;

/* NULL if there is none. */
const SchemaTable *schema_table(const Schema *schema, uint32_t oid);
const SchemaColumn *schema_column(const SchemaTable *table, const char *name);
const SchemaIndex *schema_primary_key(const SchemaTable *table);

/* The table itself, or the root of the partition. */
const SchemaTable *schema_root(const Schema *schema, const SchemaTable *table);

#endif /* PORTAGE_SCHEMA_H */

/*
 * translate.h
 *		A schema of PostgreSQL as one of MySQL or MariaDB: pure, no connection.
 *
 *		translate.c				the whole: tables, then what follows the rows
 *		translate_name.c		identifiers: folded, shortened, no collision
 *		translate_type*.c		a column's type and conversion
 *		translate_key.c			what keys ask of types
 *		translate_default.c		defaults, AUTO_INCREMENT, generated columns
 *		translate_table.c		CREATE TABLE
 *		translate_index*.c		unique keys and plain indexes
 *		translate_constraint.c	foreign keys, CHECKs
 *		translate_other.c		what has no counterpart
 *		pg_expr*.c				PostgreSQL's expressions as trees
 *		translate_expr.c, expr_emit*.c	and as SQL of the target
 */
#ifndef PORTAGE_TRANSLATE_H
#define PORTAGE_TRANSLATE_H

#include "mysql/table_map.h"
#include "schema/schema.h"
#include "schema/translation.h"

/* What the translation has to know of the target. */
typedef struct TranslateTarget
{
	bool mariadb;
	int version;		   /* as MyServer */
	const char *collation; /* byte-exact */
	int lower_case_table_names;
	const char *database;	   /* the URL's */
	bool schemas_as_databases; /* --schemas databases */
	LossRules losses;
} TranslateTarget;

/* Column of the target and how its values come about. */
typedef struct TranslatedSchema
{
	Translation base;
	TableMap *maps; /* of every table with rows, partitions included */
	int map_count;
} TranslatedSchema;

/* Never fails: what cannot be carried is a finding. */
void translate_schema(const Schema *schema, const TranslateTarget *target,
					  Arena *arena, TranslatedSchema *out);

/*
 * One column by itself, as DDL in the stream brings it.  key: it is part of a
 * key.  Fills in the map and "type NOT NULL DEFAULT ..." as SQL, "" if the target
 * has no such column; findings as translate_schema().
 */
void
translate_column(const SchemaTable *table, const SchemaColumn *column, bool key,
				 const TranslateTarget *target, Arena *arena, ColumnMap *map,
				 const char **definition_sql, Findings *decisions);

#endif /* PORTAGE_TRANSLATE_H */

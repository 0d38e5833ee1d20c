/*
 * schema_fixture.h
 *		Schemas of a source, written down by hand.
 *
 * Everything is kept in one arena; arrays have room for FIXTURE_MAX each.
 */
#ifndef PORTAGE_SCHEMA_FIXTURE_H
#define PORTAGE_SCHEMA_FIXTURE_H

#include "mysql/translate.h"

#define FIXTURE_MAX 200

typedef struct SchemaFixture
{
	Arena arena;
	Schema schema;
	TranslateTarget target;
	TranslatedSchema result;
} SchemaFixture;

/* MariaDB 10.11 or MySQL 9.7, database "d". */
void fixture_init(SchemaFixture *fixture, bool mariadb);
void fixture_release(SchemaFixture *fixture);
void fixture_on_loss(SchemaFixture *fixture, const char *on_loss);

SchemaTable *
fixture_table(SchemaFixture *fixture, const char *schema, const char *name);

/* A type of pg_catalog by typname; "_int4" is an array of int4. */
SchemaColumn *
fixture_column(SchemaFixture *fixture, SchemaTable *table, const char *name,
			   const char *type, int32_t typmod);
/* The same, NOT NULL. */
SchemaColumn *
fixture_key_column(SchemaFixture *fixture, SchemaTable *table, const char *name,
				   const char *type, int32_t typmod);

/* columns: names, or expressions in parentheses, separated by commas. */
SchemaIndex *
fixture_index(SchemaFixture *fixture, SchemaTable *table, const char *name,
			  SchemaIndexKind kind, const char *columns);
SchemaForeignKey *
fixture_foreign_key(SchemaFixture *fixture, SchemaTable *table,
					const char *name, const char *columns,
					const SchemaTable *parent, const char *ref_columns);
SchemaCheck *fixture_check(SchemaFixture *fixture, SchemaTable *table,
						   const char *name, const char *sql);

void fixture_translate(SchemaFixture *fixture);

/* Of the result; NULL if there is none. */
const DdlEntry *
fixture_entry(const SchemaFixture *fixture, const char *type, const char *name);
const Finding *fixture_finding(const SchemaFixture *fixture, const char *object,
							   const char *message);
const TranslatedColumn *
fixture_translated(const SchemaFixture *fixture, const char *table,
				   const char *column);
const TableMap *fixture_map(const SchemaFixture *fixture, const char *table);

#endif /* PORTAGE_SCHEMA_FIXTURE_H */

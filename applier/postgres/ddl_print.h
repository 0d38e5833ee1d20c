/*
 * ddl_print.h
 *		Tables that rules have made, as entries of the schema of a PostgreSQL
 *		target.
 *
 * What no rule changes comes from pg_dump; this is for what the source does not
 * have.  Pure: every name is quoted, expressions are the catalog's own words.
 * Tables that others write to may be there already, as those make them: their
 * statements say IF NOT EXISTS, one way or another, and wait for each other.
 */
#ifndef PORTAGE_DDL_PRINT_H
#define PORTAGE_DDL_PRINT_H

#include "base/arena.h"
#include "catalog.h"
#include "schema/schema.h"

/*
 * The dump's entries and those of the derived tables of the schema, numbered
 * anew: tables at the end of what comes before the rows, keys and indexes at the
 * end of what comes behind them, foreign keys last.  Also foreign keys of other
 * tables that refer to these.
 */
void ddl_print(const Schema *schema, const DdlEntry *dumped, int dumped_count,
			   Arena *arena, DdlEntry **entries, int *count);

#endif /* PORTAGE_DDL_PRINT_H */

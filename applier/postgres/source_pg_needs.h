/*
 * source_pg_needs.h
 *		The parts of source_pg_needs().
 */
#ifndef PORTAGE_SOURCE_PG_NEEDS_H
#define PORTAGE_SOURCE_PG_NEEDS_H

#include "postgres/source_pg.h"

/* source_pg_needs_schema.c: add the schemas in which something is created */
bool source_pg_needs_schemas(SourcePg *self, Arena *arena, Needs *needs,
							 Error *err) MUST_CHECK;

#endif /* PORTAGE_SOURCE_PG_NEEDS_H */

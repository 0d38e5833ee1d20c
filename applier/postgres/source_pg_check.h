/*
 * source_pg_check.h
 *		The parts of the source's preflight.
 */
#ifndef PORTAGE_SOURCE_PG_CHECK_H
#define PORTAGE_SOURCE_PG_CHECK_H

#include "postgres/source_pg.h"

/* Identity, privileges and kinds of what is to be copied. */
bool source_pg_check_tables(SourcePg *self, Findings *findings,
							Error *err) MUST_CHECK;

/*
 * Do the names in synchronous_standby_names include this application_name, as
 * the server compares them?
 */
bool synchronous_names_match(const char *setting, const char *name);

#endif /* PORTAGE_SOURCE_PG_CHECK_H */

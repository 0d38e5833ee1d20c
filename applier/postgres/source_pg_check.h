/*
 * source_pg_check.h
 *		The parts of the source's preflight.
 *
 * Each part adds what it finds and returns false only if it could not look;
 * the others go on.
 */
#ifndef PORTAGE_SOURCE_PG_CHECK_H
#define PORTAGE_SOURCE_PG_CHECK_H

#include "postgres/source_pg.h"

/* Around what looks into tables, which may take long. */
#define LOOK_TIMEOUT "SET statement_timeout = '5s'"
#define LOOK_TIMEOUT_END "SET statement_timeout = 0"

/* What earlier parts have learnt, for those that try things out. */
typedef struct SourceState
{
	int version;
	bool standby;
	bool logical;
	bool may_replicate;
	int slots_free;
	int walsenders_free;
	bool slot_exists; /* ours: the migration has begun */
} SourceState;

typedef struct SourcePart
{
	const char *object; /* of the finding if it cannot look */
	bool for_stream;	/* a copy alone does without */
	bool for_dump;		/* a target of another kind does without */
	Severity severity;	/* of that finding */
	bool (*look)(SourcePg *self, SourceState *state, Findings *findings,
				 Error *err);
} SourcePart;

/*
 * Look at every part.  False with err only if the connection is gone or a stop
 * was asked for; another failure of a part is a finding.
 */
bool source_pg_check_parts(SourcePg *self, const SourcePart *parts, int count,
						   Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_slot.c: what would make the creation of a slot wait */
bool source_pg_check_transactions(SourcePg *self, SourceState *state,
								  Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_slot.c: is the plugin there, allowed, and may we use it? */
bool source_pg_check_plugin(SourcePg *self, SourceState *state,
							Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_tables.c: identity, privileges and kinds of relations */
bool source_pg_check_relations(SourcePg *self, SourceState *state,
							   Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_objects.c: what the catalog says of other objects */
bool source_pg_check_catalog(SourcePg *self, SourceState *state,
							 Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_types.c: columns that another server may not be able to read */
bool source_pg_check_types(SourcePg *self, SourceState *state,
						   Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_collations.c: what is sorted as a library did that changed */
bool source_pg_check_collations(SourcePg *self, SourceState *state,
								Findings *findings, Error *err) MUST_CHECK;

/* source_pg_check_size.c: rows that come near what a server can send */
bool source_pg_check_sizes(SourcePg *self, SourceState *state,
						   Findings *findings, Error *err) MUST_CHECK;

/*
 * Do the names in synchronous_standby_names include this application_name, as
 * the server compares them?
 */
bool synchronous_names_match(const char *setting, const char *name);

#endif /* PORTAGE_SOURCE_PG_CHECK_H */

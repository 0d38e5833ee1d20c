/*
 * rule_schema.h
 *		The schema that a target is to have, behind the rules.
 *
 * Tables that no rule sends here are not in it; those that no rule changes are as
 * they are on the source; of others there is what each rule makes of them.  What
 * is written to the same table, partitions among it, is one table and entries that
 * have its OID as root_oid.  Pure.
 */
#ifndef PORTAGE_RULE_SCHEMA_H
#define PORTAGE_RULE_SCHEMA_H

#include "rules/rule_set.h"

typedef struct RuleSchema
{
	Schema schema;

	/*
	 * Tables of the source that are not as they are on the target, or not there,
	 * with partitions: what a dump has to leave out.  Ascending.
	 */
	uint32_t *left_out;
	int left_out_count;
	bool derived; /* rules make at least one table */
} RuleSchema;

/*
 * All of it lives in the arena and shares strings with the source's schema and the
 * engine.  What does not go along is a note, what contradicts itself an error in
 * findings.  P_RULE.
 */
bool
rule_schema_make(RuleEngine *engine, const Schema *source, Arena *arena,
				 RuleSchema *out, Findings *findings, Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_SCHEMA_H */

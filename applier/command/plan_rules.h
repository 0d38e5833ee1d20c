/*
 * plan_rules.h
 *		What the rules make of each table of the source, for one target: gathered,
 *		then shown.
 */
#ifndef PORTAGE_PLAN_RULES_H
#define PORTAGE_PLAN_RULES_H

#include <jansson.h>

#include "rules/rule_set.h"

struct Session;

/* A table of the source, and what comes of it here. */
typedef struct PlanRuleTable
{
	const SchemaTable *table;
	const RuleInput *input;
	const Derived *const *derived;
	int count;
	bool named; /* by some rule, maybe for other targets only */
} PlanRuleTable;

/* Which old values the WAL has to carry for what a rule makes of a table. */
typedef enum IdentityNeed
{
	NEED_NONE,	 /* nothing is updated or deleted */
	NEED_KEY,	 /* its key is enough */
	NEED_BETTER, /* its key is enough; with FULL more is known */
	NEED_FULL	 /* the whole old row */
} IdentityNeed;

typedef struct PlanRules
{
	const RuleSet *set;
	RuleEngine *engine;
	Schema schema;
	PlanRuleTable *tables; /* by schema and name; no partitions */
	int table_count;
} PlanRules;

/*
 * Compile the session's rules, which are ready, for all tables of the source.  What
 * was gathered lives until plan_rules_close(), and as long as arena.
 */
bool plan_rules_gather(PlanRules *rules, struct Session *session, Arena *arena,
					   Error *err) MUST_CHECK;
void plan_rules_close(PlanRules *rules);

/* ---- of one derived table */

/* What of an old row its rule looks at, which the identity has to carry. */
IdentityNeed plan_rules_need(const Derived *derived);
/* As plan says it, in text and JSON. */
const char *identity_need_name(IdentityNeed need);
/* "default", "nothing", "full", "index" */
const char *plan_rules_identity(const RuleInput *input);

/* The type of a column as people know it. */
const char *
plan_rules_type(const PlanRuleTable *table, const DerivedColumn *column);

/* A column's expression as it is written in the file; NULL: there is none. */
const char *
plan_rules_expression(const Derived *derived, const DerivedColumn *column);

/* The names of the operations, up to four; how many. */
int plan_rules_operations(const Derived *derived, const char *names[4]);

/* "error", "source_wins", "target_wins", "latest_wins" */
const char *plan_rules_conflict(const Derived *derived);

/* "query", "file", "table" */
const char *reference_kind_name(ReferenceKind kind);

/* ---- shown */

/* For people; for programs, a new object, which is the caller's. */
void plan_rules_print(const PlanRules *rules);
json_t *plan_rules_json(const PlanRules *rules);

#endif /* PORTAGE_PLAN_RULES_H */

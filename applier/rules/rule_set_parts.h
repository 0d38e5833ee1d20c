/*
 * rule_set_parts.h
 *		What the files of a RuleSet share; for rules/ only.
 */
#ifndef PORTAGE_RULE_SET_PARTS_H
#define PORTAGE_RULE_SET_PARTS_H

#include "rules/rule_reference.h"
#include "rules/rule_set.h"

/* OIDs of our own: in the half that a server gives out last. */
#define OWN_OIDS UINT32_C(0x80000000)

/* A type as the file has it, and what the source says it is. */
typedef struct ResolvedType
{
	const char *text;
	SchemaType type;
} ResolvedType;

/* A table that a rule makes, of which table. */
typedef struct RuleGoal
{
	const char *schema;
	const char *name;
	const ConfigRule *rule;
	uint32_t table_oid;
} RuleGoal;

/* A partition, and the table that its rows are of. */
typedef struct RulePart
{
	uint32_t oid;
	uint32_t root_oid;
} RulePart;

struct RuleSet
{
	RuleSetConfig config;
	Arena arena;
	ResolvedType *types;
	int type_count;
	RuleInput *inputs; /* of the schema that it was prepared with, by oid */
	int input_count;
	RulePart *parts; /* of the same schema, by oid */
	int part_count;
	RuleReference *references; /* those that rules ask for */
	int reference_count;
	bool references_wrong; /* one of them has a finding */
	RuleGoal *goals;	   /* of these, by name */
	int goal_count;
	const char **lost_sequences; /* "schema.name" */
	int lost_count;
};

/* NULL if it was not resolved. */
const SchemaType *rule_set_type(const RuleSet *set, const char *text);

/* The table as it was when the set was prepared, or NULL. */
const RuleInput *rule_set_input(const RuleSet *set, uint32_t oid);

/* The same; of a partition, what its root was. */
const RuleInput *rule_set_root(const RuleSet *set, uint32_t oid);

#endif /* PORTAGE_RULE_SET_PARTS_H */

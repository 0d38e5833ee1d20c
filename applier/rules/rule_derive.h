/*
 * rule_derive.h
 *		One rule and one table: the columns, the key, and what has to be asked.
 */
#ifndef PORTAGE_RULE_DERIVE_H
#define PORTAGE_RULE_DERIVE_H

#include "rules/rule_set.h"

/* What a rule is applied with; belongs to an engine. */
typedef struct DeriveContext
{
	const RuleSet *set;
	ExprDb *db;
	Arena *arena;
	bool first; /* of the rules that make something of this table here */
} DeriveContext;

/* P_RULE, with the place in the file, the rule and the table. */
const Derived *rule_derive(const DeriveContext *context, const ConfigRule *rule,
						   const RuleInput *input, Error *err);

/* The table as it is, where no rule says otherwise. */
const Derived *
rule_derive_nothing(const DeriveContext *context, const RuleInput *input);

/*
 * Is the first rule of a table of this name one that leaves it as it is?  Then it
 * is derived by rule_derive_nothing().
 */
bool rule_leaves(const RuleSet *set, const ConfigRule *rule, const char *schema,
				 const char *name);

/* Index of the column that the target has under this name, or -1. */
int derived_column(const Derived *derived, const char *name);

/* The OID of what comes of a table, or of a partition, of this OID. */
uint32_t derived_oid(const Derived *derived, uint32_t source_oid);

/* "shop.yaml:12:5: rule 3, table public.x: ..."; false. */
bool rule_error(const RuleSet *set, const ConfigRule *rule,
				const RuleInput *input, ConfigPlace place, Error *err,
				const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif /* PORTAGE_RULE_DERIVE_H */

/*
 * rule_check.h
 *		What the rules ask for and nobody could carry out: found before anything is
 *		begun.
 */
#ifndef PORTAGE_RULE_CHECK_H
#define PORTAGE_RULE_CHECK_H

#include "rules/rule_set.h"

/*
 * What the WAL does not carry, TRUNCATE of what others write to, rules that write
 * the same keys, numbers that nobody could give.  table is the source's.
 */
void rule_check_derived(const Derived *derived, const Schema *schema,
						const SchemaTable *table, Findings *findings);

#endif /* PORTAGE_RULE_CHECK_H */

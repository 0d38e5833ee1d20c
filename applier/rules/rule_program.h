/*
 * rule_program.h
 *		The expressions of a derived table, compiled, and what follows from the
 *		columns that they look at.
 */
#ifndef PORTAGE_RULE_PROGRAM_H
#define PORTAGE_RULE_PROGRAM_H

#include "rules/rule_derive.h"

/* The columns as expressions see them. */
ExprColumn *rule_expr_columns(const RuleInput *input, Arena *arena);

/*
 * Compile where, route and columns; find out what decides, what is known of old
 * rows, and whether the WAL carries what the key needs.  P_RULE.
 */
bool rule_compile(const DeriveContext *context, Derived *derived,
				  Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_PROGRAM_H */

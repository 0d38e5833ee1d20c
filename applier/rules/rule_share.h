/*
 * rule_share.h
 *		Tables of the target that more than one rule, table or source writes to.
 *
 * What another source has is not known here, only the configuration is: its rules
 * count if they may make a table of that name.
 */
#ifndef PORTAGE_RULE_SHARE_H
#define PORTAGE_RULE_SHARE_H

#include "rules/rule_set.h"

/* Where the tables of the schema go, from what prepare has seen. */
void rule_share_learn(RuleSet *set);

/* Do others write to it?  Rules with match change what others write. */
bool rule_is_shared(const RuleSet *set, const Derived *derived);

/*
 * Rows of several of those may have the same key: no column of the key says whose
 * they are.  Who it is, for a message; NULL: nobody.
 */
const char *
rule_same_keys(const RuleSet *set, const Derived *derived, Arena *arena);

/*
 * May a row that comes, even with the copy, find its key taken, by a row of others or
 * of its own table, so that on_conflict decides?
 */
bool rule_may_conflict(const RuleSet *set, const Derived *derived);

#endif /* PORTAGE_RULE_SHARE_H */

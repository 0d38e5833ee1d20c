/*
 * rule_match.h
 *		Which rules handle a table.
 *
 * All that name it exactly; if none does, the first pattern that matches.  Rules
 * with match add to the others and never replace them.  Without rules: in the
 * file everything is migrated as it is.
 */
#ifndef PORTAGE_RULE_MATCH_H
#define PORTAGE_RULE_MATCH_H

#include "config/config.h"

/* Does the rule name exactly one table? */
bool rule_is_exact(const ConfigRule *rule);

/* Does it handle tables of this source? */
bool rule_is_for_source(const ConfigRule *rule, const char *source);

/* Does its pattern match? */
bool
rule_names_table(const ConfigRule *rule, const char *schema, const char *name);

/* May its rows come to the target: named, or routed, or the only one? */
bool rule_goes_to(const ConfigRule *rule, const char *target);

/*
 * The rules that handle the table, in the file's order; rules has room for
 * config->rule_count.  Returns how many.
 */
int
rules_for_table(const Config *config, const char *source, const char *schema,
				const char *name, const ConfigRule **rules);

/* Is there, of this source's rules, only one, which says what none would say? */
bool rules_change_nothing(const Config *config, const char *source,
						  const char *target);

#endif /* PORTAGE_RULE_MATCH_H */

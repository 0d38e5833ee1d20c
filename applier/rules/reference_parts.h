/*
 * reference_parts.h
 *		What the files share that look at references before rules are compiled.
 */
#ifndef PORTAGE_REFERENCE_PARTS_H
#define PORTAGE_REFERENCE_PARTS_H

#include "rules/rule_reference.h"
#include "rules/rule_set_parts.h"

/* One that is looked at; what is wrong with it is a finding. */
typedef struct ReferenceLook
{
	RuleSet *set;
	const Schema *schema;
	Findings *findings;
	const ConfigReference *config;
	RuleReference *reference;
} ReferenceLook;

/* ---- reference_asked.c */

/* Do rules for the set's source and target ask for it? */
bool reference_asked(const RuleSet *set, const char *name);
/* Does any rule? */
bool reference_asked_anywhere(const Config *config, const char *name);
/* Does it follow a table of another source than the set's? */
bool reference_foreign(const RuleSet *set, const ConfigReference *reference);

/* ---- reference_prepare.c */

/* Add the error as a finding about the reference; false. */
bool reference_refuse(const ReferenceLook *look, const Error *err);

/* The same of a column that it does not have, with one that may be meant. */
bool reference_unknown_column(const ReferenceLook *look, const ConfigText *word,
							  Error *err);

/* Index of the column, or -1. */
int reference_column(const ExprReference *shape, const char *name);

/* The key's columns, by name among those of the shape; false with a finding. */
bool reference_take_key(const ReferenceLook *look);

/* ---- reference_table.c */

/* Its columns and key; false with a finding. */
bool reference_look_at_table(const ReferenceLook *look);

#endif /* PORTAGE_REFERENCE_PARTS_H */

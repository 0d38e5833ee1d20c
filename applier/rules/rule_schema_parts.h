/*
 * rule_schema_parts.h
 *		What the files that make a RuleSchema share; for rules/ only.
 */
#ifndef PORTAGE_RULE_SCHEMA_PARTS_H
#define PORTAGE_RULE_SCHEMA_PARTS_H

#include "rules/derived.h"
#include "rules/rule_schema.h"

/* One table and one rule. */
typedef struct MadeTable
{
	const Derived *derived;
	const SchemaTable *source;
	SchemaTable table;		 /* as it would be by itself */
	struct MadeTable *owner; /* whose table it is: itself, or another */
} MadeTable;

typedef struct Making
{
	RuleEngine *engine;
	const RuleSet *set;
	const Schema *source;
	Arena *arena;
	Findings *findings;
	MadeTable *made;
	int made_count;
	RuleSchema *out;
} Making;

/* Names that are taken in a schema are told apart: rule_schema_names.c */
void making_name_indexes(Making *self);

/* One table goes on with the numbers of a sequence: rule_schema_names.c */
void making_sequences(Making *self);

/* Foreign keys refer to what their tables have become: rule_schema_keys.c */
void making_foreign_keys(Making *self);

/* A finding with the places of the rules that are to blame. */
void making_wrong(Making *self, const MadeTable *made, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "shop.yaml:12, rule 3" */
const char *making_place(const Making *self, const MadeTable *made);

#endif /* PORTAGE_RULE_SCHEMA_PARTS_H */

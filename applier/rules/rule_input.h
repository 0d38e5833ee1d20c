/*
 * rule_input.h
 *		A table of the source as rules see it, from whatever is known of it.
 *
 * A partition is seen under the name of its root, and its columns have the root's
 * numbers where the root is known: all partitions become one table.
 */
#ifndef PORTAGE_RULE_INPUT_H
#define PORTAGE_RULE_INPUT_H

#include "base/arena.h"
#include "change.h"
#include "schema/schema.h"

typedef struct RuleColumn
{
	const char *name;
	const char *type_schema;
	const char *type_name;
	const char *base_schema; /* domains unwrapped */
	const char *base_name;
	uint32_t type_oid;
	uint32_t base_type_oid;
	int32_t typmod; /* as in Column */
	uint16_t num;	/* attnum */
	uint8_t category;
	uint8_t flags; /* WIRE_COLUMN_* */
} RuleColumn;

typedef struct RuleInput
{
	uint32_t oid; /* of a partition: its root's */
	const char *schema;
	const char *name;
	char identity; /* 'd' 'n' 'f' 'i' */
	bool partitioned;
	RuleColumn *columns;
	int column_count;
} RuleInput;

/* Deep copies in the arena. */
void rule_input_of_relation(const Relation *relation, Arena *arena,
							RuleInput *input);
void
rule_input_of_schema(const SchemaTable *table, Arena *arena, RuleInput *input);

/* A column as an R record would announce it; deep. */
void rule_column_announce(const RuleColumn *from, Arena *arena, Column *to);

/* Index of the column, or -1. */
int rule_input_column(const RuleInput *input, const char *name);

/* How an expression may call the table. */
#define RULE_TABLE_ALIAS(input) ((input)->name)

/* The names, NULL at the end: for suggestions. */
const char *const *rule_input_names(const RuleInput *input, Arena *arena);

#endif /* PORTAGE_RULE_INPUT_H */

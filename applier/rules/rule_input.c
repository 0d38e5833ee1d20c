/*
 * rule_input.c
 *		See rule_input.h.
 */
#include "rules/rule_input.h"

#include <string.h>

static void
column_of_relation(const Column *from, Arena *arena, RuleColumn *to)
{
	to->name = arena_strdup(arena, from->name);
	to->type_schema = arena_strdup(arena, from->type_schema);
	to->type_name = arena_strdup(arena, from->type_name);
	to->base_schema = arena_strdup(arena, from->base_schema);
	to->base_name = arena_strdup(arena, from->base_name);
	to->type_oid = from->type_oid;
	to->base_type_oid = from->base_type_oid;
	to->typmod = from->typmod;
	to->num = from->attnum;
	to->category = from->category;
	to->flags = from->flags;
}

void
rule_column_announce(const RuleColumn *from, Arena *arena, Column *to)
{
	*to = (Column){
		.name = arena_strdup(arena, from->name),
		.type_schema = arena_strdup(arena, from->type_schema),
		.type_name = arena_strdup(arena, from->type_name),
		.base_schema = arena_strdup(arena, from->base_schema),
		.base_name = arena_strdup(arena, from->base_name),
		.type_oid = from->type_oid,
		.base_type_oid = from->base_type_oid,
		.typmod = from->typmod,
		.attnum = from->num,
		.category = from->category,
		.flags = from->flags,
	};
}

void
rule_input_of_relation(const Relation *relation, Arena *arena, RuleInput *input)
{
	bool partition = relation->root_oid != 0;

	memset(input, 0, sizeof(*input));
	input->oid = partition ? relation->root_oid : relation->oid;
	input->schema = arena_strdup(arena, partition ? relation->root_schema
												  : relation->schema);
	input->name = arena_strdup(arena, partition ? relation->root_name
												: relation->name);
	input->identity = relation->identity;
	input->partitioned = partition || relation->kind == 'p';
	input->column_count = relation->column_count;
	input->columns = ARENA_ARRAY(arena, RuleColumn,
								 (size_t) relation->column_count);
	for (int i = 0; i < relation->column_count; i++)
		column_of_relation(&relation->columns[i], arena, &input->columns[i]);
}

/* As the plugin says it in an R record. */
static uint8_t
flags_of(const SchemaColumn *column)
{
	uint8_t flags = 0;

	if (column->generated == 's')
		flags |= WIRE_COLUMN_GENERATED;
	if (column->generated == 'v')
		flags |= WIRE_COLUMN_VIRTUAL;
	if (column->identity != 0)
		flags |= WIRE_COLUMN_IDENTITY;
	if (column->identity == 'a')
		flags |= WIRE_COLUMN_ALWAYS;
	if (column->not_null)
		flags |= WIRE_COLUMN_NOT_NULL;
	return flags;
}

static void
column_of_schema(const SchemaColumn *from, Arena *arena, RuleColumn *to)
{
	const SchemaType *type = &from->type;
	const char *dot = type->domain != NULL ? strrchr(type->domain, '.') : NULL;

	to->name = arena_strdup(arena, from->name);
	to->base_schema = arena_strdup(arena, type->base_schema);
	to->base_name = arena_strdup(arena, type->base_name);
	to->type_schema = dot == NULL
						  ? to->base_schema
						  : arena_strndup(arena, type->domain,
										  (size_t) (dot - type->domain));
	to->type_name = dot == NULL ? to->base_name : arena_strdup(arena, dot + 1);
	to->type_oid = type->oid;
	to->base_type_oid = type->base_oid;
	to->typmod = type->typmod;
	to->num = from->num;
	to->category = (uint8_t) type->category;
	to->flags = flags_of(from);
}

/* The columns by which an UPDATE or DELETE finds its row. */
static void
mark_key(const SchemaTable *table, RuleInput *input)
{
	for (int i = 0; i < table->index_count; i++)
	{
		const SchemaIndex *index = &table->indexes[i];
		bool is_key = table->replica_identity == 'i'
						  ? index->identity
						  : index->kind == SCHEMA_PRIMARY &&
								table->replica_identity != 'n';

		if (!is_key || index->deferrable || !index->valid)
			continue;
		for (int k = 0; k < index->part_count; k++)
		{
			int column = index->parts[k].column == NULL
							 ? -1
							 : rule_input_column(input, index->parts[k].column);

			if (column >= 0)
				input->columns[column].flags |= WIRE_COLUMN_KEY;
		}
	}
}

void
rule_input_of_schema(const SchemaTable *table, Arena *arena, RuleInput *input)
{
	memset(input, 0, sizeof(*input));
	input->oid = table->oid;
	input->schema = arena_strdup(arena, table->schema);
	input->name = arena_strdup(arena, table->name);
	input->identity = table->replica_identity;
	input->partitioned = table->kind == 'p';
	input->column_count = table->column_count;
	input->columns = ARENA_ARRAY(arena, RuleColumn,
								 (size_t) table->column_count);
	for (int i = 0; i < table->column_count; i++)
		column_of_schema(&table->columns[i], arena, &input->columns[i]);
	mark_key(table, input);
}

int
rule_input_column(const RuleInput *input, const char *name)
{
	for (int i = 0; i < input->column_count; i++)
	{
		if (strcmp(input->columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

const char *const *
rule_input_names(const RuleInput *input, Arena *arena)
{
	const char **names = ARENA_ARRAY(arena, const char *,
									 (size_t) input->column_count + 1);

	for (int i = 0; i < input->column_count; i++)
		names[i] = input->columns[i].name;
	return names;
}

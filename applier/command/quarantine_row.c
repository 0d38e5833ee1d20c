/*
 * quarantine_row.c
 *		The image of a row in quarantine becomes a change of the source's table.
 *
 * It is evaluated as an UPDATE whose old row is not known: what comes is put, what
 * does not belong here any more is deleted, if it is there.
 */
#include <string.h>

#include "base/mem.h"
#include "command/quarantine.h"
#include "rules/rule_input.h"
#include "text/bytea_text.h"

static uint32_t
storage_of(uint32_t oid, const Shape *shapes, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (shapes[i].oid == oid)
			return shapes[i].storage;
	}
	return 0;
}

/* Indexes of partitions are their root's, and so is what they are a key by. */
static void
take_key(const SchemaTable *root, Arena *arena, RuleInput *input)
{
	RuleInput whole;

	rule_input_of_schema(root, arena, &whole);
	for (int i = 0; i < input->column_count; i++)
	{
		int column = rule_input_column(&whole, input->columns[i].name);

		if (column >= 0)
			input->columns[i].flags |= whole.columns[column].flags &
									   WIRE_COLUMN_KEY;
	}
}

/* Rows of a table that has gone have gone, too: none of that name has them. */
static const SchemaTable *
find_table(const QuarantineRow *row, const Schema *schema,
		   const SchemaTable **root, Error *err)
{
	const SchemaTable *table = schema_table(schema, row->oid);

	*root = table == NULL ? NULL : schema_root(schema, table);
	if (*root != NULL)
		return table;
	error_set(err, P_RULE_VALUE,
			  "the table %s.%s, or the partition of it, that had the row is not"
			  " on the source any more",
			  row->schema, row->table);
	return NULL;
}

const Relation *
quarantine_relation(const QuarantineRow *row, const Schema *schema,
					const Shape *shapes, int shape_count, Error *err)
{
	const SchemaTable *root;
	const SchemaTable *table = find_table(row, schema, &root, err);
	bool partition = table != root;
	Relation *relation;
	Column *columns;
	RuleInput input;

	if (table == NULL)
		return NULL;
	relation = relation_new();
	rule_input_of_schema(table, &relation->arena, &input);
	if (partition)
		take_key(root, &relation->arena, &input);
	columns = ARENA_ARRAY(&relation->arena, Column,
						  (size_t) input.column_count);
	relation->oid = table->oid;
	relation->root_oid = table->root_oid;
	relation->schema = arena_strdup(&relation->arena, table->schema);
	relation->name = arena_strdup(&relation->arena, table->name);
	relation->root_schema = partition
								? arena_strdup(&relation->arena, root->schema)
								: "";
	relation->root_name = partition ? arena_strdup(&relation->arena, root->name)
									: "";
	relation->kind = 'r';
	relation->identity = input.identity;
	relation->storage = storage_of(table->oid, shapes, shape_count);
	for (int i = 0; i < input.column_count; i++)
	{
		rule_column_announce(&input.columns[i], &relation->arena, &columns[i]);
		relation->key_count += (columns[i].flags & WIRE_COLUMN_KEY) != 0;
	}
	relation->columns = columns;
	relation->column_count = input.column_count;
	return relation;
}

static bool
value_of(const json_t *json, const Column *column, Arena *arena, Value *value)
{
	const json_t *hex = json_object_get(json, "hex");

	value->state = WIRE_COL_ABSENT;
	if (json == NULL)
		return true;
	if (json_is_null(json))
	{
		value->state = WIRE_COL_NULL;
		return true;
	}
	if (json_is_string(hex))
		return bytea_parse(slice_of(json_string_value(hex)), arena, value);
	if (!json_is_string(json))
		return false;
	if (column->base_type_oid == BYTEA_OID)
		return bytea_parse(slice_of(json_string_value(json)), arena, value);
	value->data = json_string_value(json);
	value->len = (uint32_t) json_string_length(json);
	value->state = WIRE_COL_PRESENT;
	return true;
}

bool
quarantine_change(const QuarantineRow *row, const Relation *relation,
				  unsigned operations, Arena *arena, Change *change, Error *err)
{
	Value *values = ARENA_ARRAY(arena, Value, (size_t) relation->column_count);
	const json_t *image = json_object_get(row->body, "row");

	for (int i = 0; i < relation->column_count; i++)
	{
		const Column *column = &relation->columns[i];

		if (!value_of(json_object_get(image, column->name), column, arena,
					  &values[i]))
			return error_set(err, P_RULE_VALUE,
							 "the value of column \"%s\" cannot be read",
							 column->name);
	}
	memset(change, 0, sizeof(*change));
	change->relation = relation;
	if (strcmp(row->operation, "DELETE") == 0)
	{
		change->kind = CHANGE_DELETE;
		change->old_values = values;
		change->old_kind = relation->identity == 'f' ? WIRE_OLD_FULL
													 : WIRE_OLD_KEY;
		return true;
	}
	change->kind = (operations & RULE_UPDATE) != 0 ? CHANGE_UPDATE
												   : CHANGE_INSERT;
	change->new_values = values;
	return true;
}

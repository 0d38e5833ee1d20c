/*
 * reference_rows.c
 *		See reference_rows.h.
 */
#include "rules/reference_rows.h"

#include <string.h>

#include "base/mem.h"
#include "rules/reference_json.h"
#include "rules/rule_set_parts.h"
#include "text/copy_value.h"
#include "text/load_text.h"

struct ReferenceRows
{
	const RuleReference *reference;
	ExprDb *db;
	Arena arena; /* of the rows of one call */
	Buffer rest; /* the beginning of a row */
	bool from_rest;
	int *column_of; /* by the row's field: the reference's; -1: none */
	int field_count;
	Value *values;
	KeptRow *kept;
	int count;
	int capacity;
};

const RuleReference *
rule_set_followed(const RuleSet *set, int i)
{
	for (int k = 0; set != NULL && k < set->reference_count; k++)
	{
		if (set->references[k].input != NULL && i-- == 0)
			return &set->references[k];
	}
	return NULL;
}

static void
map_fields(ReferenceRows *rows, const char *const *columns, int count)
{
	const ExprReference *shape = &rows->reference->shape;

	rows->field_count = count;
	rows->column_of = mem_zalloc((size_t) (count + 1) * sizeof(int));
	for (int i = 0; i < count; i++)
	{
		int k = shape->column_count - 1;

		while (k >= 0 && strcmp(shape->columns[k].name, columns[i]) != 0)
			k--;
		rows->column_of[i] = k;
	}
}

ReferenceRows *
reference_rows_open(const RuleReference *reference, const char *const *columns,
					int column_count, ExprDb *db)
{
	ReferenceRows *rows = mem_zalloc(sizeof(*rows));

	rows->reference = reference;
	rows->db = db;
	arena_init(&rows->arena);
	buffer_init(&rows->rest);
	rows->values = mem_zalloc((size_t) (reference->shape.column_count + 1) *
							  sizeof(Value));
	map_fields(rows, columns, column_count);
	return rows;
}

void
reference_rows_close(ReferenceRows *rows)
{
	if (rows == NULL)
		return;
	arena_release(&rows->arena);
	buffer_release(&rows->rest);
	mem_free(rows->column_of);
	mem_free(rows->values);
	mem_free(rows->kept);
	mem_free(rows);
}

static bool
take_values(ReferenceRows *rows, Slice row, Error *err)
{
	const ExprReference *shape = &rows->reference->shape;
	Slice field;
	int count = 0;

	for (int i = 0; i < shape->column_count; i++)
		rows->values[i] = (Value){ NULL, 0, WIRE_COL_NULL };
	while (count < rows->field_count && load_field_next(&row, &field))
	{
		int i = rows->column_of[count++];

		if (i >= 0 &&
			!copy_value(field, shape->columns[i].bind == EXPR_BIND_BLOB,
						&rows->arena, &rows->values[i], err))
			return error_wrap(err, "column \"%s\"", shape->columns[i].name);
	}
	return (count == rows->field_count && row.len == 0) ||
		   error_set(err, P_COPY,
					 "a row does not have the %d columns of its table",
					 rows->field_count);
}

static bool
has_key(const ReferenceRows *rows)
{
	const ExprReference *shape = &rows->reference->shape;

	for (int i = 0; i < shape->key_count; i++)
	{
		if (rows->values[shape->key[i]].state != WIRE_COL_PRESENT)
			return false;
	}
	return true;
}

static void
keep_row(ReferenceRows *rows)
{
	const ExprReference *shape = &rows->reference->shape;
	char *hash = arena_alloc(&rows->arena, KEPT_HASH_SIZE);
	KeptRow *kept;

	if (rows->count == rows->capacity)
	{
		rows->capacity = rows->capacity * 2 + 256;
		rows->kept = mem_realloc(rows->kept,
								 (size_t) rows->capacity * sizeof(*rows->kept));
	}
	kept = &rows->kept[rows->count++];
	kept->area = rows->reference->area;
	kept->key = reference_json_key(shape, rows->values, &rows->arena);
	kept->body = reference_json_body(shape, rows->values, &rows->arena);
	kept_hash(kept->key, hash);
	kept->key_hash = hash;
}

static bool
take_row(ReferenceRows *rows, Slice row, Error *err)
{
	if (!take_values(rows, row, err))
		return false;
	if (!has_key(rows))
		return true;
	if (rows->db != NULL)
		return expr_reference_put(rows->db, rows->reference->shape.name,
								  rows->values, err);
	keep_row(rows);
	return true;
}

bool
reference_rows_take(ReferenceRows *rows, Slice in, const KeptRow **kept,
					int *count, Error *err)
{
	Slice row;
	bool ok = true;

	arena_reset(&rows->arena);
	rows->count = 0;
	while (ok && copy_rows_next(&in, &rows->rest, &rows->from_rest, &row))
		ok = take_row(rows, row, err);
	*kept = rows->kept;
	*count = rows->count;
	return ok || error_wrap(err, "reference %s", rows->reference->shape.name);
}

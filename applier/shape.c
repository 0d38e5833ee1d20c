/*
 * shape.c
 *		See shape.h.
 */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hex.h"
#include "base/json_text.h"

/* Bytes of a bytea, as its input function reads them. */
static const char *
hex_text(Slice bytes, Arena *arena)
{
	char *text = arena_alloc(arena, bytes.len * 2 + 3);

	memcpy(text, "\\x", 2);
	*hex_put(text + 2, bytes.data, bytes.len) = '\0';
	return text;
}

/* R has that of the base type: a domain's own modifier is none. */
int32_t
shape_typmod(const Column *column)
{
	return column->type_oid == column->base_type_oid ? column->typmod : -1;
}

static void
column_of_relation(const Column *from, bool primary, Arena *arena,
				   ShapeColumn *to)
{
	to->num = from->attnum;
	to->name = from->name;
	to->type_schema = from->type_schema;
	to->type_name = from->type_name;
	to->typmod = shape_typmod(from);
	to->not_null = (from->flags & WIRE_COLUMN_NOT_NULL) != 0;
	to->key = primary && (from->flags & WIRE_COLUMN_KEY) != 0;
	if ((from->flags & WIRE_COLUMN_GENERATED) != 0)
		to->generated = 's';
	if ((from->flags & WIRE_COLUMN_VIRTUAL) != 0)
		to->generated = 'v';
	if ((from->flags & WIRE_COLUMN_IDENTITY) != 0)
		to->identity = (from->flags & WIRE_COLUMN_ALWAYS) != 0 ? 'a' : 'd';
	if (from->missing.data != NULL)
		to->missing = from->base_type_oid == BYTEA_OID
						  ? hex_text(from->missing, arena)
						  : from->missing.data;
}

void
shape_of_relation(const Relation *relation, Arena *arena, Shape *shape)
{
	/* with a nominated index the flags say nothing of the primary key */
	bool primary = relation->identity == 'd' || relation->identity == 'f';

	memset(shape, 0, sizeof(*shape));
	shape->oid = relation->oid;
	shape->schema = relation->schema;
	shape->name = relation->name;
	shape->kind = relation->kind;
	shape->storage = relation->storage;
	shape->root_oid = relation->root_oid;
	shape->root = relation->root_oid == 0
					  ? ""
					  : arena_printf(arena, "%s.%s", relation->root_schema,
									 relation->root_name);
	shape->key_is_primary = primary;
	shape->column_count = relation->column_count;
	shape->columns = ARENA_ARRAY(arena, ShapeColumn,
								 (size_t) relation->column_count);
	for (int i = 0; i < relation->column_count; i++)
		column_of_relation(&relation->columns[i], primary, arena,
						   &shape->columns[i]);
}

static const char *
copy_or_null(Arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

void
shape_copy(const Shape *from, Arena *arena, Shape *to)
{
	*to = *from;
	to->schema = arena_strdup(arena, from->schema);
	to->name = arena_strdup(arena, from->name);
	to->root = arena_strdup(arena, from->root);
	to->columns = ARENA_ARRAY(arena, ShapeColumn, (size_t) from->column_count);
	for (int i = 0; i < from->column_count; i++)
	{
		ShapeColumn *column = &to->columns[i];

		*column = from->columns[i];
		column->name = arena_strdup(arena, column->name);
		column->type_schema = arena_strdup(arena, column->type_schema);
		column->type_name = arena_strdup(arena, column->type_name);
		column->default_sql = copy_or_null(arena, column->default_sql);
		column->collation = copy_or_null(arena, column->collation);
		column->missing = copy_or_null(arena, column->missing);
		column->type = NULL;
	}
}

char *
shape_columns_json(const Shape *shape, Arena *arena)
{
	Buffer out;
	char *json;

	buffer_init(&out);
	buffer_putc(&out, '[');
	for (int i = 0; i < shape->column_count; i++)
	{
		const ShapeColumn *column = &shape->columns[i];

		buffer_printf(&out, "%s{\"num\":%d,\"name\":", i > 0 ? "," : "",
					  column->num);
		json_text_put(&out, column->name);
		buffer_puts(&out, ",\"type_schema\":");
		json_text_put(&out, column->type_schema);
		buffer_puts(&out, ",\"type\":");
		json_text_put(&out, column->type_name);
		buffer_printf(&out, ",\"typmod\":%" PRId32 ",\"not_null\":%s}",
					  column->typmod, column->not_null ? "true" : "false");
	}
	buffer_putc(&out, ']');
	json = arena_strdup(arena, out.data);
	buffer_release(&out);
	return json;
}

static bool
column_parse(const json_t *value, Arena *arena, ShapeColumn *column)
{
	const json_t *num = json_object_get(value, "num");
	const json_t *typmod = json_object_get(value, "typmod");

	column->num = (uint16_t) json_integer_value(num);
	column->name = json_text_string(json_object_get(value, "name"), arena);
	column->type_schema = json_text_string(
		json_object_get(value, "type_schema"), arena);
	column->type_name = json_text_string(json_object_get(value, "type"), arena);
	column->typmod = (int32_t) json_integer_value(typmod);
	column->not_null = json_is_true(json_object_get(value, "not_null"));
	return json_is_integer(num) && column->name != NULL &&
		   column->type_schema != NULL && column->type_name != NULL &&
		   json_is_integer(typmod);
}

bool
shape_columns_parse(const char *json, Arena *arena, Shape *shape, Error *err)
{
	json_t *array = json_text_load(slice_of(json), err);
	bool ok = json_is_array(array);

	if (ok)
	{
		shape->column_count = (int) json_array_size(array);
		shape->columns = ARENA_ARRAY(arena, ShapeColumn,
									 (size_t) shape->column_count);
	}
	for (int i = 0; ok && i < shape->column_count; i++)
		ok = column_parse(json_array_get(array, (size_t) i), arena,
						  &shape->columns[i]);
	json_decref(array);
	return ok ||
		   error_set(err, P_PROGRESS,
					 "the columns of table %s.%s in portage.relation cannot be "
					 "read",
					 shape->schema, shape->name);
}

const ShapeColumn *
shape_column(const Shape *shape, uint16_t num)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		if (shape->columns[i].num == num && num != 0)
			return &shape->columns[i];
	}
	return NULL;
}

const ShapeColumn *
shape_column_named(const Shape *shape, const char *name)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		if (strcmp(shape->columns[i].name, name) == 0)
			return &shape->columns[i];
	}
	return NULL;
}

bool
shape_same_type(const ShapeColumn *a, const ShapeColumn *b)
{
	return strcmp(a->type_name, b->type_name) == 0 &&
		   strcmp(a->type_schema, b->type_schema) == 0 &&
		   a->typmod == b->typmod;
}

bool
shape_same_columns(const Shape *a, const Shape *b)
{
	if (a->column_count != b->column_count)
		return false;
	for (int i = 0; i < a->column_count; i++)
	{
		const ShapeColumn *other = shape_column_named(b, a->columns[i].name);

		if (other == NULL || !shape_same_type(&a->columns[i], other))
			return false;
	}
	return true;
}

bool
shape_same_table(const Shape *a, const Shape *b)
{
	if (a->column_count != b->column_count || strcmp(a->name, b->name) != 0 ||
		strcmp(a->schema, b->schema) != 0)
		return false;
	for (int i = 0; i < a->column_count; i++)
	{
		if (a->columns[i].num != b->columns[i].num ||
			strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
			!shape_same_type(&a->columns[i], &b->columns[i]))
			return false;
	}
	return true;
}

bool
shape_is_relation(const Shape *have, const Relation *relation)
{
	if (have->root_oid != relation->root_oid ||
		have->column_count != relation->column_count ||
		strcmp(have->name, relation->name) != 0 ||
		strcmp(have->schema, relation->schema) != 0)
		return false;
	for (int i = 0; i < have->column_count; i++)
	{
		const ShapeColumn *known = &have->columns[i];
		const Column *column = &relation->columns[i];

		if (known->num != column->attnum ||
			known->typmod != shape_typmod(column) ||
			known->not_null != ((column->flags & WIRE_COLUMN_NOT_NULL) != 0) ||
			strcmp(known->name, column->name) != 0 ||
			strcmp(known->type_name, column->type_name) != 0 ||
			strcmp(known->type_schema, column->type_schema) != 0)
			return false;
	}
	return true;
}

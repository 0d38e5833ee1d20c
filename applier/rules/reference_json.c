/*
 * reference_json.c
 *		See reference_json.h.
 */
#include "rules/reference_json.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "text/bytea_text.h"

static json_t *
json_of(const Value *value, ExprBind bind)
{
	if (value->state != WIRE_COL_PRESENT)
		return json_null();
	return bind == EXPR_BIND_BLOB
			   ? bytea_json((Slice){ value->data, value->len })
			   : json_stringn_nocheck(value->data, value->len);
}

/* Takes over the object. */
static Slice
text_of(json_t *object, Arena *arena)
{
	char *text = json_dumps(object, JSON_COMPACT);
	Slice slice;

	json_decref(object);
	BUG_UNLESS(text != NULL);
	slice.len = strlen(text);
	slice.data = arena_strndup(arena, text, slice.len);
	free(text);
	return slice;
}

static void
add(json_t *object, const ExprColumn *column, const Value *value)
{
	json_object_set_new_nocheck(object, column->name,
								json_of(value, column->bind));
}

Slice
reference_json_key(const ExprReference *shape, const Value *values,
				   Arena *arena)
{
	json_t *object = json_object();

	for (int i = 0; i < shape->key_count; i++)
		add(object, &shape->columns[shape->key[i]], &values[shape->key[i]]);
	return text_of(object, arena);
}

Slice
reference_json_body(const ExprReference *shape, const Value *values,
					Arena *arena)
{
	json_t *object = json_object();

	for (int i = 0; i < shape->column_count; i++)
		add(object, &shape->columns[i], &values[i]);
	return text_of(object, arena);
}

static bool
value_of(const json_t *json, ExprBind bind, Arena *arena, Value *value)
{
	size_t len;

	*value = (Value){ NULL, 0, WIRE_COL_NULL };
	if (json == NULL || json_is_null(json))
		return true;
	if (!json_is_string(json))
		return false;
	len = json_string_length(json);
	if (bind == EXPR_BIND_BLOB)
		return bytea_parse((Slice){ json_string_value(json), len }, arena,
						   value);
	*value = (Value){ arena_strndup(arena, json_string_value(json), len),
					  (uint32_t) len, WIRE_COL_PRESENT };
	return true;
}

bool
reference_json_values(const ExprReference *shape, Slice body, Arena *arena,
					  Value *values, Error *err)
{
	json_t *object = json_loadb(body.data, body.len, 0, NULL);
	bool ok = json_is_object(object);

	for (int i = 0; ok && i < shape->column_count; i++)
		ok = value_of(json_object_get(object, shape->columns[i].name),
					  shape->columns[i].bind, arena, &values[i]);
	json_decref(object);
	return ok ||
		   error_set(err, P_REFERENCE,
					 "reference %s: a row that the target keeps cannot be read",
					 shape->name);
}

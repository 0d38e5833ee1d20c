/*
 * table_map.c
 *		See table_map.h.
 *
 * Names and labels are written as json_text.h does it, so that whatever bytes
 * they are made of come back as they were.  Kinds and policies are written as
 * words: an enum that grows in the middle must not change what is stored.
 */
#include "mysql/table_map.h"

#include <inttypes.h>

#include "base/json_text.h"
#include "base/mem.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const convert_names[] = {
	[CONVERT_TEXT] = "text",
	[CONVERT_TRIMMED] = "trimmed",
	[CONVERT_ASCII] = "ascii",
	[CONVERT_INTEGER] = "integer",
	[CONVERT_BOOLEAN] = "boolean",
	[CONVERT_DECIMAL] = "decimal",
	[CONVERT_MONEY] = "money",
	[CONVERT_DOUBLE] = "double",
	[CONVERT_DATE] = "date",
	[CONVERT_DATETIME] = "datetime",
	[CONVERT_UTC] = "utc",
	[CONVERT_TIME] = "time",
	[CONVERT_BYTES] = "bytes",
	[CONVERT_BITS] = "bits",
	[CONVERT_ENUM] = "enum",
	[CONVERT_JSON] = "json",
	[CONVERT_JSON_TEXT] = "json text",
	[CONVERT_ARRAY] = "array",
	[CONVERT_HSTORE] = "hstore",
};

static const char *const policy_names[] = {
	[LOSS_ERROR] = "error", [LOSS_WARN] = "warn", [LOSS_CLAMP] = "clamp",
	[LOSS_NULL] = "null",	[LOSS_TEXT] = "text",
};

/* ---- writing */

static void
put_string(Buffer *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buffer_printf(out, ",\"%s\":", key);
	json_text_put(out, value);
}

static void
put_number(Buffer *out, const char *key, int64_t value)
{
	buffer_printf(out, ",\"%s\":%" PRId64, key, value);
}

/* What is absent is false. */
static void
put_flag(Buffer *out, const char *key, bool value)
{
	if (value)
		buffer_printf(out, ",\"%s\":true", key);
}

static void
put_labels(Buffer *out, const ColumnMap *column)
{
	if (column->label_count == 0)
		return;
	buffer_puts(out, ",\"labels\":[");
	for (int i = 0; i < column->label_count; i++)
	{
		if (i > 0)
			buffer_putc(out, ',');
		json_text_put(out, column->labels[i]);
	}
	buffer_putc(out, ']');
}

static void
put_column(Buffer *out, const ColumnMap *column)
{
	buffer_printf(out, "{\"num\":%d", column->num);
	put_string(out, "name", column->name);
	put_string(out, "target", column->target);
	put_string(out, "type", column->type);
	put_string(out, "convert", convert_names[column->convert]);
	put_string(out, "policy", policy_names[column->policy]);
	put_flag(out, "computed", column->computed);
	put_flag(out, "not_null", column->not_null);
	put_number(out, "precision", column->precision);
	put_number(out, "scale", column->scale);
	put_number(out, "max_chars", column->max_chars);
	put_number(out, "max_bytes", column->max_bytes);
	put_number(out, "max_depth", column->max_depth);
	put_flag(out, "strict_json", column->strict_json);
	put_flag(out, "keep_sign", column->keep_sign);
	put_string(out, "element", convert_names[column->element]);
	put_labels(out, column);
	put_string(out, "sequence", column->sequence);
	buffer_putc(out, '}');
}

char *
table_map_json(const TableMap *map, Arena *arena)
{
	Buffer out;
	char *json;

	buffer_init(&out);
	buffer_printf(&out, "{\"oid\":%" PRIu32, map->oid);
	put_string(&out, "schema", map->schema);
	put_string(&out, "name", map->name);
	put_string(&out, "database", map->database);
	put_string(&out, "table", map->table);
	put_flag(&out, "partition", map->partition);
	buffer_puts(&out, ",\"columns\":[");
	for (int i = 0; i < map->column_count; i++)
	{
		if (i > 0)
			buffer_putc(&out, ',');
		put_column(&out, &map->columns[i]);
	}
	buffer_puts(&out, "]}");
	json = arena_strndup(arena, out.data, out.len);
	buffer_release(&out);
	return json;
}

/* ---- reading: each says false if a member is not what it should be */

static bool
get_string(const json_t *object, const char *key, Arena *arena,
		   const char **value)
{
	*value = json_text_string(json_object_get(object, key), arena);
	return *value != NULL;
}

static bool
get_number(const json_t *object, const char *key, int64_t min, int64_t max,
		   int64_t *value)
{
	const json_t *member = json_object_get(object, key);

	*value = json_integer_value(member);
	return json_is_integer(member) && *value >= min && *value <= max;
}

static bool
get_int(const json_t *object, const char *key, int *value)
{
	int64_t number;
	bool ok = get_number(object, key, 0, INT32_MAX, &number);

	*value = (int) number;
	return ok;
}

static bool
get_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static bool
get_word(const json_t *object, const char *key, const char *const *words,
		 size_t count, int *value)
{
	const char *word = json_string_value(json_object_get(object, key));

	for (size_t i = 0; word != NULL && i < count; i++)
	{
		if (strcmp(words[i], word) == 0)
		{
			*value = (int) i;
			return true;
		}
	}
	return false;
}

static bool
get_labels(const json_t *object, Arena *arena, ColumnMap *column)
{
	const json_t *labels = json_object_get(object, "labels");
	size_t count = json_array_size(labels);

	if (labels == NULL)
		return true;
	column->label_count = (int) count;
	column->labels = ARENA_ARRAY(arena, const char *, count);
	for (size_t i = 0; i < count; i++)
	{
		column->labels[i] = json_text_string(json_array_get(labels, i), arena);
		if (column->labels[i] == NULL)
			return false;
	}
	return json_is_array(labels);
}

static bool
get_column(const json_t *object, Arena *arena, ColumnMap *column)
{
	int64_t num;
	int convert;
	int element;
	int policy;

	if (!get_number(object, "num", 0, UINT16_MAX, &num) ||
		!get_string(object, "name", arena, &column->name) ||
		!get_string(object, "target", arena, &column->target) ||
		!get_string(object, "type", arena, &column->type) ||
		!get_word(object, "convert", convert_names, COUNT_OF(convert_names),
				  &convert) ||
		!get_word(object, "policy", policy_names, COUNT_OF(policy_names),
				  &policy) ||
		!get_int(object, "precision", &column->precision) ||
		!get_int(object, "scale", &column->scale) ||
		!get_int(object, "max_depth", &column->max_depth) ||
		!get_number(object, "max_chars", -1, INT64_MAX, &column->max_chars) ||
		!get_number(object, "max_bytes", -1, INT64_MAX, &column->max_bytes) ||
		!get_word(object, "element", convert_names, COUNT_OF(convert_names),
				  &element) ||
		!get_labels(object, arena, column) ||
		(json_object_get(object, "sequence") != NULL &&
		 !get_string(object, "sequence", arena, &column->sequence)))
		return false;
	column->num = (uint16_t) num;
	column->convert = (ConvertKind) convert;
	column->policy = (LossPolicy) policy;
	column->computed = get_flag(object, "computed");
	column->not_null = get_flag(object, "not_null");
	column->strict_json = get_flag(object, "strict_json");
	column->keep_sign = get_flag(object, "keep_sign");
	column->element = (ConvertKind) element;
	return true;
}

static bool
get_map(const json_t *object, Arena *arena, TableMap *map)
{
	const json_t *columns = json_object_get(object, "columns");
	size_t count = json_array_size(columns);
	int64_t oid;

	map->database = NULL;
	if (!get_number(object, "oid", 0, UINT32_MAX, &oid) ||
		!get_string(object, "schema", arena, &map->schema) ||
		!get_string(object, "name", arena, &map->name) ||
		!get_string(object, "table", arena, &map->table) ||
		!json_is_array(columns) ||
		(json_object_get(object, "database") != NULL &&
		 !get_string(object, "database", arena, &map->database)))
		return false;
	map->oid = (uint32_t) oid;
	map->partition = get_flag(object, "partition");
	map->column_count = (int) count;
	map->columns = ARENA_ARRAY(arena, ColumnMap, count);
	for (size_t i = 0; i < count; i++)
	{
		if (!get_column(json_array_get(columns, i), arena, &map->columns[i]))
			return false;
	}
	return true;
}

bool
table_map_parse(const char *json, Arena *arena, TableMap *map, Error *err)
{
	json_t *object = json_text_load(slice_of(json), err);
	bool ok = object != NULL && get_map(object, arena, map);

	json_decref(object);
	return ok || error_set(err, P_PROGRESS,
						   "a table's map in portage_relation cannot be read");
}

/* ---- looking up */

const ColumnMap *
table_map_column(const TableMap *map, const char *name)
{
	for (int i = 0; i < map->column_count; i++)
	{
		if (strcmp(map->columns[i].name, name) == 0)
			return &map->columns[i];
	}
	return NULL;
}

const ColumnMap *
table_map_number(const TableMap *map, uint16_t num)
{
	for (int i = 0; i < map->column_count; i++)
	{
		if (map->columns[i].num == num && num != 0)
			return &map->columns[i];
	}
	return NULL;
}

LiteralKind
column_map_literal(const ColumnMap *column)
{
	switch (column->convert)
	{
		case CONVERT_INTEGER:
		case CONVERT_BOOLEAN:
		case CONVERT_DECIMAL:
		case CONVERT_MONEY:
		case CONVERT_DOUBLE:
			return LITERAL_NUMBER;
		case CONVERT_BYTES:
			return LITERAL_BYTES;
		case CONVERT_BITS:
			return LITERAL_BITS;
		case CONVERT_TEXT:
		case CONVERT_TRIMMED:
		case CONVERT_ASCII:
		case CONVERT_DATE:
		case CONVERT_DATETIME:
		case CONVERT_UTC:
		case CONVERT_TIME:
		case CONVERT_ENUM:
		case CONVERT_JSON:
		case CONVERT_JSON_TEXT:
		case CONVERT_ARRAY:
		case CONVERT_HSTORE:
			return LITERAL_TEXT;
	}
	BUG("no such conversion: %d", (int) column->convert);
}

/*
 * ddl_event.c
 *		See ddl_event.h.
 */
#include "stream/ddl_event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hex.h"
#include "base/json_text.h"
#include "schema/schema.h"

/* "1 ", 64 digits, " " */
#define VERSION_SIZE 2
#define HMAC_DIGITS 64
#define HEAD_SIZE (VERSION_SIZE + HMAC_DIGITS + 1)

/* what no command of a database in use comes near */
#define MAX_ITEMS 100000

/* What reading one event needs at hand; the first mistake is the error. */
typedef struct Reading
{
	Arena *arena;
	Error *err;
	bool ok;
} Reading;

bool
ddl_event_is(const Message *message)
{
	return message->transactional &&
		   slice_equal(message->prefix, slice_of(DDL_PREFIX));
}

static Slice
json_part(const Message *message)
{
	Slice none = { "", 0 };
	Slice json;

	if (message->content.len < HEAD_SIZE)
		return none;
	json.data = message->content.data + HEAD_SIZE;
	json.len = message->content.len - HEAD_SIZE;
	return json;
}

static bool
hmac_matches(const Message *message, const DdlKey *key)
{
	const char *content = message->content.data;
	Slice json = json_part(message);
	unsigned char made[EVP_MAX_MD_SIZE];
	unsigned int made_len = 0;
	char text[HMAC_DIGITS];

	if (message->content.len < HEAD_SIZE ||
		memcmp(content, "1 ", VERSION_SIZE) != 0 ||
		content[HEAD_SIZE - 1] != ' ')
		return false;
	if (HMAC(EVP_sha256(), key->bytes, DDL_KEY_SIZE,
			 (const unsigned char *) json.data, json.len, made,
			 &made_len) == NULL ||
		made_len * 2 != HMAC_DIGITS)
		return false;
	hex_put(text, made, made_len);
	return CRYPTO_memcmp(text, content + VERSION_SIZE, HMAC_DIGITS) == 0;
}

/* A decimal number of 64 bits as text, whose lower half is the WAL's xid. */
static bool
xid_matches(const json_t *event, uint32_t xid)
{
	const char *text = json_string_value(json_object_get(event, "xid"));
	char *end;
	unsigned long long full;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	full = strtoull(text, &end, 10);
	return *end == '\0' && (uint32_t) full == xid;
}

static json_t *
event_load(const Message *message, Error *err)
{
	json_t *event = json_text_load(json_part(message), err);

	if (event == NULL || json_is_object(event))
		return event;
	json_decref(event);
	error_set(err, P_PROTOCOL, "not a JSON object");
	return NULL;
}

bool
ddl_event_verify(const Message *message, const DdlKey *key, uint32_t xid,
				 bool *genuine, Error *err)
{
	json_t *event;

	*genuine = false;
	if (!key->known || !hmac_matches(message, key))
		return true;
	event = event_load(message, err);
	if (event == NULL)
		return error_wrap(err, "a message of the DDL triggers");
	*genuine = xid_matches(event, xid);
	json_decref(event);
	return true;
}

static void
wrong(Reading *r, const char *key)
{
	if (r->ok)
		error_set(r->err, P_PROTOCOL,
				  "a message of the DDL triggers: \"%s\" is missing or of "
				  "another type",
				  key);
	r->ok = false;
}

/* NULL where it is null or absent. */
static const char *
get_optional(Reading *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *text;

	if (value == NULL || json_is_null(value))
		return NULL;
	text = json_text_string(value, r->arena);
	if (text == NULL)
		wrong(r, key);
	return text;
}

static const char *
get_text(Reading *r, const json_t *object, const char *key)
{
	const char *text = get_optional(r, object, key);

	if (text == NULL)
		wrong(r, key);
	return text != NULL ? text : "";
}

static bool
get_bool(Reading *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value) && !json_is_null(value))
		wrong(r, key);
	return json_is_true(value);
}

/* Absent is 0.  OIDs may come as text or as numbers. */
static int64_t
get_number(Reading *r, const json_t *object, const char *key, int64_t min,
		   int64_t max)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	char *end = NULL;
	int64_t number = json_integer_value(value);

	if (value == NULL || json_is_null(value))
		return 0;
	if (text != NULL)
		number = strtoll(text, &end, 10);
	if ((text == NULL && !json_is_integer(value)) ||
		(text != NULL && (end == text || *end != '\0')) || number < min ||
		number > max)
	{
		wrong(r, key);
		return 0;
	}
	return number;
}

static uint32_t
get_oid(Reading *r, const json_t *object, const char *key)
{
	return (uint32_t) get_number(r, object, key, 0, UINT32_MAX);
}

/* One letter, or 0 where it is absent or empty. */
static char
get_letter(Reading *r, const json_t *object, const char *key)
{
	const char *text = get_optional(r, object, key);

	if (text != NULL && strlen(text) > 1)
		wrong(r, key);
	return text != NULL ? text[0] : '\0';
}

static size_t
get_array(Reading *r, const json_t *object, const char *key,
		  const json_t **array)
{
	*array = json_object_get(object, key);
	if (*array == NULL || json_is_null(*array))
		return 0;
	if (!json_is_array(*array) || json_array_size(*array) > MAX_ITEMS)
	{
		wrong(r, key);
		return 0;
	}
	return json_array_size(*array);
}

/* Numbers of columns; 0 in those of an index is an expression. */
static uint16_t *
get_numbers(Reading *r, const json_t *object, const char *key, int *count)
{
	const json_t *array;
	size_t size = get_array(r, object, key, &array);
	uint16_t *nums = ARENA_ARRAY(r->arena, uint16_t, size + 1);

	for (size_t i = 0; i < size; i++)
	{
		const json_t *value = json_array_get(array, i);
		json_int_t num = json_integer_value(value);

		if (!json_is_integer(value) || num < 0 || num > INT16_MAX)
			wrong(r, key);
		else
			nums[i] = (uint16_t) num;
	}
	*count = (int) size;
	return nums;
}

static const DdlIndex *
read_index(Reading *r, const json_t *object)
{
	const json_t *value = json_object_get(object, "index");
	DdlIndex *index;

	if (value == NULL || json_is_null(value))
		return NULL;
	index = ARENA_NEW(r->arena, DdlIndex);
	index->name = get_text(r, value, "name");
	index->unique = get_bool(r, value, "unique");
	index->primary = get_bool(r, value, "primary");
	index->plain = get_bool(r, value, "plain");
	index->nums = get_numbers(r, value, "columns", &index->count);
	return index;
}

static void
read_objects(Reading *r, const json_t *event, const char *key, bool dropped,
			 DdlEvent *out)
{
	const json_t *array;
	size_t count = get_array(r, event, key, &array);
	DdlObject *objects = ARENA_ARRAY(r->arena, DdlObject, count);

	for (size_t i = 0; i < count; i++)
	{
		const json_t *value = json_array_get(array, i);
		const char *schema = get_optional(r, value, "schema");
		const char *name = get_optional(r, value, "name");

		objects[i].type = get_text(r, value, "type");
		objects[i].schema = schema != NULL ? schema : "";
		objects[i].name = name != NULL ? name : "";
		objects[i].identity = get_text(r, value, "identity");
		objects[i].original = dropped && get_bool(r, value, "original");
		objects[i].oid = get_oid(r, value, "oid");
		objects[i].table_oid = get_oid(r, value, "table_oid");
		objects[i].index = read_index(r, value);
	}
	out->objects = objects;
	out->object_count = (int) count;
}

static void
read_labels(Reading *r, const json_t *value, SchemaType *type)
{
	const json_t *array;
	size_t count = get_array(r, value, "labels", &array);

	type->labels = ARENA_ARRAY(r->arena, const char *, count + 1);
	for (size_t i = 0; i < count; i++)
	{
		type->labels[i] = json_text_string(json_array_get(array, i), r->arena);
		if (type->labels[i] == NULL)
			wrong(r, "labels");
	}
	type->label_count = (int) count;
}

/* What the column's type is below its domains; older plugins do not say it. */
static const SchemaType *
read_type(Reading *r, const json_t *column)
{
	const json_t *value = json_object_get(column, "base");
	const json_t *element = json_object_get(value, "element");
	SchemaType *type;

	if (value == NULL || json_is_null(value))
		return NULL;
	type = ARENA_NEW(r->arena, SchemaType);
	type->sql = get_optional(r, column, "type_text");
	type->base_schema = get_text(r, value, "schema");
	type->base_name = get_text(r, value, "type");
	type->typmod = (int32_t) get_number(r, value, "typmod", INT32_MIN,
										INT32_MAX);
	type->kind = get_letter(r, value, "kind");
	type->category = get_letter(r, value, "category");
	read_labels(r, value, type);
	if (element == NULL || json_is_null(element))
		return type;
	type->element_schema = get_text(r, element, "schema");
	type->element_name = get_text(r, element, "type");
	type->element_kind = get_letter(r, element, "kind");
	type->element_category = get_letter(r, element, "category");
	read_labels(r, element, type);
	return type;
}

static void
read_column(Reading *r, const json_t *value, ShapeColumn *column)
{
	column->num = (uint16_t) get_number(r, value, "num", 1, INT16_MAX);
	column->name = get_text(r, value, "name");
	column->type_schema = get_text(r, value, "type_schema");
	column->type_name = get_text(r, value, "type");
	column->typmod = (int32_t) get_number(r, value, "typmod", INT32_MIN,
										  INT32_MAX);
	column->not_null = get_bool(r, value, "not_null");
	column->generated = get_letter(r, value, "generated");
	column->identity = get_letter(r, value, "identity");
	column->default_sql = get_optional(r, value, "default");
	column->missing = get_optional(r, value, "missing");
	column->collation = get_optional(r, value, "collation");
	column->type = read_type(r, value);
	if (column->num == 0)
		wrong(r, "num");
}

static void
read_primary_key(Reading *r, const json_t *value, Shape *shape)
{
	int count;
	const uint16_t *nums = get_numbers(r, value, "primary_key", &count);

	shape->key_is_primary = json_object_get(value, "primary_key") != NULL;
	for (int i = 0; i < shape->column_count; i++)
	{
		for (int k = 0; k < count; k++)
			shape->columns[i].key |= shape->columns[i].num == nums[k];
	}
}

static void
read_table(Reading *r, const json_t *value, Shape *shape)
{
	const json_t *columns;
	size_t count = get_array(r, value, "columns", &columns);

	shape->oid = get_oid(r, value, "oid");
	shape->schema = get_text(r, value, "schema");
	shape->name = get_text(r, value, "name");
	shape->kind = get_letter(r, value, "kind");
	shape->storage = get_oid(r, value, "storage");
	shape->root_oid = get_oid(r, value, "root");
	shape->unlogged = get_letter(r, value, "persistence") == 'u';
	shape->root = "";
	if (shape->oid == 0)
		wrong(r, "oid");
	if (shape->kind != 'r' && shape->kind != 'p')
		wrong(r, "kind");
	shape->column_count = (int) count;
	shape->columns = ARENA_ARRAY(r->arena, ShapeColumn, count);
	for (size_t i = 0; i < count; i++)
		read_column(r, json_array_get(columns, i), &shape->columns[i]);
	read_primary_key(r, value, shape);
}

static void
read_tables(Reading *r, const json_t *event, DdlEvent *out)
{
	const json_t *array;
	size_t count = get_array(r, event, "tables", &array);

	out->tables = ARENA_ARRAY(r->arena, Shape, count);
	for (size_t i = 0; i < count && r->ok; i++)
		read_table(r, json_array_get(array, i), &out->tables[i]);
	out->table_count = (int) count;
}

static void
read_settings(Reading *r, const json_t *event, DdlEvent *out)
{
	json_t *object = json_object_get(event, "settings");
	DdlSetting *settings;
	const char *name;
	json_t *value;

	if (object == NULL || json_is_null(object))
		return;
	if (!json_is_object(object) || json_object_size(object) > MAX_ITEMS)
	{
		wrong(r, "settings");
		return;
	}
	settings = ARENA_ARRAY(r->arena, DdlSetting, json_object_size(object));
	json_object_foreach(object, name, value)
	{
		const char *text = json_text_string(value, r->arena);

		if (text == NULL)
		{
			wrong(r, "settings");
			return;
		}
		settings[out->setting_count].name = arena_strdup(r->arena, name);
		settings[out->setting_count++].value = text;
	}
	out->settings = settings;
}

static void
read_rewrite(Reading *r, const json_t *event, DdlEvent *out)
{
	const json_t *rewrite = json_object_get(event, "rewrite");

	if (!json_is_object(rewrite))
	{
		wrong(r, "rewrite");
		return;
	}
	out->rewritten_oid = get_oid(r, rewrite, "table_oid");
	/* what is not said to be harmless is not */
	out->rewrite_volatile = !json_is_false(
		json_object_get(rewrite, "volatile"));
}

static void
read_event(Reading *r, const json_t *value, DdlEvent *event)
{
	const char *kind = get_text(r, value, "event");

	event->tag = get_text(r, value, "tag");
	event->command = get_optional(r, value, "command");
	event->search_path = get_optional(r, value, "search_path");
	event->as = get_bool(r, value, "as");
	read_settings(r, value, event);
	if (strcmp(kind, "end") == 0)
	{
		event->kind = DDL_END;
		read_objects(r, value, "objects", false, event);
		read_tables(r, value, event);
	}
	else if (strcmp(kind, "drop") == 0)
	{
		event->kind = DDL_DROP;
		read_objects(r, value, "dropped", true, event);
	}
	else if (strcmp(kind, "rewrite") == 0)
	{
		event->kind = DDL_REWRITE;
		read_rewrite(r, value, event);
	}
	else
		wrong(r, "event");
}

bool
ddl_event_parse(const Message *message, Arena *arena, DdlEvent *event,
				Error *err)
{
	Reading r = { arena, err, true };
	json_t *value = event_load(message, err);

	memset(event, 0, sizeof(*event));
	if (value == NULL)
		return error_wrap(err, "a message of the DDL triggers");
	read_event(&r, value, event);
	json_decref(value);
	return r.ok;
}

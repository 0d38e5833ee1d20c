/*
 * translate_type.c
 *		A column's type on the target, how its values get there, and what a person
 *		has to know about it.
 *
 * The rule: a value comes back as it was, or the migration stops (or does what
 * --on-loss says) at that value.  What the servers have no type for is kept as
 * the text that PostgreSQL prints.
 */
#include "mysql/convert.h"
#include "mysql/translate_type.h"

#include <inttypes.h>

#define CHAR_CHARS_MAX 255
#define PADDED " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

/* ---- types that need no thought: of pg_catalog, by name */

typedef struct SimpleType
{
	const char *name;
	const char *type; /* NULL: varchar or char of that length, in ASCII */
	ConvertKind convert;
	Family family;
	int bytes; /* or length */
	const char *note;
} SimpleType;

static const SimpleType simple_types[] = {
	{ "int2", "smallint", CONVERT_INTEGER, FAMILY_INTEGER, 2, "" },
	{ "int4", "int", CONVERT_INTEGER, FAMILY_INTEGER, 4, "" },
	{ "int8", "bigint", CONVERT_INTEGER, FAMILY_INTEGER, 8, "" },
	{ "oid", "int unsigned", CONVERT_INTEGER, FAMILY_INTEGER, 4,
	  "an OID means nothing on the target; large objects are not carried" },
	{ "xid", "int unsigned", CONVERT_INTEGER, FAMILY_INTEGER, 4, "" },
	{ "cid", "int unsigned", CONVERT_INTEGER, FAMILY_INTEGER, 4, "" },
	{ "xid8", "bigint unsigned", CONVERT_INTEGER, FAMILY_INTEGER, 8, "" },
	{ "bool", "tinyint(1)", CONVERT_BOOLEAN, FAMILY_BOOLEAN, 1,
	  "true is 1, false is 0" },
	{ "uuid", NULL, CONVERT_ASCII, FAMILY_WORD, 36, "" },
	{ "macaddr", NULL, CONVERT_ASCII, FAMILY_WORD, 17, "as text" },
	{ "macaddr8", NULL, CONVERT_ASCII, FAMILY_WORD, 23, "as text" },
};

/* What is kept as its text, in ASCII or not; length 0: no limit. */
typedef struct TextType
{
	const char *name;
	bool ascii;
	int length;
} TextType;

static const TextType text_types[] = {
	{ "inet", true, 49 },
	{ "cidr", true, 49 },
	{ "timetz", true, 24 },
	{ "interval", true, 128 },
	{ "int4range", true, 32 },
	{ "int8range", true, 48 },
	{ "daterange", true, 48 },
	{ "tsrange", true, 96 },
	{ "tstzrange", true, 96 },
	{ "numrange", true, 0 },
	{ "point", true, 64 },
	{ "lseg", true, 128 },
	{ "box", true, 128 },
	{ "line", true, 96 },
	{ "circle", true, 96 },
	{ "path", true, 0 },
	{ "polygon", true, 0 },
	{ "pg_lsn", true, 32 },
	{ "tid", true, 24 },
	{ "txid_snapshot", true, 0 },
	{ "pg_snapshot", true, 0 },
	{ "regclass", false, 300 },
	{ "regtype", false, 300 },
	{ "regrole", false, 300 },
	{ "regproc", false, 300 },
	{ "regoper", false, 300 },
	{ "regconfig", false, 300 },
	{ "regnamespace", false, 300 },
	{ "regdictionary", false, 300 },
	{ "regcollation", false, 300 },
};

/* ---- text */

static void
translate_varchar(WorkColumn *column, int32_t typmod, Arena *arena)
{
	int64_t chars = typmod - TYPMOD_HEADER;

	if (typmod >= TYPMOD_HEADER && chars <= VARCHAR_CHARS_MAX)
	{
		type_set_varchar(column, chars, CONVERT_TEXT, FAMILY_TEXT, false,
						 arena);
		return;
	}
	type_set_text(column, false, FAMILY_TEXT);
	if (typmod < TYPMOD_HEADER)
		return;
	column->map.max_chars = chars;
	work_column_note(column, arena, SEVERITY_NOTE,
					 "varchar has %d characters at most there: the limit of "
					 "%" PRId64 " is not enforced",
					 VARCHAR_CHARS_MAX, chars);
}

/* Spaces at the end mean nothing, and are compared so by utf8mb4_bin only. */
static void
translate_bpchar(WorkColumn *column, int32_t typmod, Arena *arena)
{
	int64_t chars = typmod - TYPMOD_HEADER;

	column->charset = PADDED;
	if (typmod < TYPMOD_HEADER || chars > VARCHAR_CHARS_MAX)
	{
		type_set_text(column, false, FAMILY_PADDED);
		column->map.convert = CONVERT_TRIMMED;
		return;
	}
	type_set(column, chars <= CHAR_CHARS_MAX ? "char(" : "varchar",
			 CONVERT_TRIMMED, FAMILY_PADDED, 0);
	column->char_bytes = CHAR_BYTES;
	work_column_length(column, chars, arena);
	if (chars > CHAR_CHARS_MAX)
		work_column_note(column, arena, SEVERITY_NOTE,
						 "char has %d characters at most there; spaces at the "
						 "end are taken off",
						 CHAR_CHARS_MAX);
}

static void
translate_bytea(WorkColumn *column)
{
	type_set_blob(column, "longblob", CONVERT_BYTES, FAMILY_BYTES);
	column->free_length = true;
}

static void
translate_citext(WorkColumn *column, Arena *arena)
{
	type_set_text(column, false, FAMILY_OPAQUE);
	work_column_note(
		column, arena, SEVERITY_WARNING,
		"it compares exactly there: 'a' and 'A' are two values. "
		"Queries that rely on citext have to say LOWER() or COLLATE");
}

/* ---- which of these it is */

static bool
simple_type(WorkColumn *column, const char *name, Arena *arena)
{
	for (size_t i = 0; i < sizeof(simple_types) / sizeof(simple_types[0]); i++)
	{
		const SimpleType *simple = &simple_types[i];

		if (strcmp(simple->name, name) != 0)
			continue;
		if (simple->type != NULL)
			type_set(column, simple->type, simple->convert, simple->family,
					 simple->bytes);
		else
		{
			type_set(column, "char(", simple->convert, simple->family, 0);
			column->charset = CHARSET_ASCII;
			column->char_bytes = 1;
			work_column_length(column, simple->bytes, arena);
		}
		if (simple->note[0] != '\0')
			work_column_note(column, arena, SEVERITY_NOTE, "%s", simple->note);
		return true;
	}
	return false;
}

static bool
text_type(WorkColumn *column, const char *name, Arena *arena)
{
	for (size_t i = 0; i < sizeof(text_types) / sizeof(text_types[0]); i++)
	{
		const TextType *text = &text_types[i];

		if (strcmp(text->name, name) != 0)
			continue;
		if (text->length > 0)
			type_set_varchar(column, text->length, CONVERT_TEXT, FAMILY_OPAQUE,
							 text->ascii, arena);
		else
			type_set_text(column, text->ascii, FAMILY_OPAQUE);
		work_column_note(column, arena, SEVERITY_NOTE,
						 "as the text that PostgreSQL prints");
		return true;
	}
	return false;
}

/* Text and bytes of pg_catalog. */
static bool
string_type(WorkColumn *column, const char *name, int32_t typmod, Arena *arena)
{
	if (strcmp(name, "varchar") == 0)
		translate_varchar(column, typmod, arena);
	else if (strcmp(name, "bpchar") == 0)
		translate_bpchar(column, typmod, arena);
	else if (strcmp(name, "text") == 0 || strcmp(name, "xml") == 0)
		type_set_text(column, false,
					  strcmp(name, "text") == 0 ? FAMILY_TEXT : FAMILY_OPAQUE);
	else if (strcmp(name, "name") == 0)
		type_set_varchar(column, NAME_CHARS_MAX, CONVERT_TEXT, FAMILY_TEXT,
						 false, arena);
	else if (strcmp(name, "char") == 0)
		type_set_varchar(column, 4, CONVERT_TEXT, FAMILY_TEXT, false, arena);
	else if (strcmp(name, "bytea") == 0)
		translate_bytea(column);
	else
		return false;
	return true;
}

static bool
catalog_type(const TranslateTarget *target, WorkColumn *column,
			 const char *name, int32_t typmod, Arena *arena)
{
	if (simple_type(column, name, arena) ||
		string_type(column, name, typmod, arena))
		return true;
	if (strcmp(name, "numeric") == 0)
		type_numeric(target, column, typmod, arena);
	else if (strcmp(name, "float4") == 0 || strcmp(name, "float8") == 0)
		type_double(target, column, arena);
	else if (strcmp(name, "money") == 0)
		type_money(column, arena);
	else if (strcmp(name, "bit") == 0)
		type_bits(column, typmod, false, arena);
	else if (strcmp(name, "date") == 0)
		type_date(column, arena);
	else if (strcmp(name, "timestamp") == 0)
		type_timestamp(column, typmod, false, arena);
	else if (strcmp(name, "timestamptz") == 0)
		type_timestamp(column, typmod, true, arena);
	else if (strcmp(name, "time") == 0)
		type_time(column, typmod, arena);
	else if (strcmp(name, "jsonb") == 0)
		type_jsonb(target, column, arena);
	else if (strcmp(name, "json") == 0)
	{
		type_set_text(column, false, FAMILY_OPAQUE);
		column->map.convert = CONVERT_JSON_TEXT;
		work_column_note(column, arena, SEVERITY_NOTE,
						 "as text, with its spaces and the order of its keys");
	}
	else if (strcmp(name, "varbit") == 0)
		type_bits(column, typmod, true, arena);
	else
		return text_type(column, name, arena);
	return true;
}

/* Whatever there is no type for. */
static void
other_type(WorkColumn *column, Arena *arena)
{
	const SchemaType *type = &column->source->type;
	bool geometry = strcmp(type->base_name, "geometry") == 0 ||
					strcmp(type->base_name, "geography") == 0;

	type_set_text(column, false, FAMILY_OPAQUE);
	work_column_note(column, arena,
					 geometry || type->kind == 'c' ? SEVERITY_WARNING
												   : SEVERITY_NOTE,
					 "the target has no such type: it is kept as the text that "
					 "PostgreSQL prints%s",
					 geometry ? ", which is EWKB in hexadecimal" : "");
}

void
translate_type(const TranslateTarget *target, const SchemaTable *table,
			   const SchemaColumn *source, Arena *arena, WorkColumn *column)
{
	const SchemaType *type = &source->type;
	bool catalog = strcmp(type->base_schema, "pg_catalog") == 0;

	column->source = source;
	column->map.policy = loss_policy(&target->losses, table->schema,
									 table->name, source->name);
	column->map.max_chars = -1;
	column->map.max_bytes = -1;
	column->map.not_null = source->not_null;
	column->charset = "";
	column->check = "";
	column->note = "";
	if (type->kind == 'e')
		type_enum(column, type, arena);
	else if (type->category == 'A' && type->element_name != NULL)
		type_array(target, column, type, arena);
	else if (catalog &&
			 catalog_type(target, column, type->base_name, type->typmod, arena))
		;
	else if (!catalog && strcmp(type->base_name, "citext") == 0)
		translate_citext(column, arena);
	else if (!catalog && strcmp(type->base_name, "hstore") == 0)
		type_hstore(target, column, arena);
	else
		other_type(column, arena);
	if (type->domain != NULL)
		work_column_note(column, arena, SEVERITY_OK,
						 "of the domain %s, which the target does not have",
						 type->domain);
}

/* ---- constants */

const char *
column_literal(const WorkColumn *column, const char *text, Arena *arena)
{
	ColumnMap map = column->map;
	Error err = ERROR_INIT;
	const char *literal = NULL;
	Converted converted;
	Buffer scratch;
	Buffer sql;

	map.policy = LOSS_ERROR;
	buffer_init(&scratch);
	buffer_init(&sql);
	if (convert_value(&map, slice_of(text), false, &scratch, &converted,
					  &err) &&
		!converted.null)
	{
		convert_literal_text(&sql, &map, &converted);
		literal = arena_strndup(arena, sql.data, sql.len);
	}
	buffer_release(&scratch);
	buffer_release(&sql);
	return literal;
}

/*
 * translate_type_json.c
 *		Documents, arrays and enums.
 */
#include "mysql/translate_type.h"

#define ENUM_LABELS_MAX 65535
#define ENUM_LABEL_CHARS_MAX 255
#define JSON_DEPTH_MYSQL 100
#define JSON_DEPTH_MARIADB 31

/* ---- documents */

/* A type JSON, or what MariaDB makes of that word, compared byte by byte. */
static void
set_json(const TranslateTarget *target, WorkColumn *column, ConvertKind convert,
		 Arena *arena)
{
	type_set_blob(column, target->mariadb ? "longtext" : "json", convert,
				  FAMILY_OPAQUE);
	column->map.strict_json = !target->mariadb;
	column->map.max_depth = target->mariadb ? JSON_DEPTH_MARIADB
											: JSON_DEPTH_MYSQL;
	if (target->mariadb)
		column->check = arena_printf(arena, " CHECK (json_valid(%s))",
									 sql_name(arena, column->map.target));
}

void
type_jsonb(const TranslateTarget *target, WorkColumn *column, Arena *arena)
{
	if (column->map.policy == LOSS_TEXT)
	{
		type_set_text(column, false, FAMILY_OPAQUE);
		column->map.convert = CONVERT_JSON_TEXT;
		work_column_note(column, arena, SEVERITY_NOTE,
						 "as text, because of --on-loss");
		return;
	}
	set_json(target, column, CONVERT_JSON, arena);
	type_note_loss(
		column, arena,
		target->mariadb
			? "documents nested deeper than 31"
			: "numbers that a double cannot tell apart, or documents "
			  "nested deeper than 100");
}

static ConvertKind
element_kind(const SchemaType *type)
{
	static const struct
	{
		const char *name;
		ConvertKind kind;
	} kinds[] = {
		{ "int2", CONVERT_INTEGER },   { "int4", CONVERT_INTEGER },
		{ "int8", CONVERT_INTEGER },   { "oid", CONVERT_INTEGER },
		{ "float4", CONVERT_DOUBLE },  { "float8", CONVERT_DOUBLE },
		{ "bool", CONVERT_BOOLEAN },   { "bytea", CONVERT_BYTES },
		{ "money", CONVERT_MONEY },	   { "numeric", CONVERT_DECIMAL },
		{ "json", CONVERT_JSON_TEXT }, { "jsonb", CONVERT_JSON_TEXT },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(type->element_schema, "pg_catalog") == 0 &&
			strcmp(type->element_name, kinds[i].name) == 0)
			return kinds[i].kind;
	}
	return CONVERT_TEXT;
}

void
type_array(const TranslateTarget *target, WorkColumn *column,
		   const SchemaType *type, Arena *arena)
{
	/* box separates its elements by something else than a comma */
	if (column->map.policy == LOSS_TEXT ||
		strcmp(type->element_name, "box") == 0)
	{
		type_set_text(column, false, FAMILY_OPAQUE);
		work_column_note(column, arena, SEVERITY_NOTE,
						 "the array as PostgreSQL prints it");
		return;
	}
	set_json(target, column, CONVERT_ARRAY, arena);
	column->map.element = element_kind(type);
	work_column_note(column, arena, SEVERITY_NOTE,
					 "the array as JSON: integers, doubles and booleans as "
					 "such, everything else as strings");
	type_note_loss(column, arena, "bounds that do not begin with 1");
}

void
type_hstore(const TranslateTarget *target, WorkColumn *column, Arena *arena)
{
	set_json(target, column, CONVERT_HSTORE, arena);
	work_column_note(column, arena, SEVERITY_NOTE, "as a JSON object");
}

/* ---- enums */

/* Is it a label of an ENUM as it is? */
static bool
label_fits(const char *label)
{
	size_t len = strlen(label);

	return len <= ENUM_LABEL_CHARS_MAX && (len == 0 || label[len - 1] != ' ');
}

/* As information_schema shows it. */
static void
put_label(Buffer *sql, const char *label)
{
	buffer_putc(sql, '\'');
	for (; *label != '\0'; label++)
	{
		if (*label == '\'' || *label == '\\')
			buffer_putc(sql, *label);
		buffer_putc(sql, *label);
	}
	buffer_putc(sql, '\'');
}

void
type_enum(WorkColumn *column, const SchemaType *type, Arena *arena)
{
	Buffer sql;
	bool fits = type->label_count > 0 && type->label_count <= ENUM_LABELS_MAX;

	for (int i = 0; i < type->label_count; i++)
		fits = fits && label_fits(type->labels[i]);
	if (!fits)
	{
		/* labels have 63 bytes at most */
		type_set_varchar(column, NAME_CHARS_MAX, CONVERT_TEXT, FAMILY_TEXT,
						 false, arena);
		work_column_note(
			column, arena, SEVERITY_WARNING,
			"as text: the target's enum takes spaces off the end "
			"of labels, and has to have some; values sort as text, "
			"not in the order of the labels");
		return;
	}
	buffer_init(&sql);
	buffer_puts(&sql, "enum(");
	for (int i = 0; i < type->label_count; i++)
	{
		if (i > 0)
			buffer_putc(&sql, ',');
		put_label(&sql, type->labels[i]);
	}
	buffer_putc(&sql, ')');
	type_set(column, arena_strdup(arena, sql.data), CONVERT_ENUM, FAMILY_ENUM,
			 2);
	column->map.labels = type->labels;
	column->map.label_count = type->label_count;
	buffer_release(&sql);
}

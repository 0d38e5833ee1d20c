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
#include "mysql/translate_parts.h"

#include <inttypes.h>
#include <stdio.h>

#define DECIMAL_DIGITS_MAX 65
#define DECIMAL_SCALE_MAX_MYSQL 30
#define DECIMAL_SCALE_MAX_MARIADB 38
#define DECIMAL_FREE_SCALE 30
#define TYPMOD_HEADER 4
#define SECOND_DIGITS_MAX 6
#define VARCHAR_CHARS_MAX 16383
#define CHAR_CHARS_MAX 255
#define BITS_MAX 64
#define ENUM_LABELS_MAX 65535
#define ENUM_LABEL_CHARS_MAX 255
#define BLOB_ROW_BYTES 12
#define JSON_DEPTH_MYSQL 100
#define JSON_DEPTH_MARIADB 31
#define NUMBER_TEXT_CHARS 32 /* of a double, money, or a special value */
#define TIME_TEXT_CHARS 48
#define ASCII " CHARACTER SET ascii COLLATE ascii_bin"
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

/* ---- filling a column in */

void
work_column_note(WorkColumn *column, Arena *arena, Severity severity,
				 const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	column->note = column->note[0] == '\0'
					   ? arena_strdup(arena, text)
					   : arena_printf(arena, "%s; %s", column->note, text);
	if (severity > column->severity)
		column->severity = severity;
}

static void
set_type(WorkColumn *column, const char *type, ConvertKind convert,
		 Family family, int bytes)
{
	column->map.type = type;
	column->map.convert = convert;
	column->family = family;
	column->fixed_bytes = bytes;
}

/* longtext, longblob, json: no limit but the server's. */
static void
set_blob(WorkColumn *column, const char *type, ConvertKind convert,
		 Family family)
{
	set_type(column, type, convert, family, BLOB_ROW_BYTES);
	column->char_bytes = 0;
	column->length = 0;
	column->blob = true;
}

void
work_column_length(WorkColumn *column, int64_t length, Arena *arena)
{
	const char *word = column->map.convert == CONVERT_BYTES ? "varbinary"
					   : strncmp(column->map.type, "char(", 5) == 0 ? "char"
																	: "varchar";

	if (column->char_bytes == 0)
		column->char_bytes = column->map.convert == CONVERT_BYTES ? 1
							 : column->charset[0] != '\0' &&
									 strcmp(column->charset, ASCII) == 0
								 ? 1
								 : CHAR_BYTES;
	column->length = length;
	column->blob = false;
	column->fixed_bytes = 0;
	column->map.type = arena_printf(arena, "%s(%" PRId64 ")", word, length);
	if (column->map.convert == CONVERT_BYTES)
		column->map.max_bytes = length;
	else
		column->map.max_chars = length;
}

static void
set_varchar(WorkColumn *column, int64_t length, ConvertKind convert,
			Family family, bool ascii, Arena *arena)
{
	set_type(column, "varchar", convert, family, 0);
	column->charset = ascii ? ASCII : column->charset;
	column->char_bytes = ascii ? 1 : CHAR_BYTES;
	work_column_length(column, length, arena);
}

static void
set_text(WorkColumn *column, bool ascii, Family family)
{
	set_blob(column, "longtext", CONVERT_TEXT, family);
	column->charset = ascii ? ASCII : column->charset;
	column->free_length = true;
}

int64_t
work_column_row_bytes(const WorkColumn *column)
{
	int64_t bytes = column->length * column->char_bytes;
	bool variable = strncmp(column->map.type, "var", 3) == 0;

	if (column->left_out)
		return 0;
	return column->fixed_bytes + bytes + (variable ? bytes > 255 ? 2 : 1 : 0);
}

int64_t
work_column_key_bytes(const WorkColumn *column)
{
	if (column->blob || column->left_out)
		return -1;
	return column->fixed_bytes + column->length * column->char_bytes;
}

/* ---- what is lost, in words */

static const char *
policy_words(LossPolicy policy)
{
	switch (policy)
	{
		case LOSS_ERROR:
			return "the migration stops at such a value, unless --on-loss says "
				   "otherwise";
		case LOSS_WARN:
			return "such values become what the target makes of them, and are "
				   "counted";
		case LOSS_CLAMP:
			return "such values become the nearest that it can hold, and are "
				   "counted";
		case LOSS_NULL:
			return "such values become NULL, and are counted";
		case LOSS_TEXT:
			break;
	}
	return "";
}

static void
note_loss(WorkColumn *column, Arena *arena, const char *what)
{
	work_column_note(column, arena, SEVERITY_NOTE, "it cannot hold %s: %s",
					 what, policy_words(column->map.policy));
}

/* A column of text, since --on-loss says so; length 0: no limit. */
static bool
take_text(WorkColumn *column, int64_t length, Arena *arena)
{
	if (column->map.policy != LOSS_TEXT)
		return false;
	if (length > 0)
		set_varchar(column, length, CONVERT_TEXT, FAMILY_OPAQUE, true, arena);
	else
		set_text(column, true, FAMILY_OPAQUE);
	work_column_note(column, arena, SEVERITY_NOTE,
					 "as text, because of --on-loss: it holds every value, but "
					 "is no number or time there");
	return true;
}

/* ---- numbers */

/* Of so many digits: nine take four bytes. */
static int
digits_bytes(int digits)
{
	static const int rest[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4 };

	return digits / 9 * 4 + rest[digits % 9];
}

static void
set_decimal(WorkColumn *column, int precision, int scale, Arena *arena)
{
	set_type(column, arena_printf(arena, "decimal(%d,%d)", precision, scale),
			 CONVERT_DECIMAL, FAMILY_DECIMAL,
			 digits_bytes(precision - scale) + digits_bytes(scale));
	column->map.precision = precision;
	column->map.scale = scale;
}

static void
translate_free_numeric(WorkColumn *column, Arena *arena)
{
	if (take_text(column, 0, arena))
		return;
	set_decimal(column, DECIMAL_DIGITS_MAX, DECIMAL_FREE_SCALE, arena);
	note_loss(
		column, arena,
		"NaN, infinity, more than 35 digits before the point or more than "
		"30 behind it, which numeric may have");
}

static void
translate_numeric(const TranslateTarget *target, WorkColumn *column,
				  int32_t typmod, Arena *arena)
{
	int scale_max = target->mariadb ? DECIMAL_SCALE_MAX_MARIADB
									: DECIMAL_SCALE_MAX_MYSQL;
	int precision = (typmod - TYPMOD_HEADER) >> 16 & 0xffff;
	int scale = (((typmod - TYPMOD_HEADER) & 0x7ff) ^ 1024) - 1024;
	int width = scale > precision ? scale : precision;

	if (typmod < TYPMOD_HEADER)
	{
		translate_free_numeric(column, arena);
		return;
	}
	if (take_text(column, width + (scale < 0 ? -scale : 0) + NUMBER_TEXT_CHARS,
				  arena))
		return;
	if (scale < 0)
	{
		width = precision - scale; /* 12300 has five digits */
		scale = 0;
	}
	if (width <= DECIMAL_DIGITS_MAX && scale <= scale_max)
	{
		set_decimal(column, width, scale, arena);
		note_loss(column, arena, "NaN and infinity");
		return;
	}
	set_decimal(column, width < DECIMAL_DIGITS_MAX ? width : DECIMAL_DIGITS_MAX,
				scale < scale_max ? scale : scale_max, arena);
	work_column_note(column, arena,
					 column->map.policy == LOSS_ERROR ? SEVERITY_ERROR
													  : SEVERITY_WARNING,
					 "the target's decimal has %d digits at most, %d of them "
					 "behind the point: %s",
					 DECIMAL_DIGITS_MAX, scale_max,
					 column->map.policy == LOSS_ERROR
						 ? "choose by --on-loss, for example text"
						 : policy_words(column->map.policy));
}

static void
translate_double(const TranslateTarget *target, WorkColumn *column,
				 Arena *arena)
{
	if (take_text(column, NUMBER_TEXT_CHARS, arena))
		return;
	set_type(column, "double", CONVERT_DOUBLE, FAMILY_DOUBLE, 8);
	column->map.keep_sign = !target->mariadb;
	note_loss(column, arena,
			  target->mariadb ? "NaN, infinity and -0" : "NaN and infinity");
}

static void
translate_money(WorkColumn *column, Arena *arena)
{
	if (take_text(column, NUMBER_TEXT_CHARS, arena))
		return;
	set_decimal(column, 19, 2, arena);
	column->map.convert = CONVERT_MONEY;
	work_column_note(column, arena, SEVERITY_NOTE, "without the currency sign");
}

static void
translate_bits(WorkColumn *column, int32_t bits, bool varying, Arena *arena)
{
	if (!varying && bits > 0 && bits <= BITS_MAX)
		set_type(column, arena_printf(arena, "bit(%d)", (int) bits),
				 CONVERT_BITS, FAMILY_OPAQUE, ((int) bits + 7) / 8);
	else if (bits > 0 && bits <= VARCHAR_CHARS_MAX)
		set_varchar(column, bits, CONVERT_ASCII, FAMILY_WORD, true, arena);
	else
	{
		set_text(column, true, FAMILY_WORD);
		column->map.convert = CONVERT_ASCII;
	}
	if (column->map.convert == CONVERT_ASCII)
		work_column_note(column, arena, SEVERITY_NOTE, "as text of 0 and 1");
}

/* ---- times */

static int
second_digits(int32_t typmod)
{
	return typmod >= 0 && typmod < SECOND_DIGITS_MAX ? (int) typmod
													 : SECOND_DIGITS_MAX;
}

static void
translate_date(WorkColumn *column, Arena *arena)
{
	if (take_text(column, TIME_TEXT_CHARS, arena))
		return;
	set_type(column, "date", CONVERT_DATE, FAMILY_DATE, 3);
	note_loss(column, arena, "infinity, years before 1 or beyond 9999");
}

static void
translate_timestamp(WorkColumn *column, int32_t typmod, bool zone, Arena *arena)
{
	int digits = second_digits(typmod);

	if (take_text(column, TIME_TEXT_CHARS, arena))
		return;
	set_type(column,
			 digits > 0 ? arena_printf(arena, "datetime(%d)", digits)
						: "datetime",
			 zone ? CONVERT_UTC : CONVERT_DATETIME,
			 zone ? FAMILY_UTC : FAMILY_DATETIME, 5 + (digits + 1) / 2);
	column->map.precision = digits;
	if (zone)
		work_column_note(column, arena, SEVERITY_NOTE,
						 "in UTC, whatever the session's time zone");
	note_loss(column, arena, "infinity, years before 1 or beyond 9999");
}

static void
translate_time(WorkColumn *column, int32_t typmod, Arena *arena)
{
	int digits = second_digits(typmod);

	set_type(column,
			 digits > 0 ? arena_printf(arena, "time(%d)", digits) : "time",
			 CONVERT_TIME, FAMILY_TIME, 3 + (digits + 1) / 2);
	column->map.precision = digits;
}

/* ---- text */

static void
translate_varchar(WorkColumn *column, int32_t typmod, Arena *arena)
{
	int64_t chars = typmod - TYPMOD_HEADER;

	if (typmod >= TYPMOD_HEADER && chars <= VARCHAR_CHARS_MAX)
	{
		set_varchar(column, chars, CONVERT_TEXT, FAMILY_TEXT, false, arena);
		return;
	}
	set_text(column, false, FAMILY_TEXT);
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
		set_text(column, false, FAMILY_PADDED);
		column->map.convert = CONVERT_TRIMMED;
		return;
	}
	set_type(column, chars <= CHAR_CHARS_MAX ? "char(" : "varchar",
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
	set_blob(column, "longblob", CONVERT_BYTES, FAMILY_BYTES);
	column->free_length = true;
}

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

static void
translate_enum(WorkColumn *column, const SchemaType *type, Arena *arena)
{
	Buffer sql;
	bool fits = type->label_count > 0 && type->label_count <= ENUM_LABELS_MAX;

	for (int i = 0; i < type->label_count; i++)
		fits = fits && label_fits(type->labels[i]);
	if (!fits)
	{
		/* labels have 63 bytes at most */
		set_varchar(column, NAME_CHARS_MAX, CONVERT_TEXT, FAMILY_TEXT, false,
					arena);
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
	set_type(column, arena_strdup(arena, sql.data), CONVERT_ENUM, FAMILY_ENUM,
			 2);
	column->map.labels = type->labels;
	column->map.label_count = type->label_count;
	buffer_release(&sql);
}

/* ---- documents */

/* A type JSON, or what MariaDB makes of that word, compared byte by byte. */
static void
set_json(const TranslateTarget *target, WorkColumn *column, ConvertKind convert,
		 Arena *arena)
{
	set_blob(column, target->mariadb ? "longtext" : "json", convert,
			 FAMILY_OPAQUE);
	column->map.strict_json = !target->mariadb;
	column->map.max_depth = target->mariadb ? JSON_DEPTH_MARIADB
											: JSON_DEPTH_MYSQL;
	if (target->mariadb)
		column->check = arena_printf(arena, " CHECK (json_valid(%s))",
									 sql_name(arena, column->map.target));
}

static void
translate_jsonb(const TranslateTarget *target, WorkColumn *column, Arena *arena)
{
	if (column->map.policy == LOSS_TEXT)
	{
		set_text(column, false, FAMILY_OPAQUE);
		column->map.convert = CONVERT_JSON_TEXT;
		work_column_note(column, arena, SEVERITY_NOTE,
						 "as text, because of --on-loss");
		return;
	}
	set_json(target, column, CONVERT_JSON, arena);
	note_loss(column, arena,
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

static void
translate_array(const TranslateTarget *target, WorkColumn *column,
				const SchemaType *type, Arena *arena)
{
	/* box separates its elements by something else than a comma */
	if (column->map.policy == LOSS_TEXT ||
		strcmp(type->element_name, "box") == 0)
	{
		set_text(column, false, FAMILY_OPAQUE);
		work_column_note(column, arena, SEVERITY_NOTE,
						 "the array as PostgreSQL prints it");
		return;
	}
	set_json(target, column, CONVERT_ARRAY, arena);
	column->map.element = element_kind(type);
	work_column_note(column, arena, SEVERITY_NOTE,
					 "the array as JSON: integers, doubles and booleans as "
					 "such, everything else as strings");
	note_loss(column, arena, "bounds that do not begin with 1");
}

static void
translate_hstore(const TranslateTarget *target, WorkColumn *column,
				 Arena *arena)
{
	set_json(target, column, CONVERT_HSTORE, arena);
	work_column_note(column, arena, SEVERITY_NOTE, "as a JSON object");
}

static void
translate_citext(WorkColumn *column, Arena *arena)
{
	set_text(column, false, FAMILY_OPAQUE);
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
			set_type(column, simple->type, simple->convert, simple->family,
					 simple->bytes);
		else
		{
			set_type(column, "char(", simple->convert, simple->family, 0);
			column->charset = ASCII;
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
			set_varchar(column, text->length, CONVERT_TEXT, FAMILY_OPAQUE,
						text->ascii, arena);
		else
			set_text(column, text->ascii, FAMILY_OPAQUE);
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
		set_text(column, false,
				 strcmp(name, "text") == 0 ? FAMILY_TEXT : FAMILY_OPAQUE);
	else if (strcmp(name, "name") == 0)
		set_varchar(column, NAME_CHARS_MAX, CONVERT_TEXT, FAMILY_TEXT, false,
					arena);
	else if (strcmp(name, "char") == 0)
		set_varchar(column, 4, CONVERT_TEXT, FAMILY_TEXT, false, arena);
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
		translate_numeric(target, column, typmod, arena);
	else if (strcmp(name, "float4") == 0 || strcmp(name, "float8") == 0)
		translate_double(target, column, arena);
	else if (strcmp(name, "money") == 0)
		translate_money(column, arena);
	else if (strcmp(name, "bit") == 0)
		translate_bits(column, typmod, false, arena);
	else if (strcmp(name, "date") == 0)
		translate_date(column, arena);
	else if (strcmp(name, "timestamp") == 0)
		translate_timestamp(column, typmod, false, arena);
	else if (strcmp(name, "timestamptz") == 0)
		translate_timestamp(column, typmod, true, arena);
	else if (strcmp(name, "time") == 0)
		translate_time(column, typmod, arena);
	else if (strcmp(name, "jsonb") == 0)
		translate_jsonb(target, column, arena);
	else if (strcmp(name, "json") == 0)
	{
		set_text(column, false, FAMILY_OPAQUE);
		column->map.convert = CONVERT_JSON_TEXT;
		work_column_note(column, arena, SEVERITY_NOTE,
						 "as text, with its spaces and the order of its keys");
	}
	else if (strcmp(name, "varbit") == 0)
		translate_bits(column, typmod, true, arena);
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

	set_text(column, false, FAMILY_OPAQUE);
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
		translate_enum(column, type, arena);
	else if (type->category == 'A' && type->element_name != NULL)
		translate_array(target, column, type, arena);
	else if (catalog &&
			 catalog_type(target, column, type->base_name, type->typmod, arena))
		;
	else if (!catalog && strcmp(type->base_name, "citext") == 0)
		translate_citext(column, arena);
	else if (!catalog && strcmp(type->base_name, "hstore") == 0)
		translate_hstore(target, column, arena);
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

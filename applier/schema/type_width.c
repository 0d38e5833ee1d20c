/*
 * type_width.c
 *		See type_width.h.
 *
 * A row of at most TOAST_TUPLE_THRESHOLD bytes is stored as it is; of a wider one
 * values are moved, the longest first, as long as they are longer than what is left
 * in their place.  Compression makes rows smaller only.  All as of blocks of 8 kB,
 * which nearly every server has; domains are unwrapped.
 */
#include "schema/type_width.h"

#include <stddef.h>
#include <string.h>

#define TOAST_TUPLE_THRESHOLD 2032
#define POINTER_BYTES 24 /* of what is left, aligned */
#define HEADER_BYTES 23	 /* of a row, without the bits of its nulls */
#define VARLENA_BYTES 4
#define ALIGNMENT 8
#define TYPMOD_BYTES 4 /* VARHDRSZ, which a typmod counts */

typedef struct FixedWidth
{
	const char *name;
	int bytes;
} FixedWidth;

/* Those with a length of their own, and varlena ones that are never long. */
static const FixedWidth fixed_widths[] = {
	{ "bool", 1 },		  { "char", 1 },	  { "int2", 2 },
	{ "int4", 4 },		  { "int8", 8 },	  { "float4", 4 },
	{ "float8", 8 },	  { "oid", 4 },		  { "xid", 4 },
	{ "cid", 4 },		  { "xid8", 8 },	  { "tid", 6 },
	{ "pg_lsn", 8 },	  { "money", 8 },	  { "date", 4 },
	{ "time", 8 },		  { "timetz", 12 },	  { "timestamp", 8 },
	{ "uuid", 16 },		  { "interval", 16 }, { "macaddr", 6 },
	{ "timestamptz", 8 }, { "name", 64 },	  { "macaddr8", 8 },
	{ "point", 16 },	  { "line", 24 },	  { "lseg", 32 },
	{ "box", 32 },		  { "circle", 24 },	  { "regclass", 4 },
	{ "regproc", 4 },	  { "regtype", 4 },	  { "inet", 22 },
	{ "cidr", 22 },
};

static int64_t
align(int64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool
is_pg_catalog(const SchemaType *type)
{
	return type->base_schema != NULL &&
		   strcmp(type->base_schema, "pg_catalog") == 0;
}

/* Of a length of its own, so never moved: 0 if it has none. */
static int64_t
fixed_width(const SchemaType *type)
{
	if (type->kind == 'e')
		return 4;
	if (!is_pg_catalog(type) || type->kind != 'b')
		return 0;
	for (size_t i = 0; i < sizeof(fixed_widths) / sizeof(fixed_widths[0]); i++)
	{
		if (strcmp(fixed_widths[i].name, type->base_name) == 0)
			return fixed_widths[i].bytes;
	}
	return 0;
}

/* Of a character in the server's encoding. */
static int64_t
char_bytes(const char *encoding)
{
	static const char *const single[] = { "SQL_ASCII", "LATIN", "WIN",
										  "ISO_8859", "KOI8" };

	for (size_t i = 0;
		 encoding != NULL && i < sizeof(single) / sizeof(single[0]); i++)
	{
		if (strncmp(encoding, single[i], strlen(single[i])) == 0)
			return 1;
	}
	return 4;
}

/* Groups of four digits, the first and the last of which may be parts. */
static int64_t
numeric_width(int32_t typmod)
{
	int64_t precision = (typmod - TYPMOD_BYTES) >> 16 & 0xFFFF;

	return VARLENA_BYTES + 4 + 2 * (precision / 4 + 2);
}

int64_t
type_width(const SchemaType *type, const char *encoding)
{
	int64_t fixed = fixed_width(type);
	const char *name = type->base_name;

	if (fixed > 0)
		return fixed;
	if (!is_pg_catalog(type) || type->kind != 'b' || type->typmod < 0)
		return -1;
	if (strcmp(name, "numeric") == 0)
		return numeric_width(type->typmod);
	if (strcmp(name, "varchar") == 0 || strcmp(name, "bpchar") == 0)
		return VARLENA_BYTES +
			   (type->typmod - TYPMOD_BYTES) * char_bytes(encoding);
	if (strcmp(name, "bit") == 0 || strcmp(name, "varbit") == 0)
		return VARLENA_BYTES + 4 + ((int64_t) type->typmod + 7) / 8;
	return -1;
}

bool
table_may_toast(const SchemaTable *table, const char *encoding,
				bool *out_of_line)
{
	int64_t row = align(HEADER_BYTES + (table->column_count + 7) / 8);
	bool unlimited = false;
	bool any = false;

	for (int i = 0; i < table->column_count; i++)
	{
		int64_t width = type_width(&table->columns[i].type, encoding);

		out_of_line[i] = fixed_width(&table->columns[i].type) == 0 &&
						 (width < 0 || width > POINTER_BYTES) &&
						 table->columns[i].generated != 'v';
		unlimited |= width < 0;
		row += width < 0 ? 0 : align(width);
		any |= out_of_line[i];
	}
	if (any && (unlimited || row > TOAST_TUPLE_THRESHOLD))
		return true;
	for (int i = 0; i < table->column_count; i++)
		out_of_line[i] = false;
	return false;
}

/*
 * table_map.h
 *		How the rows of one table of the source become rows of a table of the
 *		target: by column, for the copy and the stream alike.
 *
 * Decided once, when the schema is translated or a table altered, and kept as
 * JSON in portage_relation.map, so that a later start converts as the first did.
 */
#ifndef PORTAGE_TABLE_MAP_H
#define PORTAGE_TABLE_MAP_H

#include "base/arena.h"
#include "base/error.h"
#include "schema/loss.h"

/* How a value's text becomes the target's. */
typedef enum ConvertKind
{
	CONVERT_TEXT,	 /* as it is; max_chars counts */
	CONVERT_TRIMMED, /* bpchar: without spaces at the end; max_chars counts */
	CONVERT_ASCII,	 /* uuid, inet, macaddr ...: as it is */
	CONVERT_INTEGER, /* as it is */
	CONVERT_BOOLEAN, /* t, f: 1, 0 */
	CONVERT_DECIMAL, /* precision and scale count */
	CONVERT_MONEY,	 /* "-$1,234.56": precision and scale count */
	CONVERT_DOUBLE,	 /* real and double precision */
	CONVERT_DATE,
	CONVERT_DATETIME, /* timestamp */
	CONVERT_UTC,	  /* timestamptz, printed in UTC: "+00" taken off */
	CONVERT_TIME,
	CONVERT_BYTES,	   /* bytea: max_bytes counts */
	CONVERT_BITS,	   /* bit(n), n <= 64 */
	CONVERT_ENUM,	   /* labels count */
	CONVERT_JSON,	   /* jsonb into JSON: numbers and depth are looked at */
	CONVERT_JSON_TEXT, /* json into text: as it is */
	CONVERT_ARRAY,	   /* an array as JSON */
	CONVERT_HSTORE	   /* hstore as a JSON object */
} ConvertKind;

/* How a converted value is written into SQL. */
typedef enum LiteralKind
{
	LITERAL_NUMBER, /* as it is */
	LITERAL_TEXT,	/* 'text' */
	LITERAL_BYTES,	/* _binary'bytes' */
	LITERAL_BITS	/* b'0101' */
} LiteralKind;

typedef struct ColumnMap
{
	uint16_t num;		/* attnum on the source */
	const char *name;	/* on the source */
	const char *target; /* on the target */
	const char *type;	/* on the target, as information_schema shows it:
						 * "decimal(10,2)"; "" if it has no such column */
	ConvertKind convert;
	bool computed; /* the target computes it: never written */
	bool not_null; /* on the target */
	LossPolicy policy;
	int precision; /* DECIMAL; digits of a DATETIME, TIME */
	int scale;
	int64_t max_chars; /* -1: no limit but the type's */
	int64_t max_bytes; /* the same */
	bool strict_json;  /* the target's JSON keeps numbers as doubles (MySQL) */
	int max_depth;	   /* of JSON: 100 or 31 */
	bool keep_sign;	   /* -0 stays (MySQL) */

	/*
	 * ARRAY: what its elements are.  INTEGER, DOUBLE and BOOLEAN become JSON's
	 * own (NaN and infinity text), BYTES base64, MONEY its number as text, all
	 * others text: DECIMAL and JSON_TEXT too, so that nothing is lost.  Elements
	 * are separated by a comma: box[] is no ARRAY but TEXT.
	 */
	ConvertKind element;
	const char **labels;
	int label_count;
	const char *sequence; /* "schema.name": AUTO_INCREMENT goes on with it */
} ColumnMap;

typedef struct TableMap
{
	uint32_t oid; /* on the source */
	const char *schema;
	const char *name;
	const char *database; /* on the target; NULL: the URL's */
	const char *table;
	bool partition; /* its root's table holds others' rows as well */
	ColumnMap *columns;
	int column_count;
} TableMap;

char *table_map_json(const TableMap *map, Arena *arena);

/* P_PROGRESS if it is not what the other wrote. */
bool table_map_parse(const char *json, Arena *arena, TableMap *map,
					 Error *err) MUST_CHECK;

/* NULL if there is none. */
const ColumnMap *table_map_column(const TableMap *map, const char *name);
const ColumnMap *table_map_number(const TableMap *map, uint16_t num);

LiteralKind column_map_literal(const ColumnMap *column);

#endif /* PORTAGE_TABLE_MAP_H */

/*
 * test_shape_loss.c
 *		Which types of the target would change values in silence.
 */
#include <string.h>

#include "stream/shape_loss.h"
#include "tap.h"

#define NUMERIC(precision, scale) (((precision) << 16 | (scale)) + 4)
#define CHARS(n) ((n) + 4)

static ShapeColumn
column(const char *type, int32_t typmod)
{
	return (ShapeColumn){ .num = 1,
						  .name = "c",
						  .type_schema = "pg_catalog",
						  .type_name = type,
						  .typmod = typmod };
}

static void
case_is(bool lost, const char *known, int32_t known_typmod, const char *actual,
		int32_t actual_typmod)
{
	ShapeColumn from = column(known, known_typmod);
	ShapeColumn to = column(actual, actual_typmod);
	Shape source = { .column_count = 1, .columns = &from };
	Shape target = { .column_count = 1, .columns = &to };
	const ShapeColumn *found = shape_loss(&target, &source);

	ok((found == &from) == lost && (found == NULL) != lost,
	   "%s %d into %s %d: %s", known, (int) known_typmod, actual,
	   (int) actual_typmod, lost ? "changes values" : "does not");
}

static void
test_modifiers(void)
{
	case_is(false, "numeric", NUMERIC(6, 2), "numeric", NUMERIC(6, 2));
	case_is(false, "numeric", NUMERIC(6, 2), "numeric", NUMERIC(9, 2));
	case_is(false, "numeric", NUMERIC(6, 2), "numeric", -1);
	case_is(true, "numeric", NUMERIC(6, 2), "numeric", NUMERIC(6, 1));
	case_is(true, "numeric", NUMERIC(6, 2), "numeric", NUMERIC(5, 2));
	case_is(true, "numeric", NUMERIC(6, 2), "numeric", NUMERIC(6, 3));
	case_is(true, "numeric", -1, "numeric", NUMERIC(6, 2));
	case_is(true, "_numeric", -1, "_numeric", NUMERIC(6, 2));
	case_is(false, "timestamptz", -1, "timestamptz", 6);
	case_is(false, "timestamptz", 3, "timestamptz", -1);
	case_is(false, "time", 0, "time", 3);
	case_is(true, "timestamptz", -1, "timestamptz", 3);
	case_is(true, "timestamp", 6, "timestamp", 0);
	case_is(true, "interval", -1, "interval", 3);
	case_is(false, "varchar", CHARS(10), "varchar", CHARS(20));
	case_is(false, "varchar", CHARS(10), "varchar", -1);
	case_is(true, "varchar", CHARS(20), "varchar", CHARS(10));
	case_is(true, "varchar", -1, "varchar", CHARS(10));
	case_is(true, "bpchar", CHARS(3), "bpchar", CHARS(5));
	case_is(true, "bpchar", CHARS(3), "bpchar", -1);
}

static void
test_types(void)
{
	case_is(false, "int4", -1, "int8", -1);
	case_is(false, "int8", -1, "int2", -1); /* refuses what is too large */
	case_is(false, "int4", -1, "numeric", -1);
	case_is(false, "varchar", CHARS(10), "text", -1);
	case_is(false, "timestamptz", -1, "text", -1);
	case_is(true, "int4", -1, "numeric", NUMERIC(6, 2));
	case_is(true, "float8", -1, "float4", -1);
	case_is(true, "_float8", -1, "_float4", -1);
	case_is(true, "timestamptz", -1, "date", -1);
	case_is(true, "timestamptz", -1, "timestamp", -1);
	case_is(true, "text", -1, "name", -1);
	case_is(true, "int4", -1, "bool", -1);
	case_is(true, "json", -1, "jsonb", -1);
	case_is(true, "text", -1, "bpchar", CHARS(10));
}

static void
test_columns(void)
{
	ShapeColumn from[3] = { column("int4", -1), column("float8", -1),
							column("text", -1) };
	ShapeColumn to[2] = { column("float4", -1), column("int4", -1) };
	Shape source = { .column_count = 3, .columns = from };
	Shape target = { .column_count = 2, .columns = to };

	from[0].name = "a";
	from[1].name = "b";
	from[2].name = "gone";
	to[0].name = "b";
	to[1].name = "a";
	ok(shape_loss(&target, &source) == &from[1], "columns go by their names");
	to[0].type_name = "float8";
	ok(shape_loss(&target, &source) == NULL, "one that is gone is not silent");
	to[0].type_schema = "public";
	to[0].type_name = "short";
	ok(shape_loss(&target, &source) == NULL, "nor is a type of one's own");
}

int
main(void)
{
	test_modifiers();
	test_types();
	test_columns();
	return done_testing();
}

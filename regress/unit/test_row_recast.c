/*
 * test_row_recast.c
 *		Rows of an older form of their table; types that hold all that others do.
 */
#include "mysql/ddl_plan.h"
#include "mysql/row_recast.h"
#include "tap.h"

static Column
column(int num, const char *name, uint8_t flags)
{
	Column made = { .name = name,
					.type_schema = "pg_catalog",
					.type_name = "text",
					.base_schema = "pg_catalog",
					.base_name = "text",
					.typmod = -1,
					.attnum = (uint16_t) num,
					.flags = flags };

	return made;
}

static ColumnMap
mapped(int num, const char *name)
{
	ColumnMap made = { .num = (uint16_t) num, .name = name, .target = name };

	return made;
}

static Value
value(const char *text)
{
	Value made = { text, (uint32_t) strlen(text), WIRE_COL_PRESENT };

	return made;
}

/* id, a, b before; id, b, c ('old'), d (null), e (computed) now. */
static void
test_recast(void)
{
	Column columns[] = { column(1, "id", WIRE_COLUMN_KEY), column(2, "a", 0),
						 column(3, "b", 0) };
	Relation relation = { .serial = 7,
						  .oid = 10,
						  .schema = "public",
						  .name = "t",
						  .kind = 'r',
						  .identity = 'd',
						  .column_count = 3,
						  .key_count = 1,
						  .columns = columns };
	ColumnMap maps[] = { mapped(1, "id"), mapped(3, "b"), mapped(4, "c"),
						 mapped(5, "d"), mapped(6, "e") };
	TableMap map = { .oid = 10, .columns = maps, .column_count = 5 };
	ShapeColumn shapes[] = {
		{ .num = 1, .name = "id", .type_schema = "", .type_name = "" },
		{ .num = 3, .name = "b", .type_schema = "", .type_name = "" },
		{ .num = 4,
		  .name = "c",
		  .type_schema = "",
		  .type_name = "",
		  .missing = "old" },
		{ .num = 5, .name = "d", .type_schema = "", .type_name = "" },
		{ .num = 6, .name = "e", .type_schema = "", .type_name = "" },
	};
	Shape now = { .oid = 10, .column_count = 5, .columns = shapes };
	Value row[] = { value("1"), value("va"), value("vb") };
	Value key[] = { value("1"),
					{ NULL, 0, WIRE_COL_ABSENT },
					{ NULL, 0, WIRE_COL_ABSENT } };
	Change change = { .kind = CHANGE_INSERT,
					  .relation = &relation,
					  .new_values = row };
	const RowRecast *recast;
	const Change *cast;
	Arena arena;

	arena_init(&arena);
	maps[4].computed = true;
	recast = row_recast(&relation, &map, &now, &arena);
	ok(recast != NULL, "an older relation");
	is_int(recast->relation->column_count, 4, "what was dropped is left out");
	is_int(recast->relation->key_count, 1, "the key is there");
	ok(!recast->key_lost, "all of it");
	cast = row_recast_change(recast, &change, &arena);
	is_str(cast->new_values[1].data, "vb", "values follow their numbers");
	is_str(cast->new_values[2].data, "old",
		   "a new row has what older ones have");
	is_int(cast->new_values[3].state, WIRE_COL_NULL, "or null");

	change.kind = CHANGE_UPDATE;
	change.old_kind = WIRE_OLD_KEY;
	change.old_values = key;
	cast = row_recast_change(recast, &change, &arena);
	is_int(cast->new_values[2].state, WIRE_COL_UNCHANGED,
		   "an older row keeps what it was given");
	is_int(cast->old_values[2].state, WIRE_COL_ABSENT,
		   "and is not looked for by it");
	is_str(cast->old_values[0].data, "1", "but by its key");

	map.columns = maps + 1;
	map.column_count = 4;
	recast = row_recast(&relation, &map, &now, &arena);
	ok(recast->key_lost, "a key that is gone is noticed");

	map.columns = maps;
	map.column_count = 2;
	columns[1].flags = WIRE_COLUMN_VIRTUAL;
	ok(row_recast(&relation, &map, &now, &arena) == NULL,
	   "what has no values is nothing that was dropped");
	arena_release(&arena);
}

static ShapeColumn
typed(const char *type, int32_t typmod)
{
	ShapeColumn made = { .num = 1,
						 .name = "c",
						 .type_schema = "pg_catalog",
						 .type_name = type,
						 .typmod = typmod };

	return made;
}

static int32_t
numeric(int precision, int scale)
{
	return precision == 0 ? -1 : ((precision << 16) | (scale & 0x7ff)) + 4;
}

static void
test_widens(void)
{
	static const struct
	{
		const char *from;
		int32_t from_typmod;
		const char *to;
		int32_t to_typmod;
		bool widens;
	} cases[] = {
		{ "int2", -1, "int4", -1, true },
		{ "int4", -1, "int8", -1, true },
		{ "int8", -1, "int4", -1, false },
		{ "int4", -1, "numeric", -1, true },
		{ "int4", -1, "text", -1, false },
		{ "varchar", 14, "varchar", 24, true },
		{ "varchar", 24, "varchar", 14, false },
		{ "varchar", 14, "text", -1, true },
		{ "text", -1, "varchar", -1, true },
		{ "text", -1, "varchar", 14, false },
		{ "bpchar", 14, "text", -1, true },
		{ "text", -1, "bpchar", 14, false },
		{ "float4", -1, "float8", -1, false },
		{ "date", -1, "timestamp", -1, false },
		{ "timestamp", 3, "timestamp", -1, true },
		{ "timestamp", -1, "timestamp", 3, false },
		{ "timestamp", -1, "timestamptz", -1, false },
		{ "json", -1, "jsonb", -1, false },
		{ "bytea", -1, "text", -1, false },
		{ "bit", 8, "bit", 9, false },
		{ "uuid", -1, "uuid", -1, true },
	};
	static const int numerics[][5] = {
		{ 10, 2, 12, 2, true },	 { 10, 2, 12, 4, true },
		{ 10, 2, 11, 4, false }, { 10, 2, 10, 1, false },
		{ 10, 2, 0, 0, true },	 { 0, 0, 10, 2, false },
		{ 5, -2, 7, 0, true },	 { 7, 0, 5, -2, false },
	};
	ColumnMap map = { .convert = CONVERT_TEXT };
	ShapeColumn mood = { .num = 1,
						 .name = "c",
						 .type_schema = "public",
						 .type_name = "mood",
						 .typmod = -1 };
	ShapeColumn to;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ShapeColumn from = typed(cases[i].from, cases[i].from_typmod);

		to = typed(cases[i].to, cases[i].to_typmod);
		tap_result(ddl_type_widens(&from, &map, &to) == cases[i].widens,
				   __FILE__, __LINE__, "%s(%d) to %s(%d)", cases[i].from,
				   cases[i].from_typmod, cases[i].to, cases[i].to_typmod);
	}
	for (size_t i = 0; i < sizeof(numerics) / sizeof(numerics[0]); i++)
	{
		const int *n = numerics[i];
		ShapeColumn from = typed("numeric", numeric(n[0], n[1]));

		to = typed("numeric", numeric(n[2], n[3]));
		tap_result(ddl_type_widens(&from, &map, &to) == (bool) n[4], __FILE__,
				   __LINE__, "numeric(%d,%d) to numeric(%d,%d)", n[0], n[1],
				   n[2], n[3]);
	}
	to = typed("text", -1);
	ok(!ddl_type_widens(&mood, &map, &to), "what is not known is no less");
	map.convert = CONVERT_ENUM;
	ok(ddl_type_widens(&mood, &map, &to), "labels are text");
	to = typed("int4", -1);
	ok(!ddl_type_widens(&mood, &map, &to), "and no numbers");
}

int
main(void)
{
	test_recast();
	test_widens();
	return done_testing();
}

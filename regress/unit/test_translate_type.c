/*
 * test_translate_type.c
 *		Each type of PostgreSQL: the type on MariaDB and on MySQL, and how its
 *		values get there.
 *
 * What is expected was written down from the documentation of the types, by
 * hand.  With an argument, "mariadb" or "mysql", it prints the DDL instead, for a
 * server to try.
 */
#include "schema_fixture.h"
#include "tap.h"

#define NUMERIC(precision, scale) (((precision) << 16 | ((scale) &0x7ff)) + 4)
#define CHARS(n) ((n) + 4)
#define ASCII " COLLATE ascii_bin"

typedef struct TypeCase
{
	const char *type;
	int32_t typmod;
	const char *mariadb;
	const char *mysql; /* NULL: the same */
	ConvertKind convert;
} TypeCase;

static const TypeCase cases[] = {
	{ "int2", -1, "smallint", NULL, CONVERT_INTEGER },
	{ "int4", -1, "int", NULL, CONVERT_INTEGER },
	{ "int8", -1, "bigint", NULL, CONVERT_INTEGER },
	{ "oid", -1, "int unsigned", NULL, CONVERT_INTEGER },
	{ "xid8", -1, "bigint unsigned", NULL, CONVERT_INTEGER },
	{ "numeric", NUMERIC(10, 2), "decimal(10,2)", NULL, CONVERT_DECIMAL },
	{ "numeric", NUMERIC(65, 30), "decimal(65,30)", NULL, CONVERT_DECIMAL },
	{ "numeric", NUMERIC(5, -2), "decimal(7,0)", NULL, CONVERT_DECIMAL },
	{ "numeric", NUMERIC(3, 5), "decimal(5,5)", NULL, CONVERT_DECIMAL },
	{ "numeric", NUMERIC(40, 38), "decimal(40,38)", "decimal(40,30)",
	  CONVERT_DECIMAL },
	{ "numeric", -1, "decimal(65,30)", NULL, CONVERT_DECIMAL },
	{ "money", -1, "decimal(19,2)", NULL, CONVERT_MONEY },
	{ "float4", -1, "double", NULL, CONVERT_DOUBLE },
	{ "float8", -1, "double", NULL, CONVERT_DOUBLE },
	{ "bool", -1, "tinyint(1)", NULL, CONVERT_BOOLEAN },
	{ "text", -1, "longtext", NULL, CONVERT_TEXT },
	{ "varchar", -1, "longtext", NULL, CONVERT_TEXT },
	{ "varchar", CHARS(20), "varchar(20)", NULL, CONVERT_TEXT },
	{ "varchar", CHARS(16383), "varchar(16383)", NULL, CONVERT_TEXT },
	{ "varchar", CHARS(16384), "longtext", NULL, CONVERT_TEXT },
	{ "bpchar", CHARS(1), "char(1) COLLATE utf8mb4_bin", NULL,
	  CONVERT_TRIMMED },
	{ "bpchar", CHARS(255), "char(255) COLLATE utf8mb4_bin", NULL,
	  CONVERT_TRIMMED },
	{ "bpchar", CHARS(256), "varchar(256) COLLATE utf8mb4_bin", NULL,
	  CONVERT_TRIMMED },
	{ "bpchar", -1, "longtext COLLATE utf8mb4_bin", NULL, CONVERT_TRIMMED },
	{ "name", -1, "varchar(64)", NULL, CONVERT_TEXT },
	{ "char", -1, "varchar(4)", NULL, CONVERT_TEXT },
	{ "bytea", -1, "longblob", NULL, CONVERT_BYTES },
	{ "date", -1, "date", NULL, CONVERT_DATE },
	{ "timestamp", -1, "datetime(6)", NULL, CONVERT_DATETIME },
	{ "timestamp", 3, "datetime(3)", NULL, CONVERT_DATETIME },
	{ "timestamp", 0, "datetime", NULL, CONVERT_DATETIME },
	{ "timestamptz", -1, "datetime(6)", NULL, CONVERT_UTC },
	{ "time", -1, "time(6)", NULL, CONVERT_TIME },
	{ "time", 0, "time", NULL, CONVERT_TIME },
	{ "timetz", -1, "varchar(24)" ASCII, NULL, CONVERT_TEXT },
	{ "interval", -1, "varchar(128)" ASCII, NULL, CONVERT_TEXT },
	{ "bit", 1, "bit(1)", NULL, CONVERT_BITS },
	{ "bit", 64, "bit(64)", NULL, CONVERT_BITS },
	{ "bit", 65, "varchar(65)" ASCII, NULL, CONVERT_ASCII },
	{ "varbit", 8, "varchar(8)" ASCII, NULL, CONVERT_ASCII },
	{ "varbit", -1, "longtext" ASCII, NULL, CONVERT_ASCII },
	{ "uuid", -1, "char(36)" ASCII, NULL, CONVERT_ASCII },
	{ "json", -1, "longtext", NULL, CONVERT_JSON_TEXT },
	{ "jsonb", -1, "longtext", "json", CONVERT_JSON },
	{ "xml", -1, "longtext", NULL, CONVERT_TEXT },
	{ "inet", -1, "varchar(49)" ASCII, NULL, CONVERT_TEXT },
	{ "cidr", -1, "varchar(49)" ASCII, NULL, CONVERT_TEXT },
	{ "macaddr", -1, "char(17)" ASCII, NULL, CONVERT_ASCII },
	{ "macaddr8", -1, "char(23)" ASCII, NULL, CONVERT_ASCII },
	{ "_int4", -1, "longtext", "json", CONVERT_ARRAY },
	{ "_text", -1, "longtext", "json", CONVERT_ARRAY },
	{ "_box", -1, "longtext", NULL, CONVERT_TEXT },
	{ "int4range", -1, "varchar(32)" ASCII, NULL, CONVERT_TEXT },
	{ "numrange", -1, "longtext" ASCII, NULL, CONVERT_TEXT },
	{ "nummultirange", -1, "longtext", NULL, CONVERT_TEXT },
	{ "tsvector", -1, "longtext", NULL, CONVERT_TEXT },
	{ "point", -1, "varchar(64)" ASCII, NULL, CONVERT_TEXT },
	{ "polygon", -1, "longtext" ASCII, NULL, CONVERT_TEXT },
	{ "pg_lsn", -1, "varchar(32)" ASCII, NULL, CONVERT_TEXT },
	{ "regclass", -1, "varchar(300)", NULL, CONVERT_TEXT },
};

#define CASE_COUNT ((int) (sizeof(cases) / sizeof(cases[0])))

/* A table with a column for each case. */
static void
add_cases(SchemaFixture *fixture)
{
	SchemaTable *table = fixture_table(fixture, "public", "zoo");

	for (int i = 0; i < CASE_COUNT; i++)
		fixture_column(fixture, table, arena_printf(&fixture->arena, "c%d", i),
					   cases[i].type, cases[i].typmod);
}

static void
test_cases(bool mariadb)
{
	SchemaFixture fixture;
	const TableMap *map;

	fixture_init(&fixture, mariadb);
	add_cases(&fixture);
	fixture_translate(&fixture);
	map = fixture_map(&fixture, "zoo");
	is_int(map->column_count, CASE_COUNT, "a map with every column");
	for (int i = 0; i < CASE_COUNT; i++)
	{
		const TypeCase *type = &cases[i];
		const TranslatedColumn *column =
			&fixture.result.base.tables[0].columns[i];
		const char *want = mariadb || type->mysql == NULL ? type->mariadb
														  : type->mysql;
		size_t len = strcspn(want, " ");

		/* 50 kB of varchar and more do not fit into one row */
		if (strncmp(want, "varchar(16383)", len) == 0)
			want = "text";
		ok(strcmp(column->target_type, want) == 0, "%s %d: %s", type->type,
		   (int) type->typmod, column->target_type);
		ok(map->columns[i].convert == type->convert, "%s %d: its conversion",
		   type->type, (int) type->typmod);
	}
	fixture_release(&fixture);
}

static void
print_ddl(bool mariadb)
{
	SchemaFixture fixture;

	fixture_init(&fixture, mariadb);
	add_cases(&fixture);
	fixture_translate(&fixture);
	for (int i = 0; i < fixture.result.base.entry_count; i++)
		printf("%s;\n", fixture.result.base.entries[i].sql);
	fixture_release(&fixture);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		print_ddl(strcmp(argv[1], "mariadb") == 0);
		return 0;
	}
	test_cases(true);
	test_cases(false);
	return done_testing();
}

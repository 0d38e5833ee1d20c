/*
 * test_translate.c
 *		Tables, keys, constraints: what a schema becomes.
 *
 * With an argument, "mariadb" or "mysql", it prints all of the DDL instead, for a
 * server to try.
 */
#include "schema_fixture.h"
#include "tap.h"

#define CHARS(n) ((n) + 4)
#define NUMERIC(p, s) ((((p) << 16) | (s)) + 4)

static SchemaFixture fixture;

static const char *
sql_of(const char *type, const char *name)
{
	const DdlEntry *entry = fixture_entry(&fixture, type, name);

	return entry == NULL ? "(none)" : entry->sql;
}

/* ---- a shop: what nearly everybody has */

static void
build_shop(void)
{
	SchemaTable *person = fixture_table(&fixture, "public", "person");
	SchemaTable *item = fixture_table(&fixture, "public", "item");
	SchemaTable *sale = fixture_table(&fixture, "sales", "sale");
	SchemaColumn *column;
	SchemaForeignKey *key;
	SchemaIndex *index;

	column = fixture_key_column(&fixture, person, "id", "int8", -1);
	column->identity = 'a';
	column->sequence = "public.person_id_seq";
	column = fixture_key_column(&fixture, person, "email", "text", -1);
	column->max_chars = 60;
	column->comment = "it's \\ unique";
	column = fixture_key_column(&fixture, person, "created", "timestamptz", -1);
	column->default_sql = "now()";
	column = fixture_column(&fixture, person, "deleted", "timestamp", 3);
	column = fixture_key_column(&fixture, person, "active", "bool", -1);
	column->default_sql = "true";
	column = fixture_column(&fixture, person, "bio", "text", -1);
	column->default_sql = "''::text";
	fixture_index(&fixture, person, "person_pkey", SCHEMA_PRIMARY, "id");
	fixture_index(&fixture, person, "person_email_key", SCHEMA_UNIQUE, "email");
	index = fixture_index(&fixture, person, "person_live", SCHEMA_UNIQUE,
						  "email,active");
	index->predicate = "(deleted IS NULL)";
	fixture_index(&fixture, person, "person_created", SCHEMA_PLAIN, "created");
	fixture_index(&fixture, person, "person_bio", SCHEMA_PLAIN, "bio,active");
	fixture_index(&fixture, person, "person_lower", SCHEMA_UNIQUE,
				  "(lower(email))");
	index = fixture_index(&fixture, person, "person_words", SCHEMA_PLAIN,
						  "bio");
	index->method = "gin";
	person->comment = "who buys";

	fixture_key_column(&fixture, item, "code", "varchar", CHARS(20));
	column = fixture_column(&fixture, item, "price", "numeric", NUMERIC(10, 2));
	column->default_sql = "0.00";
	column = fixture_column(&fixture, item, "count", "int4", -1);
	column = fixture_column(&fixture, item, "worth", "numeric", NUMERIC(12, 2));
	column->generated = 's';
	column->default_sql = "(price * (count)::numeric)";
	column = fixture_column(&fixture, item, "label", "text", -1);
	column->generated = 's';
	column->default_sql = "lower((code)::text)";
	column = fixture_column(&fixture, item, "double", "int4", -1);
	column->generated = 'v';
	column->default_sql = "(count * 2)";
	column = fixture_column(&fixture, item, "gone", "text", -1);
	column->generated = 'v';
	column->default_sql = "to_char(price, '999'::text)";
	fixture_index(&fixture, item, "item_pkey", SCHEMA_PRIMARY, "code");
	index = fixture_index(&fixture, item, "item_once", SCHEMA_UNIQUE,
						  "price,count");
	index->nulls_not_distinct = true;
	fixture_check(&fixture, item, "item_price_check",
				  "((price >= (0)::numeric) AND (price < '1000'::numeric))");
	fixture_check(&fixture, item, "item_code_check",
				  "((code)::text ~~ 'A\\_%'::text)");
	fixture_check(&fixture, item, "item_regex", "((code)::text ~ '^A'::text)");

	column = fixture_key_column(&fixture, sale, "id", "int4", -1);
	column->sequence = "sales.sale_id_seq";
	column->default_sql = "nextval('sales.sale_id_seq'::regclass)";
	fixture_column(&fixture, sale, "person", "int4", -1);
	fixture_column(&fixture, sale, "item", "text", -1);
	fixture_column(&fixture, sale, "state", "text", -1);
	fixture_index(&fixture, sale, "sale_pkey", SCHEMA_PRIMARY, "id");
	key = fixture_foreign_key(&fixture, sale, "sale_person_fkey", "person",
							  person, "id");
	key->on_delete = 'c';
	key = fixture_foreign_key(&fixture, sale, "sale_item_fkey", "item", item,
							  "code");
	key->on_update = 'c';
	key->deferrable = true;
	fixture_check(&fixture, sale, "sale_state",
				  "(state = ANY (ARRAY['new'::text, 'paid'::text]))");
	fixture_check(&fixture, sale, "sale_item", "(item <> ''::text)");
}

static void
test_shop(void)
{
	const TranslatedColumn *column;
	const char *sql;

	fixture_init(&fixture, true);
	build_shop();
	fixture_translate(&fixture);

	sql = sql_of("TABLE", "person");
	has(sql, "CREATE TABLE `person` (", "a table of public keeps its name");
	has(sql, "`id` bigint NOT NULL AUTO_INCREMENT", "identity counts up");
	has(sql, "`email` varchar(255) NOT NULL COMMENT 'it\\'s \\\\ unique'",
		"text in a key has a limit; a comment");
	has(sql, "`created` datetime(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))",
		"the time of UTC");
	has(sql, "`deleted` datetime(3)", "digits of a second");
	has(sql, "`active` tinyint(1) NOT NULL DEFAULT 1", "a boolean's default");
	has(sql, "`bio` longtext DEFAULT ('')", "a text's default");
	has(sql, "PRIMARY KEY (`id`)", "the primary key");
	has(sql,
		"`person_live_key` varchar(255) GENERATED ALWAYS AS (CASE WHEN "
		"(`deleted` IS NULL) THEN `email` END) STORED INVISIBLE",
		"a partial unique key's column");
	has(sql, "AS (LOWER(`email`)) STORED INVISIBLE", "an expression's");
	has(sql,
		"ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE "
		"utf8mb4_nopad_bin COMMENT 'who buys'",
		"nothing is left to the server's defaults");
	is_str(sql_of("CONSTRAINT", "person person_email_key"),
		   "ALTER TABLE `person`\n\tADD UNIQUE INDEX `person_email_key` "
		   "(`email`)",
		   "a unique key follows the rows");
	is_str(sql_of("CONSTRAINT", "person person_live"),
		   "ALTER TABLE `person`\n\tADD UNIQUE INDEX `person_live` "
		   "(`person_live_key`, `active`)",
		   "a partial one");
	is_str(sql_of("INDEX", "2 indexes of person"),
		   "ALTER TABLE `person`\n\tADD INDEX `person_created` (`created`),\n\t"
		   "ADD INDEX `person_bio` (`bio`(255), `active`)",
		   "plain indexes in one statement");
	ok(fixture_finding(&fixture, "index person_words on public.person",
					   "method gin") != NULL,
	   "what is not carried is said");

	sql = sql_of("TABLE", "item");
	has(sql,
		"`worth` decimal(12,2) GENERATED ALWAYS AS ((`price` * `count`)) "
		"STORED",
		"a generated column");
	has(sql, "`label` longtext,",
		"one that the target cannot compute is plain");
	has(sql, "`double` int GENERATED ALWAYS AS ((`count` * 2)) VIRTUAL",
		"a virtual one");
	ok(strstr(sql, "`gone`") == NULL, "one that cannot be is left out");
	ok(fixture_finding(&fixture, "column public.item.gone", "VIRTUAL")
		   ->left_behind,
	   "and said");
	ok(fixture_map(&fixture, "item")->columns[3].computed &&
		   !fixture_map(&fixture, "item")->columns[4].computed &&
		   fixture_map(&fixture, "item")->columns[6].computed,
	   "the map says what the target computes");
	is_str(fixture_map(&fixture, "item")->columns[6].type, "",
		   "and what is not there");
	has(sql,
		"UNHEX(SHA2(CONCAT_WS(',', IFNULL(HEX(CAST(`price` AS BINARY)), '-'), "
		"IFNULL(HEX(CAST(`count` AS BINARY)), '-')), 256))",
		"NULLS NOT DISTINCT by a hash");
	is_str(sql_of("CHECK CONSTRAINT", "item item_price_check"),
		   "ALTER TABLE `item`\n\tADD CONSTRAINT `item_price_check` CHECK "
		   "(((`price` >= 0) AND (`price` < 1000)))",
		   "a CHECK");
	is_str(sql_of("CHECK CONSTRAINT", "item item_code_check"),
		   "ALTER TABLE `item`\n\tADD CONSTRAINT `item_code_check` CHECK "
		   "((`code` LIKE 'A\\\\_%'))",
		   "LIKE with its escape");
	ok(fixture_finding(&fixture, "check item_regex on public.item",
					   "operator ~") != NULL,
	   "a regular expression is not carried");

	sql = sql_of("TABLE", "sale");
	has(sql, "CREATE TABLE `sales__sale` (", "another schema");
	has(sql, "`id` int NOT NULL AUTO_INCREMENT", "serial counts up");
	has(sql, "`person` bigint", "a foreign key's column has the parent's type");
	has(sql, "`item` varchar(20)", "text as well");
	is_str(sql_of("FK CONSTRAINT", "sale sale_person_fkey"),
		   "ALTER TABLE `sales__sale`\n\tADD CONSTRAINT `sale_person_fkey` "
		   "FOREIGN KEY (`person`) REFERENCES `person` (`id`) ON DELETE "
		   "CASCADE",
		   "a foreign key");
	has(sql_of("FK CONSTRAINT", "sale sale_item_fkey"), "ON UPDATE CASCADE",
		"with its action");
	ok(fixture_finding(&fixture, "foreign key sale_item_fkey on sales.sale",
					   "DEFERRABLE") != NULL,
	   "what it does otherwise is said");
	is_str(sql_of("CHECK CONSTRAINT", "sale sale_state"),
		   "ALTER TABLE `sales__sale`\n\tADD CONSTRAINT `sale_state` CHECK "
		   "((`state` IN ('new', 'paid')))",
		   "a list");
	is_str(sql_of("CHECK CONSTRAINT", "sale sale_item"), "(none)",
		   "a CHECK gives way to a foreign key that changes its column");
	column = fixture_translated(&fixture, "sale", "id");
	is_str(column->target_type, "int NOT NULL AUTO_INCREMENT",
		   "what people read");
	is_str(fixture_map(&fixture, "sale")->columns[0].sequence,
		   "sales.sale_id_seq", "the sequence that goes on");
	fixture_release(&fixture);
}

/* ---- keys of text */

static void
build_keys(void)
{
	SchemaTable *table = fixture_table(&fixture, "public", "texts");
	SchemaIndex *index;

	fixture_key_column(&fixture, table, "a", "text", -1)->max_chars = 300;
	fixture_key_column(&fixture, table, "b", "text", -1)->max_chars = 200;
	fixture_column(&fixture, table, "long", "text", -1)->max_chars = 5000;
	fixture_column(&fixture, table, "raw", "bytea", -1)->max_bytes = 1000;
	fixture_column(&fixture, table, "doc", "jsonb", -1);
	fixture_column(&fixture, table, "unknown", "text", -1);
	fixture_column(&fixture, table, "wide", "varchar", CHARS(2000));
	fixture_column(&fixture, table, "padded", "bpchar", CHARS(3));
	fixture_index(&fixture, table, "texts_pkey", SCHEMA_PRIMARY, "a,b");
	fixture_index(&fixture, table, "u_long", SCHEMA_UNIQUE, "long,b");
	fixture_index(&fixture, table, "u_raw", SCHEMA_UNIQUE, "raw");
	fixture_index(&fixture, table, "u_doc", SCHEMA_UNIQUE, "doc");
	fixture_index(&fixture, table, "u_unknown", SCHEMA_UNIQUE, "unknown");
	fixture_index(&fixture, table, "u_wide", SCHEMA_UNIQUE, "wide");
	fixture_index(&fixture, table, "i_wide", SCHEMA_PLAIN, "wide,long,a");
	index = fixture_index(&fixture, table, "u_nulls", SCHEMA_UNIQUE,
						  "unknown,raw");
	index->nulls_not_distinct = true;

	table = fixture_table(&fixture, "public", "codes");
	fixture_key_column(&fixture, table, "code", "varchar", CHARS(10));
	fixture_key_column(&fixture, table, "lang", "bpchar", CHARS(2));
	fixture_index(&fixture, table, "codes_pkey", SCHEMA_PRIMARY, "code,lang");

	table = fixture_table(&fixture, "public", "no_key");
	fixture_column(&fixture, table, "a", "int4", -1);
	table->replica_identity = 'f';

	table = fixture_table(&fixture, "public", "by_index");
	fixture_key_column(&fixture, table, "a", "int4", -1);
	fixture_key_column(&fixture, table, "b", "uuid", -1)->default_sql =
		"gen_random_uuid()";
	table->replica_identity = 'i';
	index = fixture_index(&fixture, table, "by_index_key", SCHEMA_UNIQUE,
						  "a,b");
	index->identity = true;
}

static void
test_keys(void)
{
	const char *sql;

	fixture_init(&fixture, true);
	build_keys();
	fixture_translate(&fixture);
	sql = sql_of("TABLE", "texts");
	has(sql, "`a` varchar(421)", "the index has room for both, dealt out");
	has(sql, "`b` varchar(346)", "to the last byte but one");
	has(sql, "`long` longtext,", "what is too long stays as it is");
	has(sql,
		"`u_long_key` binary(32) GENERATED ALWAYS AS (UNHEX(SHA2(`long`, "
		"256))) STORED INVISIBLE",
		"and is unique by its hash");
	has(sql, "`raw` varbinary(3072)", "bytes have a limit, too");
	has(sql, "AS (UNHEX(SHA2(`doc`, 256)))", "a document by its hash");
	has(sql, "`unknown` varchar(255)", "nobody measured");
	has(sql, "`wide` varchar(2000)", "a type with a limit keeps it");
	has(sql, "AS (UNHEX(SHA2(`wide`, 256)))", "and is hashed");
	has(sql_of("CONSTRAINT", "texts u_long"), "(`u_long_key`, `b`)",
		"only what is long");
	has(sql_of("INDEX", "i_wide"), "(`wide`(255), `long`(255), `a`(",
		"a plain index takes the beginning of each");
	is_int(fixture_translated(&fixture, "texts", "unknown")->severity,
		   SEVERITY_WARNING, "a limit that nobody knows is worth a warning");
	is_int(fixture_map(&fixture, "texts")->columns[5].max_chars, 255,
		   "the conversion knows the limit");
	is_int(fixture_map(&fixture, "texts")->columns[3].max_bytes, 3072,
		   "of bytes as well");
	has(sql_of("TABLE", "codes"), "`code` varchar(10) NOT NULL",
		"a short limit stays one in a primary key");
	has(sql_of("TABLE", "codes"), "`lang` char(2)", "of characters, too");
	is_int(fixture_translated(&fixture, "codes", "code")->severity, SEVERITY_OK,
		   "and is nothing to be warned of");
	has(sql_of("TABLE", "by_index"), "UNIQUE KEY `by_index_key` (`a`, `b`)",
		"the identity is there from the beginning");
	has(sql_of("TABLE", "by_index"), "DEFAULT (UUID())", "a new UUID");
	is_str(sql_of("CONSTRAINT", "by_index by_index_key"), "(none)",
		   "and not made twice");
	fixture_release(&fixture);
}

static void
test_primary_too_long(void)
{
	SchemaTable *table;

	fixture_init(&fixture, true);
	table = fixture_table(&fixture, "public", "t");
	fixture_key_column(&fixture, table, "a", "text", -1)->max_chars = 4000;
	fixture_index(&fixture, table, "t_pkey", SCHEMA_PRIMARY, "a");
	fixture_index(&fixture, table, "t_later", SCHEMA_UNIQUE, "a")->deferrable =
		true;
	fixture_translate(&fixture);
	is_int(fixture_finding(&fixture, "table public.t", "primary key")->severity,
		   SEVERITY_ERROR, "a primary key that does not fit is an error");
	is_int(fixture_finding(&fixture, "index t_later on public.t", "DEFERRABLE")
			   ->severity,
		   SEVERITY_ERROR, "so is a deferrable unique key");
	fixture_release(&fixture);
}

/* ---- rows that are too long */

static void
build_wide(void)
{
	SchemaTable *table = fixture_table(&fixture, "public", "wide");

	fixture_key_column(&fixture, table, "id", "int4", -1);
	for (int i = 0; i < 10; i++)
		fixture_column(&fixture, table, arena_printf(&fixture.arena, "c%d", i),
					   "varchar", CHARS(1000 * (i + 1)));
	fixture_index(&fixture, table, "wide_pkey", SCHEMA_PRIMARY, "id");
}

static void
test_wide(void)
{
	fixture_init(&fixture, true);
	build_wide();
	fixture_translate(&fixture);
	is_str(fixture_translated(&fixture, "wide", "c9")->target_type, "text",
		   "the longest becomes a text");
	is_str(fixture_translated(&fixture, "wide", "c0")->target_type,
		   "varchar(1000)", "the shortest stays");
	is_int(fixture_map(&fixture, "wide")->columns[10].max_chars, 10000,
		   "its limit is known still");
	fixture_release(&fixture);
}

/* ---- many columns: as many as the servers took when they were asked */

static int
count_errors(bool mariadb, const char *type, int32_t typmod, int count)
{
	SchemaTable *table;
	int errors;

	fixture_init(&fixture, mariadb);
	table = fixture_table(&fixture, "public", "t");
	table->columns = ARENA_ARRAY(&fixture.arena, SchemaColumn, 1100);
	for (int i = 0; i < count; i++)
		fixture_column(&fixture, table, arena_printf(&fixture.arena, "c%d", i),
					   type, typmod);
	fixture_translate(&fixture);
	errors = findings_count(&fixture.result.base.decisions, SEVERITY_ERROR);
	fixture_release(&fixture);
	return errors;
}

static void
test_many_columns(void)
{
	is_int(count_errors(true, "text", -1, 383), 0, "MariaDB: 383 texts");
	is_int(count_errors(true, "text", -1, 384), 1, "one too many");
	is_int(count_errors(false, "text", -1, 196), 0, "MySQL: 196 texts");
	is_int(count_errors(false, "text", -1, 197), 1, "one too many");
	is_int(count_errors(false, "varchar", CHARS(9), 217), 0, "short ones");
	is_int(count_errors(false, "varchar", CHARS(9), 220), 1, "too many");
	is_int(count_errors(true, "varchar", CHARS(63), 100), 0,
		   "MariaDB: what is longer than a pointer becomes a text");
	is_int(count_errors(false, "uuid", -1, 200), 0, "of a fixed length");
	is_int(count_errors(false, "uuid", -1, 226), 1, "too many");
	is_int(count_errors(true, "int8", -1, 990), 0, "numbers");
	ok(count_errors(true, "int8", -1, 1018) > 0, "too many columns");
}

/* ---- partitions */

static void
test_partitions(void)
{
	SchemaTable *root;
	SchemaTable *leaf;
	const TableMap *map;

	fixture_init(&fixture, false);
	root = fixture_table(&fixture, "public", "log");
	root->kind = 'p';
	fixture_key_column(&fixture, root, "id", "int8", -1);
	fixture_column(&fixture, root, "what", "text", -1);
	fixture_index(&fixture, root, "log_pkey", SCHEMA_PRIMARY, "id");
	leaf = fixture_table(&fixture, "public", "log_1");
	leaf->root_oid = root->oid;
	fixture_column(&fixture, leaf, "what", "text", -1)->num = 5;
	fixture_key_column(&fixture, leaf, "id", "int8", -1)->num = 7;
	fixture_translate(&fixture);
	is_int(fixture.result.base.table_count, 1, "one table");
	is_int(fixture.result.map_count, 2, "two maps");
	map = fixture_map(&fixture, "log_1");
	is_str(map->table, "log", "the leaf's rows go into the root's table");
	ok(map->partition, "which holds others' as well");
	is_int(map->columns[0].num, 5, "columns by name, with the leaf's numbers");
	is_str(map->columns[0].target, "what", "and the root's names");
	is_int(map->columns[1].convert, CONVERT_INTEGER, "and conversions");
	ok(!fixture_map(&fixture, "log")->partition, "the root is none");
	fixture_release(&fixture);
}

/* ---- databases of their own */

static void
build_databases(void)
{
	SchemaTable *a = fixture_table(&fixture, "public", "t");
	SchemaTable *b = fixture_table(&fixture, "sales", "t");
	SchemaTable *c = fixture_table(&fixture, "d", "u");

	fixture.target.schemas_as_databases = true;
	fixture_key_column(&fixture, a, "id", "int4", -1);
	fixture_index(&fixture, a, "t_pkey", SCHEMA_PRIMARY, "id");
	fixture_key_column(&fixture, b, "id", "int4", -1);
	fixture_foreign_key(&fixture, b, "t_id_fkey", "id", a, "id");
	fixture_index(&fixture, b, "t_pkey", SCHEMA_PRIMARY, "id");
	fixture_key_column(&fixture, c, "id", "int4", -1);
}

static void
test_databases(void)
{
	fixture_init(&fixture, true);
	build_databases();
	fixture_translate(&fixture);
	is_str(sql_of("SCHEMA", "sales"),
		   "CREATE DATABASE IF NOT EXISTS `sales` CHARACTER SET utf8mb4 "
		   "COLLATE utf8mb4_nopad_bin",
		   "a database for a schema");
	is_str(sql_of("SCHEMA", "d"), "(none)", "the URL's is there");
	has(sql_of("FK CONSTRAINT", "t t_id_fkey"), "REFERENCES `d`.`t` (`id`)",
		"a foreign key between databases");
	ok(fixture.result.maps[0].database == NULL &&
		   fixture.result.maps[2].database == NULL,
	   "public and the URL's own");
	is_str(fixture.result.maps[1].database, "sales", "another one's");
	fixture_release(&fixture);
}

/* ---- what else there is */

static void
test_others(void)
{
	SchemaTable *table;
	SchemaOther *other;

	fixture_init(&fixture, true);
	table = fixture_table(&fixture, "public", "t");
	fixture_key_column(&fixture, table, "id", "int4", -1)->sequence =
		"public.t_id_seq";
	table->columns[0].default_sql = "nextval('t_id_seq'::regclass)";
	fixture_index(&fixture, table, "t_pkey", SCHEMA_PRIMARY, "id");
	table->row_security = true;
	table = fixture_table(&fixture, "public", "u");
	table->unlogged = true;
	other = &fixture.schema.others[fixture.schema.other_count++];
	*other = (SchemaOther){ "SEQUENCE", "public", "t_id_seq", 0 };
	other = &fixture.schema.others[fixture.schema.other_count++];
	*other = (SchemaOther){ "SEQUENCE", "public", "other_seq", 0 };
	other = &fixture.schema.others[fixture.schema.other_count++];
	*other = (SchemaOther){ "VIEW", "public", "v", 0 };
	fixture_translate(&fixture);
	ok(fixture_finding(&fixture, "sequence public.t_id_seq", "") == NULL,
	   "a sequence that goes on as AUTO_INCREMENT is carried");
	ok(fixture_finding(&fixture, "sequence public.other_seq", "")->left_behind,
	   "another one is not");
	ok(fixture_finding(&fixture, "view public.v", "")->left_behind, "a view");
	ok(fixture_finding(&fixture, "table public.u", "unlogged")->left_behind,
	   "an unlogged table");
	is_str(sql_of("TABLE", "u"), "(none)", "it is not created");
	ok(fixture_map(&fixture, "u") == NULL, "and has no map");
	ok(fixture_finding(&fixture, "table public.t", "row security") != NULL,
	   "row security");
	fixture_release(&fixture);
}

/* ---- a column that comes by DDL in the stream */

static void
test_column(void)
{
	SchemaTable *table;
	SchemaColumn column = { .num = 3,
							.name = "A",
							.not_null = true,
							.max_chars = -1,
							.max_bytes = -1,
							.default_sql = "'x'::text" };
	Findings findings;
	const char *sql;
	ColumnMap map;

	fixture_init(&fixture, true);
	table = fixture_table(&fixture, "public", "t");
	fixture_key_column(&fixture, table, "id", "int4", -1);
	fixture_column(&fixture, table, "a", "int4", -1);
	column.type.base_schema = "pg_catalog";
	column.type.base_name = "text";
	column.type.typmod = -1;
	column.type.kind = 'b';
	findings_init(&findings, &fixture.arena);
	translate_column(table, &column, false, &fixture.target, &fixture.arena,
					 &map, &sql, &findings);
	is_str(sql, "longtext NOT NULL DEFAULT ('x')", "its definition");
	is_int(map.num, 3, "its number");
	ok(strncmp(map.target, "A_", 2) == 0, "a name that is not taken");
	is_int(findings.count, 1, "which is said");
	translate_column(table, &column, true, &fixture.target, &fixture.arena,
					 &map, &sql, &findings);
	is_str(sql, "varchar(255) NOT NULL DEFAULT 'x'", "as part of a key");
	fixture_release(&fixture);
}

static void
print_ddl(bool mariadb, void (*build)(void))
{
	fixture_init(&fixture, mariadb);
	build();
	fixture_translate(&fixture);
	for (int i = 0; i < fixture.result.base.entry_count; i++)
	{
		const DdlEntry *entry = &fixture.result.base.entries[i];

		printf("%s;\n%s;\n", entry->sql, entry->probe);
	}
	fixture_release(&fixture);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		bool mariadb = strcmp(argv[1], "mariadb") == 0;

		print_ddl(mariadb, build_shop);
		print_ddl(mariadb, build_keys);
		print_ddl(mariadb, build_wide);
		print_ddl(mariadb, build_databases);
		return 0;
	}
	test_shop();
	test_keys();
	test_primary_too_long();
	test_wide();
	test_many_columns();
	test_partitions();
	test_databases();
	test_others();
	test_column();
	return done_testing();
}

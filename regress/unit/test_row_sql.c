/*
 * test_row_sql.c
 *		Changes and vectors as statements for MySQL and MariaDB.
 *
 * The expected statements are written by hand.
 */
#include "mysql/row_change.h"
#include "mysql/row_sql.h"
#include "mysql/table_facts_mysql.h"
#include "mysql/vector_mysql.h"

#include "plan_fixture.h"
#include "tap.h"

#define COLUMNS 8
#define SCHEMA_NAME "db"

/* one letter for each column, in this order */
enum
{
	ID,	  /* integer, the key */
	TAG,  /* text; second column of the key in some tests */
	NAME, /* text */
	DATA, /* bytea */
	FLAG, /* boolean */
	AT,	  /* timestamptz */
	SUM,  /* computed by the target */
	VIRT  /* VIRTUAL on the source: no column of the target */
};

static ColumnMap maps[COLUMNS - 1] = {
	{ .num = 1, .name = "id", .target = "id", .convert = CONVERT_INTEGER },
	{ .num = 2, .name = "tag", .target = "ta`g", .convert = CONVERT_TEXT },
	{ .num = 4, .name = "name", .target = "name", .convert = CONVERT_TEXT },
	{ .num = 5, .name = "data", .target = "data", .convert = CONVERT_BYTES },
	{ .num = 6, .name = "flag", .target = "flag", .convert = CONVERT_BOOLEAN },
	{ .num = 7, .name = "at", .target = "at", .convert = CONVERT_UTC },
	{ .num = 8,
	  .name = "sum",
	  .target = "sum",
	  .convert = CONVERT_INTEGER,
	  .computed = true },
};
static const TableMap map = { .oid = 1000,
							  .schema = "public",
							  .name = "t",
							  .database = SCHEMA_NAME,
							  .table = "t",
							  .columns = maps,
							  .column_count = COLUMNS - 1 };

static Arena arena;
static Column columns[COLUMNS];
static Relation relation;
static RowTable table;
static RowWriter *writer;
static LossTally *losses;
static const Txn txn = { .xid = 700, .commit_lsn = 0x1000 };

static void
set_up(void)
{
	static const uint16_t numbers[] = { 1, 2, 4, 5, 6, 7, 8, 9 };
	Error err = ERROR_INIT;

	arena_init(&arena);
	for (int i = 0; i < COLUMNS; i++)
	{
		columns[i].name = i < VIRT ? maps[i].name : "virt";
		columns[i].attnum = numbers[i];
	}
	for (int i = 0; i < COLUMNS - 1; i++)
	{
		maps[i].max_chars = maps[i].max_bytes = -1;
		maps[i].precision = 6;
		maps[i].type = "its type";
	}
	columns[ID].flags = WIRE_COLUMN_KEY;
	columns[DATA].base_type_oid = BYTEA_OID;
	columns[SUM].flags = WIRE_COLUMN_GENERATED;
	columns[VIRT].flags = WIRE_COLUMN_VIRTUAL;
	relation.oid = 1000;
	relation.schema = "public";
	relation.name = "t";
	relation.column_count = COLUMNS;
	relation.key_count = 1;
	relation.columns = columns;
	losses = loss_tally_new();
	writer = row_writer_new("UTF8", losses, &err);
	ok(writer != NULL && row_table_init(&table, &relation, &map, &arena, &err),
	   "a table");
}

/* "~" is null, "-" unchanged, NULL absent. */
static const Value *
row(const char *id, const char *tag, const char *name, const char *data,
	const char *flag, const char *at)
{
	const char *const words[] = { id, tag, name, data, flag, at, "5", NULL };
	Value *values = ARENA_ARRAY(&arena, Value, COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
		values[i] = fixture_value(&arena, words[i]);
	return values;
}

static void
statement_is(const Change *change, const char *want, const char *what)
{
	Error err = ERROR_INIT;
	Buffer sql;

	buffer_init(&sql);
	if (!row_statement(writer, &table, &txn, change, &sql, &err))
		is_str(err.message, want, what);
	else
		is_str(sql.data, want, what);
	buffer_release(&sql);
}

static void
test_insert(void)
{
	Change change = { .kind = CHANGE_INSERT, .relation = &relation };

	change.new_values = row("1", "a", "it's\\", "\001'", "t",
							"2024-02-29 12:00:00.5+00");
	statement_is(&change,
				 "INSERT INTO `db`.`t` (`id`, `ta``g`, `name`, `data`, "
				 "`flag`, `at`) VALUES (1, 'a', 'it\\'s\\\\', "
				 "_binary'\001\\'', 1, '2024-02-29 12:00:00.5')",
				 "INSERT, without what the target computes");
	change.new_values = row("1", "~", "-", "~", "~", "~");
	statement_is(&change,
				 "INSERT INTO `db`.`t` (`id`, `ta``g`, `data`, `flag`, `at`) "
				 "VALUES (1, NULL, NULL, NULL, NULL)",
				 "INSERT without a value that is not in the WAL");
	change.new_values = row("x", "~", "-", "~", "~", "~");
	statement_is(&change,
				 "table public.t: INSERT: column id: \"x\" is not an integer",
				 "a value that cannot be converted");
}

static void
test_update(void)
{
	Change change = { .kind = CHANGE_UPDATE, .relation = &relation };

	change.new_values = row("1", "a", "b", "-", "f", "~");
	statement_is(&change,
				 "UPDATE `db`.`t` SET `ta``g` = 'a', `name` = 'b', "
				 "`flag` = 0, `at` = NULL WHERE `id` = 1",
				 "UPDATE, key and unchanged values left alone");
	change.new_values = row("1", "-", "-", "-", "-", "-");
	statement_is(&change, "UPDATE `db`.`t` SET `id` = `id` WHERE `id` = 1",
				 "UPDATE of nothing: the row has to be there");
	change.old_kind = WIRE_OLD_KEY;
	change.old_values = row("1", NULL, NULL, NULL, NULL, NULL);
	change.new_values = row("2", "a", "-", "-", "-", "-");
	statement_is(&change,
				 "UPDATE `db`.`t` SET `id` = 2, `ta``g` = 'a' WHERE `id` = 1",
				 "UPDATE of the key");
}

static void
test_delete(void)
{
	Change change = { .kind = CHANGE_DELETE,
					  .relation = &relation,
					  .old_kind = WIRE_OLD_KEY };

	change.old_values = row("1", NULL, NULL, NULL, NULL, NULL);
	statement_is(&change, "DELETE FROM `db`.`t` WHERE `id` = 1", "DELETE");
	columns[TAG].flags = WIRE_COLUMN_KEY;
	relation.key_count = 2;
	table.columns[TAG].key = true;
	change.old_values = row("1", "\xc3\xa4", NULL, NULL, NULL, NULL);
	statement_is(&change,
				 "DELETE FROM `db`.`t` WHERE `id` = 1 AND `ta``g` = '\xc3\xa4'",
				 "DELETE by two columns");
	columns[TAG].flags = 0;
	relation.key_count = 1;
	table.columns[TAG].key = false;
}

/* REPLICA IDENTITY FULL of a table without a key. */
static void
test_image(void)
{
	Change change = { .kind = CHANGE_DELETE,
					  .relation = &relation,
					  .old_kind = WIRE_OLD_FULL };

	relation.key_count = 0;
	table.columns[ID].key = false;
	change.old_values = row("1", "~", "b", "", "t", "~");
	statement_is(&change,
				 "DELETE FROM `db`.`t` WHERE `id` <=> 1 AND `ta``g` <=> NULL "
				 "AND `name` <=> 'b' AND `data` <=> _binary'' AND "
				 "`flag` <=> 1 AND `at` <=> NULL LIMIT 1",
				 "DELETE of a row by all that it has, one of those alike");
	change.kind = CHANGE_UPDATE;
	change.new_values = row("1", "a", "b", "-", "t", "~");
	statement_is(&change,
				 "UPDATE `db`.`t` SET `id` = 1, `ta``g` = 'a', `name` = 'b', "
				 "`flag` = 1, `at` = NULL WHERE `id` <=> 1 AND "
				 "`ta``g` <=> NULL AND `name` <=> 'b' AND "
				 "`data` <=> _binary'' AND `flag` <=> 1 AND `at` <=> NULL "
				 "LIMIT 1",
				 "UPDATE by all that the row had");
	maps[NAME].strict_json = true;
	maps[NAME].type = "json";
	ok(row_table_init(&table, &relation, &map, &arena, &(Error) ERROR_INIT) &&
		   table.columns[NAME].json && !table.columns[TAG].json,
	   "MySQL's JSON is told from text");
	maps[NAME].strict_json = false;
	maps[NAME].type = "its type";
	relation.key_count = 1;
	(void) !row_table_init(&table, &relation, &map, &arena,
						   &(Error) ERROR_INIT);
}

static void
test_missing(void)
{
	Error err = ERROR_INIT;
	RowTable other;

	maps[NAME].num = 99;
	ok(!row_table_init(&other, &relation, &map, &arena, &err) &&
		   err.code == P_SCHEMA_DIFFERS,
	   "a column that goes nowhere");
	maps[NAME].num = 4;
}

/* ---- vectors */

static MyTableFacts facts;
static MyConn conn;

static void
vector_is(PlanKind kind, uint8_t set, const Value *const *rows, int count,
		  const char *want, const char *what)
{
	PlanOp *ops[8];
	PlanVector vector = { .kind = kind,
						  .table = &facts.plan,
						  .columns = &set,
						  .ops = ops,
						  .count = count };
	Change change = { .kind = CHANGE_UPDATE, .relation = &relation };
	Error err = ERROR_INIT;
	VectorWriter vectors;
	RowPacket packet;

	packet_init(&packet, &conn);
	vector_writer_init(&vectors, &packet, writer);
	for (int i = 0; i < count; i++)
	{
		ops[i] = ARENA_NEW(&arena, PlanOp);
		ops[i]->key = ops[i]->values = rows[i];
		ops[i]->change = &change;
		ops[i]->txn = &txn;
	}
	if (!vector_put(&vectors, &vector, &err))
		is_str(err.message, want, what);
	else
		is_str(packet.sql.data, want, what);
	vector_writer_release(&vectors);
	packet_release(&packet);
}

static void
test_vectors(void)
{
	const Value *rows[4];
	const uint8_t all = 0x7F; /* the computed one, too */
	const char *joined[COLUMNS] = { "v.k0" };
	static const char *const numbers[] = { "1", "2", "3", "4" };

	for (int i = 0; i < 4; i++)
		rows[i] = row(numbers[i], "a", "b", "~", "t", "~");
	conn.server.max_allowed_packet = 1024 * 1024;
	conn.server.mariadb = true;
	facts.row = table;
	facts.plan.relation = &relation;
	facts.joined = joined;
	vector_is(PLAN_INSERT, all, rows, 2,
			  "INSERT INTO `db`.`t` (`id`, `ta``g`, `name`, `data`, `flag`, "
			  "`at`) VALUES (1, 'a', 'b', NULL, 1, NULL), "
			  "(2, 'a', 'b', NULL, 1, NULL);",
			  "INSERT of rows");
	vector_is(PLAN_INSERT, 0, rows, 2, "INSERT INTO `db`.`t` () VALUES (), ();",
			  "INSERT of rows without a value");
	vector_is(PLAN_DELETE, 0, rows, 3,
			  "DELETE FROM `db`.`t` WHERE `id` IN (1, 2, 3);",
			  "DELETE of rows");
	vector_is(PLAN_UPDATE, 0x44, rows, 4,
			  "UPDATE (SELECT 1 AS k0, 'b' AS c2 UNION ALL VALUES (2, 'b'), "
			  "(3, 'b'), (4, 'b')) AS v STRAIGHT_JOIN `db`.`t` AS t "
			  "ON t.`id` = v.k0 SET t.`name` = v.c2;",
			  "UPDATE of rows");
	vector_is(PLAN_UPDATE, 0, rows, 4,
			  "UPDATE (SELECT 1 AS k0 UNION ALL VALUES (2), (3), (4)) AS v "
			  "STRAIGHT_JOIN `db`.`t` AS t ON t.`id` = v.k0 "
			  "SET t.`id` = t.`id`;",
			  "UPDATE of nothing");
	for (int i = 0; i < 4; i++)
		rows[i] = row(numbers[i], "-", "b", "-", "-", "-");
	vector_is(PLAN_UPDATE, 0x44, rows, 2,
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 1;"
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 2;",
			  "UPDATE of a few rows, one by one");
	facts.joined = NULL;
	vector_is(PLAN_UPDATE, 0x44, rows, 4,
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 1;"
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 2;"
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 3;"
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 4;",
			  "... and those whose key cannot be joined");
	facts.joined = joined;
	for (int i = 0; i < 4; i++)
		rows[i] = row(numbers[i], "a", "b", "-", "-", "-");
	vector_is(PLAN_MAYBE_DELETE, 0, rows, 2,
			  "DELETE FROM `db`.`t` WHERE `id` IN (1, 2);", "maybe-delete");
	vector_is(PLAN_PUT, 0x47, rows, 4,
			  "UPDATE (SELECT 1 AS k0, 1 AS c0, 'a' AS c1, 'b' AS c2 UNION ALL "
			  "VALUES (2, 2, 'a', 'b'), (3, 3, 'a', 'b'), (4, 4, 'a', 'b')) "
			  "AS v STRAIGHT_JOIN `db`.`t` AS t ON t.`id` = v.k0 "
			  "SET t.`ta``g` = v.c1, t.`name` = v.c2;"
			  "INSERT INTO `db`.`t` (`id`, `ta``g`, `name`) SELECT v.c0, v.c1, "
			  "v.c2 FROM (SELECT 1 AS k0, 1 AS c0, 'a' AS c1, 'b' AS c2 UNION "
			  "ALL VALUES (2, 2, 'a', 'b'), (3, 3, 'a', 'b'), "
			  "(4, 4, 'a', 'b')) AS v LEFT JOIN `db`.`t` AS t "
			  "ON t.`id` = v.k0 WHERE t.`id` IS NULL;",
			  "put of rows: those that are there, and those that are not");
	joined[TAG] = "CONVERT(v.k1 USING ascii) COLLATE ascii_bin";
	relation.key_count = 2;
	facts.row.columns[TAG].key = true;
	vector_is(PLAN_DELETE, 0, rows, 2,
			  "DELETE FROM `db`.`t` WHERE (`id`, `ta``g`) IN "
			  "((1, 'a'), (2, 'a'));",
			  "DELETE by two columns");
	conn.server.mariadb = false;
	vector_is(PLAN_UPDATE, 0x44, rows, 4,
			  "UPDATE (SELECT 1 AS k0, 'a' AS k1, 'b' AS c2 UNION ALL VALUES "
			  "ROW(2, 'a', 'b'), ROW(3, 'a', 'b'), ROW(4, 'a', 'b')) AS v "
			  "STRAIGHT_JOIN `db`.`t` AS t ON t.`id` = v.k0 AND t.`ta``g` = "
			  "CONVERT(v.k1 USING ascii) COLLATE ascii_bin "
			  "SET t.`name` = v.c2;",
			  "UPDATE by two columns, for MySQL");
}

/* ---- what rules make */

static void
change_is(const Change *change, const char *want, const char *what)
{
	Error err = ERROR_INIT;
	RowPacket packet;

	packet_init(&packet, &conn);
	if (!row_change_put(&packet, writer, &table, &txn, change, change, &err))
		is_str(err.message, want, what);
	else
		is_str(packet.sql.data, want, what);
	packet_release(&packet);
}

#define MISSING                                                    \
	"INSERT INTO `db`.`t` (`id`, `name`) SELECT 1, 'b' FROM DUAL " \
	"WHERE NOT EXISTS (SELECT 1 FROM `db`.`t` WHERE `id` = 1);"

static void
test_rules(void)
{
	static const int match[] = { TAG };
	ChangeManner manner = { .match = match, .match_count = 1 };
	Change change = { .kind = CHANGE_PUT, .relation = &relation };

	conn.server.max_allowed_packet = 1024 * 1024;
	change.new_values = row("1", "-", "b", "-", "-", "-");
	change_is(&change,
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 1;" MISSING,
			  "a put is two statements");
	change.new_values = row("x", "-", "b", "-", "-", "-");
	change_is(&change,
			  "table public.t: INSERT or UPDATE: column id: \"x\" is not an "
			  "integer",
			  "a value that cannot be converted");
	change.new_values = row("1", "-", "b", "-", "-", "-");
	change.kind = CHANGE_INSERT;
	change.manner = &manner;
	manner.conflict = CONFLICT_KEEP;
	change_is(&change, MISSING, "the target wins");
	manner.conflict = CONFLICT_OVERWRITE;
	change_is(&change,
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 1;" MISSING,
			  "the source wins");
	manner.conflict = CONFLICT_IF_GREATER;
	manner.latest = NAME;
	change_is(&change,
			  "UPDATE `db`.`t` SET `name` = 'b' WHERE `id` = 1 AND "
			  "(`name` IS NULL AND 'b' IS NOT NULL OR 'b' > `name`);" MISSING,
			  "the later wins");
	change.kind = CHANGE_MATCH;
	change.new_values = row("1", "a", "b", "-", "-", "-");
	change_is(&change,
			  "UPDATE `db`.`t` SET `id` = 1, `name` = 'b' WHERE `ta``g` = 'a';",
			  "a match sets all but what it finds rows by");
	change.old_values = row(NULL, "o", NULL, NULL, NULL, NULL);
	change_is(&change,
			  "UPDATE `db`.`t` SET `id` = 1, `ta``g` = 'a', `name` = 'b' "
			  "WHERE `ta``g` = 'o';",
			  "... unless it knows what that was");
	change.kind = CHANGE_MAYBE_DELETE;
	change.manner = NULL;
	change.old_values = row("1", NULL, NULL, NULL, NULL, NULL);
	change_is(&change, "DELETE FROM `db`.`t` WHERE `id` = 1;", "maybe-delete");
}

int
main(void)
{
	set_up();
	test_insert();
	test_update();
	test_delete();
	test_image();
	test_missing();
	test_rules();
	test_vectors();
	row_writer_free(writer);
	loss_tally_free(losses);
	arena_release(&arena);
	return done_testing();
}

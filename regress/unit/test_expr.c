/*
 * test_expr.c
 *		Expressions: how values go in and come out, what is refused, what programs
 *		look at.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "expr_fixture.h"
#include "tap.h"
#include "wire.h"

static ExprDb *db;
static int wrong_ignored;

#define gives(expression, want) \
	is_str(fixture_eval(db, expression), want, expression)
#define says(expression, part)                                \
	has(fixture_eval(db, expression), "error: ", expression), \
		has(fixture_eval(db, expression), part, expression)
#define refused(expression, part) \
	has(fixture_compile(db, expression), part, expression)
#define compiles(expression) \
	is_str(fixture_compile(db, expression), "compiled", expression)

static void
test_values(void)
{
	gives("id + 1", "43");
	gives("typeof(id)", "integer");
	gives("typeof(rate)", "real");
	gives("typeof(old.rate)", "text");
	gives("old.rate", "NaN");
	gives("active", "1");
	gives("old.active", "0");
	gives("typeof(amount IS NULL)", "integer");
	gives("amount", "19.90");
	gives("(amount)", "19.90");
	gives("old.amount", "7.5");
	gives("name || ', ' || zip", "Grete, 02139");
	gives("hex(data)", "0102FF");
	gives("data", "\001\002\377");
	gives("length(old.data)", "0");
	gives("note", "NULL");
	gives("coalesce(note, '-')", "-");
	gives("old.ts", "NULL");
	gives("orders.id", "42");
	gives("\"orders\".[id]", "42");
	gives("orders.'id'", "42");
	gives("ID", "42");
	gives("`id` -- the key", "42");
	gives("/* ; ) */ id", "42");
	gives("CASE WHEN id > 40 THEN 'big' ELSE 'small' END", "big");
	gives("id IN (1, 42)", "1");
	gives("zip > 5",
		  "0"); /* as text, which is SQLite's rule for a text column */
	gives("rate + 0.2", "0.30000000000000004");
	gives("1e15", "1e+15");
	gives("1e308 * 10", "Infinity");
	gives("-1e308 * 10", "-Infinity");
	gives("9223372036854775807", "9223372036854775807");
	gives("'it''s'", "it's");
	gives("''", "");
	gives("x'4142'", "AB");
	gives("json_extract('{\"a\": [1, 2]}', '$.a[1]')", "2");
	gives("'{\"a\": {\"b\": true}}' ->> '$.a.b'", "1");
	gives("printf('%05d', id)", "00042");
	gives("format('%s %d%%', 'a', 5) || printf('')", "a 5%");
	gives("typeof(printf(null, 1)) || typeof(printf())", "nullnull");
	gives("date('2024-02-28', '+2 days')", "2024-03-01");
	gives("strftime('%Y', substr(ts, 1, 19))", "2024");
	gives("max(id, 50)", "50");
	gives("sum(id)", "42");
	gives("(SELECT count(*) FROM json_each('[1, 2, 3]'))", "3");
	gives("old.id + id", "83");
	gives("(SELECT old.id + id)", "83");
	says("big", "big is not known: the value is large");
	says("old.big", "REPLICA IDENTITY FULL");
	gives("CASE WHEN id = 1 THEN big ELSE 'x' END", "x");
}

static void
test_integers(void)
{
	static const char *const numbers[] = {
		"0",  "-1", "9223372036854775807", "-9223372036854775808", "-32768",
		"00", "1"
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		is_str(fixture_call(db, "a0", EXPR_BIND_INTEGER, &numbers[i], 1),
			   strcmp(numbers[i], "00") == 0 ? "0" : numbers[i], numbers[i]);
	is_int(expr_bind_of(23), EXPR_BIND_INTEGER, "int4 is an integer");
	is_int(expr_bind_of(1700), EXPR_BIND_NUMERIC, "numeric");
	is_int(expr_bind_of(16), EXPR_BIND_BOOL, "bool");
	is_int(expr_bind_of(701), EXPR_BIND_REAL, "float8");
	is_int(expr_bind_of(17), EXPR_BIND_BLOB, "bytea");
	is_int(expr_bind_of(1184), EXPR_BIND_TEXT, "timestamptz is text");
}

static void
test_refused(void)
{
	static char too_long[70000];

	refused("1) FROM x; --", "closes nothing");
	refused("1; DROP TABLE x", "one expression only");
	refused("1, 2", "row value misused");
	refused("(1, 2)", "row value misused");
	refused("(1", "is not closed");
	refused("", "empty");
	refused("  -- nothing", "empty");
	refused("'abc", "has no end");
	refused("\"abc", "has no end");
	refused("1 /* abc", "has no end");
	refused("x'123'", "hexadecimal");
	refused("?1", "parameter");
	refused(":name", "parameter");
	refused("id \\ 2", "means nothing");
	refused("1 +", "something is missing");
	refused("id id", "syntax error");
	refused("SELECT 1", "parentheses");
	refused("(SELECT 1, 2)", "2 columns");
	refused("emount", "did you mean amount?");
	refused("\"activ\"", "did you mean active?");
	refused("order.id", "syntax error");
	refused("uper(name)", "did you mean upper?");
	if (sqlite3_libversion_number() < 3044000)
		refused("(SELECT string_agg(value, '') FROM json_each('[1]'))",
				"newer ones do");
	refused("(SELECT 1 FROM nowhere)", "no such table: nowhere");
	refused("(SELECT name FROM sqlite_master)", "sqlite_master");
	refused("(SELECT name FROM sqlite_schema)", "no such table");
	refused("(SELECT 1 FROM pragma_table_info('x'))", "may only read");
	refused("(SELECT * FROM sqlite_stmt)", "may only read");
	refused("(SELECT * FROM dbstat)", "may only read");
	refused("(SELECT count(*) FROM dbstat)", "may only read");
	refused("(SELECT count(*) FROM sqlite_master)", "no such table");
	refused("(SELECT count(*) FROM portage_row_1)", "no such column");
	refused("load_extension('x')", "not one that expressions have");
	refused("readfile('/etc/passwd')", "no such function: readfile");
	refused("writefile('/tmp/x', 'y')", "no such function");
	refused("random()", "another value each time");
	refused("abs(random())", "another value each time");
	refused("current_timestamp", "another value each time");
	refused("CURRENT_DATE", "another value each time");
	refused("date('now')", "another time");
	refused("date()", "present time");
	refused("datetime(ts, 'localtime')", "another time");
	refused("datetime(ts, 'local' || 'time')", "must be written out");
	refused("strftime('%Y', 'now')", "another time");
	refused("last_insert_rowid()", "not one that expressions have");
	refused("sqlite_version()", "not one that expressions have");
	refused("rowid", "no such column");
	refused("portage_row_1.id", "no such column");
	refused("(SELECT * FROM portage_row_1)", "no such column: portage_row_1");
	refused("portage_counter()", "takes the key");
	refused("portage_counter(id, 2)", "wrong number of arguments");
	refused("\"portage_counter\"(1, id)", "without quotes");
	refused("(SELECT portage_counter(id))", "nobody could say");
	refused("old.nme", "old.nme");
	refused("id\001", "means nothing");
	memset(too_long, '(', sizeof(too_long) - 1);
	is_str(fixture_compile(db, too_long),
		   "the expression is longer than 65536 bytes", "a long expression");
	compiles("portage_counter(id)");
	compiles("(SELECT 1 WHERE id = 1)");
	compiles("(VALUES (1))");
	says("date('n' || 'ow')", "asks for the present time");
	says("zeroblob(1000000000)", "too big");
	says("printf('%*c', 1000000000, 'x')", "too big");
	says("(WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) "
		 "SELECT count(*) FROM x)",
		 "steps");
	says("(WITH RECURSIVE x(n) AS (SELECT zeroblob(50000000) UNION ALL "
		 "SELECT n || 'x' FROM x LIMIT 100) SELECT group_concat(n) FROM x)",
		 "error");
	says("char(65, 0, 66)", "NUL");
	says("CAST(data AS TEXT)", "not UTF-8 at byte 3");
	says("abs(-9223372036854775807 - 1)", "integer overflow");
	says("json('{')", "malformed JSON");
}

static void
test_numeric_rule(void)
{
	static const char hint[] = "is numeric, which is text to SQLite";

	refused("amount > 100", hint);
	refused("amount > 100", "dec_cmp(amount, 100) > 0");
	refused("old.amount > 100", hint);
	refused("orders.amount + 1", hint);
	refused("\"amount\" = 1", hint);
	refused("[AMOUNT] * 2", hint);
	refused("`amount` || 'x'", hint);
	refused("orders.'amount' + 1", hint);
	refused("abs(amount)", hint);
	refused("(amount) + 1", hint);
	refused("((amount)) IN (1)", hint);
	refused("dec_add(amount + 1, 2)", hint);
	refused("dec_add(abs(amount), 2)", hint);
	refused("max(amount, 5)", hint);
	refused("coalesce(amount, 0)", hint);
	refused("CASE WHEN 1 THEN amount END", hint);
	refused("id || amount IS NULL", hint);
	refused("amount IS 1", hint);
	refused("amount IS NOT 1", hint);
	refused("amount NOT IN (1)", hint);
	refused("(SELECT amount) > 5", hint);
	refused("(SELECT x FROM (SELECT amount AS x))", hint);
	refused("EXISTS (SELECT amount FROM json_each('[]'))", hint);
	refused("1 IN (SELECT amount FROM json_each('[1]'))", hint);
	refused("dec_add(amount, 1) > 100", "returns is exact");
	refused("100 < (dec_add(amount, 1))", "returns is exact");
	refused("dec_mul(amount, 2) BETWEEN 1 AND 2", "returns is exact");
	refused("dec_mul(amount, 2) NOT IN (1, 2)", "returns is exact");
	refused("- dec_mul(amount, 2)", "returns is exact");
	refused("CASE dec_mul(amount, 2) WHEN 5 THEN 1 END", "returns is exact");
	refused("CASE '5' WHEN dec_mul(amount, 2) THEN 1 END", "returns is exact");
	refused("round(dec_mul(amount, 2), 2)", "returns is exact");
	refused("max(5, (dec_mul(amount, 2)))", "returns is exact");
	refused("nullif(dec_mul(amount, 2), 0)", "returns is exact");
	compiles("dec_cmp(amount, 100) > 0");
	compiles("dec_cmp((amount), 100) > 0");
	compiles("dec_add(dec_mul(amount, 2), old.amount)");
	compiles("amount IS NULL");
	compiles("amount IS NOT NULL AND id > 5");
	compiles("id > 5 AND orders.amount NOTNULL");
	compiles("amount NOT NULL OR amount ISNULL");
	compiles("NOT (amount IS NULL)");
	compiles("'amount' || \"name\"");
	compiles("name || ' amount ' -- amount > 5");
	compiles("coalesce(dec_add(amount, 1), '0')");
	compiles("CASE WHEN id = 1 THEN dec_round(amount, 1) ELSE '0' END");
	compiles("dec_round(amount, 1) || ' EUR'");
	compiles("dec_add(amount, (SELECT old.amount FROM json_each('[1]')))");
	gives("dec_cmp(amount, 100) > 0", "0");
	gives("dec_cmp(amount, 2) > 0", "1");
}

static void
test_uses(void)
{
	static const char *const expressions[] = { "name || old.zip",
											   "portage_lsn() || portage_op()",
											   "portage_counter(id)" };
	Error err = ERROR_INIT;
	int wrong;
	ExprProgram *program = expr_compile(
		db, "orders", fixture_columns, COL_COUNT, expressions, 3, &wrong, &err);
	const ExprUses *uses;

	ok(program != NULL, "compiled");
	uses = expr_uses_of(program, 0);
	ok(uses->columns[COL_NAME] && !uses->columns[COL_ID] &&
		   !uses->columns[COL_ZIP] && uses->old_columns[COL_ZIP] &&
		   !uses->old_columns[COL_NAME] && !uses->lsn,
	   "columns of the first");
	uses = expr_uses_of(program, 1);
	ok(uses->lsn && uses->op && !uses->xid && !uses->counter &&
		   !uses->commit_time && !uses->columns[COL_NAME],
	   "functions of the second");
	uses = expr_uses(program);
	ok(uses->columns[COL_ID] && uses->columns[COL_NAME] && uses->lsn &&
		   uses->counter && uses->reference_count == 0,
	   "all of it");
	expr_program_free(program);

	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT, "name"),
		   COL_NAME, "a plain column");
	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT,
							 "(( Orders.\"amount\" )) -- so"),
		   COL_AMOUNT, "with table, quotes, parentheses");
	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT, "old.name"),
		   -1, "old.name is none");
	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT, "'name'"),
		   -1, "a string is none");
	is_int(
		expr_plain_column("orders", fixture_columns, COL_COUNT, "name || ''"),
		-1, "something more is none");
	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT, "NULL"), -1,
		   "NULL is none");
	is_int(expr_plain_column("orders", fixture_columns, COL_COUNT, "("), -1,
		   "what is wrong is none");
}

static bool
count_up(void *arg, int expression, Slice key, int64_t *next, Error *err)
{
	int64_t *counter = arg;

	if (slice_equal(key, slice_of("bad")))
		return error_set(err, P_RULE_VALUE, "cannot count %d", expression);
	*next = ++*counter * 10 + expression;
	return true;
}

static void
test_context(void)
{
	int64_t counter = 0;

	gives("portage_op()", "update");
	gives("portage_lsn()", "16/B374D848");
	gives("portage_xid()", "777");
	gives("portage_commit_time()", "2024-07-01 12:30:15.5+00");
	gives("portage_source()", "shop");
	says("portage_counter(id)", "has no place here");
	fixture_context.counter = count_up;
	fixture_context.counter_arg = &counter;
	gives("portage_counter(id)", "10");
	says("portage_counter(note)", "the key is NULL");
	says("portage_counter('bad')", "cannot count 0");
	gives("portage_counter(zip)", "20");
	fixture_context.xid = 0;
	fixture_context.commit_time_us = 0;
	gives("portage_xid()", "NULL");
	gives("portage_commit_time()", "NULL");
	fixture_reset();
}

/* One program, many rows: nothing of one may be seen in the next. */
static void
run_rows(const char *const *expressions, int count, const char *what)
{
	Error err = ERROR_INIT;
	int wrong;
	ExprProgram *program = expr_compile(db, "orders", fixture_columns,
										COL_COUNT, expressions, count, &wrong,
										&err);
	ExprValue values[4];
	char number[16];
	int good = 0;
	int i;

	for (i = 0; program != NULL && i < 1000; i++)
	{
		snprintf(number, sizeof(number), "%d", i);
		fixture_row[COL_ID] = fixture_value(number);
		fixture_context.lsn = (Lsn) i;
		if (i % 7 == 3)
			fixture_row[COL_ID] = fixture_null();
		if (i % 10 == 5)
			fixture_row[COL_ID].state = WIRE_COL_ABSENT;
		if (!expr_eval(program, fixture_row, fixture_old, &fixture_context,
					   values, &wrong, &err))
			good += i % 10 == 5 && wrong == 0 && err.code == P_RULE_VALUE;
		else if (i % 7 == 3)
			good += values[0].kind == EXPR_NULL && i % 10 != 5;
		else
			good += values[0].kind == EXPR_INTEGER &&
					values[0].integer == 2 * i && i % 10 != 5;
		error_clear(&err);
	}
	is_int(good, 1000, what);
	expr_program_free(program);
	fixture_reset();
}

static void
test_many_rows(void)
{
	static const char *const plain[] = { "id * 2", "name || id",
										 "portage_lsn()", "upper('abc')" };
	static const char *const queries[] = {
		"id * 2", "(SELECT count(*) FROM json_each('[1, 2]') WHERE value = id)",
		"(SELECT portage_lsn())"
	};
	static const char *const failing[] = { "1", "abs(id)", "json(name)" };
	Error err = ERROR_INIT;
	ExprValue values[4];
	ExprProgram *program;
	int wrong;

	run_rows(plain, 4, "a thousand rows without queries");
	run_rows(queries, 3, "a thousand rows with queries");
	program = expr_compile(db, "orders", fixture_columns, COL_COUNT, failing, 3,
						   &wrong, &err);
	ok(!expr_eval(program, fixture_row, NULL, &fixture_context, values, &wrong,
				  &err),
	   "the third of three fails");
	is_int(wrong, 2, "and that is known");
	fixture_row[COL_NAME] = fixture_value("[1]");
	ok(expr_eval(program, fixture_row, NULL, &fixture_context, values, &wrong,
				 &err),
	   "the next row is good");
	ok(slice_equal(values[2].text, slice_of("[1]")), "and has its value");
	expr_program_free(program);
	fixture_reset();

	fixture_row[COL_NAME] = (Value){ "a\377", 2, WIRE_COL_PRESENT };
	says("name", "the text of column name is not UTF-8");
	fixture_reset();
}

/* A statement that never ends, while others come and go. */
static void
test_beside_others(void)
{
	static const ExprColumn columns[] = { { "k", EXPR_BIND_INTEGER } };
	static const int key[] = { 0 };
	static const char *const expression = "id + 1";
	const ExprReference reference = { "beside", columns, 1, key, 1, false };
	Error err = ERROR_INIT;
	ExprValue result;
	ExprProgram *program = expr_compile(db, "orders", fixture_columns,
										COL_COUNT, &expression, 1,
										&wrong_ignored, &err);
	int good = 0;
	int i;

	for (i = 0; program != NULL && i < 6; i++)
	{
		Value row = fixture_value("7");

		good += expr_eval(program, fixture_row, NULL, &fixture_context, &result,
						  &wrong_ignored, &err) &&
				result.integer == 43;
		if (i == 0)
			good += expr_reference_create(db, &reference, &err);
		else if (i == 1 || i == 3)
			good += expr_reference_begin(db, &err);
		else if (i == 2)
			expr_reference_rollback(db);
		else if (i == 4)
			good += expr_reference_commit(db, &err);
		if (i > 0)
			good += expr_reference_put(db, "beside", &row, &err);
		gives("(SELECT count(*) FROM json_each('[1]'))", "1");
	}
	is_int(good, 15, "one program goes on while others and references change");
	gives("(SELECT k FROM beside)", "7");
	expr_program_free(program);
}

static void
test_true(void)
{
	static const struct
	{
		const char *expression;
		bool want;
	} cases[] = { { "1", true },	  { "0", false },	  { "NULL", false },
				  { "0.0", false },	  { "-0.5", true },	  { "'1'", true },
				  { "'abc'", false }, { "'0x1'", false }, { "'inf'", false },
				  { "' 2x'", true },  { "x'31'", true },  { "''", false },
				  { "active", true }, { "note", false } };
	Error err = ERROR_INIT;
	ExprValue value;
	size_t i;
	int wrong;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		ExprProgram *program = expr_compile(db, "orders", fixture_columns,
											COL_COUNT, &cases[i].expression, 1,
											&wrong, &err);

		ok(program != NULL &&
			   expr_eval(program, fixture_row, NULL, &fixture_context, &value,
						 &wrong, &err) &&
			   expr_is_true(&value) == cases[i].want,
		   "%s is %s", cases[i].expression,
		   cases[i].want ? "true" : "not true");
		expr_program_free(program);
	}
}

static void
test_names(void)
{
	static const ExprColumn columns[] = { { "Id", EXPR_BIND_INTEGER },
										  { "id", EXPR_BIND_INTEGER },
										  { "a \"b\"", EXPR_BIND_TEXT },
										  { "old.x", EXPR_BIND_TEXT },
										  { "select", EXPR_BIND_TEXT } };
	static const char *const expressions[] = { "id", "\"a \"\"b\"\"\" || 'x'",
											   "\"select\"",
											   "\"o\".\"select\"" };
	Value row[5];
	Error err = ERROR_INIT;
	ExprValue value;
	ExprProgram *program;
	int wrong;
	int i;

	for (i = 0; i < 5; i++)
		row[i] = fixture_value("7");
	program = expr_compile(db, "o\"o", columns, 5, expressions, 1, &wrong,
						   &err);
	ok(program == NULL, "columns that differ in case are refused");
	has(err.hint, "differ in case only", "with the reason");
	program = expr_compile(db, "o", columns, 5, expressions + 1, 3, &wrong,
						   &err);
	ok(program != NULL, "quoted names: %s", err.message);
	expr_program_free(program);
	program = expr_compile(db, "old", columns, 5, expressions + 2, 1, &wrong,
						   &err);
	ok(program != NULL && expr_eval(program, row, NULL, &fixture_context,
									&value, &wrong, &err),
	   "a table called old");
	expr_program_free(program);
	program = expr_compile(db, "o", columns, 0, &(const char *){ "1" }, 1,
						   &wrong, &err);
	ok(program != NULL && expr_eval(program, NULL, NULL, &fixture_context,
									&value, &wrong, &err),
	   "a table without columns");
	expr_program_free(program);
}

int
main(void)
{
	Error err = ERROR_INIT;

	fixture_reset();
	db = expr_db_open(&err);
	ok(db != NULL, "a database: %s", err.message);
	test_values();
	test_integers();
	test_refused();
	test_numeric_rule();
	test_uses();
	test_context();
	test_many_rows();
	test_beside_others();
	test_true();
	test_names();
	expr_db_close(db);
	return done_testing();
}

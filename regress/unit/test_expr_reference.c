/*
 * test_expr_reference.c
 *		References: rows put, replaced, removed; keys that must be there; what they
 *		do to expressions; memory.
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "expr/expr_db.h"
#include "expr_fixture.h"
#include "tap.h"

static ExprDb *db;

#define gives(expression, want) \
	is_str(fixture_eval(db, expression), want, expression)
#define says(expression, part) \
	has(fixture_eval(db, expression), part, expression)
#define refused(expression, part) \
	has(fixture_compile(db, expression), part, expression)
#define compiles(expression) \
	is_str(fixture_compile(db, expression), "compiled", expression)

static const ExprColumn zip_columns[] = { { "zip", EXPR_BIND_TEXT },
										  { "city", EXPR_BIND_TEXT },
										  { "people", EXPR_BIND_INTEGER } };
static const ExprColumn fx_columns[] = { { "currency", EXPR_BIND_TEXT },
										 { "day", EXPR_BIND_INTEGER },
										 { "rate", EXPR_BIND_NUMERIC } };

static bool
create(const char *name, const ExprColumn *columns, int count, int key_count,
	   bool required, Error *err)
{
	static const int key[] = { 0, 1, 2 };
	const ExprReference reference = { name, columns,   count,
									  key,	key_count, required };

	return expr_reference_create(db, &reference, err);
}

static void
put(const char *name, const char *a, const char *b, const char *c)
{
	const char *const texts[] = { a, b, c };
	Error err = ERROR_INIT;
	Value row[3];
	int i;

	for (i = 0; i < 3; i++)
		row[i] = texts[i] != NULL ? fixture_value(texts[i]) : fixture_null();
	ok(expr_reference_put(db, name, row, &err), "%s: put %s%s", name, a,
	   err.message);
}

static void
removed(const char *name, const char *a, const char *b)
{
	Error err = ERROR_INIT;
	Value row[3] = { fixture_value(a), fixture_value(b), fixture_null() };

	ok(expr_reference_delete(db, name, row, &err), "%s: delete %s%s", name, a,
	   err.message);
}

static void
test_plain(void)
{
	static const char city[] =
		"(SELECT city FROM zip WHERE zip.zip = orders.zip)";
	Error err = ERROR_INIT;

	refused(city, "no such table: zip");
	ok(create("zip", zip_columns, 3, 1, false, &err), "created%s", err.message);
	gives(city, "NULL");
	put("zip", "02139", "Cambridge", "118403");
	gives(city, "Cambridge");
	put("zip", "02139", "Cambridge, MA", "118404");
	gives(city, "Cambridge, MA");
	put("zip", "99999", "Nowhere", NULL);
	gives("(SELECT count(*) || ' ' || count(people) FROM zip)", "2 1");
	gives("(SELECT people + 1 FROM zip WHERE zip.zip = orders.zip)", "118405");
	gives("EXISTS (SELECT * FROM zip WHERE zip.zip = orders.zip)", "1");
	gives("zip IN (SELECT zip FROM zip)", "1");
	gives("(SELECT z.city FROM zip AS z WHERE z.zip = old.zip)", "Nowhere");
	gives("coalesce((SELECT city FROM zip WHERE zip.zip = note), 'none')",
		  "none");
	removed("zip", "02139", "");
	gives(city, "NULL");
	removed("zip", "02139", "");
	ok(expr_reference_clear(db, "zip", &err), "cleared");
	gives("(SELECT count(*) FROM zip)", "0");
	refused("(SELECT citty FROM zip)", "did you mean city?");
	refused("(SELECT city FROM zipp)", "no such table: zipp");
	refused("(SELECT rowid FROM zip)", "no such column: ROWID");
}

static void
test_transaction(void)
{
	static const char count[] = "(SELECT count(*) FROM zip)";
	Error err = ERROR_INIT;

	ok(expr_reference_begin(db, &err), "begin");
	put("zip", "1", "a", "1");
	gives(count, "1");
	expr_reference_rollback(db);
	gives(count, "0");
	ok(expr_reference_begin(db, &err), "begin");
	put("zip", "02139", "Cambridge", "1");
	ok(expr_reference_commit(db, &err), "commit");
	gives(count, "1");
	expr_reference_rollback(db);
	gives(count, "1");
}

static void
test_required(void)
{
	static const char rate[] =
		"(SELECT rate FROM fx WHERE fx.currency = name AND fx.day = id)";
	Error err = ERROR_INIT;

	ok(create("fx", fx_columns, 3, 2, true, &err), "created%s", err.message);
	says(rate, "error: reference fx has no row (Grete, 42)");
	put("fx", "Grete", "42", "1.0837");
	gives(rate, "1.0837");
	gives("dec_mul(amount, (SELECT rate FROM fx WHERE fx.currency = name AND "
		  "fx.day = id))",
		  "21.565630");
	says("(SELECT rate FROM fx WHERE fx.currency = name AND fx.day = id + 1)",
		 "fx has no row (Grete, 43)");
	gives("CASE WHEN id = 1 THEN (SELECT day FROM fx WHERE fx.currency = name "
		  "AND fx.day = 1) ELSE 'not asked' END",
		  "not asked");
	gives("(SELECT day FROM fx WHERE fx.currency = note AND fx.day = id)",
		  "NULL");
	gives("(SELECT count(*) FROM fx WHERE fx.currency = 'x')", "0");
	gives("(SELECT count(*) FROM fx WHERE fx.day > 1)", "1");
	gives("(SELECT max(day) FROM fx)", "42");
	put("fx", "Hans", "41", "2");
	gives("(SELECT count(*) FROM fx a JOIN fx b ON a.day > b.day)", "1");
	gives("(SELECT group_concat(b.day) FROM fx a JOIN fx b ON b.day = a.day "
		  "AND b.currency = a.currency)",
		  "42,41");
	says("EXISTS (SELECT 1 FROM fx WHERE fx.currency = 'x' AND fx.day = 1)",
		 "no row (x, 1)");
	says("(SELECT 1 FROM \"portage_kept fx\")", "no such column");
}

static void
test_error_code(void)
{
	static const char *const expressions[] = {
		"id", "(SELECT day FROM fx WHERE currency = zip AND day = id)"
	};
	Error err = ERROR_INIT;
	ExprProgram *program;
	ExprValue values[2];
	Value key[3] = { fixture_value("02139"), fixture_value("42"),
					 fixture_null() };
	Value row[3];
	Arena arena;
	bool found;
	int wrong;

	arena_init(&arena);
	program = expr_compile(db, "orders", fixture_columns, COL_COUNT,
						   expressions, 2, &wrong, &err);
	ok(program != NULL, "compiled%s", err.message);
	is_int(expr_uses(program)->reference_count, 1, "it asks one reference");
	is_str(expr_uses(program)->references[0], "fx", "which is known");
	is_int(expr_uses_of(program, 0)->reference_count, 0, "not the first");
	ok(!expr_eval(program, fixture_row, NULL, &fixture_context, values, &wrong,
				  &err) &&
		   err.code == P_REFERENCE && wrong == 1,
	   "a missing key is P_REFERENCE, and whose it is is known");
	put("fx", "02139", "42", "1");
	ok(expr_eval(program, fixture_row, NULL, &fixture_context, values, &wrong,
				 &err) &&
		   values[1].integer == 42,
	   "with the row it goes on");
	ok(expr_reference_get(db, "fx", key, &arena, row, &found, &err) && found &&
		   slice_equal((Slice){ row[2].data, row[2].len }, slice_of("1")),
	   "its row can be had while the program is at it");
	key[1] = fixture_value("43");
	ok(expr_reference_get(db, "fx", key, &arena, row, &found, &err) && !found,
	   "and one that is not there cannot");
	arena_release(&arena);
	/* the schema changes: both are compiled anew */
	ok(create("later", zip_columns, 3, 1, true, &err), "another one");
	put("fx", "x", "1", "1");
	ok(expr_eval(program, fixture_row, NULL, &fixture_context, values, &wrong,
				 &err) &&
		   values[1].integer == 42,
	   "programs and references of before still work%s", err.message);
	expr_program_free(program);
}

static void
test_refused(void)
{
	static const ExprColumn twice[] = { { "id", EXPR_BIND_TEXT },
										{ "ID", EXPR_BIND_TEXT } };
	Error err = ERROR_INIT;
	Value row[3] = { fixture_null(), fixture_value("a"), fixture_null() };

	ok(!create("old", zip_columns, 3, 1, false, &err), "old");
	ok(!create("portage_x", zip_columns, 3, 1, false, &err), "portage_x");
	ok(!create("sqlite_x", zip_columns, 3, 1, false, &err), "sqlite_x");
	ok(!create("ZIP", zip_columns, 3, 1, false, &err), "twice");
	ok(!create("x", zip_columns, 3, 0, false, &err), "no key");
	ok(!create("x", twice, 2, 1, false, &err), "columns that differ in case");
	is_int(err.code, P_RULE, "is P_RULE");
	ok(!expr_reference_put(db, "zip", row, &err), "a key that is NULL");
	has(err.message, "key zip is NULL", "is an error that says so");
	row[0] = (Value){ "\377", 1, WIRE_COL_PRESENT };
	ok(!expr_reference_put(db, "zip", row, &err), "text that is not UTF-8");
	row[0] = (Value){ NULL, 0, WIRE_COL_UNCHANGED };
	ok(!expr_reference_put(db, "zip", row, &err), "a value that is not there");
	is_int(err.code, P_REFERENCE, "is P_REFERENCE");
}

static void
test_numeric_rule(void)
{
	static const char hint[] = "is numeric, which is text to SQLite";

	refused("(SELECT rate FROM fx) > 1", hint);
	refused("(SELECT day FROM fx WHERE rate > 1)", hint);
	refused("(SELECT f.rate * 2 FROM fx f)", hint);
	refused("(SELECT max(rate) FROM fx)", hint);
	refused("(SELECT day FROM fx ORDER BY rate)", hint);
	refused("(SELECT rate FROM fx ORDER BY 1 LIMIT 1)", hint);
	compiles("(SELECT rate FROM fx ORDER BY day LIMIT 1)");
	refused("(SELECT x FROM (SELECT rate AS x FROM fx))", hint);
	refused("EXISTS (SELECT * FROM fx)", "write out the columns");
	compiles("(SELECT rate FROM fx)");
	compiles("dec_add((SELECT f.rate FROM fx f WHERE f.day = 1 AND "
			 "f.currency = name), 1)");
	compiles("(SELECT rate FROM fx) IS NULL");
	compiles("(SELECT day FROM fx WHERE rate IS NOT NULL)");
	compiles("(SELECT day FROM fx WHERE dec_cmp(rate, 1) > 0)");
	compiles("EXISTS (SELECT 1 FROM fx)");
}

/* Files that we have open and that are in no folder any more. */
static int
nameless_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char link[300];
	char path[300];
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
	{
		ssize_t len;

		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		len = readlink(link, path, sizeof(path) - 1);
		if (len <= 0)
			continue;
		path[len] = '\0';
		count += strstr(path, " (deleted)") != NULL;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

static void
test_large(void)
{
	static const char sum[] = "(SELECT sum(length(city)) FROM zip)";
	char *city = malloc(4001);
	Error err = ERROR_INIT;
	Value row[3] = { fixture_null(), fixture_null(), fixture_null() };
	char zip[16];
	bool good = true;
	int before = nameless_files();
	int i;

	memset(city, 'x', 4000);
	city[4000] = '\0';
	ok(expr_reference_clear(db, "zip", &err), "cleared");
	ok(expr_reference_begin(db, &err), "begin");
	for (i = 0; good && i < 20000; i++)
	{
		snprintf(zip, sizeof(zip), "%d", i);
		row[0] = fixture_value(zip);
		row[1] = fixture_value(city);
		good = expr_reference_put(db, "zip", row, &err);
	}
	ok(good, "80 MB are put%s", err.message);
	ok(expr_reference_commit(db, &err), "commit%s", err.message);
	ok(nameless_files() > before, "a file without a name holds them");
	gives(sum, "80000000");
	gives("(SELECT city FROM zip WHERE zip.zip = '19999') LIKE 'xxx%'", "1");
	ok(expr_reference_begin(db, &err), "begin");
	ok(expr_reference_clear(db, "zip", &err), "cleared");
	gives(sum, "NULL");
	expr_reference_rollback(db);
	gives(sum, "80000000");
	free(city);
}

int
main(void)
{
	Error err = ERROR_INIT;

	fixture_reset();
	db = expr_db_open(&err);
	ok(db != NULL, "a database");
	test_plain();
	test_transaction();
	test_required();
	test_error_code();
	test_refused();
	test_numeric_rule();
	test_large();
	expr_db_close(db);
	is_int(nameless_files(), 0, "and is gone with the database");
	return done_testing();
}

/*
 * test_expr_function.c
 *		Our functions of expressions: values, NULL, errors.  What is compared with
 *		PostgreSQL is in t/121_expr_oracle.pl.
 */
#include <stdlib.h>

#include "expr/expr_db.h"
#include "expr_fixture.h"
#include "tap.h"

static ExprDb *db;

#define gives(expression, want) \
	is_str(fixture_eval(db, expression), want, expression)
#define says(expression, part) \
	has(fixture_eval(db, expression), part, expression)

static void
test_dec(void)
{
	gives("dec_add('1.10', '2')", "3.10");
	gives("dec_add('99999999999999999999', 1)", "100000000000000000000");
	gives("dec_add(0.1, 0.2)", "0.3");
	gives("dec_sub('0.30', '0.3')", "0.00");
	gives("dec_sub('1', '1.5')", "-0.5");
	gives("dec_sub('-0.00', 0)", "0.00");
	gives("dec_mul('-0.5', '0.0')", "0.00");
	gives("dec_mul('1.25', '-4')", "-5.00");
	gives("dec_div('1', '3')", "0.33333333333333333333");
	gives("dec_div('10', '4')", "2.5000000000000000");
	gives("dec_div('-2', '3', 2)", "-0.67");
	gives("dec_div('1', '8', 2)", "0.13");
	gives("dec_div('-1', '8', 2)", "-0.13");
	gives("dec_div('0', '8', 2)", "0.00");
	gives("dec_div('-0.001', '8', 2)", "0.00");
	gives("dec_div('99.5', '1', 0)", "100");
	says("dec_div('1', '0.00')", "division by zero");
	says("dec_div('0', 0)", "division by zero");
	gives("dec_cmp('1.0', '1')", "0");
	gives("dec_cmp('-0', '0.0')", "0");
	gives("dec_cmp('10', '9')", "1");
	gives("dec_cmp('-10', '-9')", "-1");
	gives("dec_cmp('NaN', 'Infinity')", "1");
	gives("dec_cmp('NaN', 'NaN')", "0");
	gives("dec_cmp('-Infinity', '-99999999999999999999')", "-1");
	gives("dec_cmp('Infinity', 5)", "1");
	gives("dec_round('2.5')", "3");
	gives("dec_round('-2.5')", "-3");
	gives("dec_round('0.5')", "1");
	gives("dec_round('0.49')", "0");
	gives("dec_round('-0.4')", "0");
	gives("dec_round('1.005', 2)", "1.01");
	gives("dec_round('9.995', 2)", "10.00");
	gives("dec_round('1.5', 4)", "1.5000");
	gives("dec_round('1250', -2)", "1300");
	gives("dec_round('49', -2)", "0");
	gives("dec_round('50', -2)", "100");
	gives("dec_round('5', -5)", "0");
	gives("dec_round('1.5e3', 1)", "1500.0");
	gives("dec_round('.5', 1)", "0.5");
	gives("dec_round('+7.')", "7");
	gives("dec_add(note, 1)", "NULL");
	gives("dec_add(1, note)", "NULL");
	gives("dec_sub(note, 1)", "NULL");
	gives("dec_mul(note, 1)", "NULL");
	gives("dec_div(1, note)", "NULL");
	gives("dec_div(1, 3, note)", "NULL");
	gives("dec_cmp(note, note)", "NULL");
	gives("dec_round(note)", "NULL");
	gives("dec_round(1.5, note)", "NULL");
	says("dec_add('abc', 1)", "dec_add: \"abc\" is not a number");
	says("dec_add('', 1)", "is not a number");
	says("dec_add('1 ', 1)", "is not a number");
	says("dec_add('1e', 1)", "is not a number");
	says("dec_add('1.2.3', 1)", "is not a number");
	says("dec_add('0x10', 1)", "is not a number");
	says("dec_add('1e200000', 1)", "is not a number");
	says("dec_add(x'31', 1)", "bytes are no number");
	says("dec_add(0.1 + 0.2, 1)", "put numbers like that in quotes");
	says("dec_add('NaN', 1)", "dec_add does not compute with NaN");
	says("dec_mul(1, '-Infinity')", "dec_mul does not compute with -Infinity");
	says("dec_round('NaN')", "does not compute with NaN");
	says("dec_round(1, 2001)", "from -2000 to 2000");
	says("dec_round(1, 'x')", "must be a whole number");
	says("dec_div(1, 3, -1)", "from 0 to 1000");
}

/* A number of that many nines, quoted. */
static char *
nines(int count, const char *before, const char *after)
{
	size_t room = (size_t) count + strlen(before) + strlen(after) + 1;
	char *text = malloc(room);
	size_t at = strlen(before);

	memcpy(text, before, at);
	memset(text + at, '9', (size_t) count);
	memcpy(text + at + (size_t) count, after, strlen(after) + 1);
	return text;
}

static void
test_large(void)
{
	char *whole = nines(131072, "", "");
	char *more = nines(131073, "", "");
	char *part = nines(16383, "0.", "");
	const char *values[2];
	const char *got;

	values[0] = whole;
	values[1] = "0";
	got = fixture_call(db, "dec_add(a0, a1)", EXPR_BIND_TEXT, values, 2);
	is_str(got, whole, "131072 digits before the point");
	values[1] = "1";
	got = fixture_call(db, "dec_add(a0, a1)", EXPR_BIND_TEXT, values, 2);
	has(got, "more than 131072 digits", "one more is too many");
	got = fixture_call(db, "dec_mul(a0, a0)", EXPR_BIND_TEXT, values, 2);
	has(got, "are too long", "a product of those is refused");
	values[0] = more;
	got = fixture_call(db, "dec_add(a0, a1)", EXPR_BIND_TEXT, values, 2);
	has(got, "is not a number", "more digits than PostgreSQL takes");
	values[0] = part;
	values[1] = "0";
	got = fixture_call(db, "dec_sub(a0, a1)", EXPR_BIND_TEXT, values, 2);
	is_str(got, part, "16383 digits behind the point");
	values[1] = "0.1";
	got = fixture_call(db, "length(dec_mul(a0, a1))", EXPR_BIND_TEXT, values,
					   2);
	is_str(got, "16385", "a product is rounded to 16383");
	got = fixture_call(db, "length(dec_div(a0, 3))", EXPR_BIND_TEXT, values, 2);
	is_str(got, "1002", "a quotient has 1000");
	got = fixture_call(db, "dec_div(1, a0, 1000)", EXPR_BIND_TEXT, values, 2);
	is_int(strlen(got), 1002, "divided by many digits");
	free(whole);
	free(more);
	free(part);
}

static void
test_time(void)
{
	gives("at_time_zone(ts, 'Europe/Berlin')", "2024-07-01 14:30:15.25");
	gives("at_time_zone('2024-07-01 14:30:15.25', 'Europe/Berlin')",
		  "2024-07-01 12:30:15.25+00");
	gives("at_time_zone('2024-07-01 14:30:00+05:30', 'utc')",
		  "2024-07-01 09:00:00");
	gives("at_time_zone('2024-07-01T14:30:00', 'europe/berlin')",
		  "2024-07-01 12:30:00+00");
	/* skipped: as before the skip; repeated: as after it */
	gives("at_time_zone('2024-03-31 02:30:00', 'Europe/Berlin')",
		  "2024-03-31 01:30:00+00");
	gives("at_time_zone('2024-10-27 02:30:00', 'Europe/Berlin')",
		  "2024-10-27 01:30:00+00");
	gives("at_time_zone('2011-12-30 12:00:00', 'Pacific/Apia')",
		  "2011-12-30 22:00:00+00");
	gives("at_time_zone('infinity', 'Asia/Tokyo')", "infinity");
	gives("at_time_zone('-infinity', 'Asia/Tokyo')", "-infinity");
	gives("at_time_zone('0044-03-15 12:00:00+00 BC', 'UTC')",
		  "0044-03-15 12:00:00 BC");
	gives("at_time_zone('0001-01-01 00:00:00+01', 'UTC')",
		  "0001-12-31 23:00:00 BC");
	gives("at_time_zone('4714-11-24 00:00:00+00 BC', 'UTC')",
		  "4714-11-24 00:00:00 BC");
	gives("at_time_zone('294276-12-31 23:59:59.999999+00', 'UTC')",
		  "294276-12-31 23:59:59.999999");
	gives("at_time_zone('1999-12-31 23:59:59.999999+00', 'Asia/Tokyo')",
		  "2000-01-01 08:59:59.999999");
	says("at_time_zone('294276-12-31 23:59:59+00', 'Asia/Tokyo')",
		 "out of range");
	gives("at_time_zone(note, 'UTC')", "NULL");
	gives("at_time_zone(ts, note)", "NULL");
	says("at_time_zone(ts, 'Europe/Berlim')", "did you mean Europe/Berlin?");
	says("at_time_zone(ts, 'CET')", "not an abbreviation");
	says("at_time_zone(ts, '+01')", "not an abbreviation or an offset");
	says("at_time_zone(ts, '')", "there is no zone");
	says("at_time_zone(name, 'UTC')", "is not a timestamp");
	says("at_time_zone('2024-02-30 00:00:00', 'UTC')", "is not a timestamp");
	says("at_time_zone('2023-02-29 00:00:00', 'UTC')", "is not a timestamp");
	says("at_time_zone('2024-07-01', 'UTC')", "is not a timestamp");
	says("at_time_zone('2024-07-01 24:00:00', 'UTC')", "is not a timestamp");
	says("at_time_zone('2024-07-01 00:00:00.1234567', 'UTC')",
		 "is not a timestamp");
	says("at_time_zone('0000-07-01 00:00:00', 'UTC')", "is not a timestamp");
	says("at_time_zone('2024-07-01 00:00:00 AD', 'UTC')", "is not a timestamp");
}

/* More zones than are kept open. */
static void
test_many_zones(void)
{
	static const char *const zones[] = {
		"Europe/Paris",	 "Europe/London",  "Europe/Rome",	 "Europe/Madrid",
		"Europe/Vienna", "Europe/Prague",  "Europe/Oslo",	 "Europe/Zurich",
		"Asia/Tokyo",	 "Asia/Kolkata",   "Asia/Dubai",	 "Asia/Seoul",
		"Asia/Shanghai", "Asia/Singapore", "Asia/Kathmandu", "Africa/Nairobi",
		"Africa/Lagos",	 "Africa/Tunis",   "America/Lima",	 "America/Bogota"
	};
	int good = 0;
	int i;

	for (i = 0; i < 60; i++)
	{
		const char *values[2] = { "2024-07-01 12:00:00+00", zones[i % 20] };
		const char *got = fixture_call(db, "at_time_zone(a0, a1)",
									   EXPR_BIND_TEXT, values, 2);

		good += strlen(got) == 19;
		if (i % 20 == 9)
			good += strcmp(got, "2024-07-01 17:30:00") == 0;
	}
	is_int(good, 63, "twenty zones in turn");
}

static void
test_regexp(void)
{
	gives("'Grete' REGEXP '^G.*e$'", "1");
	gives("'Grete' REGEXP 'x'", "0");
	gives("name NOT REGEXP '^g'", "1");
	gives("regexp('(?i)^g', name)", "1");
	gives("'Größe' REGEXP '^Gr.ße$'", "1");
	gives("'GRÖSSE' REGEXP '(?i)grösse'", "1");
	gives("'' REGEXP '^$'", "1");
	gives("note REGEXP 'x'", "NULL");
	gives("'x' REGEXP note", "NULL");
	gives("42 REGEXP '^4'", "1");
	says("'x' REGEXP '('", "is wrong at character 2: missing closing");
	says("'x' REGEXP '\\C'", "is wrong");
	says("repeat", "no such column");
	says("replace(printf('%.100d', 0), '0', 'a') REGEXP '^(a+)+$(?<=b)'",
		 "cannot be matched");
	says("CAST(data AS TEXT) REGEXP 'x'", "cannot be matched: UTF-8 error");
	gives("regexp_replace('banana', 'a', 'o')", "bonana");
	gives("regexp_replace('banana', 'a', 'o', 'g')", "bonono");
	gives("regexp_replace('BANANA', 'a', 'o', 'gi')", "BoNoNo");
	gives("regexp_replace('John Smith', '(\\w+) (\\w+)', '\\2, \\1')",
		  "Smith, John");
	gives("regexp_replace('abc', 'b', '[\\&]')", "a[b]c");
	gives("regexp_replace('abc', 'b', '\\\\')", "a\\c");
	gives("regexp_replace('abc', 'b', '\\x\\')", "a\\x\\c");
	gives("regexp_replace('abc', '(x)?b', '<\\1\\5>')", "a<>c");
	gives("regexp_replace('abc', '', '-', 'g')", "-a-b-c-");
	gives("regexp_replace('äö', '', '-', 'g')", "-ä-ö-");
	gives("regexp_replace('a1b22', '\\d*', 'x', 'g')", "xaxxbxx");
	gives("regexp_replace('a' || char(10) || 'b', '^b', 'x', 'm')", "a\nx");
	gives("regexp_replace('a' || char(10) || 'b', 'a.b', 'x', 's')", "x");
	gives("regexp_replace('ab', 'a b', 'x', 'x')", "x");
	gives("regexp_replace('', 'a', 'x')", "");
	gives("regexp_replace(note, 'a', 'x')", "NULL");
	gives("regexp_replace('a', 'a', note)", "NULL");
	says("regexp_replace('a', 'a', 'b', 'q')", "there is no flag 'q'");
	says("regexp_replace('ab', '(?=ab\\K)', 'x', 'g')", "error");
}

/* More patterns than are kept. */
static void
test_many_patterns(void)
{
	char pattern[32];
	int good = 0;
	int i;

	for (i = 0; i < 200; i++)
	{
		const char *values[1] = { pattern };

		snprintf(pattern, sizeof(pattern), "^x%d$", i % 100);
		good += strcmp(fixture_call(db, "'x57' REGEXP a0", EXPR_BIND_TEXT,
									values, 1),
					   i % 100 == 57 ? "1" : "0") == 0;
	}
	is_int(good, 200, "a hundred patterns in turn");
}

static void
test_sha256(void)
{
	static const char abc[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	static const char empty[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

	gives("sha256('abc')", abc);
	gives("sha256(x'616263')", abc);
	gives("sha256('')", empty);
	gives("sha256(x'')", empty);
	gives("sha256(note)", "NULL");
	gives("sha256(42) = sha256('42')", "1");
}

static void
is_real(double value, const char *want)
{
	char out[32];

	expr_print_real(value, out);
	is_str(out, want, want);
}

static void
test_real(void)
{
	is_real(0.1, "0.1");
	is_real(100, "100");
	is_real(-1.5, "-1.5");
	is_real(1e14, "100000000000000");
	is_real(1e15, "1e+15");
	is_real(123456789012345.6, "123456789012345.6");
	is_real(0.0001, "0.0001");
	is_real(0.00001, "1e-05");
	is_real(5e-324, "5e-324");
	is_real(1.7976931348623157e308, "1.7976931348623157e+308");
	is_real(0.30000000000000004, "0.30000000000000004");
	is_real(-0.0, "-0");
	/* half way between two doubles, and beside a power of two */
	is_real(5.948432e+21, "5.948431999999999e+21");
	is_real(2.485848905626044e+17, "2.4858489056260442e+17");
	is_real(7.854549544476363e-90, "7.854549544476363e-90");
	is_real(3.0652e+22, "3.0652e+22");
}

int
main(void)
{
	Error err = ERROR_INIT;

	fixture_reset();
	db = expr_db_open(&err);
	ok(db != NULL, "a database");
	test_dec();
	test_large();
	test_time();
	test_many_zones();
	test_regexp();
	test_many_patterns();
	test_sha256();
	test_real();
	expr_db_close(db);
	return done_testing();
}

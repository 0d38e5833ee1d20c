/*
 * test_translate_expr.c
 *		Expressions: what is written for the target, what is refused, and
 *		whatever else somebody may put in.
 */
#include <stdlib.h>

#include "mysql/translate_expr.h"
#include "schema_fixture.h"
#include "tap.h"

#define CHARS(n) ((n) + 4)

static SchemaFixture fixture;
static WorkTable table;
static Translator translator;
static const char *labels[] = { "sad", "happy" };

static void
build(void)
{
	SchemaTable *source;
	SchemaColumn *column;

	fixture_init(&fixture, true);
	source = fixture_table(&fixture, "public", "t");
	fixture_column(&fixture, source, "i", "int4", -1);
	fixture_column(&fixture, source, "n", "numeric", ((10 << 16) | 2) + 4);
	fixture_column(&fixture, source, "big", "numeric", -1);
	fixture_column(&fixture, source, "f", "float8", -1);
	fixture_column(&fixture, source, "b", "bool", -1);
	fixture_column(&fixture, source, "s", "text", -1);
	fixture_column(&fixture, source, "v", "varchar", CHARS(20));
	column = fixture_column(&fixture, source, "c", "text", -1);
	column->collation_bytes = true;
	fixture_column(&fixture, source, "p", "bpchar", CHARS(3));
	fixture_column(&fixture, source, "u", "uuid", -1);
	fixture_column(&fixture, source, "d", "date", -1);
	fixture_column(&fixture, source, "ts", "timestamp", -1);
	fixture_column(&fixture, source, "tz", "timestamptz", -1);
	fixture_column(&fixture, source, "raw", "bytea", -1);
	fixture_column(&fixture, source, "doc", "jsonb", -1);
	fixture_column(&fixture, source, "iv", "interval", -1);
	column = fixture_column(&fixture, source, "mood", "mood", -1);
	column->type.kind = 'e';
	column->type.labels = labels;
	column->type.label_count = 2;
	fixture_column(&fixture, source, "at", "int4", -1);
	fixture_column(&fixture, source, "we`ird", "int4", -1);
	table.source = source;
	table.label = "public.t";
	table.object = "table public.t";
	translator.schema = &fixture.schema;
	translator.target = &fixture.target;
	translator.arena = &fixture.arena;
	translator.decisions = &fixture.result.base.decisions;
	findings_init(translator.decisions, &fixture.arena);
	translate_columns(&translator, &table);
}

typedef struct ExprCase
{
	const char *source;
	const char *target; /* NULL: refused */
} ExprCase;

static const ExprCase cases[] = {
	/* comparisons */
	{ "(i > 0)", "(`i` > 0)" },
	{ "i>0", "(`i` > 0)" },
	{ "(i <> '-5'::integer)", "(`i` <> -5)" },
	{ "(n >= (0)::numeric)", "(`n` >= 0)" },
	{ "(n < 10.50)", "(`n` < 10.50)" },
	{ "(n < '10.50'::numeric(10,2))", "(`n` < 10.50)" },
	{ "(f > (0)::double precision)", "(`f` > 0)" },
	{ "((i)::numeric > n)", "(`i` > `n`)" },
	{ "((i)::double precision > f)", NULL },
	{ "(i = (- 1))", "(`i` = (- 1))" },
	{ "(n > 'NaN'::numeric)", NULL },
	{ "(i != 1)", "(`i` <> 1)" },
	{ "(i > i)", "(`i` > `i`)" },
	{ "(i > s)", NULL },
	{ "(at IS NOT NULL)", "(`at` IS NOT NULL)" },
	{ "(\"we`ird\" = 1)", "(`we``ird` = 1)" },
	{ "(unknown = 1)", NULL },
	{ "(s.t = 1)", NULL },
	/* text: equality is by bytes, order only under C */
	{ "(s = 'it''s \\ so'::text)", "(`s` = 'it\\'s \\\\ so')" },
	{ "((v)::text = 'x'::text)", "(`v` = 'x')" },
	{ "(s = E'a\\\\b\\'c'::text)", "(`s` = 'a\\\\b\\'c')" },
	{ "(s > 'a'::text)", NULL },
	{ "(c > 'a'::text)", "(`c` > 'a')" },
	{ "((s COLLATE \"C\") > 'a'::text)", "(`s` > 'a')" },
	{ "(s > ('a'::text COLLATE \"C\"))", "(`s` > 'a')" },
	{ "(s = ('a'::text COLLATE public.nocase))", NULL },
	{ "(s = v)", "(`s` = `v`)" },
	{ "(p = 'ab '::bpchar)", "(RTRIM(`p`) = 'ab ')" },
	{ "((p)::text = 'ab'::text)", NULL },
	{ "(u = '00000000-0000-0000-0000-000000000001'::uuid)",
	  "(RTRIM(`u`) = '00000000-0000-0000-0000-000000000001')" },
	{ "(u > '00000000-0000-0000-0000-000000000001'::uuid)", NULL },
	{ "(mood = 'sad'::public.mood)", "(`mood` = 'sad')" },
	{ "(mood = 'angry'::public.mood)", NULL },
	{ "(mood > 'sad'::public.mood)", NULL },
	{ "((mood)::text = ANY (ARRAY['sad'::text, 'x'::text]))",
	  "(`mood` IN ('sad', 'x'))" },
	{ "(raw = '\\x00'::bytea)", "(`raw` = X'00')" },
	{ "(doc = '{}'::jsonb)", NULL },
	{ "(doc IS NULL)", "(`doc` IS NULL)" },
	{ "(iv > '01:00:00'::interval)", NULL },
	/* times */
	{ "(d >= '2020-01-31'::date)", "(`d` >= '2020-01-31')" },
	{ "(ts < '2020-01-31 10:00:00.5'::timestamp without time zone)",
	  "(`ts` < '2020-01-31 10:00:00.5')" },
	{ "(ts > d)", "(`ts` > `d`)" },
	{ "(tz > '2020-01-31 10:00:00+00'::timestamp with time zone)",
	  "(`tz` > '2020-01-31 10:00:00')" },
	{ "(tz > ts)", NULL },
	{ "(tz > now())", NULL },
	{ "(d > 'infinity'::date)", NULL },
	{ "((ts)::date = '2020-01-31'::date)", "(DATE(`ts`) = '2020-01-31')" },
	{ "((tz)::date = '2020-01-31'::date)", NULL },
	/* conditions */
	{ "((i > 0) AND (b OR (NOT b)))", "((`i` > 0) AND (`b` OR (NOT `b`)))" },
	{ "i = 1 OR i = 2 AND NOT b = true",
	  "((`i` = 1) OR ((`i` = 2) AND (NOT (`b` = TRUE))))" },
	{ "(b IS TRUE)", "(`b` IS TRUE)" },
	{ "(b IS NOT UNKNOWN)", "(`b` IS NOT UNKNOWN)" },
	{ "(i IS TRUE)", NULL },
	{ "(i AND b)", NULL },
	{ "(i IS DISTINCT FROM 1)", "(NOT (`i` <=> 1))" },
	{ "(i IS NOT DISTINCT FROM 1)", "(`i` <=> 1)" },
	{ "((v)::text = ANY ((ARRAY['a'::character varying, "
	  "'b'::character varying])::text[]))",
	  "(`v` IN ('a', 'b'))" },
	{ "(i = ANY (ARRAY[1, 2]))", "(`i` IN (1, 2))" },
	{ "(i <> ALL (ARRAY[1, 2]))", "(`i` NOT IN (1, 2))" },
	{ "(i > ANY (ARRAY[1, 2]))", NULL },
	{ "(i = ANY ('{1,2}'::integer[]))", NULL },
	{ "CASE WHEN b THEN (i > 0) ELSE true END",
	  "(CASE WHEN `b` THEN (`i` > 0) ELSE TRUE END)" },
	{ "(CASE WHEN b THEN NULL::text ELSE 'x'::text END = 'x'::text)",
	  "((CASE WHEN `b` THEN NULL ELSE 'x' END) = 'x')" },
	{ "CASE WHEN b THEN NULL END", NULL },
	{ "CASE i WHEN 1 THEN b ELSE true END", NULL },
	/* arithmetic */
	{ "((i + 1) > (i * 2))", "((`i` + 1) > (`i` * 2))" },
	{ "((i / 2) = 1)", "((`i` DIV 2) = 1)" },
	{ "((i % 2) = 0)", "((`i` % 2) = 0)" },
	{ "((n / (2)::numeric) > 0.5)", NULL },
	{ "((f / (2)::double precision) > (0)::double precision)",
	  "((`f` / 2) > 0)" },
	{ "i + 2 * 3 - 1 > 0", "(((`i` + (2 * 3)) - 1) > 0)" },
	{ "((n * n) > (0)::numeric)", "((`n` * `n`) > 0)" },
	{ "((big * big) > (0)::numeric)", NULL },
	{ "((d + 1) > d)", NULL },
	/* functions */
	{ "(length(s) > 3)", "(CHAR_LENGTH(`s`) > 3)" },
	{ "(char_length((v)::text) <= 10)", "(CHAR_LENGTH(`v`) <= 10)" },
	{ "(length(raw) = 16)", "(LENGTH(`raw`) = 16)" },
	{ "(octet_length(s) < 10)", "(LENGTH(`s`) < 10)" },
	{ "(lower(s) = s)", "(LOWER(`s`) = `s`)" },
	{ "(TRIM(BOTH FROM s) <> ''::text)", "(TRIM(`s`) <> '')" },
	{ "(TRIM(BOTH 'x'::text FROM s) <> ''::text)", NULL },
	{ "(btrim(s) <> ''::text)", "(TRIM(`s`) <> '')" },
	{ "(\"left\"(s, 1) = 'a'::text)", "(LEFT(`s`, 1) = 'a')" },
	{ "(\"left\"(s, '-1'::integer) = 'a'::text)", NULL },
	{ "(\"left\"(s, (- 1)) = 'a'::text)", NULL },
	{ "(\"substring\"(s, 1, 2) = 'ab'::text)",
	  "(SUBSTRING(`s`, 1, 2) = 'ab')" },
	{ "(SUBSTRING(s FROM 1 FOR 2) = 'ab'::text)",
	  "(SUBSTRING(`s`, 1, 2) = 'ab')" },
	{ "((s || v) = 'ab'::text)", "(CONCAT(`s`, `v`) = 'ab')" },
	{ "((s || i) = 'ab'::text)", NULL },
	{ "(COALESCE(i, 0) > 1)", "(COALESCE(`i`, 0) > 1)" },
	{ "(COALESCE(s, 'x'::text) = 'x'::text)", "(COALESCE(`s`, 'x') = 'x')" },
	{ "(NULLIF(i, 0) IS NULL)", "(NULLIF(`i`, 0) IS NULL)" },
	{ "(GREATEST(i, 1) > 0)", NULL },
	{ "(abs(i) < 5)", "(ABS(`i`) < 5)" },
	{ "(round(n, 1) = n)", NULL },
	{ "(public.length(s) > 3)", NULL },
	{ "(pg_catalog.length(s) > 3)", "(CHAR_LENGTH(`s`) > 3)" },
	{ "(md5(s) = v)", "(MD5(`s`) = `v`)" },
	/* patterns */
	{ "(s ~~ 'a\\_%'::text)", "(`s` LIKE 'a\\\\_%')" },
	{ "(s !~~ 'a%'::text)", "(`s` NOT LIKE 'a%')" },
	{ "(s ~~ v)", NULL },
	{ "(s ~ '^a'::text)", NULL },
	{ "(s ~~* 'a%'::text)", NULL },
	{ "((doc ->> 'a'::text) = 'b'::text)", NULL },
	{ "(s OPERATOR(public.=) 'a'::text)", NULL },
	/* nothing that can be read */
	{ "", NULL },
	{ "(", NULL },
	{ "(i > 0", NULL },
	{ "(i > 0))", NULL },
	{ "i >", NULL },
	{ "i 0", NULL },
	{ "'abc", NULL },
	{ "\"i", NULL },
	{ "(i).x > 0", NULL },
	{ "i[1] = 1", NULL },
	{ "(SELECT 1) = 1", NULL },
	{ "1 = 1; DROP TABLE t", NULL },
	{ "i = 1 -- x", NULL },
};

#define CASE_COUNT ((int) (sizeof(cases) / sizeof(cases[0])))

static ExprScope
scope(void)
{
	ExprScope scope = {
		.table = &table, .utf8 = true, .md5 = true, .arena = &fixture.arena
	};

	return scope;
}

static void
test_cases(void)
{
	ExprScope in = scope();

	for (int i = 0; i < CASE_COUNT; i++)
	{
		ExprSql out;
		bool known = expr_translate_condition(&in, cases[i].source, &out);

		if (cases[i].target != NULL)
		{
			ok(known && strcmp(out.sql, cases[i].target) == 0, "%s",
			   cases[i].source);
			if (!known || strcmp(out.sql, cases[i].target) != 0)
				printf("# %s\n", known ? out.sql : out.why);
		}
		else
			ok(!known && out.why != NULL, "refused: %s: %s", cases[i].source,
			   known ? out.sql : out.why);
	}
}

static void
test_facts(void)
{
	ExprScope in = scope();
	ExprSql out;

	ok(expr_translate(&in, "lower(s)", &out) && out.approximate,
	   "case is folded by each server in its way");
	ok(expr_translate(&in, "(n * 1.50)", &out) && out.scale == 4,
	   "digits of a product");
	ok(expr_translate(&in, "((v)::text || 'abc'::text)", &out) &&
		   out.length == 23,
	   "the length of a text");
	ok(expr_translate(&in, "(i + at)", &out) && out.use_count == 2 &&
		   expr_sql_uses(&out, work_table_column(&table, "at")),
	   "the columns that it speaks of");
	in.value = work_table_column(&table, "v");
	ok(expr_translate_condition(&in, "(length((VALUE)::text) > 2)", &out),
	   "VALUE of a domain");
	is_str(out.sql, "(CHAR_LENGTH(`v`) > 2)", "is the column");
	ok(!expr_translate_condition(&in, "(\"VALUE\" > 2)", &out),
	   "in quotes it is none");
	in.md5 = false;
	ok(!expr_translate(&in, "md5(s)", &out), "md5 where it is not built in");
}

/* ---- garbage: no crash, and no more than a moment */

static const char *const words[] = {
	"(",	  ")",		  "i",		  "s",		"'a'",
	"::text", "::",		  "AND",	  "OR",		"NOT",
	"=",	  "<>",		  "ANY",	  "ARRAY[", "]",
	",",	  "1",		  ".5",		  "1e",		"CASE",
	"WHEN",	  "THEN",	  "ELSE",	  "END",	"IS",
	"NULL",	  "DISTINCT", "FROM",	  "lower(", "\"",
	"'",	  "E'\\",	  "-",		  "+",		"||",
	"~~",	  "COLLATE",  "TRIM(",	  "BOTH",	"AT TIME ZONE",
	"$",	  "\xc3",	  "numeric(", "[",		";",
	"--",	  "B'01'",
};

static void
test_garbage(void)
{
	ExprScope in = scope();
	Buffer text;
	int accepted = 0;

	srand(1);
	buffer_init(&text);
	for (int i = 0; i < 30000; i++)
	{
		ExprSql out;
		int count = rand() % 30;

		buffer_reset(&text);
		for (int w = 0; w < count; w++)
			buffer_printf(
				&text, "%s ",
				words[(size_t) rand() % (sizeof(words) / sizeof(words[0]))]);
		accepted += expr_translate(&in, text.data, &out);
	}
	ok(true, "random words: %d of them mean something", accepted);
	buffer_release(&text);
}

/* Each case with a byte taken away, doubled or changed. */
static void
test_mutations(void)
{
	ExprScope in = scope();
	int count = 0;

	for (int i = 0; i < CASE_COUNT; i++)
	{
		size_t len = strlen(cases[i].source);

		for (size_t at = 0; at < len; at++)
		{
			char *text = arena_printf(&fixture.arena, "%.*s%s", (int) at,
									  cases[i].source,
									  cases[i].source + at + 1);
			ExprSql out;

			count += expr_translate(&in, text, &out);
			text = arena_strdup(&fixture.arena, cases[i].source);
			text[at] = (char) (1 + rand() % 255);
			count += expr_translate(&in, text, &out);
		}
	}
	ok(true, "mutations: %d of them mean something", count);
}

static void
test_depth(void)
{
	static const char *const openers[] = { "(",		 "NOT ",	   "- ",
										   "lower(", "CASE WHEN ", "ARRAY[",
										   "i + " };
	ExprScope in = scope();

	for (size_t o = 0; o < sizeof(openers) / sizeof(openers[0]); o++)
	{
		Buffer text;
		ExprSql out;

		buffer_init(&text);
		for (int i = 0; i < 100000; i++)
			buffer_puts(&text, openers[o]);
		buffer_puts(&text, "i");
		ok(!expr_translate(&in, text.data, &out), "deeply nested: %s",
		   openers[o]);
		buffer_release(&text);
	}
}

int
main(void)
{
	build();
	test_cases();
	test_facts();
	test_garbage();
	test_mutations();
	test_depth();
	fixture_release(&fixture);
	return done_testing();
}

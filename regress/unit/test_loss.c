/*
 * test_loss.c
 *		--on-loss as it is written and as it answers; losses as they are counted.
 */
#include "mysql/convert.h"
#include "schema/loss.h"
#include "tap.h"

static const char *
answer(const char *text, const char *schema, const char *table,
	   const char *column)
{
	Error err = ERROR_INIT;
	const char *name;
	LossRules rules;
	Arena arena;

	arena_init(&arena);
	if (!loss_rules_parse(text, &arena, &rules, &err))
		name = "refused";
	else
		name = loss_policy_name(loss_policy(&rules, schema, table, column));
	arena_release(&arena);
	return name;
}

static void
test_answers(void)
{
	static const char mixed[] =
		"warn, public.orders.total=clamp,"
		"public.*.doc = text ,a*.\"X\".c?=null,*.z=error";

	is_str(answer(NULL, "s", "t", "c"), "error", "nothing said");
	is_str(answer("", "s", "t", "c"), "error", "nothing said, in a word");
	is_str(answer("clamp", "s", "t", "c"), "clamp", "for everything");
	is_str(answer(" null ", "s", "t", "c"), "null", "with blanks");
	is_str(answer("t.c=warn", "s", "t", "c"), "warn", "in every schema");
	is_str(answer("t.c=warn", "s", "t", "d"), "error", "no other column");
	is_str(answer("t.c=warn", "s", "u", "c"), "error", "no other table");
	is_str(answer(mixed, "public", "orders", "total"), "clamp", "a column");
	is_str(answer(mixed, "other", "orders", "total"), "warn", "not elsewhere");
	is_str(answer(mixed, "public", "x", "doc"), "text", "in every table");
	is_str(answer(mixed, "abc", "X", "c1"), "null", "quoted and wild");
	is_str(answer(mixed, "abc", "x", "c1"), "warn", "case counts in quotes");
	is_str(answer(mixed, "public", "orders", "z"), "error", "the last one");
	is_str(answer("*.*=warn,t.c=null", "s", "t", "c"), "null", "the last wins");
	is_str(answer("t.c=null,*.*=warn", "s", "t", "c"), "warn", "in any order");
	is_str(answer("warn.null=text", "s", "warn", "null"), "text",
		   "words as names");
	is_str(answer("\"a,b\".\"c=d\"=clamp", "s", "a,b", "c=d"), "clamp",
		   "signs in quotes");
	is_str(answer("\"a.b\".\"c\"\"\"=clamp", "s", "a.b", "c\""), "clamp",
		   "quotes in quotes");
}

static void
test_refused(void)
{
	static const char *const wrong[] = {
		"oops",		  "warn,",		",warn",  "warn,clamp", "t.c=warn,clamp",
		"t=warn",	  "t.c",		"t.c=",	  "t.c=oops",	"t.c=warnx",
		"a.b.c.d=x",  "t.c=warn x", "warn x", ".c=warn",	"t.=warn",
		"\"t.c=warn", "t-u.c=warn", "=warn",  "WARN",		",",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_str(answer(wrong[i], "s", "t", "c"), "refused", wrong[i]);
}

static void
test_message(void)
{
	Error err = ERROR_INIT;
	LossRules rules;
	Arena arena;

	arena_init(&arena);
	ok(!loss_rules_parse("warn,t.c=oops", &arena, &rules, &err), "refused");
	is_int(err.code, P_OPTIONS, "as an option");
	is_str(err.message,
		   "--on-loss \"warn,t.c=oops\", at byte 10: this is none of error, "
		   "warn, clamp, null and text",
		   "the message says where and why");
	arena_release(&arena);
}

static void
test_names(void)
{
	for (int i = 0; i < LOSS_KINDS; i++)
	{
		const char *name = loss_kind_name((LossKind) i);

		ok(name != NULL && strlen(name) <= 16, "%s fits into portage_loss",
		   name);
		for (int j = 0; j < i; j++)
		{
			if (strcmp(name, loss_kind_name((LossKind) j)) == 0)
				ok(false, "%s is the name of two", name);
		}
	}
}

/* How often the text is in the other. */
static int
occurrences(const char *text, const char *part)
{
	int count = 0;

	while ((text = strstr(text, part)) != NULL)
	{
		count++;
		text += strlen(part);
	}
	return count;
}

static void
test_tally(void)
{
	LossTally *tally = loss_tally_new();
	TableMap map = { .oid = 1, .schema = "s", .name = "it's" };
	ColumnMap column = { .num = 1, .name = "c" };
	Buffer sql;
	char name[16];

	buffer_init(&sql);
	ok(loss_tally_empty(tally), "nothing at first");
	loss_tally_add(tally, &map, &column, LOSS_NAN, 0);
	ok(loss_tally_empty(tally), "none is nothing");
	loss_tally_add(tally, &map, &column, LOSS_NAN, 2);
	loss_tally_add(tally, &map, &column, LOSS_NAN, 40);
	ok(!loss_tally_empty(tally), "something");
	loss_tally_sql(tally, "main", &sql);
	is_str(sql.data,
		   "INSERT INTO portage_loss (stream, table_schema, table_name, "
		   "column_name, kind, `count`) SELECT new.stream, new.table_schema, "
		   "new.table_name, new.column_name, new.kind, new.lost FROM (SELECT "
		   "'main' AS stream, 's' AS table_schema, 'it\\'s' AS table_name, 'c' "
		   "AS column_name, 'NaN' AS kind, 42 AS lost) AS new ON DUPLICATE KEY "
		   "UPDATE portage_loss.`count` = portage_loss.`count` + new.lost",
		   "one row, added up");
	loss_tally_reset(tally);
	ok(loss_tally_empty(tally), "nothing after a reset");
	column.name = name;
	for (int i = 0; i < 5000; i++)
	{
		snprintf(name, sizeof(name), "c%d", i % 500);
		loss_tally_add(tally, &map, &column,
					   i % 1000 < 500 ? LOSS_RANGE : LOSS_LENGTH, 1);
	}
	buffer_reset(&sql);
	loss_tally_sql(tally, "main", &sql);
	is_int(occurrences(sql.data, ", 5"), 1000, "each kind of each column");
	is_int(occurrences(sql.data, "'length'"), 500, "one row for each");
	buffer_release(&sql);
	loss_tally_free(tally);
	loss_tally_free(NULL);
}

/* What was lost by rows that might have been refused, and were not. */
static void
test_merge(void)
{
	LossTally *tally = loss_tally_new();
	LossTally *tried = loss_tally_new();
	TableMap map = { .oid = 1, .schema = "s", .name = "t" };
	ColumnMap column = { .num = 1, .name = "c" };
	Buffer sql;

	buffer_init(&sql);
	loss_tally_merge(tally, tried);
	ok(loss_tally_empty(tally), "nothing and nothing");
	loss_tally_add(tried, &map, &column, LOSS_NAN, 2);
	loss_tally_add(tried, &map, &column, LOSS_LENGTH, 7);
	loss_tally_add(tally, &map, &column, LOSS_NAN, 40);
	loss_tally_merge(tally, tried);
	loss_tally_free(tried);
	loss_tally_sql(tally, "main", &sql);
	is_int(occurrences(sql.data, "'NaN' AS kind, 42") +
			   occurrences(sql.data, "'NaN', 42"),
		   1, "the sum of both");
	is_int(occurrences(sql.data, "'length' AS kind, 7") +
			   occurrences(sql.data, "'length', 7"),
		   1, "and what only one had");
	buffer_release(&sql);
	loss_tally_free(tally);
}

int
main(void)
{
	test_answers();
	test_refused();
	test_message();
	test_names();
	test_tally();
	test_merge();
	return done_testing();
}

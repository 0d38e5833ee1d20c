/*
 * test_pattern.c
 *		Lists of table patterns, which the plugin and the applier share.
 */
#include "pattern.h"
#include "tap.h"

static PatternText
text(const char *s)
{
	PatternText result = { s, strlen(s) };

	return result;
}

static bool
matches(const char *list, const char *schema, const char *name)
{
	return pattern_list_match(list, strlen(list), text(schema), text(name));
}

static void
test_well_formed(void)
{
	static const char *const good[] = {
		"a",	 "*",		"a.b",			"a.*", "?",		   " a , b ",
		"\"a\"", "\"a b\"", "\"a\"\"b\".c", "a$1", "\xC3\xBC", "A,b.C,*.d?",
	};
	static const struct
	{
		const char *list;
		size_t position;
	} bad[] = {
		{ "", 0 },	   { " ", 1 },		{ "a,", 2 },  { ",a", 0 },
		{ "a,,b", 2 }, { "a.", 2 },		{ ".a", 0 },  { "a.b.c", 3 },
		{ "\"a", 0 },  { "\"\"", 2 },	{ "a b", 2 }, { "a-b", 1 },
		{ "a;b", 1 },  { "\"a\"b", 3 }, { "a, ", 3 },
	};
	size_t position;
	const char *reason;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(pattern_list_check(good[i], strlen(good[i]), &position, &reason),
		   "\"%s\" is well formed", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		bool fine = pattern_list_check(bad[i].list, strlen(bad[i].list),
									   &position, &reason);

		ok(!fine && position == bad[i].position && reason != NULL,
		   "\"%s\" is not, at %zu: %s", bad[i].list, position,
		   reason != NULL ? reason : "");
	}
}

static void
test_plain(void)
{
	ok(matches("orders", "public", "orders"), "a name");
	ok(matches("orders", "other", "orders"), "in every schema");
	ok(!matches("orders", "public", "orders2"), "not a longer one");
	ok(!matches("orders", "public", "order"), "not a shorter one");
	ok(matches("public.orders", "public", "orders"), "with its schema");
	ok(!matches("public.orders", "other", "orders"), "in no other");
	ok(matches("ORDERS", "public", "orders"), "folded to lower case");
	ok(!matches("orders", "public", "Orders"), "as the server does");
	ok(matches("a, b.c ,d", "b", "c"), "blanks do not matter");
	ok(!matches("a, b.c ,d", "x", "c"), "schemas do");
}

static void
test_wildcards(void)
{
	ok(matches("*", "any", "thing"), "everything");
	ok(matches("o*s", "s", "orders") && matches("o*s", "s", "os"), "a run");
	ok(!matches("o*s", "s", "order"), "has an end");
	ok(matches("p*.*", "public", "x") && !matches("p*.*", "x", "p"), "schemas");
	ok(matches("*a*b*c*", "s", "xxaxxbxxcxx"), "several runs");
	ok(!matches("*a*b*c*", "s", "xxaxxcxxbxx"), "in order");
	ok(matches("*aab", "s", "aaaaab"), "with going back");
	ok(matches("a?c", "s", "abc") && !matches("a?c", "s", "ac"), "one");
	ok(matches("a?c", "s", "a\xC3\xBC\x63"), "character, not byte");
	ok(matches("??", "s", "\xE2\x82\xAC\xC3\xBC"), "of any length");
	ok(!matches("???", "s", "\xE2\x82\xAC\xC3\xBC"), "not three");
}

static void
test_quoted(void)
{
	ok(matches("\"Orders\"", "s", "Orders"), "case is kept");
	ok(!matches("\"Orders\"", "s", "orders"), "case matters");
	ok(matches("\"a*\"", "s", "a*") && !matches("\"a*\"", "s", "ab"),
	   "wildcards are letters");
	ok(matches("\"a\"\"b\"", "s", "a\"b"), "a quote is written twice");
	ok(matches("\"a,b.c\"", "s", "a,b.c"), "so are comma and dot");
	ok(matches("\"S\".t*", "S", "tt") && !matches("\"S\".t*", "s", "tt"),
	   "one part quoted, the other not");
}

/* The worst case for backtracking stays cheap: this would take years. */
static void
test_cost(void)
{
	char list[200];
	char name[4000];

	for (size_t i = 0; i + 2 < sizeof(list); i += 2)
		memcpy(list + i, "*a", 3);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 2] = 'b';
	name[sizeof(name) - 1] = '\0';
	ok(!matches(list, "s", name), "matching does not explode");
}

int
main(void)
{
	test_well_formed();
	test_plain();
	test_wildcards();
	test_quoted();
	test_cost();
	return done_testing();
}

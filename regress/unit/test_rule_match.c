/*
 * test_rule_match.c
 *		Which rules handle a table.
 */
#include <string.h>

#include "rules/rule_match.h"
#include "tap.h"

static ConfigRule rules[8];
static Config config = { .has_rules = true, .rules = rules };

/* The next rule of the file. */
static ConfigRule *
add(const char *table)
{
	ConfigRule *rule = &rules[config.rule_count];

	memset(rule, 0, sizeof(*rule));
	rule->number = ++config.rule_count;
	rule->table.text = table;
	rule->operations = RULE_ALL_OPERATIONS;
	return rule;
}

/* The numbers of the rules that handle the table: "1 3". */
static const char *
handled(const char *source, const char *schema, const char *name)
{
	static char text[64];
	const ConfigRule *found[8];
	int count = rules_for_table(&config, source, schema, name, found);

	text[0] = '\0';
	for (int i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d",
				 i > 0 ? " " : "", found[i]->number);
	return text;
}

static void
test_patterns(void)
{
	config.rule_count = 0;
	add("public.o*");
	add("*.*");
	add("public.orders");
	add("public.orders");
	add("\"Odd.Name\".\"a*\"");
	is_str(handled("s", "public", "orders"), "3 4",
		   "all that name it exactly, wherever they stand");
	is_str(handled("s", "public", "old"), "1", "else the first pattern");
	is_str(handled("s", "public", "x"), "2", "and only that");
	is_str(handled("s", "Odd.Name", "a*"), "5", "a quoted name is exact");
	is_str(handled("s", "Odd.Name", "ab"), "2", "its wildcards are none");
	ok(rule_is_exact(&rules[4]) && rule_is_exact(&rules[2]),
	   "quoted or not: exact");
	ok(!rule_is_exact(&rules[0]) && !rule_is_exact(&rules[1]), "patterns");
}

static void
test_none(void)
{
	config.rule_count = 0;
	add("public.a");
	is_str(handled("s", "public", "b"), "", "no rule, no migration");
	add("a");
	is_str(handled("s", "other", "a"), "2",
		   "without a schema it is a pattern for all of them");
	is_str(handled("s", "public", "a"), "1", "which the exact one replaces");
}

static void
test_sources(void)
{
	config.rule_count = 0;
	add("public.a")->source.text = "one";
	add("*.*");
	is_str(handled("one", "public", "a"), "1", "the rule of this source");
	is_str(handled("two", "public", "a"), "2",
		   "a rule of another source replaces nothing");
}

static void
test_match(void)
{
	ConfigText column = { .text = "id" };
	ConfigRule *rule;

	config.rule_count = 0;
	add("*.*");
	rule = add("public.customers");
	rule->match.items = &column;
	rule->match.count = 1;
	is_str(handled("s", "public", "customers"), "1 2",
		   "a rule with match adds to the pattern");
	is_str(handled("s", "public", "orders"), "1", "and only to its table");
	add("public.customers");
	is_str(handled("s", "public", "customers"), "2 3",
		   "and to the rules that name the table");
}

static void
test_targets(void)
{
	ConfigText names[] = { { .text = "eu" }, { .text = "us" } };
	ConfigRule *rule;

	config.rule_count = 0;
	rule = add("*.*");
	ok(rule_goes_to(rule, "eu"), "without a target: to each");
	rule->targets.items = names;
	rule->targets.count = 1;
	ok(rule_goes_to(rule, "eu") && !rule_goes_to(rule, "us"), "to one");
	rule->targets.count = 2;
	ok(rule_goes_to(rule, "eu") && rule_goes_to(rule, "us"), "to two");
}

int
main(void)
{
	test_patterns();
	test_none();
	test_sources();
	test_match();
	test_targets();
	return done_testing();
}

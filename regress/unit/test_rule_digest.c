/*
 * test_rule_digest.c
 *		By which rules a migration was begun: what has an influence on the rows of
 *		a target counts, and nothing else does.
 */
#include <string.h>

#include "config/config.h"
#include "rules/rule_set.h"
#include "tap.h"

#define MAIN "sources:\n  main: { url: \"postgresql://u@h/db\" }\n"
#define ONE "targets:\n  eu: { url: \"postgresql://u@h/eu\" }\n"
#define TWO ONE "  us: { url: \"postgresql://u@h/us\" }\n"
#define RULES "rules:\n  - table: public.t\n    where: \"id > 1\"\n"

static char digests[8][33];
static bool identity; /* of the last */

/* The digest for the target eu; the result of the i-th call stays. */
static const char *
digest_of(int i, const char *text)
{
	Arena arena;
	Config config;
	Error err = ERROR_INIT;
	RuleSet *set;

	arena_init(&arena);
	memset(digests[i], 0, sizeof(digests[i]));
	if (config_parse(text, strlen(text), "x.yaml", NULL, 0, &arena, &config,
					 &err))
	{
		set = rule_set_new(&(RuleSetConfig){ .config = &config,
											 .source = "main",
											 .target = "eu",
											 .stream = "x" });
		rule_set_digest(set, digests[i]);
		identity = rule_set_is_identity(set);
		rule_set_free(set);
	}
	else
		snprintf(digests[i], sizeof(digests[i]), "%.32s", err.message);
	arena_release(&arena);
	return digests[i];
}

/* A set that changes nothing costs nothing: nobody looks at rows or schema. */
static void
test_identity(void)
{
	digest_of(0, MAIN ONE "rules:\n  - table: \"*.*\"\n");
	ok(identity, "the rule that takes all as it is changes nothing");
	digest_of(0, MAIN ONE);
	ok(identity, "nor does no rule");
	digest_of(0, MAIN ONE "rules:\n  - table: \"*.*\"\n    omit: [a]\n");
	ok(!identity, "but a column that is left out");
	digest_of(0, MAIN ONE "rules:\n  - table: \"*.*\"\n"
						  "  - table: public.t\n");
	ok(!identity, "or a table with a rule of its own");
	digest_of(0, MAIN TWO "rules:\n  - table: \"*.*\"\n    target: us\n");
	ok(!identity, "or another target");
	digest_of(0, MAIN ONE "references:\n  r: { file: r.csv, key: [a] }\n"
						  "rules:\n  - table: \"*.*\"\n");
	ok(!identity, "references are looked at");
	digest_of(0, MAIN "  other: { url: \"postgresql://u@h/o\" }\n" ONE
					  "rules:\n  - table: \"*.*\"\n");
	ok(!identity, "tables of several sources may meet");
}

int
main(void)
{
	const char *begun = digest_of(0, MAIN ONE RULES);

	is_int((int) strlen(begun), 32, "rules have a digest");
	is_str(digest_of(1, MAIN TWO RULES "    target: [eu, us]\n"), begun,
		   "which another target does not change");
	is_str(digest_of(1,
					 MAIN "  other: { url: \"postgresql://u@h/o\" }\n" ONE RULES
						  "    source: main\n"),
		   digest_of(2, MAIN ONE RULES "    source: main\n"),
		   "nor does another source");
	ok(strcmp(digest_of(1, MAIN TWO RULES "    target: us\n"), begun) != 0,
	   "a rule that goes elsewhere does");
	ok(strcmp(digest_of(1, MAIN ONE "rules:\n  - table: public.t\n"
									"    where: \"id > 2\"\n"),
			  begun) != 0,
	   "so does another filter");
	is_str(digest_of(1, MAIN ONE), "", "without rules there is none");
	is_str(digest_of(1, MAIN TWO "rules:\n  - table: \"*.*\"\n"
								 "    target: [eu, us]\n"),
		   "", "nor where the only rule is that of no rules");
	ok(digest_of(1, MAIN TWO "rules:\n  - table: \"*.*\"\n"
							 "    target: us\n")[0] != '\0',
	   "but where it leads past this target");
	ok(digest_of(1, MAIN TWO "rules:\n  - table: \"*.*\"\n"
							 "    target: [eu, us]\n"
							 "    where: \"1\"\n")[0] != '\0',
	   "and where it filters");
	test_identity();
	return done_testing();
}

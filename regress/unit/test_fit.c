/*
 * test_fit.c
 *		Does a target fit: versions of extensions and servers.
 */
#include "postgres/target_pg_fit.h"
#include "tap.h"

static void
test_extensions(void)
{
	is_int(version_compare("1.2", "1.2"), 0, "the same");
	ok(version_compare("1.9", "1.10") < 0, "numbers, not words");
	ok(version_compare("3.4.1", "3.4") > 0, "a part more");
	ok(version_compare("2", "10") < 0, "one number");
	ok(version_compare("1.0-beta1", "1.0-beta2") < 0, "words");
	ok(version_compare("unpackaged", "1.0") != 0, "no number at all");
}

static void
test_servers(void)
{
	Arena arena;
	Findings findings;

	arena_init(&arena);
	findings_init(&findings, &arena);
	fit_versions(150020, 150001, &findings);
	fit_versions(150020, 180000, &findings);
	is_int(findings.count, 0, "an older minor or a newer major is fine");
	fit_versions(150020, 140030, &findings);
	is_int(findings_count(&findings, SEVERITY_WARNING), 1, "an older major");
	is_int(findings.items[0].code, P_DDL, "with the code it may end with");
	has(findings.items[0].message, "14", "its version");
	arena_release(&arena);
}

int
main(void)
{
	test_extensions();
	test_servers();
	return done_testing();
}

/*
 * test_sync_names.c
 *		Whom synchronous_standby_names makes a synchronous standby.
 */
#include "postgres/source_pg_check.h"
#include "tap.h"

#define LABEL "pg_portage shop stream"

static void
matches(const char *setting, bool want)
{
	ok(synchronous_names_match(setting, LABEL) == want, "'%s' %s", setting,
	   want ? "is us as well" : "is others");
}

int
main(void)
{
	matches("", false);
	matches("*", true);
	matches("ANY 1 (*)", true);
	matches("FIRST 2 (a, b)", false);
	matches("2 (a,*)", true);
	matches("\"*\"", true);
	matches("a*", false);
	matches("\"pg_portage shop stream\"", true);
	matches("a, \"PG_Portage Shop Stream\"", true);
	matches("pg_portage, shop, stream", false);
	matches("\"pg_portage \"\"shop\"\" stream\"", false);
	matches("\"unfinished", false);
	return done_testing();
}

/*
 * test_finding.c
 *		Findings: put together, and as the error that they end in.
 */
#include "finding.h"

#include "tap.h"

int
main(void)
{
	Arena arena;
	Findings one;
	Findings two;
	Error err = ERROR_INIT;

	arena_init(&arena);
	findings_init(&one, &arena);
	findings_init(&two, &arena);
	one.side = FINDING_TARGET;
	two.side = FINDING_SOURCE;
	ok(findings_verdict(&one, &err), "nothing is no error");
	for (int i = 0; i < 16; i++)
		finding_add(&one, SEVERITY_NOTE, 0, "a", "", "note %d", i);
	finding_add(&two, SEVERITY_WARNING, P_VALUE, "b", "do", "warned");
	finding_add(&two, SEVERITY_ERROR, P_DDL, "table t", "mend it", "refused");
	finding_add(&two, SEVERITY_ERROR, P_VALUE, "table u", "", "as well")
		->left_behind = true;
	findings_add_all(&one, &two);
	is_int(one.count, 19, "all are there");
	is_str(one.items[16].message, "warned", "in order");
	ok(one.items[18].left_behind && one.items[18].side == FINDING_SOURCE,
	   "as they are");
	finding_add(&one, SEVERITY_OK, 0, "c", "", "fine");
	is_int(one.items[19].side, FINDING_TARGET, "the next is of its own side");
	ok(!findings_verdict(&one, &err), "an error among them");
	is_int(err.code, P_DDL, "is the first one's");
	is_str(err.message, "table t: refused", "with its words");
	is_str(err.hint, "mend it", "and what to do");
	has(err.detail, "first of 2", "how many there are");
	is_str(severity_name(SEVERITY_WARNING), "warning", "a severity");
	is_str(finding_side_name(FINDING_HERE), "here", "a side");
	arena_release(&arena);
	return done_testing();
}

/*
 * test_put_aside.c
 *		Changes that a target has refused: noted once, found, forgotten when they
 *		are applied; and that they are no failure of a server.
 */
#include "command/retry.h"
#include "rules/put_aside.h"
#include "tap.h"

static Error
refusal(Lsn commit_lsn, uint32_t number, uint32_t table)
{
	Error err = ERROR_INIT;

	error_set(&err, P_VALUE, "does not fit");
	err.commit_lsn = commit_lsn;
	err.change = number;
	err.table = table;
	return err;
}

static void
test_list(void)
{
	PutAsides list = { 0 };
	Error err = refusal(100, 1, 7);

	ok(put_asides_add(&list, &err), "a change is noted");
	ok(!put_asides_add(&list, &err), "but not a second time");
	err = refusal(100, 0, 7);
	ok(!put_asides_add(&list, &err), "an error that names no change is not");
	err = refusal(100, 1, 0);
	ok(!put_asides_add(&list, &err), "nor one that names no table");
	for (uint32_t i = 2; i <= 20; i++)
	{
		err = refusal(100 * i, i, 7);
		if (!put_asides_add(&list, &err))
			break;
	}
	ok(list.count == 20, "there is room for many");
	ok(put_asides_find(&list, 500, 5, 7) != NULL, "one of them is found");
	is_str(put_asides_find(&list, 500, 5, 7)->why.message, "does not fit",
		   "with its reason");
	ok(put_asides_find(&list, 500, 5, 8) == NULL &&
		   put_asides_find(&list, 500, 4, 7) == NULL &&
		   put_asides_find(&list, 400, 5, 7) == NULL,
	   "by table, number and commit");
	put_asides_trim(&list, 500);
	ok(list.count == 16 && put_asides_find(&list, 400, 4, 7) == NULL &&
		   put_asides_find(&list, 500, 5, 7) != NULL,
	   "what lies before the position is forgotten");
	put_asides_release(&list);
	ok(list.count == 0 && list.items == NULL, "all is given back");
}

static void
test_retry(void)
{
	Retry retry;
	Error err = ERROR_INIT;
	bool again = true;

	/* a server that failed so often would have been given up */
	retry_init(&retry, 1);
	for (int i = 0; again && i < 20; i++)
	{
		error_set(&err, P_PUT_ASIDE, "put aside: does not fit");
		again = retry_again(&retry, &err);
	}
	ok(again && !error_is_set(&err), "the stream begins again each time");
}

int
main(void)
{
	test_list();
	test_retry();
	return done_testing();
}

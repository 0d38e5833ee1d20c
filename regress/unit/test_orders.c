/*
 * test_orders.c
 *		When a table is kept in the source's order, and for how long.
 */
#include "plan/orders.h"
#include "tap.h"

static const PlanTable table = { .id = 7 };
static const PlanTable other = { .id = 0 };
static Orders *orders;

/* The next batch of the table: is it in order? */
static bool
next(uint64_t *batch)
{
	*batch = orders_count(orders, &table);
	return orders_kept(orders, &table, *batch);
}

/* As many batches with nothing in them that would matter; how many in order? */
static int
pass(int count)
{
	uint64_t batch;
	int kept = 0;

	for (int i = 0; i < count; i++)
		kept += next(&batch);
	return kept;
}

int
main(void)
{
	uint64_t batch;

	orders = orders_new();
	is_int(orders_count(orders, &other), 1, "batches are counted from 1");
	is_int(orders_count(orders, &other), 2, "one by one");
	ok(!next(&batch) && batch == 1, "for each table by itself");

	orders_mattered(orders, &table, 1);
	is_int(pass(ORDERS_BATCHES), 0, "once is no reason");
	ok(!next(&batch), "nor is a second time much later");
	orders_mattered(orders, &table, batch);
	is_int(pass(ORDERS_BATCHES), 0, "that counts as the first again");

	next(&batch);
	orders_mattered(orders, &table, batch);
	ok(!orders_kept(orders, &table, batch), "seen once");
	orders_mattered(orders, &table, batch);
	ok(orders_kept(orders, &table, batch),
	   "twice in one batch: the rest of it is in order");
	is_int(pass(ORDERS_BATCHES), ORDERS_BATCHES, "and the next ones");
	ok(!next(&batch), "then vectors are tried again");
	orders_mattered(orders, &table, batch);
	ok(orders_kept(orders, &table, batch), "where one refusal is enough");
	is_int(pass(ORDERS_BATCHES), ORDERS_BATCHES, "for as many again");
	is_int(pass(ORDERS_BATCHES), 0, "if nothing is said, vectors stay");
	ok(!next(&batch), "and");
	orders_mattered(orders, &table, batch);
	ok(!next(&batch), "all that is forgotten");
	orders_mattered(orders, &table, batch);
	is_int(pass(ORDERS_BATCHES), ORDERS_BATCHES,
		   "twice within a number of batches");
	ok(!orders_kept(orders, &other, 2), "all of this is about one table");
	orders_free(orders);
	return done_testing();
}

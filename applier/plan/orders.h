/*
 * orders.h
 *		The tables whose rows are kept in the source's order for a while.
 *
 * Where the order within a table goes on to matter (unique values that are
 * exchanged all the time), each plan that groups its rows is refused, taken
 * apart and written in vain.  So a table of which that has been seen twice
 * within a number of batches is written row by row in as many of its next ones.
 * Then vectors are tried again; whether they go well now costs one refused plan
 * at most.  Batches are counted for each table, those that have rows of it.
 *
 * Several threads may use it: who collects asks, who writes tells.
 */
#ifndef PORTAGE_ORDERS_H
#define PORTAGE_ORDERS_H

#include "plan/plan.h"

/* so long is a table kept in order, and so long a first time counts */
#define ORDERS_BATCHES 100

typedef struct Orders Orders;

Orders *orders_new(void);
void orders_free(Orders *orders);

/* One more batch has rows of the table; which one of its own that is. */
uint64_t orders_count(Orders *orders, const PlanTable *table);

/* Is the table to be kept in order in that batch of it? */
bool orders_kept(Orders *orders, const PlanTable *table, uint64_t batch);

/*
 * A transaction of that batch went well only in the source's order, because of
 * this table.
 */
void orders_mattered(Orders *orders, const PlanTable *table, uint64_t batch);

#endif /* PORTAGE_ORDERS_H */

/*
 * orders.c
 *		See orders.h.
 */
#include "plan/orders.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

/* Batches of the table are numbered from 1. */
typedef struct TableOrder
{
	uint64_t count; /* the newest */
	uint64_t seen;	/* the last in which the order mattered, or 0 */
	uint64_t kept;	/* the last that is to be in order, or 0 */
} TableOrder;

struct Orders
{
	pthread_mutex_t mutex;
	TableOrder *tables; /* by the tables' ids */
	size_t capacity;
};

Orders *
orders_new(void)
{
	Orders *orders = mem_zalloc(sizeof(*orders));

	pthread_mutex_init(&orders->mutex, NULL);
	return orders;
}

void
orders_free(Orders *orders)
{
	if (orders == NULL)
		return;
	pthread_mutex_destroy(&orders->mutex);
	mem_free(orders->tables);
	mem_free(orders);
}

/* The mutex is held. */
static TableOrder *
order_of(Orders *orders, const PlanTable *table)
{
	size_t capacity = orders->capacity;

	if (table->id >= capacity)
	{
		capacity = ((size_t) table->id + 1) * 2;
		orders->tables = mem_realloc(orders->tables,
									 capacity * sizeof(*orders->tables));
		memset(orders->tables + orders->capacity, 0,
			   (capacity - orders->capacity) * sizeof(*orders->tables));
		orders->capacity = capacity;
	}
	return &orders->tables[table->id];
}

uint64_t
orders_count(Orders *orders, const PlanTable *table)
{
	uint64_t count;

	pthread_mutex_lock(&orders->mutex);
	count = ++order_of(orders, table)->count;
	pthread_mutex_unlock(&orders->mutex);
	return count;
}

bool
orders_kept(Orders *orders, const PlanTable *table, uint64_t batch)
{
	bool kept;

	pthread_mutex_lock(&orders->mutex);
	kept = batch <= order_of(orders, table)->kept;
	pthread_mutex_unlock(&orders->mutex);
	return kept;
}

/* What was kept in order until lately counts as seen then. */
static bool
seen_lately(const TableOrder *order, uint64_t batch)
{
	uint64_t last = order->seen > order->kept ? order->seen : order->kept;

	return last > 0 && batch <= last + ORDERS_BATCHES;
}

void
orders_mattered(Orders *orders, const PlanTable *table, uint64_t batch)
{
	TableOrder *order;

	pthread_mutex_lock(&orders->mutex);
	order = order_of(orders, table);
	if (seen_lately(order, batch) && order->kept < batch + ORDERS_BATCHES)
		order->kept = batch + ORDERS_BATCHES;
	if (order->seen < batch)
		order->seen = batch;
	pthread_mutex_unlock(&orders->mutex);
}

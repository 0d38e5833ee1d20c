/*
 * copy_order.h
 *		Which table is begun first.
 *
 * The one with the longest way to go: its largest chunk, which one worker has to
 * copy, and then its indexes, which cannot be begun before the last row is in
 * and keep each other waiting.  What can be spread over all workers fills the
 * time that is left.  Before all of them come those that only rules ask for.
 */
#ifndef PORTAGE_COPY_ORDER_H
#define PORTAGE_COPY_ORDER_H

#include "catalog.h"

/* Is it an index of this table, with or without a constraint, to be built? */
bool copy_order_is_index(const DdlEntry *entry, const Table *table);

/* Put the tables into that order; of equal ones the biggest first. */
void copy_order_tables(Table *tables, int count, const DdlEntry *entries,
					   int entry_count, const Chunk *chunks, int chunk_count);

#endif /* PORTAGE_COPY_ORDER_H */

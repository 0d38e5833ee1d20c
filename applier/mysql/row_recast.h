/*
 * row_recast.h
 *		Rows as they were announced, for the table as it is now.
 *
 * DDL cannot stand between two rows of a target transaction, so it comes before
 * all rows of its source transaction.  Rows that the source wrote earlier are
 * then of another form than the table: columns are matched by number, those
 * that were dropped are left out, and what was added later has the value that
 * the source gave to the rows that there were.
 */
#ifndef PORTAGE_ROW_RECAST_H
#define PORTAGE_ROW_RECAST_H

#include "change.h"
#include "mysql/table_map.h"
#include "shape.h"

/* From a relation to the columns that its rows have on the target. */
typedef struct RowRecast
{
	const Relation *relation; /* what the changes become one of */
	const int *from;		  /* for each column: its index before, or -1 */
	const Value *missing;	  /* for those: what an INSERT has */
	bool key_lost;			  /* a column that found its rows is gone */
} RowRecast;

/*
 * NULL if the relation is as the table is.  now: the table's shape, with what
 * older rows have in columns that the unit has added.  Lives in arena, and as long
 * as the relation.
 */
const RowRecast *row_recast(const Relation *relation, const TableMap *map,
							const Shape *now, Arena *arena);

/* The change in the new form, in arena; shares its values. */
const Change *
row_recast_change(const RowRecast *recast, const Change *change, Arena *arena);

#endif /* PORTAGE_ROW_RECAST_H */

/*
 * vector.h
 *		Operations of one table grouped for common statements.
 */
#ifndef PORTAGE_VECTOR_H
#define PORTAGE_VECTOR_H

#include "plan/plan.h"

/* Column sets of one table and kind that get a vector of their own. */
#define MAX_COLUMN_SETS 64

typedef struct VectorList
{
	PlanVector *vectors; /* in the arena */
	int count;
} VectorList;

/*
 * Of the operations from first on, those that are of the kind: a DELETE, an
 * UPDATE, an INSERT, a put or a maybe-delete: a vector for each set of columns.  Rows beyond MAX_COLUMN_SETS sets
 * are vectors of one row.
 */
void vectors_of(PlanOp *first, PlanKind kind, Arena *arena, VectorList *list);

#endif /* PORTAGE_VECTOR_H */

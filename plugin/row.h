/*
 * row.h
 *		An INSERT, UPDATE or DELETE, taken apart and judged, for any format.
 */
#ifndef PORTAGE_ROW_H
#define PORTAGE_ROW_H

#include "access/htup.h"
#include "replication/reorderbuffer.h"
#include "utils/rel.h"

#include "relcache.h"
#include "wire.h"

/* a deformed tuple; values[i] belongs to attribute number i + 1 */
typedef struct RowTuple
{
	Datum *values;
	bool *nulls;
} RowTuple;

/* the arrays of a row, used again for every row */
typedef struct RowBuffer
{
	RowTuple old_tuple;
	RowTuple new_tuple;
} RowBuffer;

typedef struct Row
{
	RelationEntry *entry;
	WireTag tag; /* I, U or D */
	WireOldKind old_kind;
	bool no_key;			   /* it cannot be told which row it is: N */
	const RowTuple *old_tuple; /* NULL if there is none */
	const RowTuple *new_tuple; /* likewise */
} Row;

/* Allocated in the current memory context. */
extern RowBuffer *row_buffer_new(void);

/* Take the change of a relation apart; row points into buffer. */
extern void row_open(Row *row, RowBuffer *buffer, RelationEntry *entry,
					 Relation relation, const ReorderBufferChange *change);

/*
 * What is known of a column of one of the row's tuples.  PRESENT if *value is
 * set, which then is safe to read: it is no on-disk TOAST pointer.
 */
extern WireColumnState row_column(const Row *row, const RowTuple *tuple,
								  const RelationColumn *column, Datum *value);

#endif /* PORTAGE_ROW_H */

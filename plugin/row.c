/*
 * row.c
 *		An INSERT, UPDATE or DELETE, taken apart and judged.
 *
 * The WAL of an UPDATE has an old tuple only if the row cannot be found
 * without: the identity changed, or it is FULL.  So its absence means either
 * that the new tuple's key finds the row, or that nothing does; which of the
 * two, the relation's identity tells.  The latter is never passed over in
 * silence.
 */
#include "postgres.h"

#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"

#include "row.h"

RowBuffer *
row_buffer_new(void)
{
	RowBuffer *buffer = palloc(sizeof(RowBuffer));

	buffer->old_tuple.values = palloc(MaxTupleAttributeNumber * sizeof(Datum));
	buffer->old_tuple.nulls = palloc(MaxTupleAttributeNumber * sizeof(bool));
	buffer->new_tuple.values = palloc(MaxTupleAttributeNumber * sizeof(Datum));
	buffer->new_tuple.nulls = palloc(MaxTupleAttributeNumber * sizeof(bool));
	return buffer;
}

static const RowTuple *
deform(HeapTuple tuple, Relation relation, const RowTuple *into)
{
	if (tuple == NULL)
		return NULL;
	heap_deform_tuple(tuple, RelationGetDescr(relation), into->values,
					  into->nulls);
	return into;
}

static WireTag
tag_of(const ReorderBufferChange *change)
{
	switch (change->action)
	{
		case REORDER_BUFFER_CHANGE_INSERT:
			return WIRE_INSERT;
		case REORDER_BUFFER_CHANGE_UPDATE:
			return WIRE_UPDATE;
		case REORDER_BUFFER_CHANGE_DELETE:
			return WIRE_DELETE;
		default:
			elog(ERROR, "unexpected kind of change: %d", (int) change->action);
	}
	return WIRE_INSERT; /* not reached */
}

void
row_open(Row *row, RowBuffer *buffer, RelationEntry *entry, Relation relation,
		 const ReorderBufferChange *change)
{
	row->entry = entry;
	row->tag = tag_of(change);
	row->old_kind = WIRE_OLD_NONE;
	row->no_key = false;
	row->old_tuple = NULL;
	row->new_tuple = NULL;
	if (row->tag != WIRE_DELETE)
	{
		row->new_tuple = deform(COMPAT_TUPLE(change->data.tp.newtuple),
								relation, &buffer->new_tuple);
		if (row->new_tuple == NULL)
			elog(ERROR, "no tuple in the WAL for a change of \"%s.%s\"",
				 entry->schema, entry->name);
	}
	if (row->tag == WIRE_INSERT)
		return;
	row->old_tuple = deform(COMPAT_TUPLE(change->data.tp.oldtuple), relation,
							&buffer->old_tuple);
	if (row->old_tuple != NULL)
		row->old_kind = entry->identity == REPLICA_IDENTITY_FULL ? WIRE_OLD_FULL
																 : WIRE_OLD_KEY;
	else
		row->no_key = row->tag == WIRE_DELETE || !entry->findable;
}

WireColumnState
row_column(const Row *row, const RowTuple *tuple, const RelationColumn *column,
		   Datum *value)
{
	int i = column->index;

	if (column->virtual_value)
		return WIRE_COL_ABSENT;
	if (tuple == row->old_tuple && row->old_kind == WIRE_OLD_KEY &&
		!column->key)
		return WIRE_COL_ABSENT;
	if (tuple->nulls[i])
		return WIRE_COL_NULL;
	*value = tuple->values[i];
	if (!column->text.toastable ||
		!VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(*value)))
		return WIRE_COL_PRESENT;

	/* the new value is the old one; FULL has that, without any pointer */
	if (row->old_kind != WIRE_OLD_FULL || tuple == row->old_tuple ||
		row->old_tuple->nulls[i])
		return WIRE_COL_UNCHANGED;
	*value = row->old_tuple->values[i];
	return VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(*value))
			   ? WIRE_COL_UNCHANGED
			   : WIRE_COL_PRESENT;
}

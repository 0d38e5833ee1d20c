/*
 * row_recast.c
 *		See row_recast.h.
 */
#include "mysql/row_recast.h"

#include <string.h>

static int
column_numbered(const Relation *relation, uint16_t num)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		if (relation->columns[i].attnum == num)
			return i;
	}
	return -1;
}

/* Does it have a column that is gone? */
static bool
has_dropped(const Relation *relation, const TableMap *map)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		const Column *column = &relation->columns[i];

		if (table_map_number(map, column->attnum) == NULL &&
			(column->flags & WIRE_COLUMN_VIRTUAL) == 0)
			return true;
	}
	return false;
}

/* Does it lack one that is to be written? */
static bool
lacks_column(const Relation *relation, const TableMap *map)
{
	for (int i = 0; i < map->column_count; i++)
	{
		const ColumnMap *column = &map->columns[i];

		if (column->num != 0 && !column->computed &&
			column_numbered(relation, column->num) < 0)
			return true;
	}
	return false;
}

static void
keep_columns(const Relation *relation, const TableMap *map, Column *columns,
			 int *from, int *count)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		const Column *column = &relation->columns[i];

		if (table_map_number(map, column->attnum) == NULL &&
			(column->flags & WIRE_COLUMN_VIRTUAL) == 0)
			continue;
		columns[*count] = *column;
		from[(*count)++] = i;
	}
}

/* What is known of an added column suffices to write its value as text. */
static void
add_columns(const Relation *relation, const TableMap *map, const Shape *now,
			Column *columns, int *from, Value *missing, int *count)
{
	for (int i = 0; i < map->column_count; i++)
	{
		const ColumnMap *target = &map->columns[i];
		const ShapeColumn *column = shape_column(now, target->num);
		Column *added = &columns[*count];

		if (target->num == 0 || target->computed || column == NULL ||
			column_numbered(relation, target->num) >= 0)
			continue;
		memset(added, 0, sizeof(*added));
		added->name = column->name;
		added->type_schema = added->base_schema = column->type_schema;
		added->type_name = added->base_name = column->type_name;
		added->typmod = column->typmod;
		added->attnum = target->num;
		from[*count] = -1;
		missing[*count].state = WIRE_COL_NULL;
		if (column->missing != NULL)
			missing[*count] = (Value){ column->missing,
									   (uint32_t) strlen(column->missing),
									   WIRE_COL_PRESENT };
		(*count)++;
	}
}

static int
count_keys(const Column *columns, int count)
{
	int keys = 0;

	for (int i = 0; i < count; i++)
		keys += (columns[i].flags & WIRE_COLUMN_KEY) != 0;
	return keys;
}

const RowRecast *
row_recast(const Relation *relation, const TableMap *map, const Shape *now,
		   Arena *arena)
{
	size_t max = (size_t) (relation->column_count + map->column_count) + 1;
	Relation *cast;
	RowRecast *recast;
	Column *columns;
	Value *missing;
	int *from;

	if (!has_dropped(relation, map) && !lacks_column(relation, map))
		return NULL;
	cast = ARENA_NEW(arena, Relation);
	recast = ARENA_NEW(arena, RowRecast);
	columns = ARENA_ARRAY(arena, Column, max);
	missing = ARENA_ARRAY(arena, Value, max);
	from = ARENA_ARRAY(arena, int, max);
	/* never retained: it lives in the arena, and has no references of its own */
	cast->serial = relation->serial;
	cast->oid = relation->oid;
	cast->root_oid = relation->root_oid;
	cast->storage = relation->storage;
	cast->schema = relation->schema;
	cast->name = relation->name;
	cast->root_schema = relation->root_schema;
	cast->root_name = relation->root_name;
	cast->kind = relation->kind;
	cast->identity = relation->identity;
	keep_columns(relation, map, columns, from, &cast->column_count);
	add_columns(relation, map, now, columns, from, missing,
				&cast->column_count);
	cast->columns = columns;
	cast->key_count = count_keys(columns, cast->column_count);
	recast->relation = cast;
	recast->from = from;
	recast->key_lost = cast->key_count < relation->key_count;
	recast->missing = missing;
	return recast;
}

/* added: the state of columns that the row did not have. */
static const Value *
cast_values(const RowRecast *recast, const Value *values, WireColumnState added,
			Arena *arena)
{
	int count = recast->relation->column_count;
	Value *cast;

	if (values == NULL)
		return NULL;
	cast = ARENA_ARRAY(arena, Value, (size_t) count + 1);
	for (int i = 0; i < count; i++)
	{
		if (recast->from[i] >= 0)
			cast[i] = values[recast->from[i]];
		else if (added == WIRE_COL_PRESENT)
			cast[i] = recast->missing[i];
		else
			cast[i].state = (uint8_t) added;
	}
	return cast;
}

const Change *
row_recast_change(const RowRecast *recast, const Change *change, Arena *arena)
{
	Change *cast = ARENA_NEW(arena, Change);

	*cast = *change;
	cast->relation = recast->relation;
	cast->old_values = cast_values(recast, change->old_values, WIRE_COL_ABSENT,
								   arena);
	/* rows that are there have what was added already */
	cast->new_values = cast_values(
		recast, change->new_values,
		change->kind == CHANGE_INSERT ? WIRE_COL_PRESENT : WIRE_COL_UNCHANGED,
		arena);
	return cast;
}

/*
 * ddl_alter.c
 *		A table of the target gets another shape: ALTER TABLE.
 *
 * Columns are compared by their numbers on the source (shape_diff.h).  As many
 * changes as possible are one statement, each column once in it.  Partitions
 * share their root's table: what is done to it holds for all of them.
 */
#include "mysql/ddl_alter.h"

#include <string.h>
#include <strings.h>

/* ---- statements */

static const char *
table_sql(const DdlPlanning *work, const TableMap *map)
{
	const char *sql;
	Buffer out;

	buffer_init(&out);
	my_quote_table(&out, map->database, map->table);
	sql = arena_strdup(work->arena, out.data);
	buffer_release(&out);
	return sql;
}

const char *
alter_ident(const DdlPlanning *work, const char *name)
{
	const char *sql;
	Buffer out;

	buffer_init(&out);
	my_quote_ident(&out, name);
	sql = arena_strdup(work->arena, out.data);
	buffer_release(&out);
	return sql;
}

static void
put_step(Alter *a, const Buffer *actions, const char *probe)
{
	DdlPlanning *work = a->work;
	int count;
	WorldTable **sharers = world_sharers(work, a->table, &count);

	planning_step(work, DDL_STEP_BEFORE,
				  arena_printf(work->arena, "ALTER TABLE %s %s",
							   table_sql(work, &a->table->map), actions->data),
				  probe, sharers, count);
}

/* CHECKs that were dropped for the time of the statement. */
static void
put_rules_again(Alter *a)
{
	for (int i = 0; i < a->actual.rule_count; i++)
	{
		ActualRule *rule = &a->actual.rules[i];

		if (!rule->again)
			continue;
		rule->again = false;
		alter_next(&a->actions);
		buffer_printf(&a->actions, "ADD CONSTRAINT %s CHECK (%s)",
					  alter_ident(a->work, rule->name), rule->text);
	}
}

/* What is collected becomes a step; the world is as it leaves it. */
static void
flush(Alter *a)
{
	put_rules_again(a);
	if (a->actions.len > 0)
		put_step(a, &a->actions, ddl_probe(a->work, &a->before, &a->after));
	if (a->defaults.len > 0)
		put_step(a, &a->defaults, "");
	buffer_reset(&a->actions);
	buffer_reset(&a->before);
	buffer_reset(&a->after);
	buffer_reset(&a->defaults);
	a->named_count = 0;
}

/* A statement may name a column once. */
void
alter_name_once(Alter *a, const char *target)
{
	for (int i = 0; i < a->named_count; i++)
	{
		if (strcasecmp(a->named[i], target) == 0)
		{
			flush(a);
			break;
		}
	}
	a->named[a->named_count++] = target;
}

void
alter_next(Buffer *actions)
{
	if (actions->len > 0)
		buffer_puts(actions, ", ");
}

/* ---- the world follows */

void
alter_map_own(const DdlPlanning *work, TableMap *map, int more)
{
	ColumnMap *columns = ARENA_ARRAY(work->arena, ColumnMap,
									 (size_t) (map->column_count + more) + 1);

	if (map->column_count > 0)
		memcpy(columns, map->columns,
			   (size_t) map->column_count * sizeof(*columns));
	map->columns = columns;
}

ColumnMap *
alter_map_target(TableMap *map, const char *target)
{
	for (int i = 0; i < map->column_count; i++)
	{
		if (strcmp(map->columns[i].target, target) == 0)
			return &map->columns[i];
	}
	return NULL;
}

static void
map_remove(TableMap *map, const char *target)
{
	int kept = 0;

	for (int i = 0; i < map->column_count; i++)
	{
		if (strcmp(map->columns[i].target, target) != 0)
			map->columns[kept++] = map->columns[i];
	}
	map->column_count = kept;
}

/* target: the column's name there before the step; now: its map after it. */
void
alter_follow(Alter *a, const ShapeStep *step, const char *target,
			 const ColumnMap *now)
{
	int count;
	WorldTable **sharers = world_sharers(a->work, a->table, &count);

	for (int i = 0; i < count; i++)
	{
		WorldTable *table = sharers[i];
		uint16_t num = 0;
		ColumnMap *column;

		shape_follow(&table->shape, step, a->work->arena);
		alter_map_own(a->work, &table->map, 1);
		if (now == NULL)
		{
			map_remove(&table->map, target);
			continue;
		}
		column = alter_map_target(&table->map, target);
		if (column == NULL)
			column = &table->map.columns[table->map.column_count++];
		else
			num = column->num;
		*column = *now;
		column->num = table == a->table ? now->num : num;
	}
}

/* ---- what is known of the target's columns */

const ColumnMap *
alter_map(const Alter *a, const ShapeStep *step)
{
	return table_map_column(&a->table->map, step->name);
}

/* The column as the catalog shows it now, which may be before earlier steps. */
const ActualColumn *
alter_actual(const Alter *a, const ColumnMap *column)
{
	const TableMap *origin = a->table->origin;
	const ColumnMap *was = table_map_number(origin, column->num);

	if (was == NULL)
		was = table_map_column(origin, column->name);
	return actual_column(&a->actual,
						 was != NULL ? was->target : column->target);
}

static bool
target_taken(const Alter *a, const char *target, uint16_t num)
{
	for (int i = 0; i < a->table->map.column_count; i++)
	{
		const ColumnMap *column = &a->table->map.columns[i];

		if (column->num != num && strcasecmp(column->target, target) == 0)
			return true;
	}
	return false;
}

/* Names that differ by case only are the same to the servers. */
void
alter_unique(const Alter *a, ColumnMap *map)
{
	if (target_taken(a, map->target, map->num))
		map->target = arena_printf(a->work->arena, "%.50s_%d", map->target,
								   map->num);
}

/* ---- a whole table */

static bool
step_detach(Alter *a)
{
	if (!a->work->by_hand)
		return planning_refuse(
			a->work, "it is no partition any more, but its rows share a table "
					 "of the target with those of others");
	return ddl_place(a->work, a->want, &a->table->map);
}

static bool
one_step(Alter *a, const ShapeStep *step)
{
	switch (step->kind)
	{
		case SHAPE_DETACH:
			return step_detach(a);
		case SHAPE_MOVE:
			return true; /* it was moved before */
		case SHAPE_DROP:
			return alter_drop(a, step);
		case SHAPE_RENAME:
			return alter_rename(a, step);
		case SHAPE_TYPE:
			return alter_type(a, step);
		case SHAPE_ADD:
			return alter_add(a, step);
		case SHAPE_NULLS:
			return alter_nulls(a, step);
	}
	return true;
}

/* Rows that were written anew are not in the stream. */
static bool
check_rewrite(const Alter *a)
{
	const DdlTable *announced = a->announced;

	if (announced->want->unlogged)
		return planning_refuse(a->work, "its rows are not in the stream any "
										"more: it is unlogged now");
	if (!announced->rewritten || a->work->by_hand)
		return true;
	if (announced->unpredictable)
		return planning_refuse(a->work,
							   "it has written rows anew with values that "
							   "cannot be computed again");
	if (announced->using != NULL)
		return planning_refuse(a->work,
							   "it has computed values of rows by an "
							   "expression, which the target has no means to "
							   "do alike");
	return true;
}

/* Without a message nobody knows what rows that were written anew have. */
static bool
check_untold(const Alter *a, const ShapeStep *step)
{
	const ShapeColumn *column = step->column;
	bool unknown = a->announced->told
					   ? a->announced->rewritten && step->kind == SHAPE_ADD &&
							 column->default_sql != NULL
					   : a->table->shape.storage != a->want->storage;

	if (!unknown || a->work->by_hand || a->want->kind == 'p' ||
		(step->kind != SHAPE_TYPE && step->kind != SHAPE_ADD) ||
		column->generated != 0 || alter_take_default(a, step))
		return true;
	return planning_refuse(
		a->work, "column \"%s\" %s, and the rows were written anew",
		column->name, step->kind == SHAPE_TYPE ? "has another type" : "is new");
}

/* What is known of the table from now on: NOT NULL as it is there. */
static void
settle_shape(Alter *a)
{
	Shape had = a->table->shape;
	Shape *now = &a->table->shape;

	*now = *a->want;
	now->columns = ARENA_ARRAY(a->work->arena, ShapeColumn,
							   (size_t) now->column_count + 1);
	alter_map_own(a->work, &a->table->map, 0);
	for (int i = 0; i < now->column_count; i++)
	{
		ShapeColumn *column = &now->columns[i];
		const ShapeColumn *was;
		ColumnMap *map;

		*column = a->want->columns[i];
		was = shape_column_named(&had, column->name);
		if (column->not_null && was != NULL && !a->table->map.partition)
			column->not_null = was->not_null;
		map = (ColumnMap *) table_map_column(&a->table->map, column->name);
		if (map == NULL)
			continue;
		/* it came through a parent: now its number is known */
		map->num = column->num;
		if (column->not_null && !map->not_null && !map->computed)
			column->not_null = a->table->map.partition;
	}
	a->table->map.schema = now->schema;
	a->table->map.name = now->name;
}

static bool
alter_steps(Alter *a)
{
	ShapeDiff diff;

	shape_diff(&a->table->shape, a->want, true, a->work->arena, &diff);
	if (diff.refusal != NULL && !a->work->by_hand)
		return planning_refuse(a->work, "%s", diff.refusal);
	a->named = ARENA_ARRAY(
		a->work->arena, const char *,
		(size_t) (a->want->column_count + a->table->shape.column_count) * 4 +
			1);
	if (diff.count > 0 && !a->work->by_hand &&
		!actual_read(a->work, a->table->origin, &a->actual))
		return false;
	for (int i = 0; i < diff.count; i++)
	{
		if (!check_untold(a, &diff.steps[i]) || !one_step(a, &diff.steps[i]))
			return false;
	}
	flush(a);
	return true;
}

bool
ddl_alter(DdlPlanning *work, WorldTable *table, const DdlTable *announced)
{
	Alter a = {
		.work = work,
		.table = table,
		.announced = announced,
		.want = announced->want,
	};
	bool ok;

	buffer_init(&a.actions);
	buffer_init(&a.before);
	buffer_init(&a.after);
	buffer_init(&a.defaults);
	ok = check_rewrite(&a) && alter_steps(&a);
	if (ok)
	{
		settle_shape(&a);
		planning_note(work, table);
		ok = !work->by_hand || actual_prove(work, table);
	}
	buffer_release(&a.actions);
	buffer_release(&a.before);
	buffer_release(&a.after);
	buffer_release(&a.defaults);
	return ok;
}

/*
 * ddl_alter.c
 *		A table of the target gets another shape: ALTER TABLE.
 *
 * Columns are compared by their numbers on the source (shape_diff.h).  As many
 * changes as possible are one statement, each column once in it.  Partitions
 * share their root's table: what is done to it holds for all of them.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "mysql/ddl_plan.h"
#include "schema/sql_scan.h"
#include "stream/shape_diff.h"

typedef struct Alter
{
	DdlPlanning *work;
	WorldTable *table;
	const DdlTable *announced;
	const Shape *want;
	ActualTable actual;
	Buffer actions; /* of the statement that is being made */
	Buffer before;	/* conditions of its probe */
	Buffer after;
	const char **named; /* columns that it names already */
	int named_count;
	Buffer defaults; /* of one that follows: new columns' own defaults */
	int steps;
} Alter;

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

static const char *
ident(const DdlPlanning *work, const char *name)
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
	a->steps++;
}

/* What is collected becomes a step; the world is as it leaves it. */
static void
flush(Alter *a)
{
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
static void
name_once(Alter *a, const char *target)
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

static void
next_action(Buffer *actions)
{
	if (actions->len > 0)
		buffer_puts(actions, ", ");
}

/* ---- the world follows */

static void
map_own(const DdlPlanning *work, TableMap *map, int more)
{
	ColumnMap *columns = ARENA_ARRAY(work->arena, ColumnMap,
									 (size_t) (map->column_count + more) + 1);

	if (map->column_count > 0)
		memcpy(columns, map->columns,
			   (size_t) map->column_count * sizeof(*columns));
	map->columns = columns;
}

static ColumnMap *
map_target(TableMap *map, const char *target)
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
static void
follow(Alter *a, const ShapeStep *step, const char *target,
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
		map_own(a->work, &table->map, 1);
		if (now == NULL)
		{
			map_remove(&table->map, target);
			continue;
		}
		column = map_target(&table->map, target);
		if (column == NULL)
			column = &table->map.columns[table->map.column_count++];
		else
			num = column->num;
		*column = *now;
		column->num = table == a->table ? now->num : num;
	}
}

/* ---- what is known of the target's columns */

static const ColumnMap *
map_of_step(const Alter *a, const ShapeStep *step)
{
	return table_map_column(&a->table->map, step->name);
}

/* The column as the catalog shows it now, which may be before earlier steps. */
static const ActualColumn *
actual_of(const Alter *a, const ColumnMap *column)
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
static void
make_unique(const Alter *a, ColumnMap *map)
{
	if (target_taken(a, map->target, map->num))
		map->target = arena_printf(a->work->arena, "%.50s_%d", map->target,
								   map->num);
}

/* ---- one step each */

/* Keys of several columns go with any of them, as on the source. */
static void
drop_keys_of(Alter *a, const char *target)
{
	for (int i = 0; i < a->actual.index_count; i++)
	{
		const ActualIndex *index = &a->actual.indexes[i];
		bool has = false;

		for (int k = 0; k < index->column_count; k++)
			has |= strcasecmp(index->columns[k], target) == 0;
		if (!has || index->column_count < 2)
			continue;
		/* once, whichever of its columns are dropped */
		if (strstr(a->actions.data, ident(a->work, index->name)) != NULL)
			continue;
		next_action(&a->actions);
		if (strcmp(index->name, "PRIMARY") == 0)
			buffer_puts(&a->actions, "DROP PRIMARY KEY");
		else
			buffer_printf(&a->actions, "DROP INDEX %s",
						  ident(a->work, index->name));
	}
}

/* Columns of ours that are computed from it: hashes for unique keys. */
static void
drop_helpers_of(Alter *a, const char *target)
{
	for (int i = 0; i < a->actual.column_count; i++)
	{
		const ActualColumn *column = &a->actual.columns[i];

		if (column->expression[0] == '\0' ||
			map_target(&a->table->map, column->name) != NULL ||
			strstr(column->expression, ident(a->work, target)) == NULL ||
			strstr(a->actions.data,
				   arena_printf(a->work->arena, "DROP COLUMN %s",
								ident(a->work, column->name))) != NULL)
			continue;
		drop_keys_of(a, column->name);
		next_action(&a->actions);
		buffer_printf(&a->actions, "DROP COLUMN %s",
					  ident(a->work, column->name));
	}
}

static bool
step_drop(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = map_of_step(a, step);
	const ActualColumn *actual;

	if (column == NULL)
	{
		/* a VIRTUAL column that the target does not have */
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	actual = actual_of(a, column);
	if (actual != NULL)
	{
		name_once(a, column->target);
		drop_helpers_of(a, actual->name);
		drop_keys_of(a, actual->name);
		next_action(&a->actions);
		buffer_printf(&a->actions, "DROP COLUMN %s",
					  ident(a->work, column->target));
		probe_column(&a->before, &a->table->map, column->target, true);
		probe_column(&a->after, &a->table->map, column->target, false);
	}
	follow(a, step, column->target, NULL);
	return true;
}

static void
put_rename(Alter *a, const char *was, const char *now)
{
	name_once(a, was);
	name_once(a, now);
	next_action(&a->actions);
	buffer_printf(&a->actions, "RENAME COLUMN %s TO %s", ident(a->work, was),
				  ident(a->work, now));
	/* another case is the same name to the servers: it may be done again */
	if (strcasecmp(was, now) == 0)
		return;
	probe_column(&a->before, &a->table->map, was, true);
	probe_column(&a->after, &a->table->map, now, true);
	probe_column(&a->after, &a->table->map, was, false);
}

static bool
step_rename(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = map_of_step(a, step);
	ShapeColumn as = *step->column;
	ColumnMap renamed;
	DdlColumn now;

	if (column == NULL)
	{
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	as.name = step->new_name;
	ddl_column(a->work, a->want, &as, false, &now);
	now.map.num = column->num;
	make_unique(a, &now.map);
	/* type and conversion are those that it has; another step changes them */
	renamed = *column;
	renamed.name = step->new_name;
	renamed.target = now.map.target;
	if (strcmp(column->target, renamed.target) != 0)
		put_rename(a, column->target, renamed.target);
	follow(a, step, column->target, &renamed);
	return true;
}

static bool
modify(Alter *a, const ColumnMap *column, const DdlColumn *now, bool not_null,
	   Buffer *actions)
{
	const ActualColumn *actual = actual_of(a, column);

	if (actual == NULL)
		return planning_refuse(a->work,
							   "column \"%s\" of table %s is not on the target",
							   column->target, a->table->map.table);
	next_action(actions);
	buffer_printf(actions, "MODIFY COLUMN %s %s%s%s%s",
				  ident(a->work, column->target), now->type,
				  not_null ? " NOT NULL" : "", actual->tail, now->check);
	return true;
}

/*
 * Rows that nobody has written anew have the values that they had: the type has
 * another name, or the same one below a domain.
 */
static bool
renames_type(const Alter *a, const ShapeColumn *was, const ColumnMap *column,
			 const ShapeStep *step, const DdlColumn *now)
{
	bool rewritten = a->announced->told
						 ? a->announced->rewritten
						 : a->table->shape.storage != a->want->storage;

	if (rewritten)
		return false;
	if (strcmp(was->type_schema, "pg_catalog") != 0 &&
		strcmp(step->column->type_schema, "pg_catalog") != 0)
		return true;
	return now->map.convert == column->convert &&
		   strcasecmp(now->map.type, column->type) == 0;
}

static bool
step_type(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = map_of_step(a, step);
	const ShapeColumn *was = shape_column_named(&a->table->shape, step->name);
	bool not_null;
	DdlColumn now;

	if (column == NULL || was == NULL)
		return planning_refuse(a->work, "column \"%s\" is not on the target",
							   step->name);
	not_null = column->not_null && step->column->not_null;
	ddl_column(a->work, a->want, step->column, not_null, &now);
	if (renames_type(a, was, column, step, &now))
	{
		ColumnMap same = *column;

		follow(a, step, column->target, &same);
		return true;
	}
	if (!ddl_type_widens(was, column, step->column) && !a->work->by_hand)
		return planning_refuse(a->work,
							   "the target may not make the same of the values "
							   "of column \"%s\" when its type becomes %s",
							   step->name, step->column->type_name);
	now.map.num = column->num;
	now.map.target = column->target;
	now.map.not_null = not_null;
	if (strcasecmp(now.map.type, column->type) != 0 && !a->work->by_hand)
	{
		name_once(a, column->target);
		if (!modify(a, column, &now, not_null, &a->actions))
			return false;
	}
	follow(a, step, column->target, &now.map);
	return true;
}

/* ---- a new column, and what rows that there are have in it */

/* Another table in the same place has it already: a root, another partition. */
static const ColumnMap *
shared_column(const Alter *a, const ShapeColumn *column)
{
	int count;
	WorldTable **sharers = world_sharers(a->work, a->table, &count);

	for (int i = 0; i < count; i++)
	{
		const ShapeColumn *there = shape_column_named(&sharers[i]->shape,
													  column->name);
		const ColumnMap *map = table_map_column(&sharers[i]->map, column->name);

		if (sharers[i] != a->table && there != NULL && map != NULL &&
			shape_same_type(there, column))
			return map;
	}
	return NULL;
}

static bool
add_computed(Alter *a, const DdlColumn *column)
{
	if (!column->map.computed)
		return planning_refuse(a->work,
							   "column \"%s\" is generated, the target cannot "
							   "compute it, and what older rows have in it is "
							   "not in the stream",
							   column->map.name);
	next_action(&a->actions);
	buffer_printf(&a->actions, "ADD COLUMN %s %s",
				  ident(a->work, column->map.target), column->definition);
	return true;
}

/* Its default is first what older rows have, then what it is. */
static bool
add_plain(Alter *a, const ShapeColumn *want, const DdlColumn *column,
		  bool not_null)
{
	const char *null = not_null ? " NOT NULL" : "";
	const char *definition = arena_printf(a->work->arena, "%s%s%s",
										  column->type, null, column->check);
	const char *name = ident(a->work, column->map.target);

	if (want->missing != NULL)
	{
		const char *literal;

		if (!ddl_value(a->work, &column->map, want->missing, &literal))
			return false;
		definition = arena_printf(a->work->arena,
								  column->blob ? "%s%s DEFAULT (%s)%s"
											   : "%s%s DEFAULT %s%s",
								  column->type, null, literal, column->check);
	}
	next_action(&a->actions);
	buffer_printf(&a->actions, "ADD COLUMN %s %s", name, definition);
	if (strcmp(definition, column->definition) != 0)
	{
		next_action(&a->defaults);
		buffer_printf(&a->defaults, "MODIFY COLUMN %s %s", name,
					  column->definition);
	}
	return true;
}

static bool
step_add(Alter *a, const ShapeStep *step)
{
	const ShapeColumn *want = step->column;
	const ColumnMap *shared = shared_column(a, want);
	bool not_null = want->not_null && want->missing != NULL;
	ColumnMap copy;
	DdlColumn now;

	if (shared != NULL)
	{
		copy = *shared;
		copy.num = want->num;
		map_own(a->work, &a->table->map, 1);
		a->table->map.columns[a->table->map.column_count++] = copy;
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	ddl_column(a->work, a->want, want, not_null, &now);
	if (now.definition == NULL || now.definition[0] == '\0')
		return true; /* VIRTUAL, and not to be translated: it has no values */
	make_unique(a, &now.map);
	now.map.not_null = not_null;
	name_once(a, now.map.target);
	if (want->generated != 0 ? !add_computed(a, &now)
							 : !add_plain(a, want, &now, not_null))
		return false;
	probe_column(&a->before, &a->table->map, now.map.target, false);
	probe_column(&a->after, &a->table->map, now.map.target, true);
	follow(a, step, now.map.target, &now.map);
	if (want->not_null && !not_null && want->generated == 0)
		ddl_tight_later(a->work, a->table, want->num);
	return true;
}

/* ---- NOT NULL */

void
ddl_tight_later(DdlPlanning *work, WorldTable *table, uint16_t num)
{
	if (work->tight_count == work->tight_capacity)
	{
		work->tight_capacity = work->tight_capacity * 2 + 16;
		work->tight = mem_realloc(work->tight, (size_t) work->tight_capacity *
												   sizeof(*work->tight));
	}
	BUG_UNLESS(work->tight != NULL);
	work->tight[work->tight_count++] = (TightColumn){ table, num };
}

static bool
step_nulls(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = map_of_step(a, step);
	ColumnMap copy;
	DdlColumn now;

	if (column == NULL || column->computed)
		return true;
	if (step->column->not_null)
	{
		/* of a partition alone: others may have nulls */
		if (!a->table->map.partition)
			ddl_tight_later(a->work, a->table, step->column->num);
		return true;
	}
	copy = *column;
	copy.not_null = false;
	ddl_column(a->work, a->want, step->column, false, &now);
	if (column->not_null && !a->work->by_hand)
	{
		name_once(a, column->target);
		if (!modify(a, column, &now, false, &a->actions))
			return false;
	}
	follow(a, step, column->target, &copy);
	return true;
}

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
			return step_drop(a, step);
		case SHAPE_RENAME:
			return step_rename(a, step);
		case SHAPE_TYPE:
			return step_type(a, step);
		case SHAPE_ADD:
			return step_add(a, step);
		case SHAPE_NULLS:
			return step_nulls(a, step);
	}
	return true;
}

/* ---- a whole table */

/* Rows that were written anew are not in the stream. */
static bool
check_rewrite(const Alter *a)
{
	const DdlTable *announced = a->announced;

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

/* The value of a default that is one; NULL if it has to be computed. */
static const char *
plain_default(const Alter *a, const char *sql)
{
	const char *end;
	Buffer text;
	const char *value;

	if (strcmp(sql, "true") == 0 || strcmp(sql, "false") == 0)
		return sql[0] == 't' ? "t" : "f";
	if (strspn(sql, "0123456789.") == strlen(sql))
		return sql;
	if (sql[0] != '\'')
		return NULL;
	/* 'text'::type, as the server prints it */
	end = sql_skip_token(sql);
	if (strncmp(end, "::", 2) != 0 || strpbrk(end, "('+-*/|") != NULL)
		return NULL;
	buffer_init(&text);
	for (const char *p = sql + 1; p < end - 1; p++)
	{
		buffer_putc(&text, *p);
		p += *p == '\'';
	}
	value = arena_strdup(a->work->arena, text.data);
	buffer_release(&text);
	return value;
}

/* Rows that were written anew have a new column's default. */
static bool
take_default(const Alter *a, const ShapeStep *step)
{
	ShapeColumn *column = (ShapeColumn *) step->column;

	if (!a->announced->told || column->default_sql == NULL)
		return false;
	column->missing = plain_default(a, column->default_sql);
	return column->missing != NULL;
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
		column->generated != 0 || take_default(a, step))
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
	map_own(a->work, &a->table->map, 0);
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

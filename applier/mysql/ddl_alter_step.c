/*
 * ddl_alter_step.c
 *		One step from the shape that a table has to the one that it is to have:
 *		a column that goes, gets another name or type, NOT NULL.
 */
#include "mysql/ddl_alter.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Several columns may ask for it. */
static void
put_once(Alter *a, const char *action)
{
	if (strstr(a->actions.data, action) != NULL)
		return;
	alter_next(&a->actions);
	buffer_puts(&a->actions, action);
}

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
		put_once(a, strcmp(index->name, "PRIMARY") == 0
						? "DROP PRIMARY KEY"
						: arena_printf(a->work->arena, "DROP INDEX %s",
									   alter_ident(a->work, index->name)));
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
			alter_map_target(&a->table->map, column->name) != NULL ||
			strstr(column->expression, alter_ident(a->work, target)) == NULL)
			continue;
		drop_keys_of(a, column->name);
		put_once(a, arena_printf(a->work->arena, "DROP COLUMN %s",
								 alter_ident(a->work, column->name)));
	}
}

/* Whatever speaks of a column goes with it, as on the source. */
static void
drop_rules_of(Alter *a, const char *target)
{
	for (int i = 0; i < a->actual.rule_count; i++)
	{
		ActualRule *rule = &a->actual.rules[i];

		if (!rule_names(rule, alter_ident(a->work, target)))
			continue;
		put_once(a, rule_drop(a->work, rule));
		rule->again = false;
		rule->text = "";
	}
}

/*
 * MySQL renames no column that a CHECK speaks of, so that is made again; MariaDB
 * changes its text by itself.
 */
static void
rename_in_rules(Alter *a, const char *was, const char *now)
{
	const char *quoted = alter_ident(a->work, was);

	for (int i = 0; i < a->actual.rule_count; i++)
	{
		ActualRule *rule = &a->actual.rules[i];

		if (!rule_names(rule, quoted))
			continue;
		if (!a->work->target.mariadb && !rule->foreign_key)
		{
			put_once(a, rule_drop(a->work, rule));
			rule->again = true;
		}
		rule_rename(a->work, rule, quoted, alter_ident(a->work, now));
	}
}

bool
alter_drop(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = alter_map(a, step);
	const ActualColumn *actual;

	if (column == NULL)
	{
		/* a VIRTUAL column that the target does not have */
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	if (!ddl_nothing_waits(a->work, a->table))
		return false;
	actual = alter_actual(a, column);
	if (actual != NULL)
	{
		alter_name_once(a, column->target);
		drop_rules_of(a, column->target);
		drop_helpers_of(a, actual->name);
		drop_keys_of(a, actual->name);
		alter_next(&a->actions);
		buffer_printf(&a->actions, "DROP COLUMN %s",
					  alter_ident(a->work, column->target));
		probe_column(&a->before, &a->table->map, column->target, true);
		probe_column(&a->after, &a->table->map, column->target, false);
	}
	alter_follow(a, step, column->target, NULL);
	return true;
}

static void
put_rename(Alter *a, const char *was, const char *now)
{
	alter_name_once(a, was);
	alter_name_once(a, now);
	rename_in_rules(a, was, now);
	alter_next(&a->actions);
	buffer_printf(&a->actions, "RENAME COLUMN %s TO %s",
				  alter_ident(a->work, was), alter_ident(a->work, now));
	/* another case is the same name to the servers: it may be done again */
	if (strcasecmp(was, now) == 0)
		return;
	probe_column(&a->before, &a->table->map, was, true);
	probe_column(&a->after, &a->table->map, now, true);
	probe_column(&a->after, &a->table->map, was, false);
}

bool
alter_rename(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = alter_map(a, step);
	ShapeColumn as = *step->column;
	ColumnMap renamed;
	DdlColumn now;

	if (column == NULL)
	{
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	if (!ddl_nothing_waits(a->work, a->table))
		return false;
	as.name = step->new_name;
	ddl_column(a->work, a->want, &as, false, &now);
	now.map.num = column->num;
	alter_unique(a, &now.map);
	/* type and conversion are those that it has; another step changes them */
	renamed = *column;
	renamed.name = step->new_name;
	renamed.target = now.map.target;
	if (strcmp(column->target, renamed.target) != 0)
		put_rename(a, column->target, renamed.target);
	alter_follow(a, step, column->target, &renamed);
	return true;
}

static bool
modify(Alter *a, const ColumnMap *column, const DdlColumn *now, bool not_null,
	   Buffer *actions)
{
	const ActualColumn *actual = alter_actual(a, column);

	if (actual == NULL)
		return planning_refuse(a->work,
							   "column \"%s\" of table %s is not on the target",
							   column->target, a->table->map.table);
	alter_next(actions);
	buffer_printf(actions, "MODIFY COLUMN %s %s%s%s%s",
				  alter_ident(a->work, column->target), now->type,
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

bool
alter_type(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = alter_map(a, step);
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

		alter_follow(a, step, column->target, &same);
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
		alter_name_once(a, column->target);
		if (!modify(a, column, &now, not_null, &a->actions))
			return false;
	}
	alter_follow(a, step, column->target, &now.map);
	return true;
}

/* ---- NOT NULL */

void
ddl_tight_later(DdlPlanning *work, WorldTable *table, uint16_t num)
{
	work->tight = mem_room(work->tight, work->tight_count,
						   &work->tight_capacity, sizeof(*work->tight));
	work->tight[work->tight_count++] = (TightColumn){ table, num };
}

bool
alter_nulls(Alter *a, const ShapeStep *step)
{
	const ColumnMap *column = alter_map(a, step);
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
		alter_name_once(a, column->target);
		if (!modify(a, column, &now, false, &a->actions))
			return false;
	}
	alter_follow(a, step, column->target, &copy);
	return true;
}

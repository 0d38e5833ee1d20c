/*
 * ddl_alter_add.c
 *		A column that is new, and what the rows that there are have in it.
 *
 * Its default is first that value, so that the server puts it there, and then
 * what the source has as its default.
 */
#include "mysql/ddl_alter.h"

#include <string.h>
#include <strings.h>

#include "schema/sql_scan.h"

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
bool
alter_take_default(const Alter *a, const ShapeStep *step)
{
	ShapeColumn *column = (ShapeColumn *) step->column;

	if (!a->announced->told || column->default_sql == NULL)
		return false;
	column->missing = plain_default(a, column->default_sql);
	return column->missing != NULL;
}

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
	alter_next(&a->actions);
	buffer_printf(&a->actions, "ADD COLUMN %s %s",
				  alter_ident(a->work, column->map.target), column->definition);
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
	const char *name = alter_ident(a->work, column->map.target);

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
	alter_next(&a->actions);
	buffer_printf(&a->actions, "ADD COLUMN %s %s", name, definition);
	if (strcmp(definition, column->definition) != 0)
	{
		alter_next(&a->defaults);
		buffer_printf(&a->defaults, "MODIFY COLUMN %s %s", name,
					  column->definition);
	}
	return true;
}

bool
alter_add(Alter *a, const ShapeStep *step)
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
		alter_map_own(a->work, &a->table->map, 1);
		a->table->map.columns[a->table->map.column_count++] = copy;
		shape_follow(&a->table->shape, step, a->work->arena);
		return true;
	}
	ddl_column(a->work, a->want, want, not_null, &now);
	if (now.definition == NULL || now.definition[0] == '\0')
		return true; /* VIRTUAL, and not to be translated: it has no values */
	alter_unique(a, &now.map);
	now.map.not_null = not_null;
	alter_name_once(a, now.map.target);
	if (want->generated != 0 ? !add_computed(a, &now)
							 : !add_plain(a, want, &now, not_null))
		return false;
	probe_column(&a->before, &a->table->map, now.map.target, false);
	probe_column(&a->after, &a->table->map, now.map.target, true);
	alter_follow(a, step, now.map.target, &now.map);
	if (want->not_null && !not_null && want->generated == 0)
		ddl_tight_later(a->work, a->table, want->num);
	return true;
}

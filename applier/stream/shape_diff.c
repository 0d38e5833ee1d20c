/*
 * shape_diff.c
 *		See shape_diff.h.
 */
#include "stream/shape_diff.h"

#include <string.h>

typedef struct Diffing
{
	const Shape *have;
	const Shape *want;
	Arena *arena;
	ShapeDiff *diff;
} Diffing;

/* The same column in have; NULL if it is new. */
static const ShapeColumn *
column_before(const Diffing *d, const ShapeColumn *column)
{
	const ShapeColumn *was = shape_column(d->have, column->num);
	const ShapeColumn *named;

	if (was != NULL)
		return was;
	named = shape_column_named(d->have, column->name);
	return named != NULL && named->num == 0 ? named : NULL;
}

static ShapeStep *
add_step(Diffing *d, ShapeStepKind kind, const char *name,
		 const ShapeColumn *column)
{
	ShapeStep *step = &d->diff->steps[d->diff->count++];

	step->kind = kind;
	step->name = name;
	step->column = column;
	return step;
}

static void
refuse(Diffing *d, const char *what, const char *column)
{
	if (d->diff->refusal == NULL)
		d->diff->refusal = arena_printf(d->arena, "column \"%s\" %s", column,
										what);
}

static void
diff_table(Diffing *d)
{
	if (d->have->root_oid != d->want->root_oid)
	{
		if (d->want->root_oid != 0 && d->diff->refusal == NULL)
			d->diff->refusal = arena_printf(
				d->arena,
				"it became a partition of %s, and its bounds are not "
				"in the stream",
				d->want->root);
		add_step(d, SHAPE_DETACH, "", NULL);
	}
	if (strcmp(d->have->schema, d->want->schema) != 0 ||
		strcmp(d->have->name, d->want->name) != 0)
		add_step(d, SHAPE_MOVE, "", NULL);
}

static void
diff_dropped(Diffing *d)
{
	for (int i = 0; i < d->have->column_count; i++)
	{
		const ShapeColumn *column = &d->have->columns[i];

		if (column->num == 0)
		{
			if (shape_column_named(d->want, column->name) == NULL)
				refuse(d, "came through a parent, and is not there",
					   column->name);
		}
		else if (shape_column(d->want, column->num) == NULL)
			add_step(d, SHAPE_DROP, column->name, NULL);
	}
}

/* Does a column that stays have the name that another one is to get? */
static bool
renames_collide(const Diffing *d)
{
	for (int i = 0; i < d->want->column_count; i++)
	{
		const ShapeColumn *column = &d->want->columns[i];
		const ShapeColumn *there = shape_column_named(d->have, column->name);

		if (column_before(d, column) != NULL && there != NULL &&
			there->num != column->num &&
			shape_column(d->want, there->num) != NULL)
			return true;
	}
	return false;
}

/* Names that are exchanged need a third one on the way. */
static void
diff_renamed(Diffing *d)
{
	bool collide = renames_collide(d);

	for (int pass = collide ? 0 : 1; pass < 2; pass++)
	{
		for (int i = 0; i < d->want->column_count; i++)
		{
			const ShapeColumn *column = &d->want->columns[i];
			const ShapeColumn *was = column_before(d, column);
			const char *between;

			if (was == NULL || strcmp(was->name, column->name) == 0)
				continue;
			between = arena_printf(d->arena, "portage_%d", column->num);
			add_step(d, SHAPE_RENAME,
					 collide && pass == 1 ? between : was->name, column)
				->new_name = pass == 0 ? between : column->name;
		}
	}
}

static void
diff_types(Diffing *d, bool same_storage)
{
	for (int i = 0; i < d->want->column_count; i++)
	{
		const ShapeColumn *column = &d->want->columns[i];
		const ShapeColumn *was = column_before(d, column);

		if (was == NULL || shape_same_type(was, column))
			continue;
		if (!same_storage)
			refuse(d, "has another type, and the rows were written anew",
				   column->name);
		else if (column->generated != 0)
			refuse(d, "is generated and has another type", column->name);
		add_step(d, SHAPE_TYPE, column->name, column);
	}
}

static void
diff_added(Diffing *d, bool same_storage)
{
	for (int i = 0; i < d->want->column_count; i++)
	{
		const ShapeColumn *column = &d->want->columns[i];

		if (column_before(d, column) != NULL)
			continue;
		if (column->generated != 0 && column->default_sql == NULL)
			refuse(d, "is generated, and its expression is not in the stream",
				   column->name);
		else if (!same_storage)
			refuse(d, "is new, and the rows were written anew", column->name);
		add_step(d, SHAPE_ADD, column->name, column);
	}
}

static void
diff_nulls(Diffing *d)
{
	for (int i = 0; i < d->want->column_count; i++)
	{
		const ShapeColumn *column = &d->want->columns[i];
		const ShapeColumn *was = column_before(d, column);

		if (was != NULL && was->not_null != column->not_null)
			add_step(d, SHAPE_NULLS, column->name, column);
	}
}

void
shape_diff(const Shape *have, const Shape *want, bool rows_current,
		   Arena *arena, ShapeDiff *diff)
{
	Diffing d = { have, want, arena, diff };
	bool same_storage = rows_current || want->kind == 'p' ||
						have->storage == want->storage;
	/* each column has at most two renames, a type, and a NOT NULL */
	size_t max = 2 + (size_t) have->column_count +
				 (size_t) want->column_count * 4;

	memset(diff, 0, sizeof(*diff));
	diff->steps = ARENA_ARRAY(arena, ShapeStep, max);
	diff_table(&d);
	diff_dropped(&d);
	diff_renamed(&d);
	diff_types(&d, same_storage);
	diff_added(&d, same_storage);
	diff_nulls(&d);
}

static void
follow_drop(Shape *shape, const char *name)
{
	int kept = 0;

	for (int i = 0; i < shape->column_count; i++)
	{
		if (strcmp(shape->columns[i].name, name) != 0)
			shape->columns[kept++] = shape->columns[i];
	}
	shape->column_count = kept;
}

static void
follow_add(Shape *shape, const ShapeColumn *column, Arena *arena)
{
	ShapeColumn *columns;

	if (shape_column_named(shape, column->name) != NULL)
		return; /* it had one of its own, which became the parent's */
	columns = ARENA_ARRAY(arena, ShapeColumn, (size_t) shape->column_count + 1);
	if (shape->column_count > 0)
		memcpy(columns, shape->columns,
			   (size_t) shape->column_count * sizeof(*columns));
	columns[shape->column_count] = *column;
	columns[shape->column_count].num = 0;
	shape->columns = columns;
	shape->column_count++;
}

void
shape_follow(Shape *shape, const ShapeStep *step, Arena *arena)
{
	if (step->kind == SHAPE_DROP)
		follow_drop(shape, step->name);
	if (step->kind == SHAPE_ADD)
		follow_add(shape, step->column, arena);
	for (int i = 0; i < shape->column_count; i++)
	{
		ShapeColumn *column = &shape->columns[i];

		if (strcmp(column->name, step->name) != 0)
			continue;
		if (step->kind == SHAPE_RENAME)
			column->name = step->new_name;
		if (step->kind == SHAPE_TYPE)
		{
			column->type_schema = step->column->type_schema;
			column->type_name = step->column->type_name;
			column->typmod = step->column->typmod;
		}
		if (step->kind == SHAPE_NULLS)
			column->not_null = step->column->not_null;
	}
}

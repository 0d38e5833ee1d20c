/*
 * shape_diff.h
 *		What has to be done to a table so that it has another shape.
 *
 * Columns are compared by number: the same number under another name is a
 * rename, another number under the same name is another column.  Only a column
 * that came through a parent is known by its name until it is announced.  Where the
 * difference does not say which values the rows have, it is refused: a guess
 * would make the target differ in silence.
 */
#ifndef PORTAGE_SHAPE_DIFF_H
#define PORTAGE_SHAPE_DIFF_H

#include "shape.h"

typedef enum ShapeStepKind
{
	SHAPE_DETACH, /* it is no partition any more */
	SHAPE_MOVE,	  /* rename the table, or move it to another schema */
	SHAPE_DROP,
	SHAPE_RENAME,
	SHAPE_TYPE,
	SHAPE_ADD,
	SHAPE_NULLS /* SET or DROP NOT NULL, as column says */
} ShapeStepKind;

typedef struct ShapeStep
{
	ShapeStepKind kind;
	const char *name;		   /* the column's name before this step */
	const char *new_name;	   /* RENAME */
	const ShapeColumn *column; /* as it is wanted; not for DROP */
} ShapeStep;

typedef struct ShapeDiff
{
	ShapeStep *steps; /* in the order in which they work */
	int count;
	const char *refusal; /* NULL, or why it cannot be done */
} ShapeDiff;

/*
 * From have to want.  rows_current: the rows have the wanted values already (a
 * copy has read them later), so only names and types matter.
 */
void shape_diff(const Shape *have, const Shape *want, bool rows_current,
				Arena *arena, ShapeDiff *diff);

/*
 * The step was made on a parent of the table, and so on the table.  A new column
 * has no number yet: the next announcement of the table gives it one.
 */
void shape_follow(Shape *shape, const ShapeStep *step, Arena *arena);

#endif /* PORTAGE_SHAPE_DIFF_H */

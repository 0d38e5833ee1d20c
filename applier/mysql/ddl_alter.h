/*
 * ddl_alter.h
 *		ALTER TABLE while it is made: what the files ddl_alter*.c share.
 */
#ifndef PORTAGE_DDL_ALTER_H
#define PORTAGE_DDL_ALTER_H

#include "mysql/ddl_plan.h"
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
} Alter;

/* ---- ddl_alter.c */

/* `name`, in the plan's arena. */
const char *alter_ident(const DdlPlanning *work, const char *name);

/* Another action of the statement, to be appended. */
void alter_next(Buffer *actions);

/* A statement may name a column once: if it does already, it ends here. */
void alter_name_once(Alter *a, const char *target);

/* The column that a step is about; NULL if the target has none for it. */
const ColumnMap *alter_map(const Alter *a, const ShapeStep *step);

/* The column as the catalog shows it now, which may be before earlier steps. */
const ActualColumn *alter_actual(const Alter *a, const ColumnMap *column);

/* Names that differ by case only are the same to the servers. */
void alter_unique(const Alter *a, ColumnMap *map);

/*
 * The world follows a step, in all that share the table.  target: the column's
 * name there before it; now: its map after it, NULL: it is gone.
 */
void alter_follow(Alter *a, const ShapeStep *step, const char *target,
				  const ColumnMap *now);

ColumnMap *alter_map_target(TableMap *map, const char *target);

/* Columns of its own, with room for more. */
void alter_map_own(const DdlPlanning *work, TableMap *map, int more);

/* ---- ddl_alter_step.c */
bool alter_drop(Alter *a, const ShapeStep *step) MUST_CHECK;
bool alter_rename(Alter *a, const ShapeStep *step) MUST_CHECK;
bool alter_type(Alter *a, const ShapeStep *step) MUST_CHECK;
bool alter_nulls(Alter *a, const ShapeStep *step) MUST_CHECK;

/* ---- ddl_alter_add.c */
bool alter_add(Alter *a, const ShapeStep *step) MUST_CHECK;

/* Rows that were written anew have a new column's default: is it known? */
bool alter_take_default(const Alter *a, const ShapeStep *step);

#endif /* PORTAGE_DDL_ALTER_H */

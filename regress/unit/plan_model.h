/*
 * plan_model.h
 *		A database of small tables that obeys what a PostgreSQL target obeys.
 *
 * Rows are whole numbers.  Statements see what PostgreSQL's see: the rows of a
 * vector are found before any of them is changed, in any order, and unique
 * values are checked row by row.  A statement that is refused says false; the
 * caller has kept a copy.
 */
#ifndef PORTAGE_PLAN_MODEL_H
#define PORTAGE_PLAN_MODEL_H

#include "plan/planner.h"

#define MODEL_ROWS 512
#define MODEL_COLUMNS 4 /* id, a, b, big */
#define MODEL_DEFAULT (-7)

typedef enum ModelTable
{
	MODEL_UNIQUE,  /* a is unique, big is large */
	MODEL_EXTRA,   /* the target has one more column, with a default */
	MODEL_CHILD,   /* a is the id of a row of MODEL_UNIQUE */
	MODEL_KEYLESS, /* no key: rows are found by what they are */
	MODEL_TABLES
} ModelTable;

typedef struct ModelRow
{
	int value[MODEL_COLUMNS];
	int extra;
} ModelRow;

typedef struct ModelRows
{
	ModelRow rows[MODEL_ROWS];
	int count;
} ModelRows;

typedef struct Model
{
	ModelRows tables[MODEL_TABLES];
} Model;

/* The row with that id, or NULL. */
ModelRow *model_find(ModelRows *rows, int id);

/* One change as it is, by its own statement. */
bool model_change(Model *model, ModelTable table, const Change *change);

/* A vector, its rows in an order made of seed. */
bool model_vector(Model *model, const PlanVector *vector, unsigned *seed);

/* Are foreign keys kept?  They are deferred, as all there are in a stream. */
bool model_commit(const Model *model);

/* The same rows, in whatever order; extra: that column, too. */
bool model_equal(const Model *a, const Model *b, bool extra);

#endif /* PORTAGE_PLAN_MODEL_H */

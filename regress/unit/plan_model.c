/*
 * plan_model.c
 *		See plan_model.h.
 */
#include "plan_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int
number(const Value *value)
{
	return atoi(value->data);
}

ModelRow *
model_find(ModelRows *rows, int id)
{
	for (int i = 0; i < rows->count; i++)
	{
		if (rows->rows[i].value[0] == id)
			return &rows->rows[i];
	}
	return NULL;
}

/* Any row that is this one: duplicates are alike. */
static ModelRow *
find_image(ModelRows *rows, const Value *image)
{
	for (int i = 0; i < rows->count; i++)
	{
		int same = 0;

		for (int k = 0; k < MODEL_COLUMNS; k++)
			same += rows->rows[i].value[k] == number(&image[k]);
		if (same == MODEL_COLUMNS)
			return &rows->rows[i];
	}
	return NULL;
}

static bool
unique_kept(ModelTable table, const ModelRows *rows, const ModelRow *changed)
{
	if (table == MODEL_KEYLESS)
		return true;
	for (int i = 0; i < rows->count; i++)
	{
		const ModelRow *row = &rows->rows[i];

		if (row != changed &&
			(row->value[0] == changed->value[0] ||
			 (table == MODEL_UNIQUE && row->value[1] == changed->value[1])))
			return false;
	}
	return true;
}

static bool
insert_row(ModelTable table, ModelRows *rows, const Value *values)
{
	ModelRow *row = &rows->rows[rows->count];

	if (rows->count == MODEL_ROWS)
		return false;
	for (int k = 0; k < MODEL_COLUMNS; k++)
	{
		BUG_UNLESS(values[k].state == WIRE_COL_PRESENT);
		row->value[k] = number(&values[k]);
	}
	row->extra = MODEL_DEFAULT;
	rows->count++;
	return unique_kept(table, rows, row);
}

static bool
update_row(ModelTable table, ModelRows *rows, ModelRow *row,
		   const Value *values, bool with_key)
{
	if (row == NULL)
		return false;
	for (int k = with_key ? 0 : 1; k < MODEL_COLUMNS; k++)
	{
		if (values[k].state == WIRE_COL_PRESENT)
			row->value[k] = number(&values[k]);
	}
	return unique_kept(table, rows, row);
}

static bool
delete_row(ModelRows *rows, ModelRow *row)
{
	if (row == NULL)
		return false;
	*row = rows->rows[--rows->count];
	return true;
}

static bool
put_row(ModelTable table, ModelRows *rows, const Value *values)
{
	ModelRow *row = model_find(rows, number(&values[0]));

	return row == NULL ? insert_row(table, rows, values)
					   : update_row(table, rows, row, values, false);
}

bool
model_change(Model *model, ModelTable table, const Change *change)
{
	ModelRows *rows = &model->tables[table];
	const Value *key = change->old_values != NULL ? change->old_values
												  : change->new_values;
	ModelRow *row;

	if (change->kind == CHANGE_INSERT)
		return insert_row(table, rows, change->new_values);
	if (change->kind == CHANGE_PUT)
		return put_row(table, rows, change->new_values);
	row = table == MODEL_KEYLESS ? find_image(rows, key)
								 : model_find(rows, number(&key[0]));
	if (change->kind == CHANGE_DELETE)
		return delete_row(rows, row);
	if (change->kind == CHANGE_MAYBE_DELETE)
		return row == NULL || delete_row(rows, row);
	return update_row(table, rows, row, change->new_values, true);
}

/* Fisher and Yates. */
static void
shuffle(int *order, int count, unsigned *seed)
{
	for (int i = 0; i < count; i++)
		order[i] = i;
	for (int i = count - 1; i > 0; i--)
	{
		int k = rand_r(seed) % (i + 1);
		int swapped = order[i];

		order[i] = order[k];
		order[k] = swapped;
	}
}

/* Where the rows of the vector are, before any of them is changed. */
static bool
find_all(ModelRows *rows, const PlanVector *vector, int *where)
{
	for (int i = 0; i < vector->count; i++)
	{
		ModelRow *row = model_find(rows, number(&vector->ops[i]->key[0]));

		if (row == NULL)
			return false;
		where[i] = (int) (row - rows->rows);
	}
	return true;
}

static bool
delete_all(ModelRows *rows, const PlanVector *vector)
{
	int deleted = 0;

	for (int i = 0; i < vector->count; i++)
		deleted += delete_row(
			rows, model_find(rows, number(&vector->ops[i]->key[0])));
	return deleted == vector->count || vector->kind == PLAN_MAYBE_DELETE;
}

bool
model_vector(Model *model, const PlanVector *vector, unsigned *seed)
{
	ModelTable table = (ModelTable) vector->table->id;
	ModelRows *rows = &model->tables[table];
	int where[MODEL_ROWS];
	int order[MODEL_ROWS];

	if (vector->kind == PLAN_DELETE || vector->kind == PLAN_MAYBE_DELETE)
		return delete_all(rows, vector);
	if (vector->count > MODEL_ROWS)
		return false;
	if (vector->kind == PLAN_UPDATE && !find_all(rows, vector, where))
		return false;
	shuffle(order, vector->count, seed);
	for (int i = 0; i < vector->count; i++)
	{
		const Value *values = vector->ops[order[i]]->values;

		if (vector->kind == PLAN_PUT ? !put_row(table, rows, values)
			: vector->kind == PLAN_UPDATE
				? !update_row(table, rows, &rows->rows[where[order[i]]], values,
							  false)
				: !insert_row(table, rows, values))
			return false;
	}
	return true;
}

bool
model_commit(const Model *model)
{
	const ModelRows *children = &model->tables[MODEL_CHILD];
	ModelRows *parents = (ModelRows *) &model->tables[MODEL_UNIQUE];

	for (int i = 0; i < children->count; i++)
	{
		if (model_find(parents, children->rows[i].value[1]) == NULL)
			return false;
	}
	return true;
}

static int
compare_rows(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(ModelRow));
}

static void
sorted(const ModelRows *rows, bool extra, ModelRows *out)
{
	memcpy(out, rows, sizeof(*out));
	for (int i = 0; i < out->count; i++)
		out->rows[i].extra = extra ? out->rows[i].extra : 0;
	qsort(out->rows, (size_t) out->count, sizeof(out->rows[0]), compare_rows);
}

bool
model_equal(const Model *a, const Model *b, bool extra)
{
	ModelRows one;
	ModelRows two;

	for (int t = 0; t < MODEL_TABLES; t++)
	{
		sorted(&a->tables[t], extra, &one);
		sorted(&b->tables[t], extra, &two);
		if (one.count != two.count ||
			memcmp(one.rows, two.rows,
				   sizeof(one.rows[0]) * (size_t) one.count) != 0)
			return false;
	}
	return true;
}

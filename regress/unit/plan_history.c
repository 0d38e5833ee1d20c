/*
 * plan_history.c
 *		See plan_history.h.
 */
#include "plan_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEYS 24
#define VALUES 60
#define ROWS_MAX 20

static const Column key_columns[MODEL_COLUMNS] = {
	{ .name = "id", .flags = WIRE_COLUMN_KEY },
	{ .name = "a" },
	{ .name = "b" },
	{ .name = "big" },
};

static const Column keyless_columns[MODEL_COLUMNS] = {
	{ .name = "id" },
	{ .name = "a" },
	{ .name = "b" },
	{ .name = "big" },
};

static int
pick(History *h, int limit)
{
	return rand_r(&h->seed) % limit;
}

static Value *
row_values(History *h, const ModelRow *row)
{
	Value *values = ARENA_ARRAY(&h->arena, Value, MODEL_COLUMNS);

	for (int i = 0; i < MODEL_COLUMNS; i++)
	{
		values[i].data = arena_printf(&h->arena, "%d", row->value[i]);
		values[i].len = (uint32_t) strlen(values[i].data);
		values[i].state = WIRE_COL_PRESENT;
	}
	return values;
}

/* What the WAL says of the row before: nothing, its key, or all of it. */
static void
say_old(History *h, ModelTable table, Change *change, const ModelRow *old,
		const ModelRow *row)
{
	Value *values;

	if (table == MODEL_KEYLESS)
	{
		change->old_kind = WIRE_OLD_FULL;
		change->old_values = row_values(h, old);
		return;
	}
	if (row != NULL && row->value[0] == old->value[0] && pick(h, 8) > 0)
		return;
	values = row_values(h, old);
	for (int i = 1; i < MODEL_COLUMNS; i++)
		values[i] = (Value){ .state = WIRE_COL_ABSENT };
	change->old_kind = WIRE_OLD_KEY;
	change->old_values = values;
}

/* The same without a word on what was there; a new key is still an UPDATE's. */
static void
say_tolerant(History *h, Change *change, const ModelRow *row)
{
	if (change->kind == CHANGE_DELETE)
		change->kind = CHANGE_MAYBE_DELETE;
	else if (change->kind == CHANGE_INSERT || change->old_values == NULL)
	{
		change->kind = CHANGE_PUT;
		change->new_values = row_values(h, row);
	}
}

/* old, new: NULL where there is none. */
static void
emit(History *h, ModelTable table, const ModelRow *old, const ModelRow *row)
{
	Change *change = ARENA_NEW(&h->arena, Change);
	Value *values;

	change->kind = old == NULL	 ? CHANGE_INSERT
				   : row == NULL ? CHANGE_DELETE
								 : CHANGE_UPDATE;
	change->relation = &h->relations[table];
	if (old != NULL)
		say_old(h, table, change, old, row);
	if (row != NULL)
	{
		values = row_values(h, row);
		/* large and not touched */
		if (old != NULL && old->value[3] == row->value[3] &&
			table != MODEL_KEYLESS)
			values[3] = (Value){ .state = WIRE_COL_UNCHANGED };
		change->new_values = values;
	}
	if (table != MODEL_KEYLESS && pick(h, 8) == 0)
		say_tolerant(h, change, row);
	BUG_UNLESS(h->count < HISTORY_CHANGES);
	h->changes[h->count++] = (HistoryChange){ table, h->txn_count, change };
}

static bool
value_used(const ModelRows *rows, int column, int value)
{
	for (int i = 0; i < rows->count; i++)
	{
		if (rows->rows[i].value[column] == value)
			return true;
	}
	return false;
}

/* One that no row has; there are more of them than rows. */
static int
unused(History *h, const ModelRows *rows, int column, int limit)
{
	int value;

	do
		value = pick(h, limit);
	while (value_used(rows, column, value));
	return value;
}

static ModelRow *
some_row(History *h, ModelTable table)
{
	ModelRows *rows = &h->source.tables[table];

	return rows->count > 0 ? &rows->rows[pick(h, rows->count)] : NULL;
}

static void
set_row(History *h, ModelTable table, ModelRow *row, int column, int value)
{
	ModelRow old = *row;

	row->value[column] = value;
	emit(h, table, &old, row);
}

static void
insert(History *h, ModelTable table, int id)
{
	ModelRows *rows = &h->source.tables[table];
	ModelRow row = { .value = { id, pick(h, VALUES), pick(h, VALUES),
								pick(h, VALUES) } };

	if (table == MODEL_UNIQUE)
		row.value[1] = unused(h, rows, 1, VALUES);
	if (table == MODEL_CHILD)
	{
		const ModelRow *parent = some_row(h, MODEL_UNIQUE);

		if (parent == NULL)
			return;
		row.value[1] = parent->value[0];
	}
	rows->rows[rows->count++] = row;
	emit(h, table, NULL, &row);
}

static void
insert_any(History *h, ModelTable table)
{
	ModelRows *rows = &h->source.tables[table];

	if (rows->count >= ROWS_MAX)
		return;
	insert(h, table,
		   table == MODEL_KEYLESS ? pick(h, 3) : unused(h, rows, 0, KEYS));
}

static void
remove_row(History *h, ModelTable table, ModelRow *row)
{
	ModelRows *rows = &h->source.tables[table];

	emit(h, table, row, NULL);
	*row = rows->rows[--rows->count];
}

/* Before a parent goes, or as its key changes. */
static void
children_of(History *h, int parent, int becomes)
{
	ModelRows *children = &h->source.tables[MODEL_CHILD];

	for (int i = children->count - 1; i >= 0; i--)
	{
		if (children->rows[i].value[1] != parent)
			continue;
		if (becomes >= 0)
			set_row(h, MODEL_CHILD, &children->rows[i], 1, becomes);
		else
			remove_row(h, MODEL_CHILD, &children->rows[i]);
	}
}

static void
delete_any(History *h, ModelTable table, bool again)
{
	ModelRow *row = some_row(h, table);
	int id;

	if (row == NULL)
		return;
	id = row->value[0];
	if (table == MODEL_UNIQUE)
		children_of(h, id, -1);
	remove_row(h, table, row);
	if (again)
		insert(h, table, id);
}

static void
update_any(History *h, ModelTable table)
{
	ModelRow *row = some_row(h, table);
	ModelRow old;

	if (row == NULL)
		return;
	old = *row;
	if (table == MODEL_UNIQUE && pick(h, 3) == 0)
		row->value[1] = unused(h, &h->source.tables[table], 1, VALUES);
	row->value[2] = pick(h, VALUES);
	if (pick(h, 4) == 0)
		row->value[3] = pick(h, VALUES);
	emit(h, table, &old, row);
}

static void
move_key(History *h, ModelTable table, ModelRow *row, int id)
{
	int old = row->value[0];

	set_row(h, table, row, 0, id);
	if (table == MODEL_UNIQUE)
		children_of(h, old, id);
}

static void
rekey_any(History *h, ModelTable table)
{
	ModelRow *row = some_row(h, table);

	if (row != NULL)
		move_key(h, table, row, unused(h, &h->source.tables[table], 0, KEYS));
}

/* Two rows exchange their keys, or their unique values, by a third one. */
static void
exchange(History *h, ModelTable table, int column)
{
	ModelRow *one = some_row(h, table);
	ModelRow *two = some_row(h, table);
	int first;
	int second;
	int free_value;

	if (one == NULL || one == two)
		return;
	first = one->value[column];
	second = two->value[column];
	free_value = unused(h, &h->source.tables[table], column,
						column == 0 ? KEYS : VALUES);
	if (column == 0)
	{
		move_key(h, table, one, free_value);
		move_key(h, table, two, first);
		move_key(h, table, one, second);
		return;
	}
	set_row(h, table, one, column, free_value);
	set_row(h, table, two, column, first);
	set_row(h, table, one, column, second);
}

static void
any_change(History *h)
{
	ModelTable table = (ModelTable) pick(h, MODEL_TABLES);
	int what = pick(h, 100);

	if (what < 30)
		insert_any(h, table);
	else if (what < 70)
		update_any(h, table);
	else if (what < 84)
		delete_any(h, table, false);
	else if (what < 92)
		delete_any(h, table, table != MODEL_CHILD);
	else if (table == MODEL_KEYLESS)
		update_any(h, table);
	else if (what < 95)
		rekey_any(h, table);
	else if (what < 97)
		exchange(h, table, 0);
	else if (table == MODEL_UNIQUE)
		exchange(h, table, 1);
}

void
history_init(History *h, unsigned seed)
{
	memset(h, 0, sizeof(*h));
	arena_init(&h->arena);
	h->seed = seed;
	for (int t = 0; t < MODEL_TABLES; t++)
	{
		Relation *relation = &h->relations[t];

		relation->schema = "public";
		relation->name = "model";
		relation->identity = t == MODEL_KEYLESS ? 'f' : 'd';
		relation->column_count = MODEL_COLUMNS;
		relation->key_count = t == MODEL_KEYLESS ? 0 : 1;
		relation->columns = t == MODEL_KEYLESS ? keyless_columns : key_columns;
	}
	for (int i = 0; i < 40; i++)
		insert_any(h, (ModelTable) (i % MODEL_TABLES));
}

void
history_release(History *h)
{
	arena_release(&h->arena);
}

void
history_batch(History *h, int txns)
{
	arena_release(&h->arena);
	h->count = 0;
	h->txn_count = 0;
	while (h->txn_count < txns && h->count < HISTORY_CHANGES / 2)
	{
		int changes = 1 + pick(h, 6);

		for (int i = 0; i < changes; i++)
			any_change(h);
		h->txn_count++;
	}
}

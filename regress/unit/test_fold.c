/*
 * test_fold.c
 *		The table of folds against a table of one row.
 *
 * Every sequence of changes up to a length, on a table whose one row may be there
 * or not when it begins, in a table that has the mapped columns only and in one
 * that has one more: what the plan comes to must be what the changes come to one
 * after the other.  Where one of them cannot be, the plan must be refused, too;
 * the one exception is an INSERT of a row that is there, if the row goes again:
 * both come to nothing then, and who else touched it is proven by itself.
 */
#include "base/mem.h"
#include "plan_fixture.h"
#include "tap.h"

#define LENGTH 6
#define KINDS 5

/* The row; what is not there has no values. */
typedef struct Row
{
	bool there;
	char a;
	char b;
	char extra; /* the target's own column: 'd' in a new row */
} Row;

static const ChangeKind kinds[KINDS] = { CHANGE_INSERT, CHANGE_UPDATE,
										 CHANGE_DELETE, CHANGE_PUT,
										 CHANGE_MAYBE_DELETE };
static const char letters[] = "IUDPM";

static Fixture f;
static Planner *planner;

static void
set(Row *row, const Value *values)
{
	if (!row->there)
		row->extra = 'd';
	row->there = true;
	if (values[1].state == WIRE_COL_PRESENT)
		row->a = values[1].data[0];
	if (values[2].state == WIRE_COL_PRESENT)
		row->b = values[2].data[0];
}

/* One statement; false: the target refuses it. */
static bool
execute(Row *row, PlanKind kind, const Value *values)
{
	switch (kind)
	{
		case PLAN_INSERT:
			if (row->there)
				return false;
			set(row, values);
			return true;
		case PLAN_UPDATE:
			if (!row->there)
				return false;
			set(row, values);
			return true;
		case PLAN_PUT:
			set(row, values);
			return true;
		case PLAN_DELETE:
		case PLAN_MAYBE_DELETE:
			if (kind == PLAN_DELETE && !row->there)
				return false;
			memset(row, 0, sizeof(*row));
			return true;
		default:
			BUG("no statement is of kind %d", (int) kind);
	}
}

/* An UPDATE says one of the two values, and not always the same. */
static const Change *
make_change(int kind, int position)
{
	char a[2] = { (char) ('a' + position), '\0' };
	char b[2] = { (char) ('A' + position), '\0' };

	switch (kinds[kind])
	{
		case CHANGE_INSERT:
			return fixture_insert(&f, "1", a, b, "x");
		case CHANGE_UPDATE:
			return position % 2 == 0 ? fixture_update(&f, "1", a, "-", "x")
									 : fixture_update(&f, "1", "-", b, "x");
		case CHANGE_PUT:
			return fixture_put(&f, "1", a, b, "x");
		case CHANGE_DELETE:
			return fixture_delete(&f, "1");
		default:
			return fixture_maybe_delete(&f, "1");
	}
}

/* How many of them can be. */
static int
in_order(Row *row, const Change *const *changes, int count)
{
	static const PlanKind statements[] = {
		[CHANGE_INSERT] = PLAN_INSERT,
		[CHANGE_UPDATE] = PLAN_UPDATE,
		[CHANGE_DELETE] = PLAN_DELETE,
		[CHANGE_PUT] = PLAN_PUT,
		[CHANGE_MAYBE_DELETE] = PLAN_MAYBE_DELETE,
	};

	for (int i = 0; i < count; i++)
	{
		if (!execute(row, statements[changes[i]->kind], changes[i]->new_values))
			return i;
	}
	return count;
}

/* Is it an INSERT, and does the row go behind it? */
static bool
comes_to_nothing(const Change *const *changes, int count)
{
	bool goes = false;

	for (int i = 1; i < count; i++)
		goes |= changes[i]->kind == CHANGE_DELETE ||
				changes[i]->kind == CHANGE_MAYBE_DELETE;
	return changes[0]->kind == CHANGE_INSERT && goes;
}

/* Only what the vector's columns say is set. */
static bool
planned(Row *row, const Change *const *changes, int count)
{
	const Plan *plan;
	bool ok = true;

	planner_reset(planner);
	for (int i = 0; i < count; i++)
		planner_add(planner, &f.table, &f.txn, changes[i]);
	plan = planner_finish(planner);
	for (int i = 0; ok && i < plan->count; i++)
	{
		const PlanVector *vector = &plan->steps[i].vector;
		Value values[FIXTURE_COLUMNS] = { { .state = WIRE_COL_ABSENT } };

		BUG_UNLESS(plan->steps[i].kind == PLAN_STEP_VECTOR);
		BUG_UNLESS(vector->count == 1);
		for (int k = 0; k < FIXTURE_COLUMNS; k++)
		{
			values[k].state = WIRE_COL_ABSENT;
			if (plan_column_in(vector->columns, k))
				values[k] = vector->ops[0]->values[k];
		}
		ok = execute(row, vector->kind, values);
	}
	return ok;
}

static bool
same(const Row *x, const Row *y)
{
	return x->there == y->there &&
		   (!x->there || (x->a == y->a && x->b == y->b &&
						  (x->extra == y->extra || f.table.exact)));
}

/* Of those that are refused in order: how many the plan lets through. */
static int let_through;

static bool
agrees(bool there, const Change *const *changes, int count)
{
	const Row before = there ? (Row){ true, 'y', 'Y', 'e' } : (Row){ false };
	Row one = before;
	Row two = before;
	int done = in_order(&one, changes, count);
	bool done_planned = planned(&two, changes, count);

	if (done == count)
		return done_planned && same(&one, &two);
	if (!done_planned)
		return true;
	let_through++;
	return comes_to_nothing(changes + done, count - done);
}

static int
test_length(int length)
{
	const Change *changes[LENGTH];
	char text[LENGTH + 1] = "";
	int sequences = 1;
	int wrong = 0;

	for (int i = 0; i < length; i++)
		sequences *= KINDS;
	for (int n = 0; n < sequences; n++)
	{
		for (int i = 0, rest = n; i < length; i++, rest /= KINDS)
		{
			changes[i] = make_change(rest % KINDS, i);
			text[i] = letters[rest % KINDS];
		}
		for (int there = 0; there < 2; there++)
		{
			if (agrees(there, changes, length))
				continue;
			if (wrong++ < 10)
				printf("# %s on a row that is %sthere\n", text,
					   there ? "" : "not ");
		}
		arena_reset(&f.arena);
	}
	return wrong;
}

int
main(void)
{
	fixture_init(&f, 0);
	planner = planner_new();
	for (int exact = 0; exact < 2; exact++)
	{
		f.table.exact = exact;
		for (int length = 1; length <= LENGTH; length++)
			ok(test_length(length) == 0,
			   "%d changes, in a table with %s columns", length,
			   exact ? "the same" : "other");
	}
	ok(let_through > 0, "%d that come to nothing are not refused", let_through);
	planner_free(planner);
	fixture_release(&f);
	return done_testing();
}

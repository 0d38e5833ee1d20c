/*
 * test_planner.c
 *		Every row of the table of folds, and every barrier.
 *
 * A plan is compared as text: "DELETE(1) UPDATE[ab](2:x,y) INSERT[...](...)",
 * single rows as "row UPDATE(1>2)", events as "event".
 */
#include "plan/planner.h"

#include "base/buffer.h"
#include "plan_fixture.h"
#include "tap.h"

static void
put_value(Buffer *out, const Value *value)
{
	if (value->state == WIRE_COL_NULL)
		buffer_putc(out, '~');
	else if (value->state == WIRE_COL_PRESENT)
		buffer_append(out, value->data, value->len);
	else
		buffer_putc(out, '-');
}

static void
put_vector(Buffer *out, const PlanVector *vector)
{
	static const char letters[] = "iabB";
	static const char *const verbs[] = {
		[PLAN_INSERT] = "INSERT",	   [PLAN_UPDATE] = "UPDATE",
		[PLAN_DELETE] = "DELETE",	   [PLAN_PUT] = "PUT",
		[PLAN_MAYBE_DELETE] = "MAYBE",
	};
	bool rows_differ = vector->kind != PLAN_DELETE &&
					   vector->kind != PLAN_MAYBE_DELETE;
	bool by_key = vector->kind != PLAN_INSERT && vector->kind != PLAN_PUT;

	buffer_puts(out, verbs[vector->kind]);
	if (rows_differ)
	{
		buffer_putc(out, '[');
		for (int i = 0; i < FIXTURE_COLUMNS; i++)
		{
			if (plan_column_in(vector->columns, i))
				buffer_putc(out, letters[i]);
		}
		buffer_putc(out, ']');
	}
	for (int r = 0; r < vector->count; r++)
	{
		const PlanOp *op = vector->ops[r];
		const char *comma = "";

		buffer_putc(out, '(');
		if (by_key)
		{
			put_value(out, &op->key[0]);
			comma = ":";
		}
		for (int i = 0; rows_differ && i < FIXTURE_COLUMNS; i++)
		{
			if (!plan_column_in(vector->columns, i))
				continue;
			buffer_puts(out, comma);
			put_value(out, &op->values[i]);
			comma = ",";
		}
		buffer_putc(out, ')');
	}
}

static void
put_row(Buffer *out, const Change *change)
{
	static const char *const verbs[] = {
		[CHANGE_INSERT] = "INSERT", [CHANGE_UPDATE] = "UPDATE",
		[CHANGE_DELETE] = "DELETE", [CHANGE_PUT] = "PUT",
		[CHANGE_MATCH] = "MATCH",	[CHANGE_MAYBE_DELETE] = "MAYBE",
	};

	buffer_printf(out, "row %s(", verbs[change->kind]);
	if (change->old_values != NULL)
		put_value(out, &change->old_values[0]);
	if (change->kind == CHANGE_UPDATE)
		buffer_putc(out, '>');
	if (change->new_values != NULL)
		put_value(out, &change->new_values[0]);
	buffer_putc(out, ')');
}

static void
put_plan(Buffer *out, const Plan *plan, bool tables)
{
	buffer_reset(out);
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (i > 0)
			buffer_putc(out, ' ');
		if (step->kind == PLAN_STEP_EVENT)
		{
			buffer_puts(out, "event");
			continue;
		}
		if (step->kind == PLAN_STEP_RELATION)
		{
			buffer_printf(out, "storage %u", step->relation->storage);
			continue;
		}
		if (tables)
			buffer_printf(out, "%u.",
						  step->kind == PLAN_STEP_ROW ? step->table->id
													  : step->vector.table->id);
		if (step->kind == PLAN_STEP_VECTOR)
			put_vector(out, &step->vector);
		else
			put_row(out, step->change);
	}
}

static Fixture f;
static Planner *planner;

static void
add(const Change *change)
{
	planner_add(planner, &f.table, &f.txn, change);
}

static void
comes_to(const char *want, const char *what)
{
	Buffer text;

	buffer_init(&text);
	put_plan(&text, planner_finish(planner), false);
	is_str(text.data, want, what);
	buffer_release(&text);
	planner_reset(planner);
}

#define I(...) add(fixture_insert(&f, __VA_ARGS__))
#define U(...) add(fixture_update(&f, __VA_ARGS__))
#define K(...) add(fixture_rekey(&f, __VA_ARGS__))
#define D(id) add(fixture_delete(&f, id))
#define P(...) add(fixture_put(&f, __VA_ARGS__))
#define M(id) add(fixture_maybe_delete(&f, id))

static void
test_folds(void)
{
	I("1", "x", "y", "long");
	U("1", "x2", "~", "-");
	comes_to("INSERT[iabB](1,x2,~,long)",
			 "insert + update: insert of the merged row");

	U("1", "x", "y", "long");
	U("1", "x2", "y", "-");
	comes_to("UPDATE[abB](1:x2,y,long)",
			 "update + update: what did not change keeps what is known");
	U("1", "x", "y", "-");
	U("1", "x2", "y", "-");
	comes_to("UPDATE[ab](1:x2,y)", "... or stays as it is");
	U("1", "x", "y", "-");
	U("1", "x2", "y", "long");
	U("1", "x3", "~", "-");
	comes_to("UPDATE[abB](1:x3,~,long)", "... whenever it was said");

	I("1", "x", "y", "long");
	D("1");
	comes_to("", "insert + delete: nothing");
	U("1", "x", "y", "long");
	D("1");
	comes_to("DELETE(1)", "update + delete: delete");

	D("1");
	I("1", "x", "y", "long");
	comes_to("UPDATE[abB](1:x,y,long)",
			 "delete + insert: update of every column");
	D("1");
	I("1", "x", "~", "long");
	U("1", "x2", "~", "-");
	comes_to("UPDATE[abB](1:x2,~,long)", "... and what follows");
	D("1");
	I("1", "x", "y", "long");
	D("1");
	comes_to("DELETE(1)", "delete + insert + delete: delete");
	I("1", "x", "y", "long");
	D("1");
	I("1", "z", "y", "long");
	comes_to("INSERT[iabB](1,z,y,long)", "nothing + insert: insert");
}

/* Each fold is in test_fold.c; here, what values and vectors come to. */
static void
test_tolerant(void)
{
	PlanStats stats;

	P("1", "x", "~", "long");
	M("2");
	comes_to("MAYBE(2) PUT[iabB](1,x,~,long)", "vectors of their own");
	M("1");
	P("1", "x", "y", "long");
	U("1", "x2", "~", "-");
	comes_to("PUT[iabB](1,x2,~,long)", "put + update: put of the merged row");
	P("1", "x", "y", "long");
	D("1");
	comes_to("MAYBE(1)", "put + delete: it may have been there before");
	U("1", "x", "y", "-");
	P("1", "z", "y", "long");
	comes_to("UPDATE[abB](1:z,y,long)", "update + put: update of every column");
	I("1", "x", "y", "long");
	P("1", "z", "y", "long2");
	comes_to("INSERT[iabB](1,z,y,long2)", "insert + put: the insert");
	P("1", "x", "y", "long");
	I("1", "z", "y", "long");
	comes_to("PUT[iabB](1,x,y,long) INSERT[iabB](1,z,y,long)",
			 "inserted though it was put: the target will say so");
	f.table.exact = false;
	M("1");
	I("1", "x", "y", "long");
	U("1", "x2", "y", "-");
	P("2", "x", "y", "long");
	comes_to("MAYBE(1) PUT[iabB](2,x,y,long) INSERT[iabB](1,x2,y,long)",
			 "maybe-delete + insert, other columns there: both");
	f.table.exact = true;
	P("1", "x", "y", "long");
	M("1");
	M("1");
	stats = planner_finish(planner)->stats;
	is_int(stats.tolerant, 2, "counted");
	planner_reset(planner);
}

static void
test_barriers(void)
{
	static const int match[] = { 1 };
	static const ChangeManner keeping = { .conflict = CONFLICT_KEEP };
	static const ChangeManner refusing = { .conflict = CONFLICT_REFUSED };
	static const ChangeManner matching = { .match = match, .match_count = 1 };
	Fixture other;
	Change *change;
	const Plan *plan;
	Buffer text;

	fixture_init(&other, 5);
	buffer_init(&text);
	planner_add(planner, &other.table, &f.txn,
				fixture_insert(&other, "1", "x", "y", "long"));
	change = fixture_update(&f, "7", "x", "y", "-");
	change->kind = CHANGE_MATCH;
	change->manner = &matching;
	add(change);
	planner_add(planner, &other.table, &f.txn, fixture_delete(&other, "1"));
	change = fixture_insert(&f, "8", "x", "y", "long");
	change->manner = &keeping;
	add(change);
	change = fixture_insert(&f, "9", "x", "y", "long");
	change->manner = &refusing;
	add(change);
	plan = planner_finish(planner);
	put_plan(&text, plan, true);
	is_str(text.data,
		   "5.INSERT[iabB](1,x,y,long) 0.row MATCH(7) 5.DELETE(1) "
		   "0.row INSERT(8) 0.INSERT[iabB](9,x,y,long)",
		   "what means other rows is a barrier of all tables");
	is_int(plan->stats.events, 2, "counted");
	planner_reset(planner);
	buffer_release(&text);
	fixture_release(&other);
}

/*
 * A column that only the target has would keep the value that the deleted row
 * had: nobody would see it in any count.
 */
static void
test_extra_columns(void)
{
	f.table.exact = false;
	D("1");
	I("1", "x", "y", "long");
	comes_to("DELETE(1) INSERT[iabB](1,x,y,long)",
			 "delete + insert, other columns there: both");
	D("1");
	I("1", "x", "y", "long");
	U("1", "x2", "y", "-");
	I("2", "x", "y", "long");
	comes_to("DELETE(1) INSERT[iabB](1,x2,y,long)(2,x,y,long)",
			 "... and what follows");
	D("1");
	I("1", "x", "y", "long");
	D("1");
	comes_to("DELETE(1)", "... delete");
	f.table.exact = true;
}

/*
 * The row of key 1 goes to 2 and another one comes to 1: grouped around the
 * move, every UPDATE would affect one row, and the wrong one.
 */
static void
test_key_changes(void)
{
	PlanStats stats;

	U("1", "mine", "y", "-");
	K("1", "2", "mine", "y", "-");
	I("1", "other", "y", "long");
	U("2", "moved", "y", "-");
	U("1", "other2", "y", "-");
	comes_to("UPDATE[ab](1:mine,y) row UPDATE(1>2) UPDATE[ab](2:moved,y) "
			 "INSERT[iabB](1,other2,y,long)",
			 "a changed key stands between what was before and what comes");
	K("1", "0", "a", "b", "-");
	K("2", "1", "a", "b", "-");
	K("0", "2", "a", "b", "-");
	comes_to("row UPDATE(1>0) row UPDATE(2>1) row UPDATE(0>2)",
			 "keys that are exchanged keep their order");
	K("1", "1", "x", "y", "-");
	U("1", "x2", "y", "-");
	comes_to("UPDATE[ab](1:x2,y)", "a key that is said twice is no change");
	K("1", "-", "x", "y", "-");
	U("1", "x2", "y", "-");
	comes_to("UPDATE[ab](1:x2,y)", "nor is one too large to be repeated");
	K("1", "2", "a", "b", "-");
	stats = planner_finish(planner)->stats;
	is_int(stats.key_changes, 1, "counted");
	is_int(stats.single_rows, 1, "as a row of its own");
	planner_reset(planner);
}

static void
test_full_identity(void)
{
	const Value *old = fixture_row(&f.arena, "1", "x", "y", "long");

	add(fixture_change(&f, CHANGE_UPDATE, WIRE_OLD_FULL, old,
					   fixture_row(&f.arena, "1", "x2", "y", "-")));
	add(fixture_change(&f, CHANGE_DELETE, WIRE_OLD_FULL, old, NULL));
	comes_to("DELETE(1)", "whole old rows: found by their key");
	add(fixture_change(&f, CHANGE_UPDATE, WIRE_OLD_FULL, old,
					   fixture_row(&f.arena, "2", "x2", "y", "-")));
	comes_to("row UPDATE(1>2)", "whole old rows: a changed key is a barrier");
}

static void
test_misfits(void)
{
	I("1", "x", "y", "long");
	I("1", "z", "y", "long");
	comes_to("INSERT[iabB](1,x,y,long) INSERT[iabB](1,z,y,long)",
			 "inserted twice: the target will say so");
	U("1", "x", "y", "-");
	I("1", "z", "y", "long");
	comes_to("UPDATE[ab](1:x,y) INSERT[iabB](1,z,y,long)",
			 "inserted though it is there");
	D("1");
	D("1");
	comes_to("DELETE(1) DELETE(1)", "deleted twice");
	D("1");
	U("1", "x", "y", "-");
	comes_to("DELETE(1) UPDATE[ab](1:x,y)", "updated after it was deleted");
	I("1", "x", "y", "long");
	D("1");
	U("1", "x", "y", "-");
	comes_to("UPDATE[ab](1:x,y)", "updated after it came to nothing");
	I("1", "x", "y", "long");
	D("1");
	D("1");
	comes_to("DELETE(1)", "deleted after it came to nothing");
}

static void
test_vectors(void)
{
	U("1", "x", "y", "-");
	U("2", "x", "y", "long");
	D("3");
	U("4", "~", "y", "-");
	I("5", "x", "y", "long");
	D("6");
	comes_to("DELETE(3)(6) UPDATE[ab](1:x,y)(4:~,y) UPDATE[abB](2:x,y,long) "
			 "INSERT[iabB](5,x,y,long)",
			 "grouped by operation and columns, deletes first");
	U("1", "-", "-", "-");
	comes_to("UPDATE[](1)", "nothing to set: the row has to be there");
	f.columns[2].flags = WIRE_COLUMN_GENERATED;
	U("1", "x", "y", "-");
	I("2", "x", "y", "long");
	comes_to("UPDATE[a](1:x) INSERT[iaB](2,x,long)",
			 "what the target computes is not set");
	f.table.generated = true;
	U("1", "x", "y", "-");
	comes_to("UPDATE[ab](1:x,y)", "... unless it takes the source's value");
	f.table.generated = false;
	f.columns[2].flags = 0;
}

static void
test_unkeyed(void)
{
	f.table.keyed = false;
	I("1", "x", "y", "long");
	I("1", "x", "y", "long");
	D("1");
	I("2", "x", "y", "long");
	U("2", "x", "z", "-");
	comes_to("INSERT[iabB](1,x,y,long)(1,x,y,long) row DELETE(1) "
			 "INSERT[iabB](2,x,y,long) row UPDATE(>2)",
			 "no key: inserts together, the rest in its place");
	f.table.keyed = true;
	planner_in_order(planner, &f.table);
	I("1", "x", "y", "long");
	U("1", "x", "z", "-");
	comes_to("row INSERT(1) row UPDATE(>1)", "in order: row by row");
	I("1", "x", "y", "long");
	comes_to("INSERT[iabB](1,x,y,long)", "... as long as that plan");
	U("~", "x", "y", "-");
	comes_to("row UPDATE(>~)", "a key that is null finds nothing");
}

static void
test_events(void)
{
	Event event = { .kind = EVENT_CHANGE };

	event.change.kind = CHANGE_TRUNCATE;
	I("1", "x", "y", "long");
	planner_event(planner, &f.txn, &event);
	I("1", "x", "y", "long");
	D("1");
	comes_to("INSERT[iabB](1,x,y,long) event",
			 "nothing is folded over an event");
}

static void
test_relations(void)
{
	Event event = { .kind = EVENT_CHANGE };
	Relation first = f.relation;
	Relation second = f.relation;

	event.change.kind = CHANGE_TRUNCATE;
	first.storage = 1;
	second.storage = 2;
	I("1", "x", "y", "long");
	planner_relation(planner, &f.table, &first);
	U("1", "x2", "y", "-");
	planner_relation(planner, &f.table, &first);
	I("2", "x", "y", "long");
	comes_to("storage 1 INSERT[iabB](1,x2,y,long)(2,x,y,long)",
			 "another storage is noted once, and is no barrier");
	planner_relation(planner, &f.table, &first);
	planner_event(planner, &f.txn, &event);
	planner_relation(planner, &f.table, &second);
	I("1", "x", "y", "long");
	planner_relation(planner, &f.table, &second);
	comes_to("storage 1 event storage 2 INSERT[iabB](1,x,y,long)",
			 "each in its order");
}

static void
test_tables(void)
{
	Fixture other;
	Relation again = f.relation;
	PlanTable anew = f.table;
	Event event = { .kind = EVENT_MESSAGE };
	Buffer text;

	fixture_init(&other, 5);
	buffer_init(&text);
	I("1", "x", "y", "long");
	planner_add(planner, &other.table, &f.txn,
				fixture_insert(&other, "1", "x", "y", "long"));
	D("2");
	planner_add(planner, &other.table, &f.txn, fixture_delete(&other, "2"));
	planner_add(planner, &other.table, &f.txn,
				fixture_rekey(&other, "3", "4", "x", "y", "-"));
	D("3");
	put_plan(&text, planner_finish(planner), true);
	is_str(text.data,
		   "5.DELETE(2) 5.INSERT[iabB](1,x,y,long) 5.row UPDATE(3>4) "
		   "0.DELETE(2)(3) 0.INSERT[iabB](1,x,y,long)",
		   "a key change is a barrier of its table only");
	planner_reset(planner);

	I("1", "x", "y", "long");
	planner_add(planner, &other.table, &f.txn,
				fixture_insert(&other, "1", "x", "y", "long"));
	planner_event(planner, &f.txn, &event);
	D("1");
	planner_add(planner, &other.table, &f.txn, fixture_delete(&other, "1"));
	put_plan(&text, planner_finish(planner), true);
	is_str(text.data,
		   "0.INSERT[iabB](1,x,y,long) 5.INSERT[iabB](1,x,y,long) event "
		   "0.DELETE(1) 5.DELETE(1)",
		   "an event is one of all tables");
	planner_reset(planner);

	anew.relation = &again;
	I("1", "x", "y", "long");
	planner_add(planner, &anew, &f.txn, fixture_delete(&f, "1"));
	comes_to("INSERT[iabB](1,x,y,long) DELETE(1)",
			 "so is a table that is announced anew");
	buffer_release(&text);
	fixture_release(&other);
}

/* Keys of several columns, and columns that run into each other. */
static void
test_wide_keys(void)
{
	f.columns[1].flags = WIRE_COLUMN_KEY;
	f.relation.key_count = 2;
	U("1", "23", "x", "-");
	U("12", "3", "y", "-");
	U("1", "23", "z", "-");
	comes_to("UPDATE[b](1:z)(12:y)", "(1, 23) is not (12, 3)");
	f.columns[1].flags = 0;
	f.relation.key_count = 1;
}

/* More column sets than there may be vectors of many rows. */
static void
test_many_sets(void)
{
	enum
	{
		COLUMNS = 80
	};
	Column columns[COLUMNS] = { { .flags = WIRE_COLUMN_KEY } };
	Relation relation = f.relation;
	PlanTable table = f.table;
	const Plan *plan;
	int rows = 0;

	relation.column_count = COLUMNS;
	relation.columns = columns;
	table.relation = &relation;
	table.id = 3;
	for (int i = 0; i < 2 * (COLUMNS - 1); i++)
	{
		Value *row = ARENA_ARRAY(&f.arena, Value, COLUMNS);
		Change *change;

		for (int k = 0; k < COLUMNS; k++)
			row[k].state = WIRE_COL_UNCHANGED;
		row[0] = fixture_value(&f.arena, arena_printf(&f.arena, "%d", i));
		row[1 + i % (COLUMNS - 1)] = fixture_value(&f.arena, "x");
		change = fixture_change(&f, CHANGE_UPDATE, WIRE_OLD_NONE, NULL, row);
		change->relation = &relation;
		planner_add(planner, &table, &f.txn, change);
	}
	plan = planner_finish(planner);
	for (int i = 0; i < plan->count; i++)
		rows += plan->steps[i].vector.count;
	is_int(rows, 2 * (COLUMNS - 1), "many sets of columns: every row is there");
	is_int(plan->count, 64 + 2 * (COLUMNS - 1 - 64),
		   "the first sets are vectors of two, the rest of one");
	planner_reset(planner);
}

int
main(void)
{
	fixture_init(&f, 0);
	planner = planner_new();
	test_folds();
	test_tolerant();
	test_barriers();
	test_extra_columns();
	test_key_changes();
	test_full_identity();
	test_misfits();
	test_vectors();
	test_unkeyed();
	test_events();
	test_relations();
	test_tables();
	test_wide_keys();
	test_many_sets();
	planner_free(planner);
	fixture_release(&f);
	return done_testing();
}

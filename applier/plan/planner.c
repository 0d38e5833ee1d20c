/*
 * planner.c
 *		See planner.h.
 *
 * Each table has a generation: the operations since its last barrier, in the
 * order in which their rows were first mentioned.  A barrier of the table turns
 * them into vectors and begins the next one.
 *
 * Invariants: op->in_map iff the key map finds it, which it does only in its
 * table's current generation; an operation that is not in the map is an INSERT.
 */
#include "plan/planner.h"

#include <string.h>

#include "base/mem.h"
#include "plan/fold.h"
#include "plan/key_map.h"
#include "plan/plan_check.h"
#include "plan/vector.h"

/* The open generation of one table. */
typedef struct TableState
{
	const PlanTable *table; /* NULL: not in this plan */
	const Relation *noted;	/* the last one that is to be noted, or NULL */
	bool in_order;
	uint64_t generation;
	PlanOp *first;
	PlanOp *last;
} TableState;

struct Planner
{
	Arena arena; /* of the plan */
	KeyMap keys;
	KeyMap check;		/* of the assertion */
	TableState *states; /* by the tables' ids */
	size_t state_capacity;
	uint32_t *touched; /* ids of the tables in this plan */
	int touched_count;
	int touched_capacity;
	uint64_t generations;
	PlanStep *steps;
	int step_count;
	int step_capacity;
	bool serial;
	bool finished;
	Plan plan;
};

Planner *
planner_new(void)
{
	Planner *planner = mem_zalloc(sizeof(*planner));

	arena_init(&planner->arena);
	key_map_init(&planner->keys);
	key_map_init(&planner->check);
	return planner;
}

void
planner_free(Planner *planner)
{
	if (planner == NULL)
		return;
	arena_release(&planner->arena);
	key_map_release(&planner->keys);
	key_map_release(&planner->check);
	mem_free(planner->states);
	mem_free(planner->touched);
	mem_free(planner->steps);
	mem_free(planner);
}

void
planner_reset(Planner *planner)
{
	arena_reset(&planner->arena);
	key_map_reset(&planner->keys);
	for (int i = 0; i < planner->touched_count; i++)
		planner->states[planner->touched[i]].table = NULL;
	planner->touched_count = 0;
	planner->step_count = 0;
	planner->serial = false;
	planner->finished = false;
	memset(&planner->plan, 0, sizeof(planner->plan));
}

void
planner_serial(Planner *planner)
{
	planner->serial = true;
}

Arena *
planner_arena(Planner *planner)
{
	return &planner->arena;
}

static PlanStep *
add_step(Planner *planner, PlanStepKind kind)
{
	PlanStep *step;

	planner->steps = mem_room(planner->steps, planner->step_count,
							  &planner->step_capacity, sizeof(*planner->steps));
	step = &planner->steps[planner->step_count++];
	memset(step, 0, sizeof(*step));
	step->kind = kind;
	return step;
}

/* What the open generation has of one kind. */
static void
flush_kind(Planner *planner, const TableState *state, PlanKind kind)
{
	VectorList list;

	vectors_of(state->first, kind, &planner->arena, &list);
	for (int i = 0; i < list.count; i++)
		add_step(planner, PLAN_STEP_VECTOR)->vector = list.vectors[i];
}

static void
begin_generation(Planner *planner, TableState *state)
{
	state->generation = ++planner->generations;
	state->first = NULL;
	state->last = NULL;
}

/*
 * Deletes make room for what comes: an updated row may take a unique value of a
 * deleted one, and an inserted row that of either.
 */
static void
flush_known(Planner *planner, const TableState *state)
{
	flush_kind(planner, state, PLAN_DELETE);
	flush_kind(planner, state, PLAN_MAYBE_DELETE);
	flush_kind(planner, state, PLAN_UPDATE);
	flush_kind(planner, state, PLAN_PUT);
}

static void
flush_table(Planner *planner, TableState *state)
{
	flush_known(planner, state);
	flush_kind(planner, state, PLAN_INSERT);
	begin_generation(planner, state);
}

/*
 * The INSERTs of all tables come last, so that a target that writes them in
 * another mode of its protocol changes it once.
 */
static void
flush_all(Planner *planner)
{
	for (int i = 0; i < planner->touched_count; i++)
		flush_known(planner, &planner->states[planner->touched[i]]);
	for (int i = 0; i < planner->touched_count; i++)
	{
		TableState *state = &planner->states[planner->touched[i]];

		flush_kind(planner, state, PLAN_INSERT);
		begin_generation(planner, state);
	}
}

static void
reserve_state(Planner *planner, uint32_t id)
{
	size_t capacity = planner->state_capacity;

	if (id >= capacity)
	{
		capacity = ((size_t) id + 1) * 2;
		planner->states = mem_realloc(planner->states,
									  capacity * sizeof(*planner->states));
		memset(planner->states + planner->state_capacity, 0,
			   (capacity - planner->state_capacity) * sizeof(*planner->states));
		planner->state_capacity = capacity;
	}
	planner->touched = mem_room(planner->touched, planner->touched_count,
								&planner->touched_capacity,
								sizeof(*planner->touched));
}

/* A table that was announced anew has other columns to be found by. */
static TableState *
state_for(Planner *planner, const PlanTable *table)
{
	TableState *state;

	if (table->id >= planner->state_capacity ||
		planner->states[table->id].table == NULL)
	{
		reserve_state(planner, table->id);
		planner->touched[planner->touched_count++] = table->id;
		begin_generation(planner, &planner->states[table->id]);
		planner->states[table->id].table = table;
		planner->states[table->id].noted = NULL;
		planner->states[table->id].in_order = false;
	}
	state = &planner->states[table->id];
	if (state->table != table)
	{
		flush_table(planner, state);
		state->table = table;
	}
	return state;
}

static PlanOp *
add_op(Planner *planner, TableState *state, const Txn *txn,
	   const Change *change)
{
	PlanOp *op = ARENA_NEW(&planner->arena, PlanOp);

	op->table = state->table;
	op->generation = state->generation;
	fold_first(op, txn, change);
	if (state->last != NULL)
		state->last->next = op;
	else
		state->first = op;
	state->last = op;
	planner->plan.stats.vector_rows++;
	return op;
}

static void
add_row_step(Planner *planner, const TableState *state, const Txn *txn,
			 const Change *change)
{
	PlanStep *step = add_step(planner, PLAN_STEP_ROW);

	step->table = state->table;
	step->txn = txn;
	step->change = change;
	planner->plan.stats.single_rows++;
}

/* The change keeps its place: what came before is written before it. */
static void
add_single(Planner *planner, TableState *state, const Txn *txn,
		   const Change *change)
{
	flush_table(planner, state);
	add_row_step(planner, state, txn, change);
}

/* The same in all tables: they may be one on the target, or be looked at. */
static void
add_barrier(Planner *planner, TableState *state, const Txn *txn,
			const Change *change)
{
	flush_all(planner);
	add_row_step(planner, state, txn, change);
	planner->plan.stats.events++;
}

static bool
key_known(const Relation *relation, const Value *values)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		if ((relation->columns[i].flags & WIRE_COLUMN_KEY) != 0 &&
			values[i].state != WIRE_COL_PRESENT)
			return false;
	}
	return true;
}

/* The old key is sent where it changed, and where it is too large to tell. */
static bool
key_changes(const Change *change)
{
	const Relation *relation = change->relation;

	if (change->kind != CHANGE_UPDATE || change->old_values == NULL)
		return false;
	for (int i = 0; i < relation->column_count; i++)
	{
		const Value *old = &change->old_values[i];
		const Value *new = &change->new_values[i];

		if ((relation->columns[i].flags & WIRE_COLUMN_KEY) == 0 ||
			new->state == WIRE_COL_UNCHANGED)
			continue;
		if (new->state != old->state || new->len != old->len ||
			memcmp(new->data, old->data, new->len) != 0)
			return true;
	}
	return false;
}

/* The row that the change means, or NULL where nothing can be folded. */
static const Value *
change_key(const PlanTable *table, const Change *change)
{
	const Value *key = change->old_values != NULL && change->kind != CHANGE_PUT
						   ? change->old_values
						   : change->new_values;

	return table->keyed && table->relation->key_count > 0 &&
				   key_known(table->relation, key)
			   ? key
			   : NULL;
}

/* An INSERT needs no key: it only must come before what may mean its row. */
static void
add_unkeyed(Planner *planner, TableState *state, const Txn *txn,
			const Change *change)
{
	if (change->kind == CHANGE_INSERT)
	{
		add_op(planner, state, txn, change);
		return;
	}
	planner->plan.stats.unkeyed++;
	add_single(planner, state, txn, change);
}

static void
add_keyed(Planner *planner, TableState *state, const Value *key, const Txn *txn,
		  const Change *change)
{
	uint64_t hash = key_hash(state->table, key);
	PlanOp *op = key_map_find(&planner->keys, state->table, state->generation,
							  hash, key);

	if (op != NULL &&
		fold_change(op, txn, change, &planner->arena, &planner->plan.stats))
	{
		planner->plan.stats.vector_rows++;
		return;
	}
	if (op != NULL)
	{
		planner->plan.stats.misfits++;
		flush_table(planner, state);
	}
	op = add_op(planner, state, txn, change);
	op->hash = hash;
	op->key = key;
	op->in_map = true;
	key_map_put(&planner->keys, op);
}

void
planner_in_order(Planner *planner, const PlanTable *table)
{
	state_for(planner, table)->in_order = true;
}

void
planner_add(Planner *planner, const PlanTable *table, const Txn *txn,
			const Change *change)
{
	TableState *state = state_for(planner, table);
	const Value *key;

	BUG_UNLESS(!planner->finished);
	planner->plan.stats.changes++;
	if (change_is_barrier(change))
	{
		add_barrier(planner, state, txn, change);
		return;
	}
	if (state->in_order || planner->serial)
	{
		planner->plan.stats.ordered_rows += !planner->serial;
		add_single(planner, state, txn, change);
		return;
	}
	if (key_changes(change))
	{
		planner->plan.stats.key_changes++;
		add_single(planner, state, txn, change);
		return;
	}
	key = change_key(table, change);
	if (key == NULL)
		add_unkeyed(planner, state, txn, change);
	else
		add_keyed(planner, state, key, txn, change);
}

void
planner_relation(Planner *planner, const PlanTable *table,
				 const Relation *relation)
{
	TableState *state = state_for(planner, table);

	BUG_UNLESS(!planner->finished);
	if (state->noted == relation)
		return;
	state->noted = relation;
	add_step(planner, PLAN_STEP_RELATION)->relation = relation;
}

void
planner_event(Planner *planner, const Txn *txn, const Event *event)
{
	PlanStep *step;

	BUG_UNLESS(!planner->finished);
	planner->plan.stats.changes += event->kind == EVENT_CHANGE;
	planner->plan.stats.single_rows += event->kind == EVENT_CHANGE;
	planner->plan.stats.events++;
	flush_all(planner);
	step = add_step(planner, PLAN_STEP_EVENT);
	step->txn = txn;
	step->event = event;
}

const PlanStats *
planner_stats(const Planner *planner)
{
	return &planner->plan.stats;
}

const Plan *
planner_finish(Planner *planner)
{
	BUG_UNLESS(!planner->finished);
	flush_all(planner);
	planner->finished = true;
	planner->plan.steps = planner->steps;
	planner->plan.count = planner->step_count;
	plan_check(&planner->plan, &planner->check);
	return &planner->plan;
}

/*
 * split.c
 *		See split.h.
 *
 * Only rows of tables that demand nothing of a row beyond its key are ever
 * early (PlanTable.alone), and of these only tables without a step of its own in
 * the plan: such a step may mean any row.  Hashes that collide make a row late,
 * which does no harm.
 */
#include "plan/split.h"

#include <string.h>

#include "base/mem.h"
#include "plan/key_map.h"

#define MIN_CAPACITY 1024

void
key_set_init(KeySet *set)
{
	memset(set, 0, sizeof(*set));
}

void
key_set_release(KeySet *set)
{
	mem_free(set->slots);
	key_set_init(set);
}

static uint64_t *
find_slot(const KeySet *set, uint64_t hash)
{
	size_t i = hash & (set->capacity - 1);

	while (set->slots[i] != 0 && set->slots[i] != hash)
		i = (i + 1) & (set->capacity - 1);
	return &set->slots[i];
}

static bool
key_set_has(const KeySet *set, uint64_t hash)
{
	return set->everything || (set->count > 0 && *find_slot(set, hash) != 0);
}

static void
grow(KeySet *set)
{
	KeySet bigger = *set;

	bigger.capacity = set->capacity > 0 ? set->capacity * 2 : MIN_CAPACITY;
	bigger.slots = mem_zalloc(bigger.capacity * sizeof(*bigger.slots));
	for (size_t i = 0; i < set->capacity; i++)
	{
		if (set->slots[i] != 0)
			*find_slot(&bigger, set->slots[i]) = set->slots[i];
	}
	mem_free(set->slots);
	*set = bigger;
}

static void
put(KeySet *set, uint64_t hash)
{
	uint64_t *slot;

	if (set->count >= set->capacity / 2)
		grow(set);
	/* 0 means free: that one hash is taken for another */
	hash = hash != 0 ? hash : 1;
	slot = find_slot(set, hash);
	set->count += *slot == 0;
	*slot = hash;
}

/* The hash that stands for all rows of a table. */
static uint64_t
table_hash(const PlanTable *table)
{
	return ((uint64_t) table->id + 1) * 0x9e3779b97f4a7c15ULL;
}

static bool
key_present(const PlanTable *table, const Value *key)
{
	for (int i = 0; i < table->relation->column_count; i++)
	{
		if ((table->relation->columns[i].flags & WIRE_COLUMN_KEY) != 0 &&
			key[i].state != WIRE_COL_PRESENT)
			return false;
	}
	return table->keyed;
}

/* Both keys of a row; without a key it may be any row of its table. */
static void
put_row(KeySet *set, const PlanTable *table, const Change *change)
{
	const Value *rows[] = { change->old_values, change->new_values };

	for (int i = 0; i < 2; i++)
	{
		if (rows[i] == NULL)
			continue;
		if (key_present(table, rows[i]))
			put(set, key_hash(table, rows[i]));
		else
			put(set, table_hash(table));
	}
}

static void
put_vector(KeySet *set, const PlanVector *vector)
{
	/* the order among tables with more demands is never changed */
	if (!vector->table->alone)
		return;
	for (int i = 0; i < vector->count; i++)
	{
		if (vector->ops[i]->in_map)
			put(set, vector->ops[i]->hash);
	}
}

void
key_set_fill(KeySet *set, const Plan *plan)
{
	if (set->count > 0)
		memset(set->slots, 0, set->capacity * sizeof(*set->slots));
	set->count = 0;
	set->everything = false;
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (step->kind == PLAN_STEP_VECTOR)
			put_vector(set, &step->vector);
		else if (step->kind == PLAN_STEP_EVENT ||
				 (step->kind == PLAN_STEP_ROW &&
				  change_is_barrier(step->change)))
			set->everything = true;
		else if (step->kind == PLAN_STEP_ROW)
			put_row(set, step->table, step->change);
	}
}

/* One plan while it is split. */
typedef struct Splitter
{
	const KeySet *const *older;
	int older_count;
	Arena *arena;
	uint8_t *held; /* by id: tables of which nothing is early */
	size_t held_bytes;
} Splitter;

static bool
touched(const Splitter *s, uint64_t hash)
{
	for (int i = 0; i < s->older_count; i++)
	{
		if (key_set_has(s->older[i], hash != 0 ? hash : 1))
			return true;
	}
	return false;
}

static bool
is_held(const Splitter *s, uint32_t id)
{
	return id / 8 < s->held_bytes && (s->held[id / 8] & (1 << (id % 8))) != 0;
}

static void
hold(Splitter *s, uint32_t id)
{
	if (id / 8 >= s->held_bytes)
	{
		size_t bytes = (size_t) id / 8 * 2 + 16;
		uint8_t *bigger = arena_zalloc(s->arena, bytes, 1);

		if (s->held_bytes > 0)
			memcpy(bigger, s->held, s->held_bytes);
		s->held = bigger;
		s->held_bytes = bytes;
	}
	s->held[id / 8] |= (uint8_t) (1 << (id % 8));
}

static void
hold_tables(Splitter *s, const Plan *plan)
{
	for (int i = 0; i < plan->count; i++)
	{
		if (plan->steps[i].kind == PLAN_STEP_ROW)
			hold(s, plan->steps[i].table->id);
	}
}

static bool
nothing_early(const Splitter *s, const Plan *plan)
{
	for (int i = 0; i < s->older_count; i++)
	{
		if (s->older[i]->everything)
			return true;
	}
	return plan->stats.events > 0;
}

static PlanStep *
add_step(Plan *part)
{
	return (PlanStep *) &part->steps[part->count++];
}

/* The rows of a vector that are early and those that are not. */
static void
split_vector(const Splitter *s, const PlanStep *step, PlanSplit *split)
{
	const PlanVector *vector = &step->vector;
	PlanOp **ops = ARENA_ARRAY(s->arena, PlanOp *, (size_t) vector->count);
	int early = 0;
	int late = vector->count;
	PlanStep *part;

	for (int i = 0; i < vector->count; i++)
	{
		PlanOp *op = vector->ops[i];

		if (op->in_map && touched(s, op->hash))
			ops[--late] = op;
		else
			ops[early++] = op;
	}
	split->early_rows += (uint64_t) early;
	if (early > 0)
	{
		part = add_step(&split->early);
		*part = *step;
		part->vector.ops = ops;
		part->vector.count = early;
	}
	if (early < vector->count)
	{
		part = add_step(&split->late);
		*part = *step;
		part->vector.ops = ops + early;
		part->vector.count = vector->count - early;
	}
}

void
plan_split(const Plan *plan, const KeySet *const *older, int older_count,
		   Arena *arena, PlanSplit *split)
{
	Splitter s = { older, older_count, arena, NULL, 0 };
	bool all_late;

	memset(split, 0, sizeof(*split));
	split->early.steps = ARENA_ARRAY(arena, PlanStep, (size_t) plan->count);
	split->late.steps = ARENA_ARRAY(arena, PlanStep, (size_t) plan->count);
	all_late = nothing_early(&s, plan);
	hold_tables(&s, plan);
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];
		const PlanTable *table = step->vector.table;

		if (all_late || step->kind != PLAN_STEP_VECTOR || !table->alone ||
			is_held(&s, table->id) || touched(&s, table_hash(table)))
			*add_step(&split->late) = *step;
		else
			split_vector(&s, step, split);
	}
	split->late.stats = plan->stats;
}

/*
 * vector.c
 *		See vector.h.
 *
 * Two passes: the first finds out which vector an operation belongs to and how
 * long the vectors become, the second fills them.
 */
#include "plan/vector.h"

#include <stdlib.h>
#include <string.h>

#define SET_BYTES ((WIRE_MAX_COLUMNS + 7) / 8)

/* Vectors while they are being counted. */
typedef struct Grouping
{
	Arena *arena;
	PlanKind kind;
	PlanVector *vectors;
	int count;
	int capacity;
	int last; /* neighbours often have the same columns */
} Grouping;

static bool
op_is(const PlanOp *op, PlanKind kind)
{
	switch (op->kind)
	{
		case PLAN_NOTHING:
			return false;
		case PLAN_REPLACE:
			return kind == PLAN_UPDATE;
		case PLAN_DELETE_INSERT:
			return kind == PLAN_DELETE || kind == PLAN_INSERT;
		case PLAN_MAYBE_DELETE_INSERT:
			return kind == PLAN_MAYBE_DELETE || kind == PLAN_INSERT;
		default:
			return op->kind == kind;
	}
}

/* Is the key among the values, and is it found by nothing else? */
static bool
brings_key(PlanKind kind)
{
	return kind == PLAN_INSERT || kind == PLAN_PUT;
}

static bool
takes_away(PlanKind kind)
{
	return kind == PLAN_DELETE || kind == PLAN_MAYBE_DELETE;
}

/* An UPDATE leaves the key alone: what changes it is never in a vector. */
static size_t
columns_of(const PlanOp *op, PlanKind kind, uint8_t *columns)
{
	const Relation *relation = op->table->relation;
	size_t bytes = ((size_t) relation->column_count + 7) / 8;

	memset(columns, 0, bytes);
	for (int i = 0; !takes_away(kind) && i < relation->column_count; i++)
	{
		int flags = relation->columns[i].flags;
		uint8_t state = op->values[i].state;

		if (((flags & GENERATED_FLAGS) == 0 || op->table->generated) &&
			(brings_key(kind) || (flags & WIRE_COLUMN_KEY) == 0) &&
			(state == WIRE_COL_PRESENT || state == WIRE_COL_NULL))
			columns[i / 8] |= (uint8_t) (1 << (i % 8));
	}
	return bytes;
}

static uint64_t
bytes_of(const PlanOp *op, const uint8_t *columns, PlanKind kind)
{
	const Relation *relation = op->table->relation;
	uint64_t bytes = 0;

	for (int i = 0; i < relation->column_count; i++)
	{
		if (plan_column_in(columns, i))
			bytes += op->values[i].len;
		if (!brings_key(kind) &&
			(relation->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			bytes += op->key[i].len;
	}
	return bytes;
}

static int
add_vector(Grouping *g, const PlanOp *op, const uint8_t *columns, size_t bytes)
{
	PlanVector *vector;
	uint8_t *copy;

	if (g->count == g->capacity)
	{
		PlanVector *bigger = ARENA_ARRAY(g->arena, PlanVector,
										 (size_t) g->capacity * 2 + 4);

		if (g->count > 0)
			memcpy(bigger, g->vectors, sizeof(*bigger) * (size_t) g->count);
		g->vectors = bigger;
		g->capacity = g->capacity * 2 + 4;
	}
	copy = arena_alloc(g->arena, bytes + 1);
	memcpy(copy, columns, bytes);
	vector = &g->vectors[g->count];
	vector->kind = g->kind;
	vector->table = op->table;
	vector->columns = copy;
	return g->count++;
}

static int
vector_for(Grouping *g, const PlanOp *op)
{
	uint8_t columns[SET_BYTES];
	size_t bytes = columns_of(op, g->kind, columns);
	int sets = g->count < MAX_COLUMN_SETS ? g->count : MAX_COLUMN_SETS;
	int found = -1;

	if (g->last < sets &&
		memcmp(g->vectors[g->last].columns, columns, bytes) == 0)
		found = g->last;
	for (int i = 0; found < 0 && i < sets; i++)
	{
		if (memcmp(g->vectors[i].columns, columns, bytes) == 0)
			found = i;
	}
	if (found < 0)
		found = add_vector(g, op, columns, bytes);
	g->last = found;
	g->vectors[found].count++;
	g->vectors[found].bytes += bytes_of(op, columns, g->kind);
	return found;
}

/* vector->count was how many there will be, and counts them once more. */
static void
fill(Grouping *g, PlanOp *first)
{
	for (int i = 0; i < g->count; i++)
	{
		g->vectors[i].ops = ARENA_ARRAY(g->arena, PlanOp *,
										(size_t) g->vectors[i].count);
		g->vectors[i].count = 0;
	}
	for (PlanOp *op = first; op != NULL; op = op->next)
	{
		PlanVector *vector;

		if (!op_is(op, g->kind))
			continue;
		vector = &g->vectors[op->vector];
		((PlanOp **) vector->ops)[vector->count++] = op;
	}
}

/*
 * The order of the first column of the key, as far as its text tells: whole
 * numbers that are not negative, dates, uuids.
 */
static int
compare_keys(const void *a, const void *b, void *column)
{
	const Value *left = &(*(PlanOp *const *) a)->key[*(int *) column];
	const Value *right = &(*(PlanOp *const *) b)->key[*(int *) column];

	if (left->len != right->len)
		return left->len < right->len ? -1 : 1;
	return memcmp(left->data, right->data, left->len);
}

/*
 * Neighbours lie on the same pages of the index, and often of the table.  Each
 * key occurs once, so the order means nothing.
 */
static void
sort_by_key(PlanVector *vector)
{
	const Relation *relation = vector->table->relation;
	int column = 0;

	while ((relation->columns[column].flags & WIRE_COLUMN_KEY) == 0)
		column++;
	qsort_r((void *) vector->ops, (size_t) vector->count, sizeof(PlanOp *),
			compare_keys, &column);
}

void
vectors_of(PlanOp *first, PlanKind kind, Arena *arena, VectorList *list)
{
	Grouping g = { .arena = arena, .kind = kind };

	for (PlanOp *op = first; op != NULL; op = op->next)
	{
		if (op_is(op, kind))
			op->vector = vector_for(&g, op);
	}
	if (g.count > 0)
		fill(&g, first);
	for (int i = 0; kind != PLAN_INSERT && i < g.count; i++)
		sort_by_key(&g.vectors[i]);
	list->vectors = g.vectors;
	list->count = g.count;
}

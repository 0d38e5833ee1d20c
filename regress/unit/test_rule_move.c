/*
 * test_rule_move.c
 *		Rows that move between filtered and migrated, and between targets, under
 *		random changes: what each target ends up with is what a computation of our
 *		own says of the source's rows, and no strict change misses its row.
 *
 * The oracle is C: it knows neither SQLite nor the rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "rules/derived.h"
#include "rules/rule_move.h"
#include "tap.h"

#define KEYS 12
#define STEPS 4000
#define TARGETS 2
#define COLUMNS 4

enum
{
	ID,
	REGION,
	N,
	NOTE
};

static const char *target_names[TARGETS] = { "eu", "us" };
static const char *regions[] = { "EU", "US", "XX", NULL };

/* A row of the source, or of a target; an empty slot is no row. */
typedef struct Row
{
	bool there;
	int region; /* index into regions */
	int n;
	int note;
} Row;

typedef struct Case
{
	const char *name;
	const char *where; /* or NULL */
	const char *route; /* or NULL */
	char identity;
	bool strict; /* puts and maybe-deletes must not be needed */
	bool (*here)(int target, int id, const Row *row);
} Case;

/* ---- the oracle */

static bool
here_where(int target, int id, const Row *row)
{
	(void) target;
	(void) id;
	return row->n % 3 == 0;
}

static bool
here_route(int target, int id, const Row *row)
{
	(void) id;
	if (regions[row->region] == NULL)
		return false;
	return target == (strcmp(regions[row->region], "EU") == 0 ? 0 : 1);
}

static bool
here_both(int target, int id, const Row *row)
{
	return here_where(target, id, row) && here_route(target, id, row);
}

static bool
here_key(int target, int id, const Row *row)
{
	(void) row;
	return target == id % 2;
}

static const Case cases[] = {
	{ "where, full identity", "n % 3 = 0", NULL, 'f', true, here_where },
	{ "where, key only", "n % 3 = 0", NULL, 'd', false, here_where },
	{ "route, full identity", NULL,
	  "CASE WHEN region = 'EU' THEN 'eu' WHEN region IS NOT NULL THEN 'us' END",
	  'f', true, here_route },
	{ "route, key only", NULL,
	  "CASE WHEN region = 'EU' THEN 'eu' WHEN region IS NOT NULL THEN 'us' END",
	  'd', false, here_route },
	{ "both, full identity", "n % 3 = 0",
	  "CASE WHEN region = 'EU' THEN 'eu' WHEN region IS NOT NULL THEN 'us' END",
	  'f', true, here_both },
	{ "both, key only", "n % 3 = 0",
	  "CASE WHEN region = 'EU' THEN 'eu' WHEN region IS NOT NULL THEN 'us' END",
	  'd', false, here_both },
	{ "route by the key, key only", NULL,
	  "CASE id % 2 WHEN 0 THEN 'eu' ELSE 'us' END", 'd', true, here_key },
};

/* ---- the source's changes */

static const Relation *
relation_of(char identity)
{
	static const struct
	{
		const char *name;
		uint32_t type;
		const char *type_name;
	} columns[COLUMNS] = { { "id", 23, "int4" },
						   { "region", 25, "text" },
						   { "n", 23, "int4" },
						   { "note", 25, "text" } };
	Relation *relation = relation_new();
	Column *made = ARENA_ARRAY(&relation->arena, Column, COLUMNS);

	relation->oid = 16500;
	relation->schema = "public";
	relation->name = "t";
	relation->root_schema = relation->root_name = "";
	relation->kind = 'r';
	relation->identity = identity;
	relation->column_count = COLUMNS;
	relation->key_count = 1;
	for (int i = 0; i < COLUMNS; i++)
	{
		made[i].name = columns[i].name;
		made[i].type_schema = made[i].base_schema = "pg_catalog";
		made[i].type_name = made[i].base_name = columns[i].type_name;
		made[i].type_oid = made[i].base_type_oid = columns[i].type;
		made[i].typmod = -1;
		made[i].attnum = (uint16_t) (i + 1);
		made[i].flags = i == ID ? WIRE_COLUMN_KEY | WIRE_COLUMN_NOT_NULL : 0;
	}
	relation->columns = made;
	return relation;
}

static Value
text_value(Arena *arena, const char *text)
{
	if (text == NULL)
		return (Value){ NULL, 0, WIRE_COL_NULL };
	return (Value){ arena_strdup(arena, text), (uint32_t) strlen(text),
					WIRE_COL_PRESENT };
}

static Value
int_value(Arena *arena, int number)
{
	return text_value(arena, arena_printf(arena, "%d", number));
}

static Value *
row_values(Arena *arena, int id, const Row *row)
{
	Value *values = ARENA_ARRAY(arena, Value, COLUMNS);

	values[ID] = int_value(arena, id);
	values[REGION] = text_value(arena, regions[row->region]);
	values[N] = int_value(arena, row->n);
	values[NOTE] = int_value(arena, row->note);
	return values;
}

static Value *
key_values(Arena *arena, int id)
{
	Value *values = ARENA_ARRAY(arena, Value, COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
		values[i] = (Value){ NULL, 0, WIRE_COL_ABSENT };
	values[ID] = int_value(arena, id);
	return values;
}

static Row
random_row(void)
{
	return (Row){ true, rand() % 4, rand() % 10, rand() % 1000 };
}

/* ---- a target */

typedef struct Side
{
	RuleSet *set;
	RuleEngine *engine;
	const Derived *derived;
	const Relation *relation;
	LedgerEntry ledger;
	Row rows[KEYS];
	int wrong;
	int tolerant;
} Side;

static int
value_int(const Value *value)
{
	return value->state == WIRE_COL_PRESENT ? atoi(value->data) : -1;
}

static int
value_region(const Value *value)
{
	for (int i = 0; i < 4; i++)
	{
		if (value->state == WIRE_COL_NULL
				? regions[i] == NULL
				: regions[i] != NULL && strcmp(value->data, regions[i]) == 0)
			return i;
	}
	return -1;
}

static void
set_row(Row *row, const Value *values)
{
	row->there = true;
	if (values[REGION].state != WIRE_COL_UNCHANGED)
		row->region = value_region(&values[REGION]);
	if (values[N].state != WIRE_COL_UNCHANGED)
		row->n = value_int(&values[N]);
	if (values[NOTE].state != WIRE_COL_UNCHANGED)
		row->note = value_int(&values[NOTE]);
}

static void
apply(Side *side, const Change *change)
{
	const Value *key = change->old_values != NULL ? change->old_values
												  : change->new_values;
	Row *row = &side->rows[value_int(&key[ID])];
	Row moved;

	side->tolerant += change->kind == CHANGE_PUT ||
					  change->kind == CHANGE_MAYBE_DELETE;
	switch (change->kind)
	{
		case CHANGE_INSERT:
			side->wrong += row->there;
			set_row(row, change->new_values);
			break;
		case CHANGE_PUT:
			set_row(row, change->new_values);
			break;
		case CHANGE_UPDATE:
			side->wrong += !row->there;
			moved = *row;
			row->there = false;
			row = &side->rows[value_int(&change->new_values[ID])];
			side->wrong += row->there;
			*row = moved;
			set_row(row, change->new_values);
			break;
		case CHANGE_DELETE:
			side->wrong += !row->there;
			row->there = false;
			break;
		case CHANGE_MATCH:
			if (row->there)
				set_row(row, change->new_values);
			break;
		default:
			row->there = false;
			break;
	}
}

static void
send(Side *side, const Change *change)
{
	ExprContext context = { .op = "x", .source = "s" };
	RuleMoves moves;
	Error err = ERROR_INIT;
	Arena arena;
	RuleMove move = {
		.derived = side->derived,
		.relation = side->relation,
		.context = &context,
		.arena = &arena,
		.ledger = &side->ledger,
	};

	arena_init(&arena);
	if (!rule_move(&move, change, &moves, &err))
	{
		printf("# %s %s\n", err.message, err.hint);
		side->wrong++;
	}
	else
		for (int i = 0; i < moves.count; i++)
			apply(side, &moves.changes[i]);
	arena_release(&arena);
}

/* ---- one case */

static Row source[KEYS];
static bool keys_change = true;

static void
random_change(const Relation *relation, Arena *arena, Change *change)
{
	bool full = relation->identity == 'f';
	int id = rand() % KEYS;
	int to = keys_change && rand() % 4 == 0 ? rand() % KEYS : id;
	Row before = source[id];

	memset(change, 0, sizeof(*change));
	change->relation = relation;
	if (!before.there)
	{
		source[id] = random_row();
		change->kind = CHANGE_INSERT;
		change->new_values = row_values(arena, id, &source[id]);
		return;
	}
	if (full)
		change->old_values = row_values(arena, id, &before);
	change->old_kind = full ? WIRE_OLD_FULL : WIRE_OLD_NONE;
	if (rand() % 4 == 0 || (to != id && source[to].there))
	{
		source[id].there = false;
		change->kind = CHANGE_DELETE;
		if (!full)
			change->old_values = key_values(arena, id);
		change->old_kind = full ? WIRE_OLD_FULL : WIRE_OLD_KEY;
		return;
	}
	source[id].there = false;
	source[to] = random_row();
	change->kind = CHANGE_UPDATE;
	if (full && rand() % 2 == 0)
		source[to].note = before.note;
	change->new_values = row_values(arena, to, &source[to]);
	if (full && source[to].note == before.note)
		((Value *) change->new_values)[NOTE].state = WIRE_COL_UNCHANGED;
	if (!full && to != id)
	{
		change->old_values = key_values(arena, id);
		change->old_kind = WIRE_OLD_KEY;
	}
}

static bool
same_row(const Row *a, const Row *b)
{
	return a->there == b->there &&
		   (!a->there ||
			(a->region == b->region && a->n == b->n && a->note == b->note));
}

static int
differences(const Case *test, const Side *side, int target)
{
	int wrong = 0;

	for (int id = 0; id < KEYS; id++)
	{
		Row want = source[id];

		want.there = want.there && test->here(target, id, &want);
		wrong += !same_row(&want, &side->rows[id]);
	}
	return wrong;
}

static bool
open_side(const Case *test, Side *side, Config *config, int target,
		  const Relation *relation)
{
	RuleSetConfig set_config = { config, "s", target_names[target], "x" };
	const Derived *const *derived;
	RuleInput input;
	Error err = ERROR_INIT;
	Arena arena;
	int count = 0;
	bool ok;

	memset(side, 0, sizeof(*side));
	side->set = rule_set_new(&set_config);
	side->engine = rule_engine_new(side->set, &err);
	arena_init(&arena);
	rule_input_of_relation(relation, &arena, &input);
	ok = side->engine != NULL &&
		 rule_engine_derive(side->engine, &input, &derived, &count, &err);
	arena_release(&arena);
	if (!ok || count != 1)
	{
		printf("# %s: %s %s\n", test->name, err.message, err.hint);
		return false;
	}
	side->derived = derived[0];
	side->relation = derived_relation_new(side->derived, relation);
	return true;
}

static void
close_side(Side *side)
{
	relation_release(side->relation);
	rule_engine_free(side->engine);
	rule_set_free(side->set);
}

static void
test_case(const Case *test)
{
	ConfigTarget targets[TARGETS] = { { .name.text = "eu" },
									  { .name.text = "us" } };
	ConfigRule rule = {
		.place = { 1, 1 },
		.number = 1,
		.name = "rule 1",
		.table.text = "public.t",
		.where.text = test->where,
		.route.text = test->route,
		.operations = RULE_ALL_OPERATIONS,
	};
	Config config = {
		.path = "test.yaml",
		.targets = targets,
		.target_count = TARGETS,
		.has_rules = true,
		.rules = &rule,
		.rule_count = 1,
	};
	const Relation *relation = relation_of(test->identity);
	Side sides[TARGETS];
	int wrong = 0;
	Change change;
	Arena arena;

	memset(source, 0, sizeof(source));
	for (int i = 0; i < TARGETS; i++)
	{
		if (!ok(open_side(test, &sides[i], &config, i, relation),
				"%s: compiled for %s", test->name, target_names[i]))
			return;
	}
	arena_init(&arena);
	for (int step = 0; step < STEPS; step++)
	{
		random_change(relation, &arena, &change);
		for (int i = 0; i < TARGETS; i++)
		{
			send(&sides[i], &change);
			wrong += differences(test, &sides[i], i);
		}
		arena_reset(&arena);
	}
	ok(wrong == 0, "%s: every target has what it should, %d times", test->name,
	   STEPS);
	ok(sides[0].wrong + sides[1].wrong == 0,
	   "%s: no strict change has missed its row", test->name);
	ok((sides[0].tolerant + sides[1].tolerant == 0) == test->strict,
	   "%s: %d puts and maybe-deletes", test->name,
	   sides[0].tolerant + sides[1].tolerant);
	for (int i = 0; i < TARGETS; i++)
		close_side(&sides[i]);
	arena_release(&arena);
	relation_release(relation);
}

/* ---- not all operations: the target's rows are another history's */

typedef struct Reduced
{
	const char *name;
	unsigned operations;
	char identity;
} Reduced;

static const Reduced reduced[] = {
	{ "insert, full identity", RULE_INSERT, 'f' },
	{ "insert, key only", RULE_INSERT, 'd' },
	{ "insert and delete, full identity", RULE_INSERT | RULE_DELETE, 'f' },
	{ "insert and delete, key only", RULE_INSERT | RULE_DELETE, 'd' },
	{ "update, full identity", RULE_UPDATE, 'f' },
	{ "update, key only", RULE_UPDATE, 'd' },
	{ "update and delete, full identity", RULE_UPDATE | RULE_DELETE, 'f' },
	{ "update and delete, key only", RULE_UPDATE | RULE_DELETE, 'd' },
};

/* What the change does to rows of which some have come, and others were there. */
static void
expect(const Reduced *test, const Row before[KEYS], const Change *change,
	   Row want[KEYS])
{
	const Value *key = change->old_values != NULL ? change->old_values
												  : change->new_values;
	int id = value_int(&key[ID]);
	bool was_here = test->identity == 'd' || here_where(0, id, &before[id]);
	bool is_here = source[id].there && here_where(0, id, &source[id]);

	if (change->kind == CHANGE_INSERT)
	{
		if ((test->operations & RULE_INSERT) != 0 && is_here)
			want[id] = source[id];
	}
	else if (change->kind == CHANGE_DELETE)
	{
		/* where UPDATE does not come, the old row says nothing */
		if ((test->operations & RULE_DELETE) != 0 &&
			(was_here || (test->operations & RULE_UPDATE) == 0))
			want[id].there = false;
	}
	else if ((test->operations & RULE_UPDATE) != 0)
	{
		if (is_here && want[id].there)
			want[id] = source[id];
		else if (!is_here && was_here)
			want[id].there = false;
	}
}

/* A value that the WAL does not repeat is the target's own still. */
static void
keep_unchanged(const Change *change, const Row *had, Row *want)
{
	if (change->new_values != NULL && want->there && had->there &&
		change->kind == CHANGE_UPDATE &&
		change->new_values[NOTE].state == WIRE_COL_UNCHANGED)
		want->note = had->note;
}

static void
test_reduced(const Reduced *test)
{
	ConfigTarget target = { .name.text = "eu" };
	ConfigRule rule = {
		.place = { 1, 1 },
		.number = 1,
		.name = "rule 1",
		.table.text = "public.t",
		.where.text = "n % 3 = 0",
		.operations = test->operations,
	};
	Config config = {
		.path = "test.yaml",
		.targets = &target,
		.target_count = 1,
		.has_rules = true,
		.rules = &rule,
		.rule_count = 1,
	};
	const Case as_case = { .name = test->name, .identity = test->identity };
	const Relation *relation = relation_of(test->identity);
	Row want[KEYS];
	Row before[KEYS];
	Row had[KEYS];
	int wrong = 0;
	Change change;
	Arena arena;
	Side side;

	memset(source, 0, sizeof(source));
	/* a row that is there already would be in the way of a key that changes */
	keys_change = (test->operations & RULE_UPDATE) == 0;
	if (!ok(open_side(&as_case, &side, &config, 0, relation), "%s: compiled",
			test->name))
		return;
	for (int i = 0; i < KEYS; i++)
		side.rows[i] = want[i] = (Row){ 0 };
	for (int i = 0; i < KEYS && (test->operations & RULE_INSERT) == 0; i++)
		side.rows[i] = want[i] = random_row();
	arena_init(&arena);
	for (int step = 0; step < STEPS; step++)
	{
		memcpy(before, source, sizeof(source));
		memcpy(had, want, sizeof(want));
		random_change(relation, &arena, &change);
		expect(test, before, &change, want);
		for (int i = 0; i < KEYS; i++)
			keep_unchanged(&change, &had[i], &want[i]);
		send(&side, &change);
		for (int i = 0; i < KEYS; i++)
			wrong += !same_row(&want[i], &side.rows[i]);
		arena_reset(&arena);
	}
	ok(wrong == 0, "%s: the target has what has come, %d times", test->name,
	   STEPS);
	ok(side.wrong == 0, "%s: nothing is refused", test->name);
	close_side(&side);
	arena_release(&arena);
	relation_release(relation);
}

int
main(void)
{
	const char *seed = getenv("PORTAGE_SEED");
	unsigned number = seed != NULL ? (unsigned) atoi(seed)
								   : (unsigned) time(NULL);

	printf("# PORTAGE_SEED=%u\n", number);
	srand(number);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(&cases[i]);
	for (size_t i = 0; i < sizeof(reduced) / sizeof(reduced[0]); i++)
		test_reduced(&reduced[i]);
	return done_testing();
}

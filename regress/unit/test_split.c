/*
 * test_split.c
 *		Parts of plans that are written before their turn.
 *
 *		test_split [SEED [ROUNDS]]
 *
 * Random transactions are cut into batches, each is planned and split by the
 * ones before it; the early parts are written first, in any order, then the late
 * ones in theirs. All must come to the same rows as one change after the other.
 * Beside it, plans are split as if nothing was older; a test that did not notice
 * that would prove nothing.
 */
#include "plan/split.h"

#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "plan_history.h"
#include "tap.h"

#define BATCHES 4

typedef struct Split
{
	PlanTable tables[MODEL_TABLES];
	Planner *planners[BATCHES];
	KeySet sets[BATCHES];
	PlanSplit parts[BATCHES];
	unsigned seed;
	bool blind; /* the mistake: older batches are not looked at */
	Txn txn;
	uint64_t early;
	uint64_t late;
	uint64_t refused; /* rounds in which a vector was: they prove nothing */
} Split;

static void
split_init(Split *s, const History *history, bool blind)
{
	memset(s, 0, sizeof(*s));
	s->seed = history->seed;
	s->blind = blind;
	for (int i = 0; i < BATCHES; i++)
	{
		s->planners[i] = planner_new();
		key_set_init(&s->sets[i]);
	}
	for (int t = 0; t < MODEL_TABLES; t++)
	{
		s->tables[t].id = (uint32_t) t;
		s->tables[t].relation = &history->relations[t];
		s->tables[t].keyed = t != MODEL_KEYLESS;
		s->tables[t].exact = true;
		s->tables[t].alone = t != MODEL_UNIQUE;
	}
}

static void
split_release(Split *s)
{
	for (int i = 0; i < BATCHES; i++)
	{
		planner_free(s->planners[i]);
		key_set_release(&s->sets[i]);
	}
}

static uint64_t
rows_of(const Plan *plan)
{
	uint64_t rows = 0;

	for (int i = 0; i < plan->count; i++)
		rows += plan->steps[i].kind == PLAN_STEP_VECTOR
					? (uint64_t) plan->steps[i].vector.count
					: 1;
	return rows;
}

static void
plan_batch(Split *s, const History *history, int batch)
{
	const KeySet *older[BATCHES];
	const Plan *plan;
	int first = history->txn_count * batch / BATCHES;
	int end = history->txn_count * (batch + 1) / BATCHES;

	planner_reset(s->planners[batch]);
	for (int i = 0; i < history->count; i++)
	{
		const HistoryChange *made = &history->changes[i];

		if (made->txn >= first && made->txn < end)
			planner_add(s->planners[batch], &s->tables[made->table], &s->txn,
						made->change);
	}
	plan = planner_finish(s->planners[batch]);
	key_set_fill(&s->sets[batch], plan);
	for (int i = 0; i < batch; i++)
		older[i] = &s->sets[i];
	plan_split(plan, older, s->blind ? 0 : batch,
			   planner_arena(s->planners[batch]), &s->parts[batch]);
	BUG_UNLESS(rows_of(plan) == rows_of(&s->parts[batch].early) +
									rows_of(&s->parts[batch].late));
	if (batch > 0)
		s->early += rows_of(&s->parts[batch].early);
	s->late += rows_of(&s->parts[batch].late);
}

static bool
write_steps(Split *s, const Plan *plan, Model *model)
{
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (step->kind == PLAN_STEP_VECTOR
				? !model_vector(model, &step->vector, &s->seed)
				: !model_change(model, (ModelTable) step->table->id,
								step->change))
			return false;
	}
	return true;
}

static bool
write_round(Split *s, Model *model)
{
	int start = rand_r(&s->seed) % BATCHES;
	int step = rand_r(&s->seed) % 2 == 0 ? 1 : BATCHES - 1;

	for (int i = 0; i < BATCHES; i++)
	{
		if (!write_steps(s, &s->parts[(start + i * step) % BATCHES].early,
						 model))
			return false;
	}
	for (int i = 0; i < BATCHES; i++)
	{
		if (!write_steps(s, &s->parts[i].late, model))
			return false;
	}
	return true;
}

static bool
write_serial(const History *history, Model *model)
{
	for (int i = 0; i < history->count; i++)
	{
		if (!model_change(model, history->changes[i].table,
						  history->changes[i].change))
			return false;
	}
	return true;
}

/* How many rounds came to other rows; with the mistake, refusals count, too. */
static int
run(unsigned seed, int rounds, bool blind, Split *s)
{
	History history;
	Model target;
	int wrong = 0;

	history_init(&history, seed);
	split_init(s, &history, blind);
	target = history.source;
	for (int i = 0; i < rounds && wrong == 0; i++)
	{
		Model before = target;
		Model model = target;
		bool written;

		history_batch(&history, 8 + rand_r(&s->seed) % 30);
		for (int b = 0; b < BATCHES; b++)
			plan_batch(s, &history, b);
		written = write_round(s, &model);
		s->refused += !written;
		target = before;
		if (!write_serial(&history, &target))
			BUG("round %d: the model does not follow its own source", i);
		for (int r = 0; r < MODEL_TABLES; r++)
			for (int k = 0; k < target.tables[r].count; k++)
				target.tables[r].rows[k].extra = 0;
		wrong += written ? !model_equal(&model, &target, false) : blind;
	}
	split_release(s);
	history_release(&history);
	return wrong;
}

static void
test_sets(void)
{
	KeySet set;
	Plan plan = { 0 };
	PlanStep step = { .kind = PLAN_STEP_EVENT };

	key_set_init(&set);
	key_set_fill(&set, &plan);
	ok(!set.everything && set.count == 0, "nothing is in an empty plan");
	plan.steps = &step;
	plan.count = 1;
	key_set_fill(&set, &plan);
	ok(set.everything, "an event touches everything");
	key_set_release(&set);
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10)
							 : (unsigned) time(NULL);
	int rounds = argc > 2 ? atoi(argv[2]) : 800;
	Split s;

	printf("# seed %u\n", seed);
	test_sets();
	is_int(run(seed, rounds, false, &s), 0,
		   "written early or late, the rows are the same");
	ok(s.early > 1000, "early: %llu rows", (unsigned long long) s.early);
	ok(s.late > 1000, "late: %llu rows", (unsigned long long) s.late);
	ok(s.refused < (uint64_t) rounds / 2, "refused: %llu of %d rounds",
	   (unsigned long long) s.refused, rounds);
	is_int(run(seed, rounds, true, &s), 1,
		   "not to look at older batches is noticed");
	return done_testing();
}

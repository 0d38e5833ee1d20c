/*
 * test_planner_model.c
 *		Random batches, planned and one by one, must come to the same rows.
 *
 *		test_planner_model [SEED [BATCHES]]
 *
 * The oracle is the model of plan_model.h, which changes one row at a time in
 * the source's order.  Beside it, plans are written with two mistakes made on
 * purpose; a test that did not notice those would prove nothing.
 */
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

#include "plan_history.h"
#include "tap.h"

/* What is done wrong, to see whether it shows. */
typedef enum Mistake
{
	MISTAKE_NONE,
	MISTAKE_MOVED_BARRIER, /* other changes are grouped around a new key */
	MISTAKE_REPLACED /* rows come anew by UPDATE, whatever else is there */
} Mistake;

typedef struct Run
{
	Mistake mistake;
	Planner *planner;
	PlanTable tables[MODEL_TABLES];
	Model target;
	unsigned seed;
	Txn txn;
	PlanStats stats;
	uint64_t refused; /* plans that the target refused */
	uint64_t serial;  /* transactions that had to be applied one by one */
} Run;

static void
run_init(Run *run, const History *history, Mistake mistake)
{
	memset(run, 0, sizeof(*run));
	run->mistake = mistake;
	run->planner = planner_new();
	run->target = history->source;
	run->seed = history->seed;
	for (int t = 0; t < MODEL_TABLES; t++)
	{
		PlanTable *table = &run->tables[t];

		table->id = (uint32_t) t;
		table->relation = &history->relations[t];
		table->keyed = t != MODEL_KEYLESS;
		table->exact = t != MODEL_EXTRA || mistake == MISTAKE_REPLACED;
		/* what the target alone knows of a row */
		for (int i = 0; i < run->target.tables[t].count; i++)
			run->target.tables[t].rows[i].extra = t == MODEL_EXTRA
													  ? i + 1
													  : MODEL_DEFAULT;
	}
}

static void
add_stats(PlanStats *sum, const PlanStats *stats)
{
	sum->changes += stats->changes;
	sum->vector_rows += stats->vector_rows;
	sum->single_rows += stats->single_rows;
	sum->insert_update += stats->insert_update;
	sum->update_update += stats->update_update;
	sum->insert_delete += stats->insert_delete;
	sum->update_delete += stats->update_delete;
	sum->delete_insert += stats->delete_insert;
	sum->tolerant += stats->tolerant;
	sum->key_changes += stats->key_changes;
	sum->unkeyed += stats->unkeyed;
	sum->misfits += stats->misfits;
}

static bool
write_steps(Run *run, const Plan *plan, Model *model, bool vectors, bool rows)
{
	for (int i = 0; i < plan->count; i++)
	{
		const PlanStep *step = &plan->steps[i];

		if (step->kind == PLAN_STEP_VECTOR && vectors &&
			!model_vector(model, &step->vector, &run->seed))
			return false;
		if (step->kind == PLAN_STEP_ROW && rows &&
			!model_change(model, (ModelTable) step->table->id, step->change))
			return false;
	}
	return true;
}

/* Transactions [first, end) of the batch as one plan. */
static bool
write_planned(Run *run, const History *history, int first, int end)
{
	Model model = run->target;
	const Plan *plan;
	bool done;

	planner_reset(run->planner);
	for (int i = 0; i < history->count; i++)
	{
		const HistoryChange *made = &history->changes[i];

		if (made->txn >= first && made->txn < end)
			planner_add(run->planner, &run->tables[made->table], &run->txn,
						made->change);
	}
	plan = planner_finish(run->planner);
	if (run->mistake == MISTAKE_MOVED_BARRIER)
		done = write_steps(run, plan, &model, true, false) &&
			   write_steps(run, plan, &model, false, true);
	else
		done = write_steps(run, plan, &model, true, true);
	done = done && model_commit(&model);
	if (!done)
	{
		run->refused++;
		return false;
	}
	add_stats(&run->stats, &plan->stats);
	run->target = model;
	return true;
}

static bool
write_serial(Run *run, const History *history, int first, int end)
{
	Model model = run->target;

	for (int i = 0; i < history->count; i++)
	{
		const HistoryChange *made = &history->changes[i];

		if (made->txn >= first && made->txn < end &&
			!model_change(&model, made->table, made->change))
			return false;
	}
	if (!model_commit(&model))
		return false;
	run->target = model;
	return true;
}

/* Halves, until what fails is a single transaction. */
static bool
write_range(Run *run, const History *history, int first, int end)
{
	if (write_planned(run, history, first, end))
		return true;
	if (end - first == 1)
	{
		run->serial++;
		return write_serial(run, history, first, end);
	}
	return write_range(run, history, first, (first + end) / 2) &&
		   write_range(run, history, (first + end) / 2, end);
}

/* How many batches came to other rows than one by one. */
static int
compare_runs(unsigned seed, int batches, Mistake mistake, Run *planned)
{
	History history;
	Run serial;
	int wrong = 0;

	history_init(&history, seed);
	run_init(planned, &history, mistake);
	run_init(&serial, &history, MISTAKE_NONE);
	for (int i = 0; i < batches && (mistake == MISTAKE_NONE || wrong == 0); i++)
	{
		history_batch(&history, 1 + rand_r(&planned->seed) % 40);
		if (!write_serial(&serial, &history, 0, history.txn_count) ||
			!model_equal(&serial.target, &history.source, false))
			BUG("batch %d: the model does not follow its own source", i);
		if (!write_range(planned, &history, 0, history.txn_count) ||
			!model_equal(&planned->target, &serial.target, true))
		{
			printf("# batch %d differs\n", i);
			wrong++;
			break;
		}
	}
	planner_free(serial.planner);
	planner_free(planned->planner);
	history_release(&history);
	return wrong;
}

#define HAPPENED(what, field)                           \
	ok(run.field > 0, "%s: %llu of %llu changes", what, \
	   (unsigned long long) run.field, (unsigned long long) run.stats.changes)

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10)
							 : (unsigned) time(NULL);
	int batches = argc > 2 ? atoi(argv[2]) : 1500;
	Run run;

	printf("# seed %u\n", seed);
	is_int(compare_runs(seed, batches, MISTAKE_NONE, &run), 0,
		   "planned and one by one are the same rows");
	HAPPENED("insert + update", stats.insert_update);
	HAPPENED("update + update", stats.update_update);
	HAPPENED("insert + delete", stats.insert_delete);
	HAPPENED("update + delete", stats.update_delete);
	HAPPENED("delete + insert", stats.delete_insert);
	HAPPENED("with puts and maybe-deletes", stats.tolerant);
	HAPPENED("keys changed", stats.key_changes);
	HAPPENED("rows without a key", stats.unkeyed);
	HAPPENED("in vectors", stats.vector_rows);
	HAPPENED("single rows", stats.single_rows);
	HAPPENED("plans refused and halved", refused);
	HAPPENED("transactions one by one", serial);
	is_int(run.stats.misfits, 0, "nothing that cannot follow");
	is_int(run.stats.changes, run.stats.vector_rows + run.stats.single_rows,
		   "every change is in a vector or a step of its own");
	is_int(compare_runs(seed, batches, MISTAKE_MOVED_BARRIER, &run), 1,
		   "grouping around a new key is noticed");
	is_int(compare_runs(seed, batches, MISTAKE_REPLACED, &run), 1,
		   "so is a row that comes anew by UPDATE where it must not");
	return done_testing();
}

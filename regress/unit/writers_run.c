/*
 * writers_run.c
 *		See writers_run.h.
 */
#include "writers_run.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool
matches(int writer, MockCall call, const char *want, const TargetWriter *by,
		MockCall made, const char *text)
{
	return by->number == writer && made == call &&
		   (want == NULL || strcmp(want, text) == 0);
}

static bool
wait_or_fail(MockTarget *target, TargetWriter *writer, MockCall call,
			 const char *text, Error *err)
{
	Run *run = target->arg;
	Fault *fault = &run->fault;

	for (int i = 0; i < run->gate_count; i++)
	{
		const Gate *gate = &run->gates[i];

		if (!matches(gate->writer, gate->call, gate->text, writer, call,
					 text) ||
			(gate->after != NULL &&
			 mock_find_line(target, gate->writer, gate->after) < 0))
			continue;
		while (gate->line != NULL
				   ? mock_find_line(target, gate->for_writer, gate->line) < 0
				   : !run->gates_open)
			pthread_cond_wait(&target->changed, &target->mutex);
	}
	if (fault->times == 0 ||
		!matches(fault->writer, fault->call, fault->text, writer, call, text))
		return true;
	fault->times--;
	if (fault->while_held && !mock_others_hold(target, writer))
		return true;
	error_set(err, fault->code, "a fault");
	err->lock_wait = fault->lock_wait;
	return false;
}

void
run_init(Run *run)
{
	memset(run, 0, sizeof(*run));
	mock_init(&run->target);
	script_init(&run->script, &run->target);
	run->orders = orders_new();
	for (int i = 0; i < RUN_BATCHES; i++)
		run->batches[i] = batch_new(&script_filter, run->orders, false);
}

void
run_release(Run *run)
{
	for (int i = 0; i < RUN_BATCHES; i++)
		batch_free(run->batches[i]);
	orders_free(run->orders);
	script_release(&run->script);
	mock_release(&run->target);
}

bool
run_begin(Run *run, int writers, const char *rows)
{
	mock_reset(&run->target);
	script_reset(&run->script);
	script_apply(&run->target.rows, rows);
	orders_free(run->orders);
	run->orders = orders_new();
	for (int i = 0; i < RUN_BATCHES; i++)
		run->batches[i]->orders = run->orders;
	run->target.rule = wait_or_fail;
	run->target.arg = run;
	run->given = 0;
	run->taken = 0;
	run->gate_count = 0;
	run->gates_open = false;
	memset(&run->fault, 0, sizeof(run->fault));
	error_clear(&run->err);
	run->queue = queue_new(1000);
	run->writers = writers_open(&run->target.base, writers, run->queue,
								&run->err);
	return run->writers != NULL;
}

void
run_end(Run *run)
{
	writers_close(run->writers);
	queue_free(run->queue);
	run->writers = NULL;
	run->queue = NULL;
}

void
run_hold(Run *run, const Gate *gates, int count)
{
	pthread_mutex_lock(&run->target.mutex);
	run->gates = gates;
	run->gate_count = count;
	run->gates_open = false;
	pthread_mutex_unlock(&run->target.mutex);
}

void
run_wait_calls(Run *run, int calls)
{
	pthread_mutex_lock(&run->target.mutex);
	while (run->target.calls < calls)
		pthread_cond_wait(&run->target.changed, &run->target.mutex);
	pthread_mutex_unlock(&run->target.mutex);
}

void
run_open_gates(Run *run)
{
	pthread_mutex_lock(&run->target.mutex);
	run->gates_open = true;
	pthread_cond_broadcast(&run->target.changed);
	pthread_mutex_unlock(&run->target.mutex);
}

void
run_give(Run *run, const char *txns)
{
	StreamBatch *batch = run->batches[run->given++ % RUN_BATCHES];

	BUG_UNLESS(writers_ready(run->writers));
	script_fill(&run->script, batch, txns);
	writers_give(run->writers, batch);
}

void
run_give_piece(Run *run, const char *changes, bool first, bool last)
{
	StreamBatch *batch = run->batches[run->given++ % RUN_BATCHES];

	BUG_UNLESS(writers_ready(run->writers));
	script_piece(&run->script, batch, changes, first, last);
	writers_give(run->writers, batch);
}

bool
run_take(Run *run)
{
	BatchResult result;
	bool taken;

	for (;;)
	{
		if (!writers_take(run->writers, &result, &taken, &run->err))
			return false;
		if (taken)
			break;
		BUG_UNLESS(queue_await(run->queue, false, RUN_WAIT_MS));
	}
	BUG_UNLESS(result.batch == run->batches[run->taken++ % RUN_BATCHES]);
	return true;
}

static void *
close_writers(void *arg)
{
	Run *run = arg;

	writers_close(run->writers);
	return NULL;
}

void
run_close_held(Run *run)
{
	pthread_t closer;

	BUG_UNLESS(pthread_create(&closer, NULL, close_writers, run) == 0);
	BUG_UNLESS(queue_await(run->queue, false, RUN_WAIT_MS));
	run_open_gates(run);
	pthread_join(closer, NULL);
	run->writers = NULL;
}

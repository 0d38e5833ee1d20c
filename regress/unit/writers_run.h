/*
 * writers_run.h
 *		Writers with the target of mock_target.h: batches are given and taken,
 *		and calls of single threads are held until something else has happened.
 *
 * While the batches before are held, the n-th batch is with the n-th writer, both
 * from 0.
 */
#ifndef PORTAGE_WRITERS_RUN_H
#define PORTAGE_WRITERS_RUN_H

#include "batch_script.h"
#include "stream/writers.h"

#define RUN_BATCHES 40
#define RUN_WAIT_MS 60000

/* A call that waits. */
typedef struct Gate
{
	int writer;
	MockCall call;
	const char *text;  /* of the plan; NULL: any */
	const char *after; /* a line of the same writer; NULL: always */
	int for_writer;
	const char *line; /* the line it waits for; NULL: run_open_gates */
} Gate;

/* A call that fails, the first so many times. */
typedef struct Fault
{
	int writer;
	MockCall call;
	const char *text;
	ErrorCode code;
	bool lock_wait;
	int times;
	bool while_held; /* only if others hold rows */
} Fault;

typedef struct Run
{
	MockTarget target;
	Script script;
	Queue *queue;
	Writers *writers;
	Orders *orders;
	StreamBatch *batches[RUN_BATCHES];
	int given;
	int taken;
	Error err;
	const Gate *gates;
	int gate_count;
	bool gates_open;
	Fault fault; /* times 0: none */
} Run;

void run_init(Run *run);
void run_release(Run *run);

/* Writers of a target with these rows; false: run->err. */
bool run_begin(Run *run, int writers, const char *rows);
void run_end(Run *run);

/* These calls are held from now on, and no others. */
void run_hold(Run *run, const Gate *gates, int count);
void run_open_gates(Run *run);

/* Wait until so many calls have been made. */
void run_wait_calls(Run *run, int calls);

void run_give(Run *run, const char *txns);
void run_give_piece(Run *run, const char *changes, bool first, bool last);

/* Wait until the queue is woken for the oldest; false: run->err. */
bool run_take(Run *run);

/*
 * Close them while calls are held, which are let go once the queue is woken for a
 * batch that is finished nevertheless.
 */
void run_close_held(Run *run);

#endif /* PORTAGE_WRITERS_RUN_H */

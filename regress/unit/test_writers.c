/*
 * test_writers.c
 *		What is written when, by which thread, and what becomes of the others when
 *		one of them fails.
 */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tap.h"
#include "writers_run.h"

#define SECONDS_MAX 120 /* a thread that waits for what does not come */

static Run run;
static Buffer text;

static void
is_log(int writer, const char *want, const char *what)
{
	mock_log(&run.target, writer, &text);
	is_str(text.data, want, what);
}

static void
is_rows(const char *want, const char *what)
{
	mock_rows_text(&run.target.rows, &text);
	is_str(text.data, want, what);
}

static void
is_counts(uint64_t batches, uint64_t vector_rows, uint64_t single_rows,
		  uint64_t refused, uint64_t serial_rows)
{
	const ApplyCounts *counts = &run.target.counts;

	ok(counts->batches == batches && counts->vector_rows == vector_rows &&
		   counts->single_rows == single_rows && counts->refused == refused &&
		   counts->serial_rows == serial_rows,
	   "counts: %d batches, %d in vectors, %d single, %d refused, %d serial",
	   (int) counts->batches, (int) counts->vector_rows,
	   (int) counts->single_rows, (int) counts->refused,
	   (int) counts->serial_rows);
}

/* The first batch writes when the second writer has written this. */
static void
hold_first_for(const char *line)
{
	static Gate gate;

	gate = (Gate){
		.writer = 0, .call = MOCK_WRITE, .for_writer = 1, .line = line
	};
	run_hold(&run, &gate, 1);
}

static void
test_early(void)
{
	ok(run_begin(&run, 2, "+p1:1 +u1:10"), "two writers");
	hold_first_for("write{+p2:2}");
	run_give(&run, "=p1:5");
	run_give(&run, "+p2:2 =p1:6 +u2:20");
	ok(!writers_ready(run.writers), "both have something to do");
	ok(run_take(&run) && run_take(&run), "both are through");
	is_log(1, "begin write{+p2:2} write{=p1:6 +u2:20} commit",
		   "what nobody else touches is written early, the rest late");
	is_log(0, "begin write{=p1:5} commit", "the older batch as a whole");
	ok(mock_find_line(&run.target, 1, "write{=p1:6") >
		   mock_find_line(&run.target, 0, "commit"),
	   "late is behind the older commit");
	is_counts(2, 4, 0, 0, 0);
	is_rows("p1:6 p2:2 u1:10 u2:20", "all is there");
	run_end(&run);

	ok(run_begin(&run, 2, "+p1:1"), "two writers");
	hold_first_for("write{+q3:3}");
	run_give(&run, "=p1:5");
	run_give(&run, "+p2:2 =p2>3:3 +q3:3");
	ok(run_take(&run) && run_take(&run), "a new key");
	is_log(1, "begin write{+q3:3} write{+p2:2 !=p2>3:3} commit",
		   "keeps its table's rows in their place");
	is_counts(2, 3, 1, 0, 0);
	run_end(&run);
}

/* The younger batch is finished before the older one, and has written nothing. */
static void
test_not_early(const char *older, const char *younger, const char *what)
{
	static const Gate gate = { .writer = 0, .call = MOCK_WRITE };

	if (!run_begin(&run, 2, "+p1:1 +p2:2 +u1:10 +q1:1"))
		ok(false, "two writers");
	run_hold(&run, &gate, 1);
	run_give(&run, older);
	run_give(&run, younger);
	run_close_held(&run);
	is_log(1, "close", what);
	mock_log(&run.target, 0, &text);
	has(text.data, "} commit close", "what is in its turn is finished");
	is_int(run.target.resume_lsn, run.batches[0]->after.resume_lsn,
		   "and is the last");
	run_end(&run);
}

/* Pieces that are written, and not committed, are older, too. */
static void
test_not_early_pieces(const char *younger, const char *what)
{
	static const Gate gate = { .writer = 0,
							   .call = MOCK_WRITE,
							   .text = "+p6:6" };

	/* the slots of the ring have been used, for other rows */
	if (!run_begin(&run, 2, "+p1:1 +p2:2"))
		ok(false, "two writers");
	run_give(&run, "+q8:8");
	ok(queue_await(run.queue, false, RUN_WAIT_MS) && run_take(&run), "before");
	run_hold(&run, &gate, 1);
	run_give_piece(&run, "+p5:5 =p1:7", true, false);
	ok(queue_await(run.queue, false, RUN_WAIT_MS) && run_take(&run), "a piece");
	run_give_piece(&run, "+p6:6", false, true);
	run_give(&run, younger);
	run_close_held(&run);
	is_log(1, "close", what);
	is_rows("p1:7 p2:2 p5:5 p6:6 q8:8", "the large transaction is there");
	run_end(&run);
}

static void
test_close(void)
{
	static const Gate gates[] = {
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 1,
		  .line = "write{+p2:2}" },
		{ .writer = 0, .call = MOCK_WRITE },
	};

	ok(run_begin(&run, 2, ""), "two writers");
	run_hold(&run, gates, 2);
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2");
	run_close_held(&run);
	is_rows("p1:1", "early rows go with the connection");
	ok(!mock_others_hold(&run.target, NULL), "and their locks");
	run_end(&run);

	ok(run_begin(&run, 16, ""), "sixteen writers");
	is_int(writers_busy(run.writers), 0, "none is busy");
	run_end(&run);
	is_int(run.target.misuse, 0, "close without work");

	run.target.writer_max = 2;
	mock_reset(&run.target);
	run.target.writer_max = 2;
	ok(writers_open(&run.target.base, 4, NULL, &run.err) == NULL &&
		   run.err.code == P_CONNECT,
	   "a third connection is refused");
	ok(run.target.writer_count == 2 && run.target.writers[0] == NULL &&
		   run.target.writers[1] == NULL,
	   "the others are closed");
}

static void
test_failure(void)
{
	static const Gate gates[] = {
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 2,
		  .line = "write{+p3:3}" },
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 3,
		  .line = "write{+p4:4}" },
	};

	ok(run_begin(&run, 4, ""), "four writers");
	run_hold(&run, gates, 2);
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2; =q9:1");
	run_give(&run, "+p3:3");
	run_give(&run, "+p4:4");
	ok(run_take(&run), "the first is through");
	for (int i = 0; i < 2; i++)
	{
		ok(!run_take(&run), "the second is not");
		is_str(run.err.message, "row q9 is missing", "for its own reason");
	}
	ok(!writers_ready(run.writers), "nothing more is taken");
	run_end(&run);
	is_rows("p1:1", "nothing of the others stays");
	ok(mock_find_line(&run.target, 2, "commit") < 0 &&
		   mock_find_line(&run.target, 3, "commit") < 0 &&
		   !mock_others_hold(&run.target, NULL),
	   "they have not tried");
	is_int(run.target.resume_lsn, script_end_lsn(1), "progress says so");

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){
		.writer = 0, .call = MOCK_COMMIT, .code = P_PROGRESS, .times = 1
	};
	hold_first_for("write{+p2:2}");
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2");
	ok(!run_take(&run) && run.err.code == P_PROGRESS, "a commit that fails");
	run_end(&run);
	is_log(0, "begin write{+p1:1} commit? rollback close", "is rolled back");
	is_rows("", "and nothing is there");
}

/* What goes wrong before its turn may be due to the order alone. */
static void
test_begun_again(void)
{
	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 1,
						 .call = MOCK_WRITE,
						 .text = "+p2:2",
						 .code = P_ROW_CONFLICT,
						 .times = 1 };
	hold_first_for("rollback");
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2 +u2:2");
	ok(run_take(&run) && run_take(&run), "early rows are refused");
	is_log(1, "begin write{+p2:2}? rollback begin write{+p2:2 +u2:2} commit",
		   "the batch is begun again in its turn");
	is_counts(2, 3, 0, 0, 0);
	run_end(&run);

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 1,
						 .call = MOCK_WRITE,
						 .text = "+u2:2",
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 1 };
	hold_first_for("write{+p2:2}");
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2 +u2:2");
	ok(run_take(&run) && run_take(&run), "late rows fail");
	is_log(1,
		   "begin write{+p2:2} write{+u2:2}? rollback "
		   "begin write{+p2:2 +u2:2} commit",
		   "the batch is begun again as a whole");
	is_counts(2, 3, 0, 0, 0);
	run_end(&run);

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 1,
						 .call = MOCK_WRITE,
						 .text = "+p2:2",
						 .code = P_CONNECTION_LOST,
						 .times = 1 };
	hold_first_for("write{+p2:2}?");
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2");
	ok(run_take(&run), "the older one is through");
	ok(!run_take(&run) && run.err.code == P_CONNECTION_LOST,
	   "a lost connection shows in its turn");
	run_end(&run);
	is_rows("p1:1", "nothing of it is there");
}

/* Batches of a thread are counted each by itself, whichever way they go. */
static void
test_counts(void)
{
	static const Gate gates[] = {
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 1,
		  .line = "write{+p6:6}" },
		{ .writer = 1,
		  .call = MOCK_COMMIT,
		  .for_writer = 0,
		  .line = "write{+p7:7}" },
	};

	ok(run_begin(&run, 2, "+u1:10 +u2:20"), "two writers");
	run_hold(&run, gates, 2);
	run_give(&run, "=u1:99 =u2:10 =u1:20");
	run_give(&run, "+p6:6");
	ok(run_take(&run), "one that is refused");
	is_counts(1, 0, 0, 1, 3);
	run_give(&run, "+p7:7");
	ok(run_take(&run) && run_take(&run), "two that were early");
	is_log(0,
		   "begin write{=u1:20 =u2:10}? rollback "
		   "begin write{!=u1:99 !=u2:10 !=u1:20} commit "
		   "begin write{+p7:7} write{} commit",
		   "one of them by the same thread");
	is_counts(3, 2, 0, 1, 3);
	run_end(&run);

	ok(run_begin(&run, 1, ""), "one writer");
	run_give(&run, "+p1:1");
	ok(run_take(&run), "one batch");
	run_give(&run, "+p2:2");
	ok(run_take(&run), "and another");
	is_counts(2, 2, 0, 0, 0);
	run_end(&run);
}

static void
test_recall(void)
{
	static const Gate gates[] = {
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 1,
		  .line = "write{+p2:2}" },
		{ .writer = 0,
		  .call = MOCK_WRITE,
		  .for_writer = 2,
		  .line = "write{+p3:3}" },
	};

	ok(run_begin(&run, 3, ""), "three writers");
	run.fault = (Fault){ .writer = 0,
						 .call = MOCK_WRITE,
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 9,
						 .while_held = true };
	run_hold(&run, gates, 2);
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2");
	run_give(&run, "+p3:3");
	ok(run_take(&run) && run_take(&run) && run_take(&run),
	   "the younger ones are in the way");
	is_log(0, "begin write{+p1:1}? rollback begin write{+p1:1} commit",
		   "the older one is begun again");
	is_log(1, "begin write{+p2:2} rollback begin write{+p2:2} commit",
		   "when the next one has given its rows back");
	is_log(2, "begin write{+p3:3} rollback begin write{+p3:3} commit",
		   "and the one behind it");
	is_counts(3, 3, 0, 0, 0);
	run_end(&run);
}

/* A younger batch whose early rows are still on their way holds them, too. */
static void
test_recall_in_the_middle(void)
{
	static const Gate gates[] = {
		{ .writer = 0, .call = MOCK_WRITE, .for_writer = 1, .line = "begin" },
		{ .writer = 1,
		  .call = MOCK_WRITTEN,
		  .text = "+p2:2",
		  .for_writer = 0,
		  .line = "rollback" },
	};

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 0,
						 .call = MOCK_WRITE,
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 1 };
	run_hold(&run, gates, 2);
	run_give(&run, "+p1:1");
	run_give(&run, "+p2:2");
	ok(run_take(&run) && run_take(&run), "recalled in the middle of a write");
	ok(mock_find_line(&run.target, 1, "rollback") <
		   mock_find_line(&run.target, 0, "commit"),
	   "the older one waits until it has given its rows back");
	run_end(&run);
}

/* Nor is anything begun that would be. */
static void
test_recalled_before(void)
{
	static const Gate gate = { .writer = 0,
							   .call = MOCK_WRITE,
							   .after = "rollback" };

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 0,
						 .call = MOCK_WRITE,
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 1 };
	run_hold(&run, &gate, 1);
	run_give(&run, "+p1:1");
	run_wait_calls(&run, 4);
	run_give(&run, "+p2:2");
	run_close_held(&run);
	is_log(1, "close", "nothing is early while an older one is begun again");
	is_log(0, "begin write{+p1:1}? rollback begin write{+p1:1} commit close",
		   "which goes on meanwhile");
	run_end(&run);
}

static void
test_not_recalled(void)
{
	ok(run_begin(&run, 1, ""), "one writer");
	run.fault = (Fault){ .writer = 0,
						 .call = MOCK_WRITE,
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 1 };
	run_give(&run, "+p1:1");
	ok(!run_take(&run) && run.err.lock_wait,
	   "a lock is not held by a writer if there is only one");
	is_log(0, "begin write{+p1:1}? rollback", "so there is no second try");
	run_end(&run);

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){ .writer = 0,
						 .call = MOCK_WRITE,
						 .code = P_SERVER_BUSY,
						 .lock_wait = true,
						 .times = 2 };
	run_give(&run, "+p1:1");
	ok(!run_take(&run) && run.err.lock_wait, "a lock that somebody else holds");
	is_log(0, "begin write{+p1:1}? rollback begin write{+p1:1}? rollback",
		   "is waited for twice");
	run_end(&run);

	ok(run_begin(&run, 2, ""), "two writers");
	run.fault = (Fault){
		.writer = 0, .call = MOCK_WRITE, .code = P_SERVER_BUSY, .times = 1
	};
	run_give(&run, "+p1:1");
	ok(!run_take(&run) && run.err.code == P_SERVER_BUSY,
	   "what is not about locks is handed up");
	is_log(0, "begin write{+p1:1}? rollback", "at once");
	run_end(&run);
}

static void
test_pieces(void)
{
	static const Gate first = { .writer = 0,
								.call = MOCK_WRITE,
								.text = "+p1:1" };
	static const Gate last = { .writer = 0,
							   .call = MOCK_WRITE,
							   .text = "=p1:3" };

	ok(run_begin(&run, 2, ""), "two writers");
	run_hold(&run, &first, 1);
	run_give_piece(&run, "+p1:1", true, false);
	ok(!writers_ready(run.writers),
	   "nobody takes the next piece but who has the first");
	run_open_gates(&run);
	ok(run_take(&run) && writers_ready(run.writers), "when it is through");
	run_give_piece(&run, "+p2:2", false, false);
	ok(run_take(&run), "the second");
	run_hold(&run, &last, 1);
	run_give_piece(&run, "=p1:3", false, true);
	ok(writers_ready(run.writers), "behind the last, anybody");
	run_give(&run, "+p4:4");
	run_open_gates(&run);
	ok(run_take(&run) && run_take(&run), "the last, and what follows");
	is_log(0,
		   "begin write{+p1:1} set write{+p2:2} release set write{=p1:3} "
		   "release commit",
		   "one transaction of one thread");
	is_log(1, "begin write{+p4:4} commit", "the other has the next");
	is_counts(2, 4, 0, 0, 0);
	is_int(run.target.seen, 4, "the ledger has all pieces, once");
	run_end(&run);
}

int
main(void)
{
	alarm(SECONDS_MAX);
	buffer_init(&text);
	run_init(&run);
	test_early();
	test_not_early("=p1:5", "=p1:6", "not a row that an older batch touches");
	test_not_early("=p1>9:5", "+p1:6", "nor one that it moves away");
	test_not_early("=p1>9:5", "=p9:6", "nor one that it moves there");
	test_not_early("=p1:5", "=u1:11", "not in a table that demands more");
	test_not_early("=q1:5", "=p1>9:5 =p2:6", "not around a new key");
	test_not_early("^p1:5", "~p1", "nor one that may be there");
	test_not_early("*q", "=p1:5", "not behind a TRUNCATE");
	test_not_early("#q1:5", "=p1:5", "nor behind what may find its key taken");
	test_not_early("=p1:5", "#q1:6; =p2:6", "nor with that");
	test_not_early("=p1:5", "*q; =p2:6", "not with a TRUNCATE");
	test_not_early_pieces("=p5:6", "not a row of an earlier piece");
	test_not_early_pieces("=p6:7", "not a row of the last piece");
	test_close();
	test_failure();
	test_begun_again();
	test_counts();
	test_recall();
	test_recall_in_the_middle();
	test_recalled_before();
	test_not_recalled();
	test_pieces();
	is_int(run.target.misuse, 0, "no call that a target does not allow");
	run_release(&run);
	buffer_release(&text);
	return done_testing();
}

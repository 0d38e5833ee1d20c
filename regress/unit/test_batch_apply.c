/*
 * test_batch_apply.c
 *		A batch against a target that says no: what is tried, in which order,
 *		what is left of it, and how it is counted.
 *
 *		test_batch_apply [SEED [BATCHES]]
 */
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "batch_script.h"
#include "stream/batch_apply.h"
#include "tap.h"

static MockTarget target;
static Script script;
static Orders *orders;
static StreamBatch *batch;
static TargetWriter *writer;
static ApplyCounts counts;
static Error err;
static Buffer text;

/* --------------------------------------------------------------- harness */

/* A new writer to a target with these rows. */
static void
begin(const char *rows)
{
	target.base.ops->writer_close(writer);
	mock_reset(&target);
	script_reset(&script);
	script_apply(&target.rows, rows);
	memset(&counts, 0, sizeof(counts));
	orders_free(orders);
	orders = orders_new();
	batch->orders = orders;
	writer = target.base.ops->writer_open(&target.base, false, &err);
	target.line_count = 0;
}

static bool
write_batch(void)
{
	return batch_write(batch, target.base.ops, writer, &counts, &err);
}

static bool
commit(void)
{
	TargetDurability durability;

	return target.base.ops->writer_commit(writer, &batch->before, &batch->after,
										  &counts, &batch->ledger, &durability,
										  &err);
}

static void
is_log(const char *want, const char *what)
{
	mock_log(&target, -1, &text);
	is_str(text.data, want, what);
}

static void
is_rows(const char *want, const char *what)
{
	mock_rows_text(&target.rows, &text);
	is_str(text.data, want, what);
}

static void
is_counts(uint64_t batches, uint64_t vector_rows, uint64_t single_rows,
		  uint64_t refused, uint64_t serial_rows)
{
	ok(counts.batches == batches && counts.vector_rows == vector_rows &&
		   counts.single_rows == single_rows && counts.refused == refused &&
		   counts.serial_rows == serial_rows,
	   "counts: %d batches, %d in vectors, %d single, %d refused, %d serial",
	   (int) counts.batches, (int) counts.vector_rows, (int) counts.single_rows,
	   (int) counts.refused, (int) counts.serial_rows);
}

/* What a rule of refuse_call refuses, and how. */
typedef struct Refusal
{
	int call; /* its number, from 1 */
	ErrorCode code;
	const char *sqlstate;
	MockCall refused; /* what it was */
} Refusal;

static bool
refuse_call(MockTarget *self, TargetWriter *by, MockCall call,
			const char *written, Error *error)
{
	Refusal *refusal = self->arg;

	(void) by;
	(void) written;
	if (call == MOCK_WRITTEN || self->calls != refusal->call)
		return true;
	refusal->refused = call;
	error_set(error, refusal->code, "call %d", refusal->call);
	snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", refusal->sqlstate);
	return false;
}

/* ----------------------------------------------------------------- tests */

static void
test_planned(void)
{
	begin("+p1:1 +u1:1");
	script_fill(&script, batch, "+p2:2 =p1:5; +u2:7; =p2:3 -u1");
	ok(write_batch() && commit(), "a batch that the target takes");
	is_log("begin write{=p1:5 -u1 +p2:3 +u2:7} commit", "as it was planned");
	is_rows("p1:5 p2:3 u2:7", "is there");
	is_counts(1, 5, 0, 0, 0);
	begin("+p1:1");
	script_fill(&script, batch, "=p1>2:1 +p3:3; *u");
	is_int((long) batch_singles(batch), 2, "some are not for vectors");
	ok(write_batch() && commit(), "changes that keep their place");
	is_log("begin write{!=p1>2:1 +p3:3 *} commit", "have steps of their own");
	is_counts(1, 1, 2, 0, 0);
	begin("");
	script_fill(&script, batch, "; ;");
	ok(write_batch() && commit(), "transactions without changes");
	is_log("begin write{} commit", "are a transaction on the target");
	is_counts(1, 0, 0, 0, 0);
	ok(target.resume_lsn == script_end_lsn(2), "which moves progress");
}

/* What rules make where it is not known what the target has. */
static void
test_tolerant(void)
{
	begin("+p1:1 +p3:3 +u1:10 +u2:20");
	script_fill(&script, batch, "^p1:5 ^p2:6; ~p3 ~p4; ^p5:1 =p5:2 ^p6:1 ~p6");
	ok(write_batch() && commit(), "puts and maybe-deletes");
	is_log("begin write{~p3 ~p4 ~p6 ^p1:5 ^p2:6 ^p5:2} commit",
		   "are vectors of their own");
	is_rows("p1:5 p2:6 p5:2 u1:10 u2:20", "whatever was there");
	begin("+p1:1 +p3:3 +u1:10 +u2:20");
	script_fill(&script, batch, "^p1:5; +p4:4 #p3:7 =p1:6; #p9:9");
	ok(write_batch() && commit(), "INSERTs that may find their key taken");
	is_log("begin write{^p1:5 +p4:4 !#p3:7 =p1:6 !#p9:9} commit",
		   "stand between what is before and behind them");
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, "^p1:1 ~p2; ^u1:99 ^u2:10 ^u1:20");
	ok(write_batch() && commit(), "puts whose order matters");
	is_log("begin write{~p2 ^p1:1 ^u1:20 ^u2:10}? rollback begin "
		   "set write{~p2 ^p1:1} release "
		   "set write{^u1:20 ^u2:10}? back write{!^u1:99 !^u2:10 !^u1:20} "
		   "commit",
		   "are written in it");
	is_int(target.seen, 5, "... and counted once");
}

/* Two rows exchange their values: as a vector they are in each other's way. */
#define EXCHANGE "=u1:99 =u2:10 =u1:20"

static void
test_halves(void)
{
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, "+p3:3; +p4:4; " EXCHANGE "; +p5:5");
	ok(write_batch() && commit(), "one of four fails as it was planned");
	is_log("begin write{=u1:20 =u2:10 +p3:3 +p4:4 +p5:5}? rollback begin "
		   "set write{+p3:3 +p4:4} release "
		   "set write{=u1:20 =u2:10 +p5:5}? back "
		   "set write{=u1:20 =u2:10}? back write{!=u1:99 !=u2:10 !=u1:20} "
		   "set write{+p5:5} release commit",
		   "halves, and the one row by row");
	is_rows("p3:3 p4:4 p5:5 u1:20 u2:10", "all are there");
	is_counts(1, 3, 0, 3, 3);
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, "+p3:3; +p4:4; " EXCHANGE);
	ok(write_batch() && commit(), "the last of three");
	is_log("begin write{=u1:20 =u2:10 +p3:3 +p4:4}? rollback begin "
		   "set write{+p3:3} release set write{=u1:20 =u2:10 +p4:4}? back "
		   "set write{+p4:4} release set write{=u1:20 =u2:10}? back "
		   "write{!=u1:99 !=u2:10 !=u1:20} commit",
		   "halves of an odd number");
	is_counts(1, 2, 0, 3, 3);
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, "+p3:3 " EXCHANGE);
	ok(write_batch() && commit(), "only one");
	is_log("begin write{=u1:20 =u2:10 +p3:3}? rollback begin "
		   "write{!+p3:3 !=u1:99 !=u2:10 !=u1:20} commit",
		   "is not tried twice as it was planned");
	is_counts(1, 0, 0, 1, 4);
}

static void
test_two_fail(void)
{
	begin("+u1:10 +u2:20 +u3:30 +u4:40");
	script_fill(&script, batch,
				EXCHANGE "; +p1:1; =u3:99 =u4:30 =u3:40; =p1:2");
	ok(write_batch() && commit(), "two of four fail as they were planned");
	is_log("begin write{=u1:20 =u2:10 =u3:40 =u4:30 +p1:2}? rollback begin "
		   "set write{=u1:20 =u2:10 +p1:1}? back "
		   "set write{=u1:20 =u2:10}? back write{!=u1:99 !=u2:10 !=u1:20} "
		   "set write{+p1:1} release "
		   "set write{=u3:40 =u4:30 =p1:2}? back "
		   "set write{=u3:40 =u4:30}? back write{!=u3:99 !=u4:30 !=u3:40} "
		   "set write{=p1:2} release commit",
		   "both go row by row, the others do not");
	is_rows("p1:2 u1:20 u2:10 u3:40 u4:30", "the target is as the source");
	is_counts(1, 2, 0, 5, 6);
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, EXCHANGE "; =u1:99 =u2:20 =u1:10");
	ok(write_batch() && commit(), "two that come to nothing");
	is_log("begin write{=u1:10 =u2:20} commit", "are in nobody's way");
	is_counts(1, 6, 0, 0, 0);
}

static void
test_unsalvageable(void)
{
	begin("+p1:1 +u1:10");
	script_fill(&script, batch, "=p1:2; +p2:2 =q7:1 +p3:3; +p4:4");
	ok(!write_batch(), "a row that is not there");
	is_int(err.code, P_ROW_MISSING, "is missing");
	is_str(err.message, "row q7 is missing", "and named");
	is_log("begin write{=p1:2 =q7:1 +p2:2 +p3:3 +p4:4}? rollback begin "
		   "set write{=p1:2} release "
		   "set write{=q7:1 +p2:2 +p3:3 +p4:4}? back "
		   "set write{=q7:1 +p2:2 +p3:3}? back "
		   "write{!+p2:2 !=q7:1 !+p3:3}? rollback",
		   "nothing is tried behind it");
	ok(!writer->open && !mock_others_hold(&target, NULL), "nothing is open");
	is_rows("p1:1 u1:10", "nothing is there");
}

/* What may pass is handed up as it is: neither halves nor single rows. */
static void
test_handed_up(const char *sqlstate)
{
	Refusal refusal = { 2, P_SERVER_BUSY, sqlstate, MOCK_BEGIN };

	begin("");
	target.rule = refuse_call;
	target.arg = &refusal;
	script_fill(&script, batch, "+p1:1; +p2:2");
	ok(!write_batch() && err.code == P_SERVER_BUSY &&
		   strcmp(err.sqlstate, sqlstate) == 0,
	   "%s is handed up", sqlstate);
	is_log("begin write{+p1:1 +p2:2}? rollback", "at once");
	is_counts(1, 0, 0, 0, 0);
}

#define HARD "+p3:3; +p4:4; " EXCHANGE "; +p5:5"

/*
 * Every call of a batch that is halved fails once.  A writer that has not lost
 * its connection then writes the batch again.
 */
static void
test_each_call(ErrorCode code, const char *sqlstate)
{
	Refusal refusal = { 0, code, sqlstate, MOCK_BEGIN };
	bool lost = code == P_CONNECTION_LOST;
	int wrong = 0;
	int misuse = 0;
	int last;

	begin("+u1:10 +u2:20");
	script_fill(&script, batch, HARD);
	ok(write_batch(), "without a fault");
	last = target.calls;
	for (refusal.call = 1; refusal.call <= last; refusal.call++)
	{
		begin("+u1:10 +u2:20");
		script_fill(&script, batch, HARD);
		target.rule = refuse_call;
		target.arg = &refusal;
		wrong += write_batch() || err.code != code ||
				 target.calls != refusal.call || writer->open ||
				 strcmp(target.lines[target.line_count - 1].text, "rollback") !=
					 0 ||
				 mock_others_hold(&target, NULL);
		memset(&counts, 0, sizeof(counts));
		batch_again(batch);
		wrong += lost ? write_batch() : !write_batch() || !commit();
		mock_rows_text(&target.rows, &text);
		wrong += strcmp(text.data, lost ? "u1:10 u2:20"
										: "p3:3 p4:4 p5:5 u1:20 u2:10") != 0;
		wrong += !lost && (counts.refused != 3 || counts.serial_rows != 3 ||
						   counts.vector_rows != 3 || counts.batches != 1);
		misuse += target.misuse;
	}
	ok(last > 15 && wrong == 0,
	   "%s P%04d at each of %d calls: nothing stays, nothing is tried behind it",
	   sqlstate, (int) code, last);
	is_int(misuse, 0, "and no call is made that cannot be");
}

/* An error of the data that is not about a plan ends the batch, too. */
static void
test_savepoint_refused(void)
{
	static const char *const names[] = { "begin", "",		 "",
										 "set",	  "release", "back" };
	Refusal refusal = { 0, P_APPLY, "XX000", MOCK_BEGIN };
	int tried[MOCK_COMMIT] = { 0 };
	int last;

	begin("+u1:10 +u2:20");
	script_fill(&script, batch, HARD);
	(void) !write_batch();
	last = target.calls;
	for (refusal.call = 1; refusal.call <= last; refusal.call++)
	{
		bool written;

		begin("+u1:10 +u2:20");
		script_fill(&script, batch, HARD);
		target.rule = refuse_call;
		target.arg = &refusal;
		written = write_batch();
		if (refusal.refused == MOCK_WRITE)
			continue;
		tried[refusal.refused]++;
		if (written || err.code != P_APPLY || target.calls != refusal.call ||
			mock_others_hold(&target, NULL))
			ok(false, "%s that fails, call %d", names[refusal.refused],
			   refusal.call);
	}
	ok(tried[MOCK_BEGIN] == 2 && tried[MOCK_SET] == 4 &&
		   tried[MOCK_RELEASE] == 2 && tried[MOCK_BACK] == 2,
	   "a savepoint that cannot be set, left or gone back to ends the batch");
}

static void
test_pieces(void)
{
	begin("+u1:10 +u2:20");
	script_piece(&script, batch, "+p1:1 +p2:2", true, false);
	ok(write_batch(), "the first piece of a transaction");
	is_counts(0, 2, 0, 0, 0);
	script_piece(&script, batch, EXCHANGE, false, false);
	ok(write_batch(), "one in the middle that fails as it was planned");
	is_counts(0, 2, 0, 1, 3);
	is_rows("u1:10 u2:20", "nothing is committed");
	script_piece(&script, batch, "=p1:5 +p3:3", false, true);
	ok(write_batch() && commit(), "the last one");
	is_log("begin write{+p1:1 +p2:2} "
		   "set write{=u1:20 =u2:10}? back write{!=u1:99 !=u2:10 !=u1:20} "
		   "set write{=p1:5 +p3:3} release commit",
		   "one transaction, on savepoints");
	is_rows("p1:5 p2:2 p3:3 u1:20 u2:10", "all of it is there");
	is_counts(1, 4, 0, 1, 3);

	begin("+p9:9");
	script_piece(&script, batch, "+p1:1", true, false);
	ok(write_batch(), "the first piece of another one");
	script_piece(&script, batch, "+p2:2 -q4", false, false);
	ok(!write_batch(), "what cannot be in the second");
	is_str(err.message, "row q4 is missing", "names the row");
	is_log("begin write{+p1:1} set write{-q4 +p2:2}? back "
		   "write{!+p2:2 !-q4}? rollback",
		   "takes the first back as well");
	is_rows("p9:9", "nothing is there");

	begin("+u1:10 +u2:20");
	script_piece(&script, batch, "+p3:3 " EXCHANGE, true, false);
	ok(write_batch(), "a first piece that fails as it was planned");
	is_log("begin write{=u1:20 =u2:10 +p3:3}? rollback begin "
		   "write{!+p3:3 !=u1:99 !=u2:10 !=u1:20}",
		   "is begun again");
}

static void
test_serial(void)
{
	StreamBatch *planned = batch;

	batch = batch_new(&script_filter, orders, true);
	begin("+u1:10 +u2:20");
	script_fill(&script, batch, "+p1:1; " EXCHANGE "; =p1:2");
	is_int((long) batch_singles(batch), 5, "nothing is for vectors");
	ok(write_batch() && commit(), "a batch that is not to be planned");
	is_log("begin write{!+p1:1 !=u1:99 !=u2:10 !=u1:20 !=p1:2} commit",
		   "is written in the source's order");
	is_counts(1, 0, 5, 0, 0);
	batch_free(batch);
	batch = planned;
}

/* ---------------------------------------------------------------- random */

static void
test_random(unsigned seed, int batches)
{
	ScriptRandom r = { .seed = seed };
	uint64_t changes = 0;
	uint64_t want_changes = 0;
	uint64_t want_seen;
	int wrong = 0;

	buffer_init(&r.txns);
	begin("");
	for (int i = 0; i < batches && wrong == 0; i++)
	{
		script_random(&r);
		script_fill(&script, batch, r.txns.data);
		want_changes += (uint64_t) script_changes(r.txns.data);
		want_seen = want_changes;
		wrong += !write_batch() || !commit();
		wrong += memcmp(&r.rows, &target.rows, sizeof(r.rows)) != 0;
		changes += counts.vector_rows + counts.single_rows + counts.serial_rows;
		wrong += changes != want_changes || counts.batches != 1 ||
				 target.seen != want_seen;
		memset(&counts, 0, sizeof(counts));
		target.line_count = 0;
	}
	ok(wrong == 0, "seed %u: %d batches come to what the source has: %s", seed,
	   batches, wrong > 0 ? r.txns.data : "");
	ok(target.counts.refused > 0 && target.counts.serial_rows > 0 &&
		   target.misuse == 0,
	   "%d plans were refused, %d changes written one by one",
	   (int) target.counts.refused, (int) target.counts.serial_rows);
	buffer_release(&r.txns);
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10)
							 : (unsigned) time(NULL);

	buffer_init(&text);
	mock_init(&target);
	script_init(&script, &target);
	orders = orders_new();
	batch = batch_new(&script_filter, orders, false);
	test_planned();
	test_tolerant();
	test_halves();
	test_two_fail();
	test_unsalvageable();
	test_handed_up("40P01");
	test_handed_up("40001");
	test_handed_up("55P03");
	test_each_call(P_CONNECTION_LOST, "");
	test_each_call(P_SERVER_BUSY, "40P01");
	test_savepoint_refused();
	test_pieces();
	test_serial();
	is_int(target.misuse, 0, "no call that a target does not allow");
	test_random(seed, argc > 2 ? atoi(argv[2]) : 2000);
	target.base.ops->writer_close(writer);
	batch_free(batch);
	orders_free(orders);
	script_release(&script);
	mock_release(&target);
	buffer_release(&text);
	return done_testing();
}

/*
 * test_writers_random.c
 *		Random batches by one to sixteen writers: at every commit the target is a
 *		prefix of the source, and nothing is early that may not be.
 *
 *		test_writers_random [SEED [BATCHES]]
 *
 * The oracle knows each batch as a text and nothing of plans and keys.  Writes
 * fail now and then, as they may before their turn, or for a lock in it.  Beside
 * this, a target without any lock of its own shows that the writers alone keep
 * commits apart.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "tap.h"
#include "writers_run.h"

#define SECONDS_MAX 300
#define BATCHES_MAX 2000
#define BARE_BATCHES 3000

/* A batch as the oracle knows it. */
typedef struct Known
{
	char *txns;
	MockRows before;
	Lsn resume_lsn; /* before it */
	bool tried;		/* in its turn */
} Known;

static Run run;
static Known known[BATCHES_MAX + 1];
static int known_count;
static ScriptRandom source;
static unsigned fault_seed;
static int early; /* writes before their turn */
static int wrong;

/* ---------------------------------------------------------------- oracle */

/* Which batch is next on the target? */
static int
next_batch(void)
{
	int i = 0;

	while (known[i].resume_lsn != run.target.resume_lsn)
		i++;
	return i;
}

static int
batch_of(uint32_t xid)
{
	int i = 0;

	while (i + 1 < known_count && known[i + 1].resume_lsn < script_end_lsn(xid))
		i++;
	return i;
}

/* May the batch write this change while those from next on are not committed? */
static bool
may_be_early(int batch, int next, const char *change)
{
	MockTable table = change[1] == 'p'	 ? MOCK_PLAIN
					  : change[1] == 'q' ? MOCK_QUIET
										 : MOCK_UNIQUE;
	int id = atoi(change + 2);

	if (strchr("+=-^~", change[0]) == NULL || table == MOCK_UNIQUE ||
		script_has_barrier(known[batch].txns, table))
		return false;
	for (int i = next; i < batch; i++)
	{
		if (script_changes_row(known[i].txns,
							   known[i].before.value[table][id] != 0, table,
							   id) ||
			strchr(known[i].txns, '*') != NULL)
			return false;
	}
	return true;
}

static void
check_early(int batch, int next, const char *text)
{
	char copy[SCRIPT_TXN_MAX];
	char *rest = copy;
	char *word;

	early++;
	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ")) != NULL)
	{
		if (*word == '\0' || may_be_early(batch, next, word))
			continue;
		wrong++;
		printf("# \"%s\" of \"%s\" is early\n", word, known[batch].txns);
	}
}

static bool
fail(Error *err, ErrorCode code, bool lock_wait)
{
	error_set(err, code, "a fault");
	err->lock_wait = lock_wait;
	return false;
}

/* So that the younger batches come to their early rows. */
static void
let_others_go(MockTarget *target)
{
	pthread_mutex_unlock(&target->mutex);
	for (int i = 0; i < 20; i++)
		sched_yield();
	pthread_mutex_lock(&target->mutex);
}

static bool
check_call(MockTarget *target, TargetWriter *writer, MockCall call,
		   const char *text, Error *err)
{
	int next = next_batch();
	int batch;
	bool first;

	if (call == MOCK_COMMIT &&
		memcmp(&target->rows, &known[next].before, sizeof(MockRows)) != 0)
	{
		wrong++;
		printf("# before \"%s\" the target is no prefix\n", known[next].txns);
	}
	if (call != MOCK_WRITE || writer->xid == 0)
		return true;
	batch = batch_of(writer->xid);
	if (batch != next)
	{
		check_early(batch, next, text);
		return rand_r(&fault_seed) % 8 > 0 || fail(err, P_ROW_MISSING, false);
	}
	let_others_go(target);
	/* a second lock that is waited for in vain is handed up */
	first = !known[batch].tried;
	known[batch].tried = true;
	if (!first || target->writer_count == 1 || rand_r(&fault_seed) % 8 > 0)
		return true;
	return fail(err, P_SERVER_BUSY, true);
}

/* ---------------------------------------------------------------- random */

static void
give_random(void)
{
	Known *batch = &known[known_count];

	script_random(&source);
	batch[1].before = source.rows;
	batch->txns = mem_strdup(source.txns.data);
	pthread_mutex_lock(&run.target.mutex);
	known_count++;
	batch[1].resume_lsn = script_end_lsn(
		run.script.xid + (uint32_t) script_count(source.txns.data));
	pthread_mutex_unlock(&run.target.mutex);
	run_give(&run, batch->txns);
}

static void
test_random(int writers, unsigned seed, int batches)
{
	uint64_t changes = 0;
	const ApplyCounts *counts = &run.target.counts;
	bool good = run_begin(&run, writers, "");

	memset(&source.rows, 0, sizeof(source.rows));
	memset(known, 0, sizeof(known));
	source.seed = fault_seed = seed;
	known_count = early = wrong = 0;
	run.target.rule = check_call;
	while (good && run.taken < batches)
	{
		if (run.given < batches && writers_ready(run.writers))
			give_random();
		else
			good = run_take(&run);
		mock_forget_lines(&run.target);
	}
	ok(good && wrong == 0 && run.target.misuse == 0 &&
		   memcmp(&run.target.rows, &source.rows, sizeof(MockRows)) == 0,
	   "%d writers, seed %u: %d batches come to what the source has: %s",
	   writers, seed, run.taken, run.err.message);
	for (int i = 0; i < known_count; i++)
	{
		changes += (uint64_t) script_changes(known[i].txns);
		mem_free(known[i].txns);
	}
	ok(counts->batches == (uint64_t) batches &&
		   run.target.seen == counts->vector_rows + counts->single_rows +
								  counts->serial_rows &&
		   counts->vector_rows + counts->single_rows + counts->serial_rows ==
			   changes,
	   "each change counted once");
	ok((early > 0) == (writers > 1), "%d writes before their turn", early);
	run_end(&run);
}

/* ------------------------------------------------------------------ bare */

/* Nothing here is protected but by the order of commits. */
typedef struct Bare
{
	Target base;
	Lsn resume_lsn;
	uint64_t commits;
	uint64_t writes;
	int open;
} Bare;

typedef struct BareWriter
{
	Bare *target;
	uint64_t writes;
} BareWriter;

static TargetWriter *
bare_open(Target *base, bool many, Error *err)
{
	BareWriter *writer = mem_zalloc(sizeof(*writer));

	(void) many;
	(void) err;
	writer->target = (Bare *) base;
	writer->target->open++;
	return (TargetWriter *) writer;
}

static bool
bare_begin(TargetWriter *self, Error *err)
{
	(void) self;
	(void) err;
	return true;
}

static bool
bare_write(TargetWriter *self, const Plan *plan, const ChangeFilter *filter,
		   Error *err)
{
	(void) filter;
	(void) err;
	((BareWriter *) self)->writes += plan->count > 0;
	return true;
}

static bool
bare_commit(TargetWriter *self, const Progress *before, const Progress *after,
			const ApplyCounts *counts, const Ledger *ledger,
			TargetDurability *durability, Error *err)
{
	BareWriter *writer = (BareWriter *) self;
	Bare *target = writer->target;

	(void) ledger;
	if (before->resume_lsn != target->resume_lsn)
		return error_set(err, P_PROGRESS, "not the next one");
	target->resume_lsn = after->resume_lsn;
	target->commits += counts->batches;
	target->writes += writer->writes;
	writer->writes = 0;
	memset(durability, 0, sizeof(*durability));
	return true;
}

static void
bare_rollback(TargetWriter *self)
{
	((BareWriter *) self)->writes = 0;
}

static void
bare_close(TargetWriter *self)
{
	BareWriter *writer = (BareWriter *) self;

	writer->target->open--;
	mem_free(writer);
}

static const TargetOps bare_ops = {
	.name = "bare",
	.writer_open = bare_open,
	.writer_begin = bare_begin,
	.writer_write = bare_write,
	.writer_commit = bare_commit,
	.writer_rollback = bare_rollback,
	.writer_close = bare_close,
};

static void
test_bare(int writers)
{
	Bare bare = { .base.ops = &bare_ops };
	bool good;
	char txns[64];

	script_reset(&run.script);
	run.given = run.taken = 0;
	run.queue = queue_new(1000);
	run.writers = writers_open(&bare.base, writers, run.queue, &run.err);
	good = run.writers != NULL;
	while (good && run.taken < BARE_BATCHES)
	{
		snprintf(txns, sizeof(txns), "=p%d:1 =u%d:2; =q%d:3", 1 + run.given % 9,
				 1 + run.given % 7, 1 + run.given % 5);
		if (run.given < BARE_BATCHES && writers_ready(run.writers))
			run_give(&run, txns);
		else
			good = run_take(&run);
	}
	run_end(&run);
	ok(good && bare.commits == BARE_BATCHES && bare.writes >= BARE_BATCHES &&
		   bare.open == 0,
	   "%d writers keep commits apart", writers);
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10)
							 : (unsigned) time(NULL);
	int batches = argc > 2 ? atoi(argv[2]) : 400;
	static const int writers[] = { 1, 2, 4, 16 };

	alarm(SECONDS_MAX);
	BUG_UNLESS(batches <= BATCHES_MAX);
	run_init(&run);
	buffer_init(&source.txns);
	for (int i = 0; i < 4; i++)
	{
		test_random(writers[i], seed + (unsigned) i, batches);
		test_bare(writers[i]);
	}
	buffer_release(&source.txns);
	run_release(&run);
	return done_testing();
}

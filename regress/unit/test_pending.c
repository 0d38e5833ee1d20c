/*
 * test_pending.c
 *		Commits become durable in order, and none before its time.
 */
#include "stream/pending.h"

#include "tap.h"

static PendingCommits pending;

static void
add(uint64_t written)
{
	PendingCommit commit = { written, written * 10, written * 10 - 5 };

	pending_add(&pending, &commit);
}

/* What is settled at that position, or 0. */
static long
settled(uint64_t durable)
{
	PendingCommit commit;

	return pending_settle(&pending, durable, &commit) ? (long) commit.resume_lsn
													  : 0;
}

int
main(void)
{
	PendingCommit commit;

	is_int(settled(100), 0, "nothing is pending");
	add(10);
	add(20);
	add(30);
	is_int(settled(9), 0, "nothing is on disk");
	is_int(settled(10), 100, "the first, to the byte");
	is_int(settled(10), 0, "once");
	add(40);
	ok(pending_settle(&pending, 35, &commit) && commit.written == 30 &&
		   commit.resume_lsn == 300 && commit.confirm_lsn == 295,
	   "the newest of those that are");
	is_int(pending.count, 1, "one is left");
	is_int(settled(40), 400, "the last");

	for (uint64_t i = 1; i <= MAX_PENDING + 5; i++)
		add(i);
	is_int(settled(MAX_PENDING - 1), (MAX_PENDING - 1) * 10,
		   "those that have an entry of their own");
	is_int(settled(MAX_PENDING + 4), 0,
		   "those that share one wait for the last");
	is_int(settled(MAX_PENDING + 5), (MAX_PENDING + 5) * 10,
		   "and come with it");
	is_int(pending.count, 0, "none is left");
	return done_testing();
}

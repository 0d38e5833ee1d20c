/*
 * test_stamps.c
 *		Which transactions a snapshot shows, and which changes apply.
 */
#include "stream/stamps.h"
#include "tap.h"

static void
shows(const char *snapshot, uint32_t xid, bool want)
{
	bool got = !want;

	ok(stamp_shows(snapshot, xid, &got) && got == want, "%s shows %u: %s",
	   snapshot, xid, want ? "yes" : "no");
}

static void
test_snapshots(void)
{
	static const char *const bad[] = { "",		 "1",	  "1:2",  ":2:",
									   "1:2:,3", "a:2:",  "1:b:", "1:2:c",
									   "-1:2:",	 "1:2:3 " };
	bool unused;

	shows("100:110:", 99, true);
	shows("100:110:", 105, true);
	shows("100:110:", 110, false);
	shows("100:110:102,105", 102, false);
	shows("100:110:102,105", 103, true);
	shows("100:110:102,105", 105, false);
	/* as logical decoding gives them, xmin behind xmax */
	shows("120:110:", 115, true);
	shows("120:110:", 120, false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!stamp_shows(bad[i], 5, &unused), "\"%s\" is refused", bad[i]);
}

/* 2^32 and its neighbourhood: xids of the WAL have no epoch. */
static void
test_wraparound(void)
{
	shows("4294967290:4294967300:", 4294967289u, true);
	shows("4294967290:4294967300:", 3, true);
	shows("4294967290:4294967300:", 4, false);
	shows("4294967290:4294967300:4294967297", 1, false);
	shows("4294967296:4294967300:", 4294967295u, true);
	shows("8589934600:8589934610:", 9, true);
	shows("8589934600:8589934610:", 20, false);
	shows("8589934600:8589934610:", 4294967000u, true);
}

static void
test_filter(void)
{
	Chunk chunks[2] = {
		{ .table_oid = 20, .state = CHUNK_DONE, .stamp = { .slot = true } },
		{ .table_oid = 10,
		  .state = CHUNK_DONE,
		  .stamp = { .lsn = 1000, .snapshot = "100:110:105" } },
	};
	uint32_t ignored[] = { 30 };
	Error err = ERROR_INIT;
	Stamps *stamps = stamps_new(chunks, 2, 1000, &err);
	const ChangeFilter *filter = stamps_filter(stamps);
	Relation stamped = { .oid = 10 };
	Relation slot = { .oid = 20 };
	Relation extension = { .oid = 30 };
	Change change = { 0 };
	Txn seen = { .xid = 104, .commit_lsn = 900 };
	Txn running = { .xid = 105, .commit_lsn = 950 };
	Txn later = { .xid = 104, .commit_lsn = 1000 };

	ok(filter->verdict(filter, &seen, &change, &stamped) == VERDICT_SKIP,
	   "is there already");
	ok(filter->verdict(filter, &running, &change, &stamped) == VERDICT_APPLY,
	   "was running");
	ok(filter->verdict(filter, &later, &change, &stamped) == VERDICT_APPLY,
	   "beyond the newest stamp all apply");
	ok(filter->verdict(filter, &seen, &change, &slot) == VERDICT_APPLY,
	   "what the slot's snapshot showed is not sent");
	ok(filter->verdict(filter, &seen, &change, &extension) == VERDICT_APPLY,
	   "not ignored yet");
	stamps_ignore(stamps, ignored, 1);
	ok(filter->verdict(filter, &later, &change, &extension) == VERDICT_SKIP,
	   "ignored");
	ok(filter->verdict(filter, &later, &change, &slot) == VERDICT_APPLY,
	   "the others are not");
	stamps_free(stamps);
	chunks[1].stamp.snapshot = "nonsense";
	ok(stamps_new(chunks, 2, 1000, &err) == NULL, "an unreadable stamp");
	is_int(err.code, P_PROGRESS, "is an error of the progress row");
}

int
main(void)
{
	test_snapshots();
	test_wraparound();
	test_filter();
	return done_testing();
}

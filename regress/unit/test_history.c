/*
 * test_history.c
 *		The digest over applied transactions, and its proof after a connect.
 */
#include "base/mem.h"
#include "stream/history.h"
#include "tap.h"

#define SECRET "the stream's own"

/* Transaction i: commits at 100 * i, ends 10 behind; 0 has the marker. */
static Txn
txn_at(int i)
{
	return (Txn){ .xid = 700 + (uint32_t) i,
				  .commit_lsn = (Lsn) (1000 + 100 * i),
				  .end_lsn = (Lsn) (1010 + 100 * i),
				  .commit_time_us = i,
				  .rows = 1,
				  .crc = 0xABC0u + (uint32_t) i };
}

/* A frame with transactions first to last; nonce in the first one if given. */
static Frame *
frame_of(int first, int last, const char *nonce)
{
	Frame *frame = frame_new(NULL, 0, NULL, NULL);
	int n = 0;

	frame->events = ARENA_ARRAY(&frame->arena, Event, 3 * 64);
	for (int i = first; i <= last; i++)
	{
		frame->events[n].kind = EVENT_BEGIN;
		frame->events[n++].txn = txn_at(i);
		if (i == first && nonce != NULL)
		{
			frame->events[n].kind = EVENT_MESSAGE;
			frame->events[n++].message =
				(Message){ .transactional = true,
						   .prefix = slice_of(MARKER_PREFIX),
						   .content = slice_of(nonce) };
		}
		frame->events[n].kind = EVENT_COMMIT;
		frame->events[n++].txn = txn_at(i);
	}
	frame->event_count = n;
	return frame;
}

/* What the target says after transactions 0 to last, 0 being the anchor. */
static Progress
applied_to(int last, const char *nonce)
{
	Progress progress = { 0 };

	for (int i = 0; i <= last; i++)
	{
		Txn txn = txn_at(i);

		progress_advance(&progress, &txn, i == 0 ? nonce : NULL, "1.0.0");
	}
	return progress;
}

static bool
proves_from(Lsn start_lsn, const Progress *expected, Frame *frame,
			const char *version, int *keep, Error *err)
{
	History history;
	bool good;

	history_init(&history, expected, start_lsn);
	history_hello(&history, version);
	good = history_check(&history, frame, keep, err) &&
		   history.state == HISTORY_PROVEN;
	frame_release(frame);
	return good;
}

static bool
proves(const Progress *expected, Frame *frame, const char *version, int *keep,
	   Error *err)
{
	return proves_from(expected->anchor_lsn, expected, frame, version, keep,
					   err);
}

static void
test_proof(void)
{
	char nonce[NONCE_SIZE];
	Progress progress;
	Error err = ERROR_INIT;
	Frame *frame;
	int keep = -1;

	marker_nonce(SECRET, nonce);
	progress = applied_to(3, nonce);
	is_int(progress.anchor_lsn, 1000, "the marker is the anchor");
	is_int(progress.resume_lsn, 1310, "the end of the last one");
	ok(proves(&progress, frame_of(0, 3, nonce), "1.0.0", &keep, &err),
	   "the same history is proven");
	is_int(keep, 9, "and nothing of it is applied again");
	ok(proves(&progress, frame_of(0, 5, nonce), "1.0.0", &keep, &err),
	   "with more behind it");
	is_int(keep, 9, "which is applied");
	ok(!proves(&progress, frame_of(0, 2, nonce), "1.0.0", &keep, &err) &&
		   !error_is_set(&err),
	   "not proven as long as it has not all come");
	ok(!proves(&progress, frame_of(1, 3, nonce), "1.0.0", &keep, &err),
	   "without the anchor's transaction");
	is_int(err.code, P_HISTORY, "it is refused");
	error_clear(&err);
	ok(!proves(&progress, frame_of(0, 3, NULL), "1.0.0", &keep, &err) &&
		   err.code == P_HISTORY,
	   "without the nonce");
	error_clear(&err);
	marker_nonce(SECRET, nonce);
	ok(!proves(&progress, frame_of(0, 3, nonce), "1.0.0", &keep, &err) &&
		   err.code == P_HISTORY,
	   "with another nonce");
	error_clear(&err);
	frame = frame_of(0, 3, progress.anchor_nonce);
	frame->events[4].txn.crc ^= 1;
	ok(!proves(&progress, frame, "1.0.0", &keep, &err) && err.code == P_HISTORY,
	   "with other contents of one transaction");
	error_clear(&err);
	frame = frame_of(0, 3, progress.anchor_nonce);
	frame->events[4].txn.crc ^= 1;
	ok(proves(&progress, frame, "1.0.1", &keep, &err),
	   "which another version of the plugin may have");
	frame = frame_of(0, 3, progress.anchor_nonce);
	frame->events[4].txn.xid++;
	ok(!proves(&progress, frame, "1.0.1", &keep, &err) && err.code == P_HISTORY,
	   "but not another transaction");
}

static void
test_gap(void)
{
	char nonce[NONCE_SIZE];
	Progress progress;
	Error err = ERROR_INIT;
	Frame *frame;
	int keep;

	marker_nonce(SECRET, nonce);
	progress = applied_to(3, nonce);
	frame = frame_of(0, 5, nonce);
	/* 0, 1, 2, then 4: the last one that was applied is not there */
	memmove(&frame->events[7], &frame->events[9], 4 * sizeof(Event));
	frame->event_count -= 2;
	ok(!proves(&progress, frame, "1.0.0", &keep, &err) && err.code == P_HISTORY,
	   "a missing transaction is noticed by the next one");
}

/* Transactions from first on are applied; the first has the marker. */
static Progress
applied_from(int first, int last, const char *nonce)
{
	Progress progress = { 0 };

	for (int i = first; i <= last; i++)
	{
		Txn txn = txn_at(i);

		progress_advance(&progress, &txn, i == first ? nonce : NULL, "1.0.0");
	}
	return progress;
}

/* The stream begins where another target has to begin. */
static void
test_earlier_start(void)
{
	char nonce[NONCE_SIZE];
	Progress progress;
	Progress ahead = { .resume_lsn = 1250, .anchor_lsn = 1500 };
	Error err = ERROR_INIT;
	Frame *frame;
	int keep;

	marker_nonce(SECRET, nonce);
	progress = applied_from(2, 4, nonce);
	frame = frame_of(2, 6, nonce);
	ok(proves_from(1000, &progress, frame, "1.0.0", &keep, &err),
	   "a stream that might have begun earlier");
	is_int(keep, 7, "goes on behind what is applied");
	ok(!proves_from(1000, &progress, frame_of(0, 1, NULL), "1.0.0", &keep,
					&err) &&
		   !error_is_set(&err),
	   "what another target needs is passed over");
	is_int(keep, 4, "none of it is applied");
	ok(!proves_from(1100, &progress, frame_of(0, 1, NULL), "1.0.0", &keep,
					&err) &&
		   err.code == P_HISTORY,
	   "but not what lies before the start");
	error_clear(&err);
	ok(!proves_from(1000, &progress, frame_of(3, 6, nonce), "1.0.0", &keep,
					&err) &&
		   err.code == P_HISTORY,
	   "nor is the marker to be missing behind it");
	error_clear(&err);

	ok(proves_from(1250, &ahead, frame_of(3, 4, NULL), "1.0.0", &keep, &err),
	   "where the anchor lies ahead nothing is proven");
	is_int(keep, 0, "and all is applied");
	ok(proves_from(1000, &ahead, frame_of(0, 4, NULL), "1.0.0", &keep, &err),
	   "the same behind what another target needs");
	is_int(keep, 6, "from the first transaction that was not applied");
}

static void
test_anchors(void)
{
	char first[NONCE_SIZE];
	char second[NONCE_SIZE];
	Progress progress = { .consistent_lsn = 900,
						  .previous_anchor_lsn = 900,
						  .anchor_lsn = 1100 };
	Txn txn = txn_at(0);

	marker_nonce(SECRET, first);
	marker_nonce(SECRET, second);
	memcpy(progress.anchor_nonce, first, NONCE_SIZE);
	progress_advance(&progress, &txn, NULL, "1.0.0");
	is_str(progress.digest, "", "no digest before the first anchor");
	txn = txn_at(1);
	progress_advance(&progress, &txn, NULL, "1.0.0");
	ok(progress.digest[0] != '\0', "it begins there");
	is_int(progress.previous_anchor_lsn, 900, "nothing may be confirmed yet");
	txn = txn_at(2);
	progress_advance(&progress, &txn, second, "1.0.0");
	is_int(progress.anchor_lsn, 1200, "the next marker is the anchor");
	is_int(progress.previous_anchor_lsn, 1100, "the one before is confirmed");
	is_str(progress.anchor_nonce, second, "with its nonce");
	is_int(progress.transactions, 3, "transactions are counted");
}

int
main(void)
{
	test_proof();
	test_gap();
	test_earlier_start();
	test_anchors();
	return done_testing();
}

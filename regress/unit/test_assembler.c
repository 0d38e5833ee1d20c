/*
 * test_assembler.c
 *		Frames become units: where each begins and ends, what it says of itself,
 *		and that every change is in one of them, once and in order.
 *
 *		test_assembler [SEED [TRANSACTIONS]]
 *
 * Frames are bytes as the plugin makes them, through the decoder.  A unit is
 * compared as text: "7 first last rows 3 spans 2+1".
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/mem.h"
#include "frame_script.h"
#include "stream/assembler.h"
#include "stream/history.h"
#include "tap.h"

#define PIECE_ROWS 4
#define ENOUGH_BYTES ((size_t) 1 << 40)

static const char *const secret = "0123456789abcdef0123456789abcdef";

static FrameScript script;
static Markers *markers;
static Assembler *assembler;
static Buffer text;
static Error err;

/* --------------------------------------------------------------- harness */

static void
begin_with(int piece_rows, size_t piece_bytes)
{
	Progress progress = { .resume_lsn = 100 };

	snprintf(progress.origin_nonce, NONCE_SIZE, "%s", secret);
	frame_script_init(&script);
	markers = markers_new();
	assembler = assembler_new(markers, &frame_script_key, &progress, piece_rows,
							  piece_bytes);
}

static void
begin(void)
{
	begin_with(PIECE_ROWS, ENOUGH_BYTES);
}

static void
end(void)
{
	assembler_free(assembler);
	markers_free(markers);
	frame_script_release(&script);
	if (script.alive != 0)
		ok(false, "%d frames are held by nobody", script.alive);
}

/* False: the decoder or the assembler refuses it. */
static bool
add(const char *frame)
{
	QueueItem item = { frame_script_next(&script, frame, &err), 0 };

	return item.frame != NULL && assembler_add(assembler, item, &err);
}

static void
put_unit(const Unit *unit)
{
	buffer_printf(&text, "%s%u%s%s rows %d spans ", text.len > 0 ? ", " : "",
				  unit->txn.xid, unit->first ? " first" : "",
				  unit->last ? " last" : "", (int) unit->rows);
	for (int i = 0; i < unit->span_count; i++)
		buffer_printf(&text, "%s%d", i > 0 ? "+" : "", unit->spans[i].count);
	if (unit->span_count == 0)
		buffer_putc(&text, '0');
	buffer_puts(&text, unit->ddl ? " ddl" : "");
	if (unit->nonce[0] != '\0')
		buffer_puts(&text, unit->nonce_ours ? " ours" : " marker");
}

/* Take all units that there are. */
static void
gives(const char *want, const char *what)
{
	Unit unit;

	buffer_reset(&text);
	while (assembler_next(assembler, &unit))
	{
		put_unit(&unit);
		assembler_taken(assembler);
	}
	is_str(text.data, want, what);
}

/* ----------------------------------------------------------------- tests */

static void
test_whole(void)
{
	begin();
	gives("", "at first, nothing");
	ok(add("B1 ii C B2 i C"), "two transactions in a frame");
	is_int(assembler_waiting(assembler), 2, "wait");
	gives("1 first last rows 2 spans 2, 2 first last rows 1 spans 1",
		  "each is a unit");
	is_int(script.alive, 0, "their frame is let go");
	ok(add("B3 ii"), "a part");
	gives("", "is no unit");
	is_int(script.alive, 1, "its frame is held");
	ok(add("i") && add("i C"), "the rest of it, in two frames");
	gives("3 first last rows 4 spans 2+1+1", "is one unit with what was");
	ok(add("B4 C B5 i") && add("C B6 C"), "frames that end anywhere");
	gives("4 first last rows 0 spans 0, 5 first last rows 1 spans 1, "
		  "6 first last rows 0 spans 0",
		  "units do not");
	ok(add("B7 i t i C"), "a TRUNCATE");
	gives("7 first last rows 3 spans 3", "is a row like others");
	ok(add("B8 i m i C o B9 i C o"), "messages of others");
	gives("8 first last rows 2 spans 1+1, 9 first last rows 1 spans 1",
		  "are left out");
	end();
}

static void
test_commit_known(void)
{
	Unit unit;

	begin();
	ok(add("B7 ii C"), "a transaction");
	ok(assembler_next(assembler, &unit) && unit.txn.end_lsn == 750 &&
		   unit.txn.commit_lsn == 700 && unit.txn.rows == 2 &&
		   unit.txn.crc == script.crc,
	   "its unit knows its end");
	ok(unit.frames[0]->events <= unit.spans[0].events &&
		   unit.bytes == 2 * (unit.frames[0]->bytes /
							  (size_t) unit.frames[0]->event_count),
	   "its frame, and about what it costs");
	ok(assembler_next(assembler, &unit) && unit.txn.xid == 7,
	   "it stays until it is taken");
	end();
}

static void
test_pieces(void)
{
	begin();
	ok(add("B1 iii"), "less than a piece");
	gives("", "waits");
	ok(add("ii"), "more than one");
	gives("1 first rows 5 spans 3+2", "is a piece, whole frames of it");
	is_int(script.alive, 0, "whose frames are let go");
	ok(add("iiii") && add("iiiii"), "more");
	gives("1 rows 9 spans 4+5", "is the next");
	ok(add("i C B2 i C"), "the end");
	gives("1 last rows 1 spans 1, 2 first last rows 1 spans 1",
		  "is the last, and another begins");
	ok(add("B3 iiii"), "a piece");
	gives("3 first rows 4 spans 4", "is given");
	ok(add("C"), "and nothing behind it");
	gives("3 last rows 0 spans 0", "an end without rows");
	ok(add("B4 iiiiii C"), "a large transaction that is complete");
	gives("4 first last rows 6 spans 6", "is no pieces");
	ok(add("B5 iiii") && add("ii C"), "nor is one that nobody took before");
	gives("5 first last rows 6 spans 4+2", "it was");
	ok(add("B6 i C B7 iiii"), "what is complete");
	gives("6 first last rows 1 spans 1, 7 first rows 4 spans 4",
		  "comes before a piece");
	ok(add("t"), "an open transaction");
	end();
	begin_with(1000, 1);
	ok(add("B1 i") && add("i"), "more bytes than a piece has");
	gives("1 first rows 2 spans 1+1", "are a piece");
	ok(add("m"), "a message");
	gives("", "is none");
	end();
}

static void
test_ddl(void)
{
	begin();
	ok(add("B7 i d i C B8 i C"), "a transaction with DDL");
	gives("7 first last rows 2 spans 3 ddl, 8 first last rows 1 spans 1",
		  "has it among its changes, the next has none");
	ok(add("B9 d C"), "only DDL");
	gives("9 first last rows 0 spans 1 ddl", "is no row");
	ok(add("B10 i D i C"), "DDL that was copied from another transaction");
	gives("10 first last rows 2 spans 1+1", "is none");
	ok(add("B11 iiii") && add("d i"), "DDL behind pieces of a transaction");
	gives("11 first rows 5 spans 4+2 ddl", "is in the next of them");
	ok(add("i C"), "and what follows on it");
	gives("11 last rows 1 spans 1 ddl", "belongs to it");
	ok(add("B12 i C") && !add("B13 j C"), "DDL that cannot be read");
	is_int(err.code, P_PROTOCOL, "is a damaged stream");
	gives("12 first last rows 1 spans 1", "what was before is still there");
	end();
}

static void
test_markers(void)
{
	char ours[NONCE_SIZE];
	Unit unit;

	begin();
	marker_nonce(secret, ours);
	markers_add(markers, ours);
	memcpy(script.nonce, ours, NONCE_SIZE);
	ok(add("B1 n C B2 i C"), "a marker of this process");
	ok(assembler_next(assembler, &unit) && unit.nonce_age_ms >= 0 &&
		   strcmp(unit.nonce, ours) == 0,
	   "by its nonce, with its age");
	gives("1 first last rows 0 spans 0 ours, 2 first last rows 1 spans 1",
		  "is with its transaction and no other");
	ok(add("B3 n C"), "the same again");
	gives("3 first last rows 0 spans 0 marker", "is not awaited any more");
	marker_nonce(secret, script.nonce);
	ok(add("B4 i n i C"), "one of an earlier process");
	gives("4 first last rows 2 spans 1+1 marker", "is one of the stream");
	marker_nonce("another stream", script.nonce);
	markers_add(markers, script.nonce);
	ok(add("B5 n i C"), "one of another stream");
	gives("5 first last rows 1 spans 1", "is none");
	marker_nonce(secret, script.nonce);
	markers_add(markers, script.nonce);
	ok(add("B6 n iiii"), "one in the first piece");
	gives("6 first rows 4 spans 4 ours", "is known there");
	ok(add("i C"), "and to the end,");
	gives("6 last rows 1 spans 1 ours", "where progress is made");
	end();
}

static void
test_refused(void)
{
	begin();
	ok(add("B2 i C"), "a transaction");
	ok(!add("B2 i C") && err.code == P_HISTORY, "that comes again");
	has(err.message, "transaction 2 ", "is named");
	gives("2 first last rows 1 spans 1", "and is there once");
	end();
	begin();
	ok(add("B1 C"), "one that begins where progress is");
	gives("1 first last rows 0 spans 0", "is new");
	end();
	for (int i = 0; i < 2; i++)
	{
		const char *what = i == 0 ? "checksum" : "number of rows";

		error_clear(&err);
		begin();
		ok(add("B1 i C B2 i"), "a transaction and a half");
		ok(!add(i == 0 ? "i c" : "i r") && err.code == P_PROTOCOL,
		   "a wrong %s is refused", what);
		gives("1 first last rows 1 spans 1", "the half is no unit");
		end();
	}
}

/* What the target has already is skipped, by the index of an event. */
static void
test_keep_from(void)
{
	QueueItem item;

	begin();
	item.frame = frame_script_next(&script, "B1 i C B2 i C B3 ii", &err);
	item.keep_from = 3;
	ok(assembler_add(assembler, item, &err), "the second event on");
	gives("2 first last rows 1 spans 1", "begins there");
	item.frame = frame_script_next(&script, "C B4 i", &err);
	item.keep_from = 0;
	ok(assembler_add(assembler, item, &err), "the next frame");
	gives("3 first last rows 2 spans 2", "goes on");
	item.frame = frame_script_next(&script, "C", &err);
	item.keep_from = 1;
	ok(assembler_add(assembler, item, &err), "no event of a frame");
	is_int(script.alive, 1, "such a frame is not held");
	end();
}

/* what an assembler leaves out */
#define NO_EVENT EVENT_MESSAGE

/* Events of rules, in a frame of its own; its strings live longer. */
static bool
add_events(EventKind first, int seen, EventKind last)
{
	Frame *frame = frame_new(NULL, 0, NULL, NULL);
	Event *events = ARENA_ARRAY(&frame->arena, Event, 3);
	Ledger *ledger = ARENA_NEW(&frame->arena, Ledger);

	ledger->entries = ARENA_ARRAY(&frame->arena, LedgerEntry, 1);
	ledger->entries[0] = (LedgerEntry){ .rule = "r", .schema = "s" };
	ledger->entries[0].counts[LEDGER_SEEN] = seen;
	ledger->count = 1;
	events[0].kind = first;
	events[1].kind = EVENT_LEDGER;
	events[1].ledger = ledger;
	events[2].kind = last;
	for (int i = 0; i < 3; i++)
	{
		if (events[i].kind == EVENT_COMMIT || events[i].kind == EVENT_BEGIN)
			events[i].txn =
				(Txn){ .xid = 7, .commit_lsn = 700, .end_lsn = 750 };
	}
	frame->events = events;
	frame->event_count = 3;
	return assembler_add(assembler, (QueueItem){ frame, 0 }, &err);
}

static int
seen_of(const Unit *unit)
{
	return unit->ledger.count == 1
			   ? (int) unit->ledger.entries[0].counts[LEDGER_SEEN]
			   : -unit->ledger.count;
}

/* Frames without a row that is left are let go; what they say is not. */
static void
test_ledger(void)
{
	Unit unit;

	begin_with(2, ENOUGH_BYTES);
	ok(add_events(EVENT_BEGIN, 3, NO_EVENT), "a part of a transaction");
	ok(add_events(NO_EVENT, 4, EVENT_COMMIT), "its end");
	ok(assembler_next(assembler, &unit) && unit.last && seen_of(&unit) == 7,
	   "its unit has the sum");
	assembler_taken(assembler);
	ok(add("B8 i C"), "a transaction without rules");
	ok(assembler_next(assembler, &unit) && unit.ledger.count == 0, "has none");
	assembler_taken(assembler);
	ok(add("B9 i") && add_events(NO_EVENT, 1, NO_EVENT) && add("i"),
	   "a large one");
	ok(assembler_next(assembler, &unit) && !unit.last && seen_of(&unit) == 1,
	   "its piece has its own");
	assembler_taken(assembler);
	ok(add_events(NO_EVENT, 2, NO_EVENT) && add("i C"), "and goes on");
	ok(assembler_next(assembler, &unit) && unit.last && seen_of(&unit) == 2,
	   "so has the last");
	ok(add("B10 i") && add_events(NO_EVENT, 5, NO_EVENT), "one that stays");
	end();
}

/* ---------------------------------------------------------------- random */

/* What has come out so far. */
typedef struct Seen
{
	int number; /* of the last INSERT */
	uint32_t xid;
	bool open; /* its last piece is still to come */
	int taken;
	int pieces;
	int wrong;
} Seen;

static void
see_unit(Seen *seen, const Unit *unit)
{
	uint64_t rows = 0;

	seen->taken++;
	seen->pieces += !unit->first || !unit->last;
	seen->wrong += unit->first == seen->open ||
				   unit->txn.xid != seen->xid + unit->first ||
				   (!unit->last && unit->rows < PIECE_ROWS);
	seen->xid = unit->txn.xid;
	seen->open = !unit->last;
	for (int i = 0; i < unit->span_count; i++)
	{
		for (int k = 0; k < unit->spans[i].count; k++)
		{
			const Event *event = &unit->spans[i].events[k];

			rows++;
			seen->wrong += event->kind != EVENT_CHANGE ||
						   atoi(event->change.new_values[0].data) !=
							   ++seen->number;
		}
	}
	seen->wrong += rows != unit->rows;
}

static void
take_some(Seen *seen, int limit)
{
	Unit unit;

	while (limit-- > 0 && assembler_next(assembler, &unit))
	{
		see_unit(seen, &unit);
		assembler_taken(assembler);
	}
}

/*
 * A backlog grows, then stays, so that what is held grows and moves, and then goes
 * away.
 */
static int
to_take(int xid)
{
	int phase = xid % 1000;

	return phase < 100 ? 0 : phase < 700 ? 1 : 100;
}

/* Frames that end behind any record. */
static bool
add_random_txn(int xid, unsigned *state, Buffer *frame, Seen *seen)
{
	int rows = rand_r(state) % (rand_r(state) % 8 > 0 ? 4 : 40);

	buffer_printf(frame, "B%d", xid);
	for (int i = 0; i <= rows; i++)
	{
		buffer_putc(frame, i == rows ? 'C' : 'i');
		if (rand_r(state) % 6 > 0)
			continue;
		if (!add(frame->data))
			return false;
		buffer_reset(frame);
		if (to_take(xid) > 1 && rand_r(state) % 3 == 0)
			take_some(seen, rand_r(state) % 40);
	}
	take_some(seen, to_take(xid));
	return true;
}

static void
test_random(unsigned seed, int txns)
{
	unsigned state = seed;
	Seen seen = { .number = 0 };
	Buffer frame;
	bool good = true;

	error_clear(&err);
	buffer_init(&frame);
	begin();
	for (int xid = 1; good && xid <= txns; xid++)
		good = add_random_txn(xid, &state, &frame, &seen);
	good = good && (frame.len == 0 || add(frame.data));
	take_some(&seen, txns);
	ok(good && seen.wrong == 0 && seen.xid == (uint32_t) txns && !seen.open &&
		   seen.number == script.number,
	   "seed %u: %d changes of %d transactions in %d units %s", seed,
	   seen.number, txns, seen.taken, err.message);
	ok(seen.pieces > 0 && script.alive == 0, "%d of them pieces", seen.pieces);
	end();
	buffer_release(&frame);
}

int
main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10)
							 : (unsigned) time(NULL);

	log_set_level(LOG_LEVEL_ERROR);
	buffer_init(&text);
	test_whole();
	test_commit_known();
	test_pieces();
	test_ddl();
	test_markers();
	test_refused();
	test_keep_from();
	test_ledger();
	test_random(seed, argc > 2 ? atoi(argv[2]) : 5000);
	buffer_release(&text);
	return done_testing();
}

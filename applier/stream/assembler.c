/*
 * assembler.c
 *		See assembler.h.
 *
 * Invariants: spans [head, count) and their frames are held, one reference for
 * each span.  Those of complete transactions come first, in order; the open
 * transaction's are behind them.  A transaction whose first piece was taken is
 * alone: what is complete before it was taken before.
 */
#include "stream/assembler.h"

#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "stream/history.h"

struct Assembler
{
	Markers *markers;
	const DdlKey *key;
	char origin_nonce[NONCE_SIZE];
	Lsn resume_lsn; /* end of the last complete transaction */
	uint64_t piece_rows;
	uint64_t piece_bytes;

	BatchSpan *spans;
	Frame **frames; /* in step with spans */
	int span_head;
	int span_count;
	int span_capacity;

	Unit *ready; /* complete transactions, oldest first; without spans */
	int ready_head;
	int ready_count;
	int ready_capacity;
	int ready_spans; /* sum of theirs */

	bool open; /* the last transaction is not complete */
	Unit current;
	uint64_t forged;
};

Assembler *
assembler_new(Markers *markers, const DdlKey *key, const Progress *progress,
			  int piece_rows, size_t piece_bytes)
{
	Assembler *a = mem_zalloc(sizeof(*a));

	a->markers = markers;
	a->key = key;
	memcpy(a->origin_nonce, progress->origin_nonce, NONCE_SIZE);
	a->resume_lsn = progress->resume_lsn;
	a->piece_rows = (uint64_t) piece_rows;
	a->piece_bytes = piece_bytes;
	return a;
}

void
assembler_free(Assembler *a)
{
	if (a == NULL)
		return;
	for (int i = a->span_head; i < a->span_count; i++)
		frame_release(a->frames[i]);
	for (int i = a->ready_head; i < a->ready_count; i++)
		ledger_release(&a->ready[i].ledger);
	ledger_release(&a->current.ledger);
	mem_free(a->spans);
	mem_free(a->frames);
	mem_free(a->ready);
	mem_free(a);
}

/* Room for one more span: what was taken is overwritten before more is asked. */
static void
reserve_span(Assembler *a)
{
	size_t held = (size_t) (a->span_count - a->span_head);

	if (a->span_count < a->span_capacity)
		return;
	if (a->span_head > a->span_capacity / 2)
	{
		BUG_UNLESS(a->spans != NULL && a->frames != NULL);
		memmove(a->spans, a->spans + a->span_head, held * sizeof(*a->spans));
		memmove(a->frames, a->frames + a->span_head, held * sizeof(Frame *));
		a->span_head = 0;
		a->span_count = (int) held;
		return;
	}
	a->span_capacity = a->span_capacity * 2 + 64;
	a->spans = mem_realloc(a->spans,
						   (size_t) a->span_capacity * sizeof(*a->spans));
	a->frames = mem_realloc(a->frames,
							(size_t) a->span_capacity * sizeof(Frame *));
}

static int
open_spans(const Assembler *a)
{
	return a->span_count - a->span_head - a->ready_spans;
}

/* One more event of the open transaction: a longer span, or a new one. */
static void
add_event(Assembler *a, Frame *frame, const Event *event)
{
	BatchSpan *last = open_spans(a) > 0 ? &a->spans[a->span_count - 1] : NULL;

	if (last != NULL && last->events + last->count == event &&
		a->frames[a->span_count - 1] == frame)
	{
		last->count++;
		return;
	}
	reserve_span(a);
	BUG_UNLESS(a->spans != NULL && a->frames != NULL);
	frame_retain(frame);
	a->spans[a->span_count] = (BatchSpan){ NULL, event, 1 };
	a->frames[a->span_count] = frame;
	a->span_count++;
}

static bool
begin_txn(Assembler *a, const Event *event, Error *err)
{
	if (a->open)
		BUG("a transaction begins inside another one");
	if (event->txn.commit_lsn < a->resume_lsn)
		return error_set(err, P_HISTORY,
						 "the source sent transaction %u at " LSN_FORMAT
						 " again, which lies before " LSN_FORMAT,
						 event->txn.xid, LSN_ARGS(event->txn.commit_lsn),
						 LSN_ARGS(a->resume_lsn));
	a->open = true;
	a->current.txn = event->txn;
	a->current.first = true;
	return true;
}

/*
 * A marker of this stream is the next anchor, whoever emitted it; only one of
 * this process tells how late we are.
 */
static void
see_message(Assembler *a, const Message *message)
{
	Unit *unit = &a->current;
	char nonce[NONCE_SIZE];

	if (!message_is_marker(message, nonce) ||
		!marker_is_of_stream(a->origin_nonce, nonce))
		return;
	memcpy(unit->nonce, nonce, NONCE_SIZE);
	unit->nonce_ours = markers_take(a->markers, nonce, &unit->nonce_age_ms);
}

/* DDL that is none: anybody may write such messages, so once is enough. */
static void
see_forged(Assembler *a, const Message *message)
{
	if (a->forged++ == 0)
		log_warning("a message \"%s\" at " LSN_FORMAT
					" was not made by the extension%s: ignored",
					DDL_PREFIX, LSN_ARGS(message->lsn),
					a->key->known ? "" : ", whose key cannot be read");
	else
		log_debug("ignored %llu messages that are no DDL",
				  (unsigned long long) a->forged);
}

static bool
see_ddl(Assembler *a, Frame *frame, const Event *event, Error *err)
{
	bool genuine;

	if (!ddl_event_verify(&event->message, a->key, a->current.txn.xid, &genuine,
						  err))
		return false;
	if (!genuine)
	{
		see_forged(a, &event->message);
		return true;
	}
	a->current.ddl = true;
	add_event(a, frame, event);
	return FAILPOINT(FP_DDL_MESSAGE, err);
}

static void
reserve_ready(Assembler *a)
{
	if (a->ready_head == a->ready_count)
		a->ready_head = a->ready_count = 0;
	if (a->ready_count < a->ready_capacity)
		return;
	if (a->ready_head > a->ready_capacity / 2)
	{
		a->ready_count -= a->ready_head;
		memmove(a->ready, a->ready + a->ready_head,
				(size_t) a->ready_count * sizeof(*a->ready));
		a->ready_head = 0;
		return;
	}
	a->ready_capacity = a->ready_capacity * 2 + 64;
	a->ready = mem_realloc(a->ready,
						   (size_t) a->ready_capacity * sizeof(*a->ready));
}

static void
commit_txn(Assembler *a, const Txn *txn)
{
	Unit *unit = &a->current;

	reserve_ready(a);
	BUG_UNLESS(a->ready != NULL);
	unit->txn = *txn;
	unit->last = true;
	unit->span_count = open_spans(a);
	a->ready_spans += unit->span_count;
	a->ready[a->ready_count++] = a->current;
	/* its ledger is that unit's now */
	memset(&a->current, 0, sizeof(a->current));
	a->resume_lsn = txn->end_lsn;
	a->open = false;
}

static void
add_change(Assembler *a, Frame *frame, const Event *event)
{
	if (!a->open)
		BUG("a change outside a transaction");
	add_event(a, frame, event);
	a->current.rows++;
	a->current.bytes += frame->bytes / (size_t) frame->event_count;
}

/* The frame may go before the unit does: its rows may all have been filtered. */
static void
add_ledger(Assembler *a, const Ledger *ledger)
{
	if (!a->open)
		BUG("a ledger outside a transaction");
	ledger_add(&a->current.ledger, ledger->entries, ledger->count);
}

static bool
add_message(Assembler *a, Frame *frame, const Event *event, Error *err)
{
	if (!a->open)
		return true;
	see_message(a, &event->message);
	return !ddl_event_is(&event->message) || see_ddl(a, frame, event, err);
}

bool
assembler_add(Assembler *a, QueueItem item, Error *err)
{
	Frame *frame = item.frame;
	bool ok = true;

	for (int i = item.keep_from; ok && i < frame->event_count; i++)
	{
		const Event *event = &frame->events[i];

		switch (event->kind)
		{
			case EVENT_BEGIN:
				ok = begin_txn(a, event, err);
				break;
			case EVENT_COMMIT:
				commit_txn(a, &event->txn);
				break;
			case EVENT_MESSAGE:
				ok = add_message(a, frame, event, err);
				break;
			case EVENT_CHANGE:
				add_change(a, frame, event);
				break;
			case EVENT_LEDGER:
				add_ledger(a, event->ledger);
				break;
		}
	}
	frame_release(frame);
	return ok;
}

/* Is the open transaction too large to wait for its end? */
static bool
piece_due(const Assembler *a)
{
	return a->open && (a->current.rows >= a->piece_rows ||
					   a->current.bytes >= a->piece_bytes);
}

bool
assembler_next(const Assembler *a, Unit *unit)
{
	if (a->ready_head < a->ready_count)
		*unit = a->ready[a->ready_head];
	else if (piece_due(a))
	{
		*unit = a->current;
		unit->span_count = open_spans(a);
	}
	else
		return false;
	unit->spans = a->spans + a->span_head;
	unit->frames = a->frames + a->span_head;
	return true;
}

void
assembler_taken(Assembler *a)
{
	bool ready = a->ready_head < a->ready_count;
	int taken = ready ? a->ready[a->ready_head].span_count : open_spans(a);

	for (int i = 0; i < taken; i++)
		frame_release(a->frames[a->span_head + i]);
	a->span_head += taken;
	if (ready)
	{
		a->ready_spans -= taken;
		ledger_release(&a->ready[a->ready_head++].ledger);
		return;
	}
	a->current.first = false;
	a->current.rows = 0;
	a->current.bytes = 0;
	ledger_reset(&a->current.ledger);
}

int
assembler_waiting(const Assembler *a)
{
	return a->ready_count - a->ready_head;
}

/*
 * assembler.c
 *		Frames become batches.
 *
 * Invariants: frames[0 .. frame_count) are held; the spans point into them, in
 * order.  Spans before complete_spans belong to complete transactions, those
 * behind to the open one.  A transaction whose first piece was handed out is
 * "large": nothing but its own pieces is handed out until it is complete.
 */
#include "stream/assembler.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stream/history.h"

struct Assembler
{
	Markers *markers;
	uint64_t batch_rows;
	uint64_t batch_bytes;
	char plugin_version[32];

	Frame **frames;
	int frame_count;
	int frame_capacity;
	BatchSpan *spans;
	int span_count;
	int span_capacity;

	Progress after; /* behind the last complete transaction */
	BatchNews news; /* of the complete transactions */
	int complete_spans;
	uint64_t complete_rows;
	bool complete_any; /* a transaction may have no span at all */

	bool open;					 /* the last transaction is not complete */
	bool large;					 /* its first piece was handed out */
	bool handed_piece;			 /* the batch handed out is a piece */
	const Txn *open_txn;		 /* in its first frame, or large_txn */
	Txn large_txn;				 /* of the large one, whose frames are gone */
	char open_nonce[NONCE_SIZE]; /* a marker of the stream in it, or "" */
	bool open_nonce_ours;		 /* this process has emitted it */
	int64_t open_nonce_age_ms;
	int open_first_frame;
	uint64_t open_rows;
	uint64_t bytes; /* of all frames held */
};

Assembler *
assembler_new(Markers *markers, int batch_rows, size_t batch_bytes)
{
	Assembler *a = mem_zalloc(sizeof(*a));

	a->markers = markers;
	a->batch_rows = (uint64_t) batch_rows;
	a->batch_bytes = batch_bytes;
	return a;
}

void
assembler_free(Assembler *a)
{
	int i;

	if (a == NULL)
		return;
	for (i = 0; i < a->frame_count; i++)
		frame_release(a->frames[i]);
	mem_free(a->frames);
	mem_free(a->spans);
	mem_free(a);
}

void
assembler_start(Assembler *a, const Progress *progress,
				const char *plugin_version)
{
	a->after = *progress;
	snprintf(a->plugin_version, sizeof(a->plugin_version), "%s",
			 plugin_version);
}

static void
add_frame(Assembler *a, Frame *frame)
{
	if (a->frame_count == a->frame_capacity)
	{
		a->frame_capacity = a->frame_capacity * 2 + 64;
		a->frames = mem_realloc(a->frames, (size_t) a->frame_capacity *
											   sizeof(*a->frames));
	}
	a->frames[a->frame_count++] = frame;
	a->bytes += frame->bytes;
}

/* One more event of the open transaction: longer span, or a new one. */
static void
add_event(Assembler *a, const Txn *txn, const Event *event)
{
	BatchSpan *last = a->span_count > a->complete_spans
						  ? &a->spans[a->span_count - 1]
						  : NULL;

	if (last != NULL && last->events + last->count == event)
	{
		last->count++;
		return;
	}
	if (a->span_count == a->span_capacity)
	{
		a->span_capacity = a->span_capacity * 2 + 64;
		a->spans = mem_realloc(a->spans,
							   (size_t) a->span_capacity * sizeof(*a->spans));
	}
	BUG_UNLESS(a->spans != NULL);
	a->spans[a->span_count++] = (BatchSpan){ txn, event, 1 };
}

static bool
begin_txn(Assembler *a, const Event *event, Error *err)
{
	if (a->open)
		BUG("a transaction begins inside another one");
	if (event->txn.commit_lsn < a->after.resume_lsn)
		return error_set(err, P_HISTORY,
						 "the source sent transaction %u at " LSN_FORMAT
						 " again, which lies before " LSN_FORMAT,
						 event->txn.xid, LSN_ARGS(event->txn.commit_lsn),
						 LSN_ARGS(a->after.resume_lsn));
	a->open = true;
	a->open_txn = &event->txn;
	a->open_nonce[0] = '\0';
	a->open_first_frame = a->frame_count - 1;
	a->open_rows = 0;
	return true;
}

/*
 * A marker of this stream is the next anchor, whoever emitted it; only one of
 * this process tells how late we are.
 */
static void
see_message(Assembler *a, const Message *message)
{
	char nonce[NONCE_SIZE];

	if (!message_is_marker(message, nonce) ||
		!marker_is_of_stream(a->after.origin_nonce, nonce))
		return;
	memcpy(a->open_nonce, nonce, NONCE_SIZE);
	a->open_nonce_ours = markers_take(a->markers, nonce, &a->open_nonce_age_ms);
}

static void
commit_txn(Assembler *a, const Txn *txn)
{
	bool marker = a->open_nonce[0] != '\0';

	progress_advance(&a->after, txn, marker ? a->open_nonce : NULL,
					 a->plugin_version);
	if (marker && a->open_nonce_ours)
	{
		a->news.marker = true;
		a->news.marker_age_ms = a->open_nonce_age_ms;
		a->news.marker_end_lsn = txn->end_lsn;
	}
	a->open = false;
	a->complete_any = true;
	a->complete_spans = a->span_count;
	a->complete_rows += a->open_rows;
	a->open_rows = 0;
}

bool
assembler_add(Assembler *a, QueueItem item, Error *err)
{
	const Event *event;
	int i;

	add_frame(a, item.frame);
	for (i = item.keep_from; i < item.frame->event_count; i++)
	{
		event = &item.frame->events[i];
		switch (event->kind)
		{
			case EVENT_BEGIN:
				if (!begin_txn(a, event, err))
					return false;
				break;
			case EVENT_COMMIT:
				commit_txn(a, &event->txn);
				break;
			case EVENT_MESSAGE:
				if (a->open)
					see_message(a, &event->message);
				break;
			case EVENT_CHANGE:
				if (!a->open)
					BUG("a change outside a transaction");
				add_event(a, a->open_txn, event);
				a->open_rows++;
				break;
		}
	}
	return true;
}

bool
assembler_full(const Assembler *a)
{
	return a->complete_rows + a->open_rows >= a->batch_rows ||
		   a->bytes >= a->batch_bytes;
}

static bool
give_piece(Assembler *a, Batch *batch)
{
	batch->spans = a->spans;
	batch->span_count = a->span_count;
	batch->first = !a->large;
	batch->last = false;
	batch->rows = a->open_rows;
	a->large = true;
	a->handed_piece = true;
	return true;
}

bool
assembler_batch(Assembler *a, Batch *batch, Progress *after, BatchNews *news)
{
	memset(batch, 0, sizeof(*batch));
	batch->bytes = a->bytes;
	if (!a->complete_any)
		return a->open && assembler_full(a) ? give_piece(a, batch) : false;
	batch->spans = a->spans;
	batch->span_count = a->complete_spans;
	batch->first = !a->large;
	batch->last = true;
	batch->rows = a->complete_rows;
	*after = a->after;
	*news = a->news;
	a->handed_piece = false;
	return true;
}

/* Let go of what the batch needed; keep what the open transaction needs. */
static void
drop_frames(Assembler *a, int count)
{
	int i;

	for (i = 0; i < count; i++)
	{
		a->bytes -= a->frames[i]->bytes;
		frame_release(a->frames[i]);
	}
	a->frame_count -= count;
	memmove(a->frames, a->frames + count,
			(size_t) a->frame_count * sizeof(*a->frames));
	a->open_first_frame -= count;
}

void
assembler_applied(Assembler *a)
{
	if (a->handed_piece)
	{
		if (a->open_txn != &a->large_txn)
			a->large_txn = *a->open_txn;
		a->open_txn = &a->large_txn;
		drop_frames(a, a->frame_count);
		a->open_first_frame = 0;
		a->span_count = 0;
		a->open_rows = 0;
		a->handed_piece = false;
		return;
	}
	drop_frames(a, a->open ? a->open_first_frame : a->frame_count);
	a->span_count -= a->complete_spans;
	if (a->span_count > 0)
		memmove(a->spans, a->spans + a->complete_spans,
				(size_t) a->span_count * sizeof(*a->spans));
	a->complete_spans = 0;
	a->complete_rows = 0;
	a->complete_any = false;
	a->large = false;
	memset(&a->news, 0, sizeof(a->news));
}

/*
 * assembler.c
 *		Frames become batches.
 *
 * Invariants: frames[0 .. frame_count) are held; the spans point into them, in
 * order.  Complete transactions are in groups, each of which becomes a batch;
 * their spans come first, those of the open transaction behind them.  A
 * transaction with DDL is a group of its own.  A transaction whose first piece
 * was handed out is "large": nothing but its own pieces is handed out until it
 * is complete.
 */
#include "stream/assembler.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/mem.h"
#include "stream/history.h"

/* Complete transactions that become one batch. */
typedef struct Group
{
	bool alone;		/* one transaction, with DDL: takes no other */
	int span_count; /* a transaction may have no span at all */
	int next_frame; /* where the first transaction behind it begins */
	uint64_t rows;
	Progress after; /* behind its last transaction */
	BatchNews news;
} Group;

struct Assembler
{
	Markers *markers;
	const DdlKey *key;
	uint64_t batch_rows;
	uint64_t batch_bytes;
	char plugin_version[32];

	Frame **frames;
	int frame_count;
	int frame_capacity;
	BatchSpan *spans;
	int span_count;
	int span_capacity;

	Group *groups; /* oldest first */
	int group_count;
	int group_capacity;
	int grouped_spans; /* sum of theirs */
	Progress after;	   /* behind the last complete transaction */

	bool open;					 /* the last transaction is not complete */
	bool large;					 /* its first piece was handed out */
	bool handed_piece;			 /* the batch handed out is a piece */
	const Txn *open_txn;		 /* in its first frame, or large_txn */
	Txn large_txn;				 /* of the large one, whose frames are gone */
	char open_nonce[NONCE_SIZE]; /* a marker of the stream in it, or "" */
	bool open_nonce_ours;		 /* this process has emitted it */
	int64_t open_nonce_age_ms;
	bool open_ddl; /* it carries DDL */
	uint64_t forged;
	int open_first_frame;
	uint64_t open_rows;
	uint64_t bytes; /* of all frames held */
};

Assembler *
assembler_new(Markers *markers, const DdlKey *key, int batch_rows,
			  size_t batch_bytes)
{
	Assembler *a = mem_zalloc(sizeof(*a));

	a->markers = markers;
	a->key = key;
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
	mem_free(a->groups);
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
	BatchSpan *last = a->span_count > a->grouped_spans
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
	a->open_ddl = false;
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
see_ddl(Assembler *a, const Event *event, Error *err)
{
	bool genuine;

	if (!ddl_event_verify(&event->message, a->key, a->open_txn->xid, &genuine,
						  err))
		return false;
	if (!genuine)
	{
		see_forged(a, &event->message);
		return true;
	}
	a->open_ddl = true;
	add_event(a, a->open_txn, event);
	return FAILPOINT(FP_DDL_MESSAGE, err);
}

/* The group that takes the transaction that is complete now. */
static Group *
group_for_txn(Assembler *a)
{
	Group *last = a->group_count > 0 ? &a->groups[a->group_count - 1] : NULL;

	if (last != NULL && !last->alone && !a->open_ddl)
		return last;
	if (a->group_count == a->group_capacity)
	{
		a->group_capacity = a->group_capacity * 2 + 8;
		a->groups = mem_realloc(a->groups, (size_t) a->group_capacity *
											   sizeof(*a->groups));
	}
	BUG_UNLESS(a->groups != NULL);
	last = &a->groups[a->group_count++];
	memset(last, 0, sizeof(*last));
	last->alone = a->open_ddl;
	return last;
}

static void
commit_txn(Assembler *a, const Txn *txn)
{
	bool marker = a->open_nonce[0] != '\0';
	Group *group = group_for_txn(a);

	progress_advance(&a->after, txn, marker ? a->open_nonce : NULL,
					 a->plugin_version);
	if (marker && a->open_nonce_ours)
	{
		group->news.marker = true;
		group->news.marker_age_ms = a->open_nonce_age_ms;
		group->news.marker_end_lsn = txn->end_lsn;
	}
	a->open = false;
	group->after = a->after;
	group->span_count += a->span_count - a->grouped_spans;
	a->grouped_spans = a->span_count;
	group->rows += a->open_rows;
	group->next_frame = a->frame_count;
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
				if (a->open && ddl_event_is(&event->message) &&
					!see_ddl(a, event, err))
					return false;
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
	uint64_t rows = a->open_rows;

	for (int i = 0; i < a->group_count; i++)
		rows += a->groups[i].rows;
	return rows >= a->batch_rows || a->bytes >= a->batch_bytes;
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
	const Group *group = &a->groups[0];

	memset(batch, 0, sizeof(*batch));
	batch->bytes = a->bytes;
	if (a->group_count == 0)
		return a->open && assembler_full(a) ? give_piece(a, batch) : false;
	batch->spans = a->spans;
	batch->span_count = group->span_count;
	batch->first = !a->large;
	batch->last = true;
	batch->rows = group->rows;
	*after = group->after;
	*news = group->news;
	a->handed_piece = false;
	return true;
}

/* Let go of what the batch needed; keep what is behind it. */
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
	for (i = 0; i < a->group_count; i++)
		a->groups[i].next_frame -= count;
}

static void
piece_applied(Assembler *a)
{
	if (a->open_txn != &a->large_txn)
		a->large_txn = *a->open_txn;
	a->open_txn = &a->large_txn;
	drop_frames(a, a->frame_count);
	a->open_first_frame = 0;
	a->span_count = 0;
	a->open_rows = 0;
	a->handed_piece = false;
}

/*
 * A frame may hold the end of one transaction and the beginning of the next, so
 * the last frame of a group stays for what is behind it.
 */
void
assembler_applied(Assembler *a)
{
	Group group;
	bool behind;

	if (a->handed_piece)
	{
		piece_applied(a);
		return;
	}
	BUG_UNLESS(a->group_count > 0);
	group = a->groups[0];
	a->group_count--;
	memmove(a->groups, a->groups + 1,
			(size_t) a->group_count * sizeof(*a->groups));
	behind = a->group_count > 0;
	drop_frames(a, behind	 ? group.next_frame - 1
				   : a->open ? a->open_first_frame
							 : a->frame_count);
	a->grouped_spans -= group.span_count;
	a->span_count -= group.span_count;
	if (a->span_count > 0)
		memmove(a->spans, a->spans + group.span_count,
				(size_t) a->span_count * sizeof(*a->spans));
	a->large = false;
}

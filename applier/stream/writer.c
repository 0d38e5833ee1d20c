/*
 * writer.c
 *		The writer: takes every whole transaction that has arrived and makes
 *		them one target transaction.
 *
 * No timer: an idle stream applies each transaction at once, a backlog makes
 * its own batches.  What may be confirmed to the source is the anchor before
 * the one in the last progress row that is durable on the target.
 */
#include "base/failpoint.h"
#include "base/signals.h"
#include "stream/assembler.h"
#include "stream/report.h"
#include "stream/session.h"

#define IDLE_WAIT_MS 200
#define DURABLE_WAIT_MS 20
#define DURABLE_ASK_MS 50

/* What becomes true when the target's log is flushed up to a position. */
typedef struct Pending
{
	uint64_t written;
	Lsn resume_lsn;
	Lsn confirm_lsn;
} Pending;

/* Later commits are merged into the last entry: durable is what they all are. */
#define MAX_PENDING 64

typedef struct Writer
{
	StreamSession *session;
	Assembler *assembler;
	bool started; /* the assembler knows where we stand */
	Pending pending[MAX_PENDING];
	int pending_count;
	Lsn durable_resume; /* everything before it is on disk */
	Lsn goal_lsn;		/* end when durable there; LSN_NONE: unknown */
	int64_t asked_ms;	/* when durability was last asked for */
	Report report;
	int64_t lag_ms; /* age of the last marker; -1 unknown */
} Writer;

static void
note_pending(Writer *writer, uint64_t written)
{
	const Progress *progress = writer->session->progress;
	Pending *entry;

	if (writer->pending_count < MAX_PENDING)
		writer->pending_count++;
	entry = &writer->pending[writer->pending_count - 1];
	entry->written = written;
	entry->resume_lsn = progress->resume_lsn;
	entry->confirm_lsn = progress->previous_anchor_lsn;
}

/* What has become durable may be confirmed. */
static bool
settle_pending(Writer *writer, uint64_t durable, Error *err)
{
	StreamSession *session = writer->session;
	int done = 0;
	int i;

	while (done < writer->pending_count &&
		   writer->pending[done].written <= durable)
		done++;
	if (done == 0)
		return true;
	writer->durable_resume = writer->pending[done - 1].resume_lsn;
	atomic_store(&session->confirm_lsn, writer->pending[done - 1].confirm_lsn);
	for (i = done; i < writer->pending_count; i++)
		writer->pending[i - done] = writer->pending[i];
	writer->pending_count -= done;
	return FAILPOINT(FP_BATCH_DURABLE, err);
}

static bool
check_durable(Writer *writer, bool ask, Error *err)
{
	Target *target = writer->session->target;
	TargetDurability durability;

	if (writer->pending_count == 0)
		return true;
	if (ask)
		writer->asked_ms = clock_ms();
	return target->ops->durability(target, ask, &durability, err) &&
		   settle_pending(writer, durability.durable, err);
}

static bool
apply_one(Writer *writer, const Batch *batch, const Progress *after,
		  const BatchNews *news, Error *err)
{
	StreamSession *session = writer->session;
	Target *target = session->target;
	TargetDurability durability;

	if (!target->ops->apply(target, batch, stamps_filter(session->stamps),
							session->progress, after, err))
		return false;
	if (batch->last)
	{
		*session->progress = *after;
		if (!target->ops->durability(target, false, &durability, err))
			return false;
		note_pending(writer, durability.written);
		if (!settle_pending(writer, durability.durable, err))
			return false;
		if (news->marker)
			writer->lag_ms = news->marker_age_ms;
		if (news->marker && session->config->until_caught_up &&
			writer->goal_lsn == LSN_NONE)
			writer->goal_lsn = news->marker_end_lsn;
	}
	assembler_applied(writer->assembler);
	return true;
}

/*
 * All that is asked for is applied, and only durability is waited for: what comes
 * behind it may need what the caller does there first.
 */
static bool
applied_to_end(const Writer *writer)
{
	Lsn until_lsn = writer->session->config->until_lsn;

	return writer->pending_count > 0 && until_lsn != LSN_NONE &&
		   writer->session->progress->resume_lsn >= until_lsn;
}

/* Apply what there is; stops between target transactions when asked to. */
static bool
apply_batches(Writer *writer, Error *err)
{
	Batch batch;
	Progress after = *writer->session->progress;
	BatchNews news = { 0 };

	while (!applied_to_end(writer) &&
		   assembler_batch(writer->assembler, &batch, &after, &news))
	{
		if (!apply_one(writer, &batch, &after, &news, err))
			return false;
		report_turn(&writer->report, writer->lag_ms);
		if (clock_ms() - writer->asked_ms >= DURABLE_ASK_MS && batch.last &&
			!check_durable(writer, true, err))
			return false;
	}
	return true;
}

static bool
take_frame(Writer *writer, QueueItem item, Error *err)
{
	StreamSession *session = writer->session;

	if (!writer->started)
	{
		assembler_start(writer->assembler, session->progress,
						session->plugin_version);
		writer->started = true;
	}
	return assembler_add(writer->assembler, item, err);
}

static bool
goal_reached(const Writer *writer)
{
	const StreamConfig *config = writer->session->config;

	if (writer->goal_lsn != LSN_NONE &&
		writer->durable_resume >= writer->goal_lsn)
		return true;
	return config->until_lsn != LSN_NONE &&
		   writer->durable_resume >= config->until_lsn;
}

/* One turn: what has arrived, up to a batch, and what has become durable. */
static bool
writer_turn(Writer *writer, Error *err)
{
	StreamSession *session = writer->session;
	QueueItem item;
	int64_t wait_ms = writer->pending_count > 0 ? DURABLE_WAIT_MS
												: IDLE_WAIT_MS;

	if (applied_to_end(writer))
	{
		clock_pause_ms(DURABLE_WAIT_MS);
		return check_durable(writer, true, err);
	}
	if (!queue_pop(session->queue, &item, wait_ms))
		return check_durable(writer, true, err);
	do
	{
		if (!take_frame(writer, item, err))
			return false;
	} while (!assembler_full(writer->assembler) &&
			 queue_pop(session->queue, &item, 0));
	return apply_batches(writer, err);
}

static bool
writer_loop(Writer *writer, Error *err)
{
	StreamSession *session = writer->session;

	while (!goal_reached(writer))
	{
		if (signals_stop_requested())
			return true;
		if (!writer_turn(writer, err))
			return false;
		report_turn(&writer->report, writer->lag_ms);
		if (session_ending(session))
			return true;
	}
	return true;
}

bool
writer_run(StreamSession *session, Error *err)
{
	Writer writer = { .session = session, .lag_ms = -1 };
	bool ok;

	writer.assembler = assembler_new(session->markers, &session->ddl_key,
									 session->config->batch_rows,
									 session->config->batch_bytes);
	report_init(&writer.report, session);
	ok = writer_loop(&writer, err);
	report_end();
	/* a piece of a large transaction may be open */
	session->target->ops->rollback(session->target);
	assembler_free(writer.assembler);
	return ok;
}

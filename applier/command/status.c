/*
 * status.c
 *		pg_portage status: gathers what both sides know.
 *
 * Changes nothing and owns nothing.  A side that is down is part of the answer;
 * only when none could be asked is it an error.
 */
#include "command/status.h"

#include <string.h>

#include "base/clock.h"
#include "base/meter.h"
#include "command/commands.h"
#include "command/session.h"
#include "command/walk.h"
#include "rules/quarantined.h"

#define SAMPLE_MS 1000

/* Chunks come by table. */
static void
count_chunks(CopyStatus *copy, const Chunk *chunks, int count)
{
	bool table_done = true;
	int i;

	copy->chunks = count;
	for (i = 0; i < count; i++)
	{
		bool done = chunks[i].state == CHUNK_DONE;

		table_done = table_done && done;
		copy->chunks_done += done;
		copy->rows += chunks[i].rows;
		copy->bytes += chunks[i].bytes;
		copy->left += done ? 0 : chunks[i].size;
		if (i + 1 == count || chunks[i + 1].table_oid != chunks[i].table_oid)
		{
			copy->tables++;
			copy->tables_done += table_done;
			table_done = true;
		}
	}
}

static void
count_active(CopyStatus *copy)
{
	int64_t bytes = 0;
	int i;

	for (i = 0; i < copy->active_count; i++)
	{
		copy->rows += copy->active[i].rows;
		bytes += copy->active[i].bytes;
	}
	copy->bytes += bytes;
	copy->left = copy->left > bytes ? copy->left - bytes : 0;
}

static bool
look_at_copy(Session *session, CopyStatus *copy, Arena *arena, Error *err)
{
	const TargetOps *ops = session->target->ops;
	Chunk *chunks;
	int count;

	memset(copy, 0, sizeof(*copy));
	if (!ops->chunks_list(session->target, arena, &chunks, &count, err) ||
		!ops->load_activity(session->target, arena, &copy->active,
							&copy->active_count, err))
		return false;
	count_chunks(copy, chunks, count);
	count_active(copy);
	return true;
}

static DdlEntry **
collect(DdlState state, Arena *arena, DdlEntry *entries, int count, int *found)
{
	DdlEntry **list = ARENA_ARRAY(arena, DdlEntry *, (size_t) count);
	int i;

	*found = 0;
	for (i = 0; i < count; i++)
	{
		if (entries[i].state == state)
			list[(*found)++] = &entries[i];
	}
	return list;
}

static bool
count_kept(void *count, const KeptRow *row, Error *err)
{
	(void) err;
	/* an empty one is not to be tried again */
	*(int64_t *) count += row->body.len > 0;
	return true;
}

static bool
look_at_rules(Session *session, Status *status, Arena *arena, Error *err)
{
	const TargetOps *ops = session->target->ops;

	return ops->ledger_list(session->target, arena, &status->ledger,
							&status->ledger_count, err) &&
		   ops->kept_visit(session->target, KEPT_AREA_QUARANTINE, count_kept,
						   &status->quarantined, err);
}

static bool
ask_target(Session *session, Status *status, Arena *arena, Error *err)
{
	const TargetOps *ops = session->target->ops;
	DdlEntry *entries;
	int count;

	if (!session_connect_target(session, err) ||
		!session_read_progress(session, err))
		return false;
	status->progress = session->progress;
	status->known = session->progress.phase != PHASE_NONE;
	if (!status->known)
		return true;
	if (!look_at_copy(session, &status->copy, arena, err) ||
		!look_at_rules(session, status, arena, err) ||
		!ops->ddl_list(session->target, arena, &entries, &count, err))
		return false;
	status->deferred = collect(DDL_DEFERRED, arena, entries, count,
							   &status->deferred_count);
	status->waiting = collect(DDL_WAITING, arena, entries, count,
							  &status->waiting_count);
	if (ops->features.own_schema &&
		!ops->losses_list(session->target, arena, &status->losses,
						  &status->loss_count, err))
		return false;
	return ops->owner_inspect(session->target, &status->owned, status->owner,
							  sizeof(status->owner), err);
}

static bool
ask_source(Session *session, Status *status, Error *err)
{
	if (!session_connect_source(session, err) ||
		!session->source->ops->slot_inspect(session->source, &status->slot,
											err))
		return false;
	status->identity = session->identity;
	return true;
}

static void
measure_lag(Status *status)
{
	int64_t behind_us = clock_wall_us() - status->progress.commit_time_us;

	status->has_lag = true;
	status->lag_bytes = 0;
	status->lag_seconds = 0;
	if (status->identity.wal_end > status->progress.resume_lsn)
		status->lag_bytes = (int64_t) (status->identity.wal_end -
									   status->progress.resume_lsn);
	if (status->progress.commit_lsn != LSN_NONE && behind_us > 0)
		status->lag_seconds = (double) behind_us / 1e6;
}

/* Positions of one side against the other's: only of the same source. */
static void
compare_sides(const Session *session, Status *status)
{
	Error ignored = ERROR_INIT;

	if (!status->known || !status->source.reached)
		return;
	status->other_source = !session_check_source(session, &ignored);
	if (!status->other_source && status->progress.phase == PHASE_STREAM)
		measure_lag(status);
}

/*
 * Rates are not stored anywhere: look again after a moment.  What fails here
 * has been seen to work just before, so it is only left out.
 */
static void
watch_stream(Session *session, Status *status)
{
	Error ignored = ERROR_INIT;
	int64_t started_ms = clock_ms();
	Progress before = status->progress;
	Lsn wal_before = status->identity.wal_end;
	double seconds;

	clock_pause_ms(SAMPLE_MS);
	if (!session->target->ops->progress_read(session->target, &status->progress,
											 &ignored) ||
		!session->source->ops->identify(session->source, &status->identity,
										&ignored) ||
		status->progress.phase != PHASE_STREAM ||
		status->identity.wal_end < wal_before)
		return;
	seconds = (double) (clock_ms() - started_ms) / 1e3;
	status->has_rates = true;
	status->rows_per_s = (double) (status->progress.rows - before.rows) /
						 seconds;
	status->drained_per_s =
		(double) (status->progress.resume_lsn - before.resume_lsn) / seconds;
	status->written_per_s = (double) (status->identity.wal_end - wal_before) /
							seconds;
	measure_lag(status);
	status->catch_up_s = meter_catch_up_s((uint64_t) status->lag_bytes,
										  status->drained_per_s,
										  status->written_per_s);
}

static void
watch_copy(Session *session, CopyStatus *copy, Arena *arena)
{
	Error ignored = ERROR_INIT;
	int64_t started_ms = clock_ms();
	CopyStatus later;
	double seconds;

	clock_pause_ms(SAMPLE_MS);
	if (!look_at_copy(session, &later, arena, &ignored))
		return;
	seconds = (double) (clock_ms() - started_ms) / 1e3;
	later.has_rate = true;
	if (later.bytes > copy->bytes)
		later.bytes_per_s = (double) (later.bytes - copy->bytes) / seconds;
	later.eta_s = meter_catch_up_s((uint64_t) later.left, later.bytes_per_s, 0);
	*copy = later;
}

/* While an applier is at work. */
static void
look_again(Session *session, Status *status, Arena *arena)
{
	if (!status->owned)
		return;
	if (status->has_lag)
		watch_stream(session, status);
	else if (status->progress.phase == PHASE_COPY)
		watch_copy(session, &status->copy, arena);
}

static bool
gather(Session *session, Status *status, Arena *arena, Error *err)
{
	if (status->target.asked)
		status->target.reached = ask_target(session, status, arena,
											&status->target.error);
	if (status->source.asked)
		status->source.reached = ask_source(session, status,
											&status->source.error);
	compare_sides(session, status);
	look_again(session, status, arena);
	if (status->target.error.kind == ERROR_STOPPED ||
		(status->target.asked && !status->target.reached &&
		 !status->source.reached))
	{
		*err = status->target.error;
		return false;
	}
	if (status->source.asked && !status->source.reached &&
		(!status->target.reached || status->source.error.kind == ERROR_STOPPED))
	{
		*err = status->source.error;
		return false;
	}
	if (status->target.reached && !status->known)
		return error_set(err, P_NOT_MIGRATING,
						 "the target has no migration \"%s\"", status->name);
	return true;
}

static int
status_pair(const Options *options)
{
	Session session;
	Status status;
	Arena arena;
	Error err = ERROR_INIT;
	int code;

	arena_init(&arena);
	memset(&status, 0, sizeof(status));
	status.name = options->name;
	status.source.asked = options->source != NULL;
	status.target.asked = options->target != NULL;
	if (session_open(&session, options, &err))
	{
		status.slot_name = session.slot;
		if (gather(&session, &status, &arena, &err))
		{
			if (options->json)
				status_print_json(&status);
			else
				status_print_text(&status);
		}
	}
	code = session_end(&session, &err);
	arena_release(&arena);
	return code;
}

int
command_status(const Options *options)
{
	return walk_pairs(options, status_pair, WALK_ALL);
}

/*
 * copy_finish.c
 *		What had to wait while the stream ran, and sequences.
 */
#include "base/log.h"
#include "base/signals.h"
#include "copy/copy.h"

/*
 * Tables that were read under different snapshots agree with each other only
 * when the stream has passed the newest of them; until then a row may refer to
 * one that is still to come.
 */
static bool
may_finish(const Progress *progress, Error *err)
{
	if (progress->phase != PHASE_STREAM)
	{
		error_set(err, P_SERVER_BUSY, "the initial copy has not ended");
		error_hint(err, "Let pg_portage run end it first.");
		return error_as(err, ERROR_UNREACHABLE);
	}
	if (progress->resume_lsn >= progress->newest_stamp_lsn)
		return true;
	error_set(err, P_SERVER_BUSY,
			  "the stream is at " LSN_FORMAT ", tables were"
			  " copied up to " LSN_FORMAT,
			  LSN_ARGS(progress->resume_lsn),
			  LSN_ARGS(progress->newest_stamp_lsn));
	error_hint(err, "Let pg_portage run --until caught-up pass it first.");
	return error_as(err, ERROR_UNREACHABLE);
}

bool
copy_finish(Source *source, Target *target, const Progress *progress,
			Error *err)
{
	Arena arena;
	DdlEntry *entries;
	int count;
	int created = 0;
	bool ok;

	if (!may_finish(progress, err))
		return false;
	arena_init(&arena);
	ok = target->ops->ddl_list(target, &arena, &entries, &count, err);
	for (int i = 0; ok && i < count; i++)
	{
		if (entries[i].state == DDL_DONE)
			continue;
		if (signals_stop_requested())
			ok = error_set(err, P_STOPPED, "stopped");
		else
			ok = target->ops->ddl_run(target, progress, &entries[i], err);
		created += ok;
	}
	arena_release(&arena);
	if (ok && created > 0)
		log_info("finish: %d objects created", created);
	return ok && copy_sequences(source, target, progress, err);
}

bool
copy_sequences(Source *source, Target *target, const Progress *progress,
			   Error *err)
{
	Arena arena;
	Sequence *sequences;
	int count;
	bool ok;

	arena_init(&arena);
	ok = source->ops->sequences_list(source, &arena, &sequences, &count, err) &&
		 target->ops->sequences_set(target, progress, sequences, count, err);
	arena_release(&arena);
	return ok;
}

/*
 * copy_later.c
 *		What had to wait until the stream has passed the newest stamp.
 *
 * Chunks that were read under different snapshots may hold the same value of a
 * second unique key, or refer to rows that are still to come.  Once the stream
 * has passed the newest snapshot, the target is again as the source was at one
 * moment, and such keys can be built: in the order of the schema, so that a
 * foreign key finds the unique key that it needs.
 */
#include "base/log.h"
#include "base/signals.h"
#include "copy/copy.h"

bool
copy_waiting(Target *target, int *count, Error *err)
{
	DdlEntry *entries;
	Arena arena;
	int listed;
	bool ok;

	*count = 0;
	arena_init(&arena);
	ok = target->ops->ddl_list(target, &arena, &entries, &listed, err);
	for (int i = 0; ok && i < listed; i++)
		*count += entries[i].state == DDL_WAITING;
	arena_release(&arena);
	return ok;
}

bool
copy_later(Target *target, const Progress *progress, Error *err)
{
	DdlEntry *entries;
	Arena arena;
	int created = 0;
	int count;
	bool ok;

	arena_init(&arena);
	ok = target->ops->ddl_list(target, &arena, &entries, &count, err);
	for (int i = 0; ok && i < count; i++)
	{
		if (entries[i].state != DDL_WAITING)
			continue;
		if (signals_stop_requested())
			ok = error_set(err, P_STOPPED, "stopped");
		else
			ok = target->ops->ddl_run(target, progress, &entries[i], err);
		created += ok;
	}
	arena_release(&arena);
	if (created > 0)
		log_info("schema: %d objects that had to wait are created", created);
	return ok;
}

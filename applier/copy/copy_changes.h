/*
 * copy_changes.h
 *		Tables of the copy whose rows come as changes, not as rows to be loaded; see
 *		copy_changes.c.
 */
#ifndef PORTAGE_COPY_CHANGES_H
#define PORTAGE_COPY_CHANGES_H

#include "copy/copy_pool.h"
#include "copy/copy_work.h"

/* Does it come so? */
static inline bool
copy_by_changes(const Table *table)
{
	return table->match || table->conflicts;
}

/* Before the first of them, if the plan has any. */
bool copy_changes_prepare(CopyPool *pool, Error *err) MUST_CHECK;

/*
 * One try of such a chunk, as copy_once() of the worker.  What it needs is opened
 * with the first and stays with the worker.
 */
bool
copy_changes_write(CopyWorker *worker, SourceReader *reader,
				   const CopyWork *work, bool *whole, Error *err) MUST_CHECK;
void copy_changes_close(CopyWorker *worker);

/* Behind the last of all workers: what was found out of the target's tables. */
void copy_changes_forget(CopyPool *pool);

#endif /* PORTAGE_COPY_CHANGES_H */

/*
 * copy_reference.h
 *		Tables that rules follow, in the copy; see copy_reference.c.
 */
#ifndef PORTAGE_COPY_REFERENCE_H
#define PORTAGE_COPY_REFERENCE_H

#include "copy/copy_pool.h"
#include "copy/copy_work.h"

/* One try of a chunk of kept rows, as copy_once() of the worker. */
bool
copy_reference_keep(CopyWorker *worker, SourceReader *reader,
					const CopyWork *work, bool *whole, Error *err) MUST_CHECK;

/*
 * Before rows are read that rules look at: what references have as of the
 * reader's snapshot, and what is due of files and queries.
 */
bool copy_references_take(CopyWorker *worker, SourceReader *reader,
						  Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_REFERENCE_H */

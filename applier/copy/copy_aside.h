/*
 * copy_aside.h
 *		A chunk of which the target refuses rows, and the rule wants those in
 *		quarantine.
 */
#ifndef PORTAGE_COPY_ASIDE_H
#define PORTAGE_COPY_ASIDE_H

#include "copy/copy_pool.h"
#include "copy/copy_work.h"

/* Has the chunk failed because of rows that are to be put aside? */
bool copy_aside_wanted(const Table *table, const Error *why);

/*
 * Copy it again, from its beginning.  err is why it was not taken before; as
 * copy_once() else.
 */
bool copy_aside_load(CopyWorker *worker, SourceReader *reader,
					 const CopyWork *work, bool *whole, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_ASIDE_H */

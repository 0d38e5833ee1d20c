/*
 * copy_work.h
 *		What a worker does next.
 *
 * Indexes of tables whose rows are in come first, then rows, in the order of
 * the plan's tables: the chunks of one are spread over the workers.  Statistics
 * are made where nothing else can be done; an index and they exclude each other.
 * The pool's lock is held around each call.
 */
#ifndef PORTAGE_COPY_WORK_H
#define PORTAGE_COPY_WORK_H

#include "copy/copy_plan.h"

typedef enum WorkKind
{
	WORK_END,	/* nothing is left, or nothing is to be begun */
	WORK_WAIT,	/* nothing now, but others have not ended */
	WORK_CHUNK, /* copy a chunk */
	WORK_AGAIN, /* empty a rewritten table and copy it as a whole */
	WORK_INDEX, /* build an index */
	WORK_ANALYZE
} WorkKind;

typedef struct CopyWork
{
	WorkKind kind;
	CopyTable *table;
	Chunk *chunk; /* CHUNK, AGAIN */
	IndexJob *index;
} CopyWork;

/* Take the next piece of work; it is the caller's until copy_work_done(). */
void copy_work_take(CopyPlan *plan, CopyWork *work);

/* It has ended well, or, for a chunk, the table was found to be rewritten. */
void copy_work_done(CopyWork *work, bool rewritten);

/* Is nothing left to do for this table? */
bool copy_table_done(const CopyTable *table);

#endif /* PORTAGE_COPY_WORK_H */

/*
 * assembler.h
 *		Frames become batches: whole transactions for one target transaction, or
 *		pieces of a single one that is larger than a batch.
 *
 * The assembler holds the frames that its spans point into and releases them
 * when their transactions are through.  It knows no database.
 */
#ifndef PORTAGE_ASSEMBLER_H
#define PORTAGE_ASSEMBLER_H

#include "base/error.h"
#include "pipeline/queue.h"
#include "progress.h"
#include "stream/ddl_event.h"
#include "stream/markers.h"
#include "target/target.h"

typedef struct Assembler Assembler;

/* What came with the transactions of a batch. */
typedef struct BatchNews
{
	bool marker;		   /* a marker of ours was in it */
	int64_t marker_age_ms; /* of the last one: the lag */
	Lsn marker_end_lsn;	   /* end of its transaction */
} BatchNews;

/* key: of the messages that carry DDL; lives as long as the assembler. */
Assembler *assembler_new(Markers *markers, const DdlKey *key, int batch_rows,
						 size_t batch_bytes);
void assembler_free(Assembler *assembler);

/* Where the target stands: what the next batch moves on from. */
void assembler_start(Assembler *assembler, const Progress *progress,
					 const char *plugin_version);

/*
 * Take over a frame.  P_HISTORY if a transaction lies before what is applied,
 * P_PROTOCOL for a message of the DDL triggers that cannot be read.
 */
bool assembler_add(Assembler *assembler, QueueItem item, Error *err) MUST_CHECK;

/* Is there as much as a batch may hold? */
bool assembler_full(const Assembler *assembler);

/*
 * The next batch: every complete transaction there is up to one with DDL, which
 * is a batch of its own; else, if the limits are reached, a piece of the one that
 * is not complete.  False if there is none.
 * *after is what progress becomes with it (when batch->last).
 */
bool assembler_batch(Assembler *assembler, Batch *batch, Progress *after,
					 BatchNews *news);

/* The batch that assembler_batch gave is applied. */
void assembler_applied(Assembler *assembler);

#endif /* PORTAGE_ASSEMBLER_H */

/*
 * assembler.h
 *		Frames become units: whole transactions, or pieces of a large one.
 *
 * The assembler holds the frames that its spans point into and lets go of them
 * when their unit was taken; whoever takes a unit keeps references of its own.
 * It knows no database.
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

/* A transaction, or a piece of one that is larger than a batch may be. */
typedef struct Unit
{
	Txn txn; /* complete if last */
	const BatchSpan *spans;
	Frame *const *frames; /* of each span */
	int span_count;		  /* a transaction may have none */
	uint64_t rows;
	uint64_t bytes; /* about what it costs in memory */
	bool first;		/* the transaction's first, or only, unit */
	bool last;
	bool ddl;	   /* it carries DDL */
	Ledger ledger; /* what rules say of it; the assembler's */

	char nonce[NONCE_SIZE]; /* of a marker of the stream in it, or "" */
	bool nonce_ours;		/* emitted by this process */
	int64_t nonce_age_ms;
} Unit;

/*
 * key: of the messages that carry DDL; lives as long as the assembler.
 * origin_nonce: the stream's, by which its markers are known.  A transaction
 * becomes pieces when it exceeds rows or bytes.
 */
Assembler *
assembler_new(Markers *markers, const DdlKey *key, const Progress *progress,
			  int piece_rows, size_t piece_bytes);
void assembler_free(Assembler *assembler);

/*
 * Take over a frame.  P_HISTORY if a transaction lies before what is applied,
 * P_PROTOCOL for a message of the DDL triggers that cannot be read.
 */
bool assembler_add(Assembler *assembler, QueueItem item, Error *err) MUST_CHECK;

/*
 * The oldest unit: a complete transaction, or a piece of one that is not.  Valid
 * until the next call of any other function; false if there is none.
 */
bool assembler_next(const Assembler *assembler, Unit *unit);

/* The unit that assembler_next gave was taken. */
void assembler_taken(Assembler *assembler);

/* Complete transactions that wait. */
int assembler_waiting(const Assembler *assembler);

#endif /* PORTAGE_ASSEMBLER_H */

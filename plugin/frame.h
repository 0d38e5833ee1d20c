/*
 * frame.h
 *		The buffer in which records gather until a frame leaves.
 *
 * Invariants: before record there are whole records only, between two records
 * there is nothing else in the buffer.  What is there is either committed (held
 * back, see frame_commit) or belongs to the transaction being sent.  A frame is
 * never larger than batch_bytes unless it is one record.
 */
#ifndef PORTAGE_FRAME_H
#define PORTAGE_FRAME_H

#include "port/pg_crc32c.h"
#include "replication/logical.h"
#include "utils/timestamp.h"

#include "wire.h"

typedef struct Frame
{
	uint8_t *data;
	uint8_t *pos;  /* where the next byte goes */
	uint8_t *end;  /* of what is allocated */
	size_t record; /* offset of the record being written */

	size_t batch_bytes;
	bool defer;

	/* of the transaction being sent */
	pg_crc32c crc;
	bool must_flush; /* it carries a message of ours */

	/* of what is held back */
	int64 held_since;	 /* milliseconds, see frame.c; 0: nothing is */
	XLogRecPtr readable; /* a past value of compat_readable_lsn() */

	uint64 nwritten; /* frames, to see whether one has left */
} Frame;

/* A new frame buffer in the current memory context. */
extern Frame *frame_new(size_t batch_bytes, bool defer);

/* Make room for len more bytes; the slow part of frame_reserve(). */
extern void frame_grow(Frame *f, size_t len);

/* Begin a record. */
extern void frame_begin_record(Frame *f, WireTag tag);

/*
 * End the record, with what is at pos; in_checksum says that it belongs to
 * what C seals.  May send a frame.
 */
extern void
frame_end_record(Frame *f, LogicalDecodingContext *ctx, bool in_checksum);

/* A new transaction begins; sends what has been held back for too long. */
extern void frame_begin(Frame *f, LogicalDecodingContext *ctx);

/* What C has to carry. */
extern uint32_t frame_checksum(const Frame *f);

/*
 * A transaction whose commit record ends at end_lsn is complete (or a message
 * outside of transactions): send, or hold back.
 */
extern void
frame_commit(Frame *f, LogicalDecodingContext *ctx, XLogRecPtr end_lsn);

/* At least len bytes to write at the result; set f->pos afterwards. */
static inline uint8_t *
frame_reserve(Frame *f, size_t len)
{
	if (unlikely((size_t) (f->end - f->pos) < len))
		frame_grow(f, len);
	return f->pos;
}

#endif /* PORTAGE_FRAME_H */

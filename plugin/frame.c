/*
 * frame.c
 *		The buffer in which records gather until a frame leaves.
 *
 * A message costs the walsender a system call, and its reader another one: the
 * fewer, the better.  A frame leaves when it is full, and at every commit;
 * with "defer", committed transactions may stay while the server has a backlog
 * of WAL anyway, so that nobody waits for them.  That is safe because a reader
 * acknowledges nothing but a C record it has received.
 *
 * The bytes are copied once more into the server's output buffer.  That is 64
 * kB at a time, which does not show up in a profile, and it keeps the buffer
 * out of reach of callbacks that write in between.
 */
#include "postgres.h"

#include "compat.h"

#include <time.h>

#include "utils/memutils.h"

#include "frame.h"

/* with less than this to catch up there is no backlog, and no holding back */
#define BACKLOG_BYTES (128 * 1024)

/* what is held back longer than this leaves at the next begin or commit */
#define HOLD_MS 200

/* room for records that are a little too long, before the buffer grows */
#define SLACK_BYTES 1024

/* what palloc allows, less what the server puts around a message */
#define RECORD_BYTES_MAX (MaxAllocSize - 64 * 1024)

Frame *
frame_new(size_t batch_bytes, bool defer)
{
	Frame *f = palloc0(sizeof(Frame));
	size_t size = batch_bytes + SLACK_BYTES;

	f->data = palloc(size);
	f->pos = f->data;
	f->end = f->data + size;
	f->batch_bytes = batch_bytes;
	f->defer = defer;
	return f;
}

static void
frame_resize(Frame *f, size_t size)
{
	size_t used = f->pos - f->data;

	f->data = repalloc(f->data, size);
	f->pos = f->data + used;
	f->end = f->data + size;
}

/*
 * The server sends nothing larger than MaxAllocSize in one message, so a
 * record that is larger cannot be sent at all.  Saying so beats the server's
 * own complaint about an invalid allocation request.
 */
void
frame_grow(Frame *f, size_t len)
{
	size_t used = f->pos - f->data;
	size_t size = f->end - f->data;

	if (len > RECORD_BYTES_MAX || used > RECORD_BYTES_MAX - len)
		ereport(
			ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a change is too large to be sent"),
			 errdetail("Its values take about 1 GB or more."),
			 errhint(
				 "Leave the table out with option \"exclude_tables\" and copy it separately.")));
	while (size < used + len)
		size = size > MaxAllocSize / 2 ? MaxAllocSize : size * 2;
	frame_resize(f, size);
}

/* Send the first len bytes, and move up what is behind them. */
static void
frame_send(Frame *f, LogicalDecodingContext *ctx, size_t len)
{
	size_t rest = f->pos - f->data - len;

	OutputPluginPrepareWrite(ctx, true);
	appendBinaryStringInfo(ctx->out, (char *) f->data, len);
	OutputPluginWrite(ctx, true);
	f->nwritten++;
	if (rest > 0)
		memmove(f->data, f->data + len, rest);
	f->pos = f->data + rest;
	f->held_since = 0;
	if ((size_t) (f->end - f->data) > 4 * f->batch_bytes + SLACK_BYTES &&
		rest <= f->batch_bytes)
		frame_resize(f, f->batch_bytes + SLACK_BYTES);
}

static void
frame_flush(Frame *f, LogicalDecodingContext *ctx)
{
	if (f->pos > f->data)
		frame_send(f, ctx, f->pos - f->data);
}

void
frame_begin_record(Frame *f, WireTag tag)
{
	f->record = f->pos - f->data;
	f->pos = wire_put_header(frame_reserve(f, WIRE_HEADER_SIZE), tag);
}

void
frame_end_record(Frame *f, LogicalDecodingContext *ctx, bool in_checksum)
{
	uint8_t *record = f->data + f->record;

	wire_patch_length(record, f->pos);
	if (in_checksum)
		COMP_CRC32C(f->crc, record, f->pos - record);
	if ((size_t) (f->pos - f->data) < f->batch_bytes)
		return;
	if (f->record > 0 && (size_t) (f->pos - f->data) > f->batch_bytes)
		frame_send(f, ctx, f->record);
	if ((size_t) (f->pos - f->data) >= f->batch_bytes)
		frame_flush(f, ctx);
}

/*
 * Milliseconds of a clock that only runs forward, never 0.  Asked for twice a
 * transaction, so the coarse one where there is one: it is good to a few
 * milliseconds and costs next to nothing.
 */
static int64
clock_ms(void)
{
	struct timespec now;

#ifdef CLOCK_MONOTONIC_COARSE
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
	clock_gettime(CLOCK_MONOTONIC, &now);
#endif
	return (int64) now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static bool
frame_held_too_long(const Frame *f, int64 now)
{
	return now - f->held_since > HOLD_MS;
}

void
frame_begin(Frame *f, LogicalDecodingContext *ctx)
{
	INIT_CRC32C(f->crc);
	f->must_flush = false;
	if (f->held_since != 0 && frame_held_too_long(f, clock_ms()))
		frame_flush(f, ctx);
}

/*
 * The server's own implementation of the checksum that crc32c.h defines: it
 * uses the processor's instructions.  portage.decode() checks it by the other.
 */
uint32_t
frame_checksum(const Frame *f)
{
	pg_crc32c crc = f->crc;

	FIN_CRC32C(crc);
	return crc;
}

/* The readable LSN only grows, so that a past value is enough to say yes. */
static bool
frame_has_backlog(Frame *f, XLogRecPtr end_lsn)
{
	if (f->readable > end_lsn + BACKLOG_BYTES)
		return true;
	f->readable = compat_readable_lsn();
	return f->readable > end_lsn + BACKLOG_BYTES;
}

void
frame_commit(Frame *f, LogicalDecodingContext *ctx, XLogRecPtr end_lsn)
{
	int64 now;

	if (!f->defer || f->must_flush || !frame_has_backlog(f, end_lsn))
	{
		frame_flush(f, ctx);
		f->must_flush = false;
		return;
	}
	now = clock_ms();
	if (f->held_since == 0)
		f->held_since = now;
	else if (frame_held_too_long(f, now))
		frame_flush(f, ctx);
}

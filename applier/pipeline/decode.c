/*
 * decode.c
 *		Frames of the wire protocol become events.
 *
 * Two passes over a frame: the first reads every record, checks it and sums up
 * the transaction's checksum; the second puts a NUL behind every value.  The
 * byte that the second one overwrites is the length of the next value or the
 * tag of the next record, which by then has been read.
 */
#include "pipeline/decode.h"

#include <string.h>

#include "base/mem.h"
#include "crc32c.h"
#include "pipeline/relation_decode.h"
#include "pipeline/relation_map.h"

struct Decoder
{
	Arena arena; /* the hello's strings */
	StreamHello hello;
	RelationMap relations;
	Crc32cTables tables;
	uint64_t frame_number;
	bool in_txn;
	Txn txn;
	uint32_t crc;
	uint64_t rows;
};

/* What the decoding of one frame needs at hand. */
typedef struct FrameContext
{
	Decoder *decoder;
	Frame *frame;
	int relation_capacity;
	Error *err;
} FrameContext;

Decoder *
decoder_new(void)
{
	Decoder *decoder = mem_zalloc(sizeof(*decoder));

	arena_init(&decoder->arena);
	relation_map_init(&decoder->relations);
	crc32c_init(&decoder->tables);
	return decoder;
}

void
decoder_free(Decoder *decoder)
{
	if (decoder == NULL)
		return;
	relation_map_release(&decoder->relations);
	arena_release(&decoder->arena);
	mem_free(decoder);
}

const StreamHello *
decoder_hello(const Decoder *decoder)
{
	return &decoder->hello;
}

static bool
decode_hello(FrameContext *ctx, WireReader *r)
{
	Decoder *decoder = ctx->decoder;
	WireHello hello;
	uint32_t lists;
	uint32_t n;

	if (decoder->hello.known)
		return error_set(ctx->err, P_PROTOCOL, "a second hello in one stream");
	wire_get_hello(r, &hello);
	/* two lists of pairs: settings and options, for people only */
	for (lists = 0; lists < 2; lists++)
	{
		for (n = wire_get_leb(r); n > 0 && !r->failed; n--)
		{
			wire_get_string(r);
			wire_get_string(r);
		}
	}
	if (!wire_reader_done(r))
		return true;
	if (hello.proto < WIRE_PROTO_MIN || hello.proto > WIRE_PROTO_MAX)
		return error_set(ctx->err, P_PROTOCOL,
						 "protocol version %u is not known", hello.proto);
	decoder->hello.known = true;
	decoder->hello.proto = hello.proto;
	decoder->hello.server_version = (int) hello.server_version;
	decoder->hello.plugin_version = wire_copy(&decoder->arena,
											  hello.plugin_version);
	decoder->hello.encoding = wire_copy(&decoder->arena, hello.encoding);
	return true;
}

static bool
decode_relation(FrameContext *ctx, WireReader *r)
{
	Relation *relation = relation_decode(r);

	if (relation != NULL)
		relation_map_put(&ctx->decoder->relations, relation);
	return true;
}

/* The relation of a row; the frame holds a reference on it from now on. */
static const Relation *
frame_relation(FrameContext *ctx, uint32_t oid)
{
	RelationSlot *slot = relation_map_find(&ctx->decoder->relations, oid);
	Frame *frame = ctx->frame;
	const Relation **bigger;

	if (slot == NULL)
	{
		error_set(ctx->err, P_PROTOCOL,
				  "a row of relation %u, which was never announced", oid);
		return NULL;
	}
	if (slot->frame_mark == ctx->decoder->frame_number)
		return slot->relation;
	if (frame->relation_count == ctx->relation_capacity)
	{
		ctx->relation_capacity = ctx->relation_capacity * 2 + 4;
		bigger = ARENA_ARRAY(&frame->arena, const Relation *,
							 (size_t) ctx->relation_capacity);
		if (frame->relation_count > 0)
			memcpy(bigger, frame->relations,
				   (size_t) frame->relation_count * sizeof(*bigger));
		frame->relations = bigger;
	}
	relation_retain(slot->relation);
	frame->relations[frame->relation_count++] = slot->relation;
	slot->frame_mark = ctx->decoder->frame_number;
	return slot->relation;
}

static const Value *
decode_tuple(FrameContext *ctx, const Relation *relation, WireReader *r)
{
	uint32_t n = (uint32_t) relation->column_count;
	const uint8_t *bitmap = wire_get_bitmap(r, n);
	Value *values;
	WireSlice bytes;
	uint32_t i;

	if (bitmap == NULL && n > 0)
		return NULL;
	values = arena_alloc(&ctx->frame->arena, n * sizeof(Value));
	for (i = 0; i < n; i++)
	{
		values[i].state = (uint8_t) wire_get_state(bitmap, i);
		values[i].data = NULL;
		values[i].len = 0;
		if (values[i].state == WIRE_COL_PRESENT)
		{
			bytes = wire_get_string(r);
			values[i].data = (const char *) bytes.data;
			values[i].len = bytes.len;
		}
	}
	return values;
}

static bool
decode_row(FrameContext *ctx, uint8_t tag, WireReader *r, Change *change)
{
	uint32_t oid = wire_get_row(r, tag, &change->old_kind);

	if (r->failed)
		return true;
	change->relation = frame_relation(ctx, oid);
	if (change->relation == NULL)
		return false;
	change->kind = tag == WIRE_INSERT	? CHANGE_INSERT
				   : tag == WIRE_UPDATE ? CHANGE_UPDATE
										: CHANGE_DELETE;
	if (change->old_kind != WIRE_OLD_NONE)
		change->old_values = decode_tuple(ctx, change->relation, r);
	if (tag != WIRE_DELETE && !r->failed)
		change->new_values = decode_tuple(ctx, change->relation, r);
	return true;
}

static bool
decode_truncate(FrameContext *ctx, WireReader *r, Change *change)
{
	uint32_t n = wire_get_truncate(r, &change->truncate_flags);
	uint32_t i;

	if (r->failed)
		return true;
	change->kind = CHANGE_TRUNCATE;
	change->truncated = ARENA_ARRAY(&ctx->frame->arena, const Relation *, n);
	change->truncated_count = (int) n;
	for (i = 0; i < n; i++)
	{
		change->truncated[i] = frame_relation(ctx, wire_get_u32(r));
		if (change->truncated[i] == NULL)
			return false;
	}
	return true;
}

static bool
decode_nokey(FrameContext *ctx, WireReader *r, Change *change)
{
	uint8_t op = 0;
	uint32_t oid = wire_get_nokey(r, &op);

	if (r->failed)
		return true;
	change->kind = CHANGE_NOKEY;
	change->nokey_op = (char) op;
	change->relation = frame_relation(ctx, oid);
	return change->relation != NULL;
}

static bool
decode_begin(FrameContext *ctx, const WireRecord *rec, WireReader *r,
			 Event *event)
{
	Decoder *decoder = ctx->decoder;
	WireBegin begin;

	if (decoder->in_txn)
		return error_set(ctx->err, P_PROTOCOL,
						 "a transaction begins inside another one");
	wire_get_begin(r, &begin);
	memset(&decoder->txn, 0, sizeof(decoder->txn));
	decoder->txn.xid = begin.xid;
	decoder->txn.commit_lsn = begin.commit_lsn;
	decoder->txn.commit_time_us = begin.commit_time;
	decoder->txn.origin = begin.origin;
	decoder->in_txn = true;
	decoder->rows = 0;
	decoder->crc = crc32c_update(&decoder->tables, 0, rec->whole.data,
								 rec->whole.len);
	event->kind = EVENT_BEGIN;
	event->txn = decoder->txn;
	return true;
}

static bool
decode_commit(FrameContext *ctx, WireReader *r, Event *event)
{
	Decoder *decoder = ctx->decoder;
	WireCommit commit;

	wire_get_commit(r, &commit);
	if (!wire_reader_done(r))
		return true;
	if (!decoder->in_txn || commit.commit_lsn != decoder->txn.commit_lsn ||
		commit.commit_time != decoder->txn.commit_time_us ||
		commit.end_lsn <= commit.commit_lsn)
		return error_set(ctx->err, P_PROTOCOL,
						 "a commit that does not belong to its transaction");
	if (commit.nrows != decoder->rows || commit.crc != decoder->crc)
		return error_set(ctx->err, P_PROTOCOL,
						 "transaction %u at " LSN_FORMAT
						 " arrived damaged: %" PRIu64 " rows with checksum "
						 "%08" PRIX32 " instead of %" PRIu64 " with %08" PRIX32,
						 decoder->txn.xid, LSN_ARGS(commit.commit_lsn),
						 decoder->rows, decoder->crc, commit.nrows, commit.crc);
	decoder->txn.end_lsn = commit.end_lsn;
	decoder->txn.rows = commit.nrows;
	decoder->txn.crc = commit.crc;
	decoder->in_txn = false;
	event->kind = EVENT_COMMIT;
	event->txn = decoder->txn;
	return true;
}

static bool
decode_message(FrameContext *ctx, const WireRecord *rec, WireReader *r,
			   Event *event)
{
	Decoder *decoder = ctx->decoder;
	WireMessage wire;

	wire_get_message(r, &wire);
	if (!wire_reader_done(r))
		return true;
	event->kind = EVENT_MESSAGE;
	event->message.lsn = wire.lsn;
	event->message.transactional = (wire.flags & WIRE_MESSAGE_TRANSACTIONAL) !=
								   0;
	event->message.prefix.data = (const char *) wire.prefix.data;
	event->message.prefix.len = wire.prefix.len;
	event->message.content.data = (const char *) wire.content.data;
	event->message.content.len = wire.content.len;
	if (event->message.transactional != decoder->in_txn)
		return error_set(ctx->err, P_PROTOCOL,
						 "a message on the wrong side of a transaction");
	if (decoder->in_txn)
		decoder->crc = crc32c_update(&decoder->tables, decoder->crc,
									 rec->whole.data, rec->whole.len);
	return true;
}

static bool
decode_change(FrameContext *ctx, const WireRecord *rec, WireReader *r,
			  Event *event)
{
	Decoder *decoder = ctx->decoder;
	Change *change = &event->change;

	if (!decoder->in_txn)
		return error_set(ctx->err, P_PROTOCOL, "a row outside a transaction");
	event->kind = EVENT_CHANGE;
	memset(change, 0, sizeof(*change));
	change->bytes = rec->whole.len;
	decoder->rows++;
	change->number = (uint32_t) decoder->rows;
	decoder->crc = crc32c_update(&decoder->tables, decoder->crc,
								 rec->whole.data, rec->whole.len);
	switch (rec->tag)
	{
		case WIRE_TRUNCATE:
			return decode_truncate(ctx, r, change);
		case WIRE_NOKEY:
			return decode_nokey(ctx, r, change);
		default:
			return decode_row(ctx, rec->tag, r, change);
	}
}

/* One record; *emitted tells whether it became an event. */
static bool
decode_record(FrameContext *ctx, const WireRecord *rec, Event *event,
			  bool *emitted)
{
	WireReader r;
	WireSlice name;
	bool ok;

	wire_reader_init(&r, rec->body.data, rec->body.len);
	if (!ctx->decoder->hello.known && rec->tag != WIRE_HELLO)
		return error_set(ctx->err, P_PROTOCOL,
						 "the stream does not begin with a hello");
	*emitted = false;
	switch (rec->tag)
	{
		case WIRE_HELLO:
			ok = decode_hello(ctx, &r);
			break;
		case WIRE_RELATION:
			ok = decode_relation(ctx, &r);
			break;
		case WIRE_ORIGIN:
			wire_get_origin(&r, &name);
			ok = true;
			break;
		case WIRE_BEGIN:
			*emitted = true;
			ok = decode_begin(ctx, rec, &r, event);
			break;
		case WIRE_COMMIT:
			*emitted = true;
			ok = decode_commit(ctx, &r, event);
			break;
		case WIRE_MESSAGE:
			*emitted = true;
			ok = decode_message(ctx, rec, &r, event);
			break;
		default:
			*emitted = true;
			ok = decode_change(ctx, rec, &r, event);
			break;
	}
	if (ok && !wire_reader_done(&r))
		ok = error_set(ctx->err, P_PROTOCOL,
					   "a malformed record '%c' of %u "
					   "bytes",
					   rec->tag, rec->body.len);
	return ok;
}

static void
terminate_values(const Value *values, int count)
{
	int i;

	for (i = 0; values != NULL && i < count; i++)
	{
		if (values[i].state == WIRE_COL_PRESENT)
			((char *) values[i].data)[values[i].len] = '\0';
	}
}

static void
terminate_frame(Frame *frame)
{
	const Change *change;
	int i;

	for (i = 0; i < frame->event_count; i++)
	{
		if (frame->events[i].kind != EVENT_CHANGE)
			continue;
		change = &frame->events[i].change;
		if (change->relation == NULL)
			continue;
		terminate_values(change->old_values, change->relation->column_count);
		terminate_values(change->new_values, change->relation->column_count);
	}
}

/* How many records are there?  Only bounds the array of events. */
static size_t
count_records(const Frame *frame)
{
	WireReader r;
	WireRecord rec;
	size_t n = 0;

	wire_reader_init(&r, frame->data, frame->len);
	while (wire_get_record(&r, &rec))
		n++;
	return n;
}

bool
decode_frame(Decoder *decoder, Frame *frame, Error *err)
{
	FrameContext ctx = { decoder, frame, 0, err };
	WireReader r;
	WireRecord rec;
	bool emitted = false;

	decoder->frame_number++;
	frame->events = ARENA_ARRAY(&frame->arena, Event, count_records(frame));
	frame->event_count = 0;
	wire_reader_init(&r, frame->data, frame->len);
	while (wire_get_record(&r, &rec))
	{
		if (!decode_record(&ctx, &rec, &frame->events[frame->event_count],
						   &emitted))
			return error_wrap(err, "in the stream near " LSN_FORMAT,
							  LSN_ARGS(frame->wal_end));
		if (emitted)
			frame->event_count++;
	}
	if (r.failed || frame->len == 0)
		return error_set(err, P_PROTOCOL, "a frame of %zu bytes is malformed",
						 frame->len);
	terminate_frame(frame);
	frame->bytes += frame->arena.used_bytes;
	return true;
}

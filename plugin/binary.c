/*
 * binary.c
 *		The records of wire.h, gathered into frames.
 *
 * Values go straight into the frame: a short one is formatted behind the byte
 * that will hold its length, a long one is copied once.
 */
#include "postgres.h"

#include "compat.h"

#include "mb/pg_wchar.h"
#include "replication/origin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "session.h"
#include "wire.h"

/* messages with this prefix are ours; what carries one is not held back */
#define OWN_PREFIX "portage"

/* an O record that has been sent */
typedef struct OriginName
{
	RepOriginId id;
	char *name;
} OriginName;

static void
put_string(Frame *f, const char *s)
{
	size_t len = strlen(s);

	f->pos = wire_put_string(frame_reserve(f, WIRE_LEB_SIZE + len), s,
							 (uint32_t) len);
}

static void
put_leb(Frame *f, uint32_t v)
{
	f->pos = wire_put_leb(frame_reserve(f, WIRE_LEB_SIZE), v);
}

/* H waits in the buffer: nothing may be written before the first record. */
static void
binary_start(LogicalDecodingContext *ctx, Session *session)
{
	const Options *options = &session->options;
	MemoryContext caller = MemoryContextSwitchTo(ctx->context);
	Frame *f = frame_new(options->batch_bytes, options->defer);
	int i;

	MemoryContextSwitchTo(caller);
	session->frame = f;
	frame_begin_record(f, WIRE_HELLO);
	f->pos = wire_put_hello_fixed(frame_reserve(f, WIRE_HELLO_FIXED_SIZE),
								  (uint16_t) session->protocol, PG_VERSION_NUM);
	put_string(f, PORTAGE_VERSION);
	put_string(f, GetDatabaseEncodingName());
	put_leb(f, SETTING_COUNT);
	for (i = 0; i < SETTING_COUNT; i++)
	{
		put_string(f, setting_name(i));
		put_string(f, setting_value(i));
	}
	put_leb(f, OPTION_COUNT);
	for (i = 0; i < OPTION_COUNT; i++)
	{
		put_string(f, option_name(i));
		put_string(f, options->text[i]);
	}
	wire_patch_length(f->data, f->pos);
}

static void
binary_prepare(LogicalDecodingContext *ctx, Session *session)
{
	frame_begin(session->frame, ctx);
}

/*
 * O before the first B of an origin, and again if its number has got another
 * name: numbers are used again after a drop.
 */
static void
announce_origin(LogicalDecodingContext *ctx, Session *session, RepOriginId id)
{
	Frame *f = session->frame;
	OriginName *known = NULL;
	MemoryContext caller;
	ListCell *lc;
	char *name = NULL;

	if (!replorigin_by_oid(id, true, &name) || name == NULL)
		name = pstrdup("");
	foreach (lc, session->origins)
	{
		if (((OriginName *) lfirst(lc))->id == id)
			known = lfirst(lc);
	}
	if (known != NULL && strcmp(known->name, name) == 0)
		return;
	caller = MemoryContextSwitchTo(ctx->context);
	if (known == NULL)
	{
		known = palloc0(sizeof(OriginName));
		known->id = id;
		session->origins = lappend(session->origins, known);
	}
	else
		pfree(known->name);
	known->name = pstrdup(name);
	MemoryContextSwitchTo(caller);
	frame_begin_record(f, WIRE_ORIGIN);
	f->pos = wire_put_origin(frame_reserve(f, 2 + WIRE_LEB_SIZE + strlen(name)),
							 id, name, (uint32_t) strlen(name));
	frame_end_record(f, ctx, false);
}

static void
binary_begin(LogicalDecodingContext *ctx, Session *session,
			 ReorderBufferTXN *txn)
{
	Frame *f = session->frame;
	WireBegin begin;

	if (txn->origin_id != InvalidRepOriginId)
		announce_origin(ctx, session, txn->origin_id);
	begin.xid = txn->xid;
	begin.commit_lsn = txn->final_lsn;
	begin.commit_time = COMPAT_COMMIT_TIME(txn);
	begin.origin = txn->origin_id;
	frame_begin_record(f, WIRE_BEGIN);
	f->pos = wire_put_begin(frame_reserve(f, WIRE_BEGIN_SIZE), &begin);
	frame_end_record(f, ctx, true);
}

static void
binary_relation(LogicalDecodingContext *ctx, Session *session,
				RelationEntry *entry)
{
	Frame *f = session->frame;
	uint8_t *p;

	frame_begin_record(f, WIRE_RELATION);
	p = frame_reserve(f, entry->record_len);
	memcpy(p, entry->record, entry->record_len);
	f->pos = p + entry->record_len;
	frame_end_record(f, ctx, false);
}

static void
put_long(Frame *f, ColumnText *text, Datum value)
{
	WireSlice slice = textout_slice(text, value);

	f->pos = wire_put_string(
		frame_reserve(f, WIRE_LEB_SIZE + (size_t) slice.len),
		(const char *) slice.data, slice.len);
}

static void
put_value(Frame *f, ColumnText *text, Datum value)
{
	uint8_t *p;
	char *end;

	if (text->method >= TEXT_BOOL)
	{
		p = frame_reserve(f, 1 + TEXTOUT_SHORT_SIZE);
		end = textout_short(text, value, (char *) p + 1);
		if (likely(end != NULL))
		{
			*p = (uint8_t) ((uint8_t *) end - p - 1);
			f->pos = (uint8_t *) end;
			return;
		}
	}
	put_long(f, text, value);
}

/* The bitmap is addressed by offset: the buffer may move with any value. */
static void
put_tuple(Frame *f, const Row *row, const RowTuple *tuple)
{
	const RelationEntry *entry = row->entry;
	uint32_t bitmap_len = wire_bitmap_size(entry->ncolumns);
	uint8_t *p = frame_reserve(f, bitmap_len);
	size_t bitmap = p - f->data;
	int i;

	memset(p, 0, bitmap_len);
	f->pos = p + bitmap_len;
	for (i = 0; i < entry->ncolumns; i++)
	{
		RelationColumn *column = &entry->columns[i];
		Datum value;
		WireColumnState state = row_column(row, tuple, column, &value);

		wire_set_state(f->data + bitmap, i, state);
		if (state == WIRE_COL_PRESENT)
			put_value(f, &column->text, value);
	}
}

static void
put_no_key(Frame *f, const Row *row)
{
	frame_begin_record(f, WIRE_NOKEY);
	f->pos = wire_put_nokey(frame_reserve(f, WIRE_ROW_FIXED_SIZE),
							row->entry->relid, (uint8_t) row->tag);
}

static void
binary_row(LogicalDecodingContext *ctx, Session *session, const Row *row)
{
	Frame *f = session->frame;

	if (row->no_key)
		put_no_key(f, row);
	else
	{
		frame_begin_record(f, row->tag);
		f->pos = wire_put_row(frame_reserve(f, WIRE_ROW_FIXED_SIZE),
							  row->entry->relid, row->old_kind);
		if (row->old_tuple != NULL)
			put_tuple(f, row, row->old_tuple);
		if (row->new_tuple != NULL)
			put_tuple(f, row, row->new_tuple);
	}
	frame_end_record(f, ctx, true);
}

static void
binary_truncate(LogicalDecodingContext *ctx, Session *session,
				const ReorderBufferChange *change, int nentries,
				RelationEntry **entries)
{
	Frame *f = session->frame;
	uint8 flags = 0;
	int i;

	if (change->data.truncate.cascade)
		flags |= WIRE_TRUNCATE_CASCADE;
	if (change->data.truncate.restart_seqs)
		flags |= WIRE_TRUNCATE_RESTART;
	frame_begin_record(f, WIRE_TRUNCATE);
	frame_reserve(f, 1 + WIRE_LEB_SIZE + (size_t) nentries * 4);
	f->pos = wire_put_truncate(f->pos, flags, nentries);
	for (i = 0; i < nentries; i++)
		f->pos = wire_put_u32(f->pos, entries[i]->relid);
	frame_end_record(f, ctx, true);
}

static void
binary_message(LogicalDecodingContext *ctx, Session *session,
			   const LogicalMessage *message)
{
	Frame *f = session->frame;
	WireMessage wire;

	wire.lsn = message->lsn;
	wire.flags = message->transactional ? WIRE_MESSAGE_TRANSACTIONAL : 0;
	wire.prefix.data = (const uint8_t *) message->prefix;
	wire.prefix.len = (uint32_t) strlen(message->prefix);
	wire.content.data = (const uint8_t *) message->content;
	wire.content.len = (uint32_t) message->len;
	frame_begin_record(f, WIRE_MESSAGE);
	f->pos = wire_put_message(frame_reserve(f, WIRE_MESSAGE_FIXED_SIZE +
												   (size_t) wire.prefix.len +
												   wire.content.len),
							  &wire);
	if (strncmp(message->prefix, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
		f->must_flush = true;
	frame_end_record(f, ctx, message->transactional);
	if (!message->transactional)
		frame_commit(f, ctx, message->lsn);
}

static void
binary_commit(LogicalDecodingContext *ctx, Session *session,
			  ReorderBufferTXN *txn)
{
	Frame *f = session->frame;
	WireCommit commit;

	commit.commit_lsn = txn->final_lsn;
	commit.end_lsn = txn->end_lsn;
	commit.commit_time = COMPAT_COMMIT_TIME(txn);
	commit.nrows = session->nrows;
	commit.crc = frame_checksum(f);
	frame_begin_record(f, WIRE_COMMIT);
	f->pos = wire_put_commit(frame_reserve(f, WIRE_COMMIT_SIZE), &commit);
	frame_end_record(f, ctx, false);
	frame_commit(f, ctx, txn->end_lsn);
}

const Format format_binary = { .output_type = OUTPUT_PLUGIN_BINARY_OUTPUT,
							   .start = binary_start,
							   .prepare = binary_prepare,
							   .begin = binary_begin,
							   .relation = binary_relation,
							   .row = binary_row,
							   .truncate = binary_truncate,
							   .message = binary_message,
							   .commit = binary_commit };

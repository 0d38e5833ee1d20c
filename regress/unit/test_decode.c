/*
 * test_decode.c
 *		The decoder: recorded streams, damaged ones, and ones that break the
 *		order that the protocol promises.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "crc32c.h"
#include "pipeline/decode.h"
#include "base/mem.h"
#include "tap.h"
#include "wire.h"

static Error err;

/* --------------------------------------------------------------- printing */

static void
print_values(Buffer *out, const char *what, const Relation *relation,
			 const Value *values)
{
	static const char *const states[] = { "null", "unchanged", "", "absent" };

	if (values == NULL)
		return;
	buffer_printf(out, " %s(", what);
	for (int i = 0; i < relation->column_count; i++)
	{
		buffer_printf(out, "%s%s=", i > 0 ? ", " : "",
					  relation->columns[i].name);
		if (values[i].state != WIRE_COL_PRESENT)
			buffer_printf(out, "<%s>", states[values[i].state]);
		else if (values[i].len > 40)
			buffer_printf(out, "%.40s...%u", values[i].data, values[i].len);
		else
			buffer_printf(out, "'%s'%u", values[i].data, values[i].len);
		if (values[i].state == WIRE_COL_PRESENT &&
			values[i].data[values[i].len] != '\0')
			buffer_puts(out, "<no NUL>");
	}
	buffer_putc(out, ')');
}

static void
print_relation(Buffer *out, const Relation *relation)
{
	buffer_printf(out, " %s.%s", relation->schema, relation->name);
	if (relation->root_oid != 0)
		buffer_printf(out, " of %s.%s", relation->root_schema,
					  relation->root_name);
	buffer_printf(out, "[%c%c,%d keys", relation->kind, relation->identity,
				  relation->key_count);
	for (int i = 0; i < relation->column_count; i++)
	{
		const Slice *missing = &relation->columns[i].missing;

		if (missing->data != NULL)
			buffer_printf(out, ",older %s='%s'%zu", relation->columns[i].name,
						  missing->data, missing->len);
	}
	buffer_putc(out, ']');
}

static void
print_change(Buffer *out, const Change *change)
{
	static const char *const kinds[] = { "insert", "update", "delete",
										 "truncate", "nokey" };

	buffer_puts(out, kinds[change->kind]);
	if (change->kind == CHANGE_TRUNCATE)
	{
		buffer_printf(out, " flags %d", change->truncate_flags);
		for (int i = 0; i < change->truncated_count; i++)
			print_relation(out, change->truncated[i]);
		return;
	}
	print_relation(out, change->relation);
	if (change->kind == CHANGE_NOKEY)
		buffer_printf(out, " op %c", change->nokey_op);
	print_values(out, change->old_kind == WIRE_OLD_FULL ? "full" : "key",
				 change->relation, change->old_values);
	print_values(out, "new", change->relation, change->new_values);
}

static void
print_txn(Buffer *out, const char *word, const Txn *txn)
{
	buffer_printf(out, "%s xid %u at " LSN_FORMAT, word, txn->xid,
				  LSN_ARGS(txn->commit_lsn));
	if (txn->end_lsn != LSN_NONE)
		buffer_printf(out, " end " LSN_FORMAT " rows %d",
					  LSN_ARGS(txn->end_lsn), (int) txn->rows);
}

static void
print_frame(Buffer *out, const Frame *frame)
{
	for (int i = 0; i < frame->event_count; i++)
	{
		const Event *event = &frame->events[i];

		switch (event->kind)
		{
			case EVENT_BEGIN:
				print_txn(out, "begin", &event->txn);
				break;
			case EVENT_CHANGE:
				print_change(out, &event->change);
				break;
			case EVENT_MESSAGE:
				buffer_printf(
					out, "message %s %.*s: %.*s",
					event->message.transactional ? "inside" : "outside",
					(int) event->message.prefix.len, event->message.prefix.data,
					(int) event->message.content.len,
					event->message.content.data);
				break;
			case EVENT_COMMIT:
				print_txn(out, "commit", &event->txn);
				break;
			case EVENT_LEDGER:
				BUG("the plugin sends no ledger");
		}
		buffer_putc(out, '\n');
	}
}

/* ----------------------------------------------------------------- streams */

/* Frames, each preceded by its length, as in golden/. */
static bool
decode_stream(const uint8_t *data, size_t size, Buffer *text)
{
	Decoder *decoder = decoder_new();
	bool good = true;

	error_clear(&err);
	while (good && size >= 4)
	{
		WireReader r;
		size_t len;
		uint8_t *copy;
		Frame *frame;

		wire_reader_init(&r, data, size);
		len = wire_get_u32(&r);
		if (len > size - 4)
			len = size - 4;
		copy = malloc(len + 1);
		memcpy(copy, data + 4, len);
		frame = frame_new(copy, len, copy, free);
		good = decode_frame(decoder, frame, &err);
		if (good && text != NULL)
			print_frame(text, frame);
		frame_release(frame);
		data += 4 + len;
		size -= 4 + len;
	}
	decoder_free(decoder);
	return good;
}

static void
read_file(const char *name, const char *extension, Buffer *out)
{
	char path[256];
	char chunk[4096];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "golden/%s.%s", name, extension);
	file = fopen(path, "rb");
	buffer_reset(out);
	while (file != NULL && (len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, len);
	if (file != NULL)
		fclose(file);
}

/* UPDATE_GOLDEN=1 writes what the frames are decoded to. */
static void
update_golden(const char *name, const Buffer *text)
{
	char path[256];
	FILE *file;

	if (getenv("UPDATE_GOLDEN") == NULL)
		return;
	snprintf(path, sizeof(path), "golden/%s.events", name);
	file = fopen(path, "wb");
	if (file == NULL)
		return;
	fwrite(text->data, 1, text->len, file);
	fclose(file);
}

/* The first line that differs, for the eye. */
static void
show_difference(const char *got, const char *want)
{
	size_t same = 0;

	while (got[same] != '\0' && got[same] == want[same])
		same++;
	while (same > 0 && got[same - 1] != '\n')
		same--;
	printf("# got:      %.*s\n", (int) strcspn(got + same, "\n"), got + same);
	printf("# expected: %.*s\n", (int) strcspn(want + same, "\n"), want + same);
}

/* What a record of the stream is sealed by, if by anything. */
static bool
is_sealed(const WireRecord *rec, size_t offset)
{
	if (rec->tag == WIRE_COMMIT)
		return offset < WIRE_HEADER_SIZE + 8 || offset >= WIRE_HEADER_SIZE + 16;
	if (rec->tag == WIRE_MESSAGE)
		return (rec->body.data[8] & WIRE_MESSAGE_TRANSACTIONAL) != 0;
	return rec->tag == WIRE_BEGIN || wire_tag_is_row(rec->tag);
}

/*
 * Change every byte that a checksum covers, one at a time: nothing of that may
 * pass.  The other bytes may; then nothing else must happen.
 */
static void
test_damage(const char *name, const Buffer *stream)
{
	const uint8_t *data = (const uint8_t *) stream->data;
	uint8_t *copy = malloc(stream->len);
	size_t pos = 0;
	int sealed = 0;
	int passed = 0;
	int other_code = 0;

	memcpy(copy, data, stream->len);
	while (pos + 4 <= stream->len)
	{
		WireReader r;
		WireRecord rec;
		size_t len;

		wire_reader_init(&r, data + pos, 4);
		len = wire_get_u32(&r);
		wire_reader_init(&r, data + pos + 4, len);
		while (wire_get_record(&r, &rec))
		{
			size_t start = (size_t) (rec.whole.data - data);

			for (size_t i = 0; i < rec.whole.len; i++)
			{
				copy[start + i] ^= (uint8_t) (1 << (i % 8));
				sealed += is_sealed(&rec, i);
				if (decode_stream(copy, stream->len, NULL))
					passed += is_sealed(&rec, i);
				else
					other_code += err.code != P_PROTOCOL;
				copy[start + i] = data[start + i];
			}
		}
		pos += 4 + len;
	}
	ok(sealed > 1000 && passed == 0,
	   "%s: %d damaged bytes, each found (%d not)", name, sealed, passed);
	is_int(other_code, 0, "and called a damaged stream");
	free(copy);
}

static void
test_golden(const char *name)
{
	Buffer stream;
	Buffer want;
	Buffer text;
	bool good;

	buffer_init(&stream);
	buffer_init(&want);
	buffer_init(&text);
	read_file(name, "frames", &stream);
	good = decode_stream((uint8_t *) stream.data, stream.len, &text);
	ok(good && stream.len > 1000, "%s is decoded: %s", name, err.message);
	update_golden(name, &text);
	read_file(name, "events", &want);
	if (!ok(strcmp(text.data, want.data) == 0, "%s says what it said", name))
		show_difference(text.data, want.data);
	test_damage(name, &stream);
	buffer_release(&stream);
	buffer_release(&want);
	buffer_release(&text);
}

/* ------------------------------------------------------- streams by hand */

/* A stream under construction: one frame after the other. */
typedef struct Builder
{
	uint8_t data[8192];
	uint8_t *frame; /* where the open frame's length is */
	uint8_t *end;
	uint32_t crc;
	uint64_t rows;
	Crc32cTables tables;
} Builder;

static void
frame_begin(Builder *b)
{
	b->frame = b->end;
	b->end = wire_put_u32(b->end, 0);
}

static void
frame_end(Builder *b)
{
	wire_put_u32(b->frame, (uint32_t) (b->end - b->frame) - 4);
}

static uint8_t *
record_begin(Builder *b, WireTag tag)
{
	return wire_put_header(b->end, tag);
}

static void
record_end(Builder *b, uint8_t *end, bool sealed)
{
	wire_patch_length(b->end, end);
	if (sealed)
	{
		b->crc = crc32c_update(&b->tables, b->crc, b->end,
							   (size_t) (end - b->end));
		b->rows += wire_tag_is_row(b->end[0]);
	}
	b->end = end;
}

static void
add_hello(Builder *b, uint16_t proto)
{
	uint8_t *p = record_begin(b, WIRE_HELLO);

	p = wire_put_hello_fixed(p, proto, 150020);
	p = wire_put_string(p, "1.0.0", 5);
	p = wire_put_string(p, "UTF8", 4);
	record_end(b, wire_put_leb(wire_put_leb(p, 0), 0), false);
}

static void
add_relation(Builder *b, uint32_t oid, const char *name, uint16_t ncolumns)
{
	WireSlice text = { (const uint8_t *) name, (uint32_t) strlen(name) };
	WireRelation rel = { .relid = oid,
						 .relkind = 'r',
						 .identity = 'd',
						 .schema = text,
						 .name = text,
						 .ncolumns = ncolumns };
	uint8_t *p = wire_put_relation(record_begin(b, WIRE_RELATION), &rel);

	for (uint16_t i = 0; i < ncolumns; i++)
	{
		WireColumn col = { .attnum = (uint16_t) (i + 1),
						   .flags = i == 0 ? WIRE_COLUMN_KEY : 0,
						   .category = 'S',
						   .name = text,
						   .type_schema = text,
						   .type_name = text };

		p = wire_put_column(p, &col);
	}
	record_end(b, p, false);
}

static void
add_begin(Builder *b, uint64_t lsn)
{
	WireBegin begin = { .xid = 5, .commit_lsn = lsn, .commit_time = 7 };

	b->crc = 0;
	b->rows = 0;
	record_end(b, wire_put_begin(record_begin(b, WIRE_BEGIN), &begin), true);
}

/* An insert of one value into a relation of one column. */
static void
add_insert(Builder *b, uint32_t oid, const char *value)
{
	uint8_t *p = wire_put_row(record_begin(b, WIRE_INSERT), oid, WIRE_OLD_NONE);

	*p++ = WIRE_COL_PRESENT;
	record_end(b, wire_put_string(p, value, (uint32_t) strlen(value)), true);
}

static void
add_message(Builder *b, bool transactional)
{
	WireMessage m = { .lsn = 3,
					  .flags = transactional ? WIRE_MESSAGE_TRANSACTIONAL : 0 };

	record_end(b, wire_put_message(record_begin(b, WIRE_MESSAGE), &m),
			   transactional);
}

static void
add_commit_of(Builder *b, const WireCommit *commit)
{
	record_end(b, wire_put_commit(record_begin(b, WIRE_COMMIT), commit), false);
}

static void
add_commit(Builder *b, uint64_t lsn)
{
	WireCommit commit = { lsn, lsn + 8, 7, b->rows, b->crc };

	add_commit_of(b, &commit);
}

static void
start(Builder *b)
{
	memset(b, 0, sizeof(*b));
	crc32c_init(&b->tables);
	b->end = b->data;
	frame_begin(b);
}

/* Everything up to a transaction that is open. */
static void
start_inside(Builder *b)
{
	start(b);
	add_hello(b, 1);
	add_relation(b, 10, "t", 1);
	add_begin(b, 100);
}

static bool
decodes(Builder *b, Buffer *text)
{
	frame_end(b);
	return decode_stream(b->data, (size_t) (b->end - b->data), text);
}

static void
is_refused(Builder *b, const char *reason, const char *what)
{
	if (ok(!decodes(b, NULL) && err.code == P_PROTOCOL, "%s is refused", what))
		has(err.message, reason, "for the right reason");
}

static void
test_order(void)
{
	Builder b;

	start(&b);
	add_relation(&b, 10, "t", 1);
	is_refused(&b, "does not begin with a hello", "a stream without a hello");
	start(&b);
	add_hello(&b, 1);
	add_hello(&b, 1);
	is_refused(&b, "second hello", "a second hello");
	start(&b);
	add_hello(&b, 2);
	is_refused(&b, "protocol version 2", "another protocol");
	start_inside(&b);
	add_begin(&b, 200);
	is_refused(&b, "inside another", "a transaction in a transaction");
	start(&b);
	add_hello(&b, 1);
	add_relation(&b, 10, "t", 1);
	add_insert(&b, 10, "x");
	is_refused(&b, "outside a transaction", "a row outside a transaction");
	start(&b);
	add_hello(&b, 1);
	add_commit(&b, 100);
	is_refused(&b, "does not belong", "a commit without a begin");
	start_inside(&b);
	add_insert(&b, 11, "x");
	is_refused(&b, "never announced", "a row of an unknown relation");
	start_inside(&b);
	add_message(&b, false);
	is_refused(&b, "wrong side", "an outside message inside");
	start(&b);
	add_hello(&b, 1);
	add_message(&b, true);
	is_refused(&b, "wrong side", "an inside message outside");
}

static void
test_commit(void)
{
	Builder b;
	WireCommit commit;

	start_inside(&b);
	add_insert(&b, 10, "x");
	commit = (WireCommit){ 100, 108, 7, b.rows, b.crc };
	add_commit_of(&b, &commit);
	ok(decodes(&b, NULL), "a transaction as it should be: %s", err.message);
#define BROKEN(field, value, reason, what)                   \
	do                                                       \
	{                                                        \
		start_inside(&b);                                    \
		add_insert(&b, 10, "x");                             \
		commit = (WireCommit){ 100, 108, 7, b.rows, b.crc }; \
		commit.field = (value);                              \
		add_commit_of(&b, &commit);                          \
		is_refused(&b, reason, what);                        \
	} while (0)
	BROKEN(crc, b.crc ^ 1, "damaged", "another checksum");
	BROKEN(nrows, 0, "damaged", "a row too many");
	BROKEN(nrows, 2, "damaged", "a row too few");
	BROKEN(commit_lsn, 101, "does not belong", "another position");
	BROKEN(commit_time, 8, "does not belong", "another time");
	BROKEN(end_lsn, 100, "does not belong", "an end at its beginning");
#undef BROKEN
}

/* A relation that is announced anew within a frame: old rows keep the old. */
static void
test_announced_anew(void)
{
	Builder b;
	Buffer text;

	buffer_init(&text);
	start_inside(&b);
	add_insert(&b, 10, "before");
	add_relation(&b, 10, "renamed", 1);
	add_insert(&b, 10, "after");
	add_relation(&b, 10, "again", 1);
	add_commit(&b, 100);
	frame_end(&b);
	frame_begin(&b);
	add_begin(&b, 200);
	add_insert(&b, 10, "");
	add_commit(&b, 200);
	ok(decodes(&b, &text), "announced anew: %s", err.message);
	is_str(text.data,
		   "begin xid 5 at 0/64\n"
		   "insert t.t[rd,1 keys] new(t='before'6)\n"
		   "insert renamed.renamed[rd,1 keys] new(renamed='after'5)\n"
		   "commit xid 5 at 0/64 end 0/6C rows 2\n"
		   "begin xid 5 at 0/C8\n"
		   "insert again.again[rd,1 keys] new(again=''0)\n"
		   "commit xid 5 at 0/C8 end 0/D0 rows 1\n",
		   "each row has the relation of its time");
	buffer_release(&text);
}

/* Frames live longer than the decoder, and than the frames before them. */
static void
test_lifetimes(void)
{
	Builder b;
	Decoder *decoder = decoder_new();
	Frame *frames[2];
	Buffer text;

	buffer_init(&text);
	start_inside(&b);
	add_insert(&b, 10, "one");
	frame_end(&b);
	frames[0] = frame_new(b.data + 4, (size_t) (b.end - b.data) - 4, NULL,
						  NULL);
	ok(decode_frame(decoder, frames[0], &err), "half a transaction");
	start(&b);
	b.crc = 0;
	add_insert(&b, 10, "two");
	frame_end(&b);
	frames[1] = frame_new(b.data + 4, (size_t) (b.end - b.data) - 4, NULL,
						  NULL);
	ok(decode_frame(decoder, frames[1], &err), "and more of it");
	ok(frames[0]->bytes > frames[0]->len, "a frame knows what it costs");
	frame_retain(frames[1]);
	frame_release(frames[0]);
	decoder_free(decoder);
	print_frame(&text, frames[1]);
	is_str(text.data, "insert t.t[rd,1 keys] new(t='two'3)\n",
		   "read after the decoder has gone");
	frame_release(frames[1]);
	frame_release(frames[1]);
	buffer_release(&text);
}

/* What R says of the rows that were there before. */
static void
test_storage(void)
{
	WireSlice text = { (const uint8_t *) "x", 1 };
	WireSlice none = { (const uint8_t *) "", 0 };
	WireRelation rel = { .relid = 10,
						 .storage = 4000000000,
						 .relkind = 'r',
						 .identity = 'd',
						 .schema = text,
						 .name = text,
						 .ncolumns = 2 };
	WireColumn col = { .attnum = 1,
					   .flags = WIRE_COLUMN_MISSING,
					   .name = text,
					   .type_schema = text,
					   .type_name = text,
					   .missing = none };
	Decoder *decoder = decoder_new();
	const Relation *relation;
	Builder b;
	Frame *frame;
	uint8_t *p;

	start(&b);
	add_hello(&b, 1);
	p = wire_put_relation(record_begin(&b, WIRE_RELATION), &rel);
	p = wire_put_column(p, &col);
	col.flags = 0;
	record_end(&b, wire_put_column(p, &col), false);
	add_begin(&b, 100);
	p = wire_put_row(record_begin(&b, WIRE_INSERT), 10, WIRE_OLD_NONE);
	*p++ = 0;
	record_end(&b, p, true);
	frame_end(&b);
	frame = frame_new(b.data + 4, (size_t) (b.end - b.data) - 4, NULL, NULL);
	ok(decode_frame(decoder, frame, &err), "storage and missing values: %s",
	   err.message);
	relation = frame->relation_count == 1 ? frame->relations[0] : NULL;
	ok(relation != NULL && relation->storage == 4000000000,
	   "the storage is there, though larger than a signed number");
	ok(relation != NULL && relation->columns[0].missing.data != NULL &&
		   relation->columns[0].missing.len == 0 &&
		   relation->columns[1].missing.data == NULL,
	   "an empty missing value is not the same as none");
	frame_release(frame);
	decoder_free(decoder);
}

static void
test_shapes(void)
{
	Builder b;
	Buffer text;
	uint8_t *p;

	buffer_init(&text);
	start_inside(&b);
	add_relation(&b, 11, "bare", 0);
	p = wire_put_row(record_begin(&b, WIRE_INSERT), 11, WIRE_OLD_NONE);
	record_end(&b, p, true);
	add_commit(&b, 100);
	ok(decodes(&b, &text), "a table without columns: %s", err.message);
	start(&b);
	frame_end(&b);
	ok(!decodes(&b, NULL) && err.code == P_PROTOCOL, "an empty frame");
	start_inside(&b);
	p = wire_put_row(record_begin(&b, WIRE_INSERT), 10, WIRE_OLD_NONE);
	*p++ = WIRE_COL_PRESENT;
	p = wire_put_string(p, "x", 1);
	*p++ = 0;
	record_end(&b, p, true);
	is_refused(&b, "malformed record 'I'", "a byte too many in a record");
	buffer_release(&text);
}

int
main(void)
{
	test_golden("plain");
	test_golden("filtered");
	test_order();
	test_commit();
	test_announced_anew();
	test_lifetimes();
	test_storage();
	test_shapes();
	return done_testing();
}

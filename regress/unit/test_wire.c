/*
 * test_wire.c
 *		The wire protocol: golden bytes, round trips, every truncation, and all
 *		that a reader must refuse.
 */
#include <stdlib.h>

#include "tap.h"
#include "wire.h"

static WireSlice
slice(const char *s)
{
	WireSlice result = { (const uint8_t *) s, (uint32_t) strlen(s) };

	return result;
}

static bool
same(WireSlice s, const char *want)
{
	return s.len == strlen(want) &&
		   (s.len == 0 || memcmp(s.data, want, s.len) == 0);
}

/* A copy of exactly len bytes on the heap, so that ASan sees any overrun. */
static uint8_t *
exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	memcpy(copy, data, len);
	return copy;
}

static void
is_bytes(const uint8_t *got, const uint8_t *end, const char *hex,
		 const char *what)
{
	char text[512] = "";

	for (const uint8_t *p = got; p < end && strlen(text) < 500; p++)
		snprintf(text + strlen(text), 3, "%02x", *p);
	is_str(text, hex, what);
}

/* ---------------------------------------------------------------- numbers */

static void
test_fixed(void)
{
	uint8_t buf[16];
	uint8_t *end = wire_put_u8(buf, 0xAB);
	WireReader r;

	end = wire_put_u16(end, 0x1234);
	end = wire_put_u32(end, 0xDEADBEEF);
	end = wire_put_u64(end, UINT64_C(0x0102030405060708));
	is_bytes(buf, end, "ab3412efbeadde0807060504030201", "little-endian");
	wire_reader_init(&r, buf, (size_t) (end - buf));
	ok(wire_get_u8(&r) == 0xAB && wire_get_u16(&r) == 0x1234 &&
		   wire_get_u32(&r) == 0xDEADBEEF &&
		   wire_get_u64(&r) == UINT64_C(0x0102030405060708),
	   "and back");
	ok(wire_reader_done(&r), "to the end");
	ok(wire_get_u8(&r) == 0 && r.failed, "one more is an overrun");
	ok(wire_get_u64(&r) == 0 && !wire_reader_done(&r), "which sticks");
}

static uint32_t
read_leb(const char *bytes, size_t len, bool *good)
{
	uint8_t *copy = exact((const uint8_t *) bytes, len);
	WireReader r;
	uint32_t v;

	wire_reader_init(&r, copy, len);
	v = wire_get_leb(&r);
	*good = wire_reader_done(&r);
	free(copy);
	return v;
}

static void
test_leb(void)
{
	static const uint32_t values[] = { 0,		  1,		 127,		128,
									   16383,	  16384,	 2097151,	2097152,
									   268435455, 268435456, UINT32_MAX };
	static const uint32_t sizes[] = { 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5 };
	uint8_t buf[WIRE_LEB_SIZE];
	bool good;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
	{
		size_t len = (size_t) (wire_put_leb(buf, values[i]) - buf);

		ok(len == sizes[i] && wire_leb_size(values[i]) == len &&
			   read_leb((char *) buf, len, &good) == values[i] && good,
		   "%u in %zu bytes and back", values[i], len);
		read_leb((char *) buf, len - 1, &good);
		ok(!good || len == 1, "cut short it is none");
	}
	read_leb("\x80\x00", 2, &good);
	ok(!good, "a longer form than needed is refused");
	read_leb("\xFF\xFF\xFF\xFF\x1F", 5, &good);
	ok(!good, "33 bits are refused");
	read_leb("\x80\x80\x80\x80\x80\x01", 6, &good);
	ok(!good, "six bytes are refused");
	read_leb("\xFF\xFF\xFF\xFF\x0F", 5, &good);
	ok(good, "32 bits are not");
}

static void
test_string(void)
{
	static char long_text[300];
	uint8_t buf[400];
	uint8_t *end = wire_put_string(buf, "ab", 2);
	WireReader r;

	is_bytes(buf, end, "026162", "length and bytes");
	end = wire_put_string(buf, NULL, 0);
	is_bytes(buf, end, "00", "the empty string");
	memset(long_text, 'x', sizeof(long_text) - 1);
	end = wire_put_string(buf, long_text, sizeof(long_text) - 1);
	wire_reader_init(&r, buf, (size_t) (end - buf));
	ok(same(wire_get_string(&r), long_text) && wire_reader_done(&r),
	   "299 bytes and back");
	wire_reader_init(&r, buf, (size_t) (end - buf) - 1);
	ok(wire_get_string(&r).data == NULL && r.failed, "one byte is missing");
	wire_put_leb(buf, UINT32_MAX);
	wire_reader_init(&r, buf, 10);
	ok(wire_get_string(&r).len == 0 && r.failed, "a length past the end");
}

/* ---------------------------------------------------------------- records */

/* Writes a body; returns its end. */
typedef uint8_t *(*Writer)(uint8_t *p);

/* Reads a body; true if it holds what the writer put there. */
typedef bool (*Reader)(WireReader *r);

static uint8_t *
put_hello(uint8_t *p)
{
	p = wire_put_hello_fixed(p, 1, 150020);
	p = wire_put_string(p, "1.2", 3);
	p = wire_put_string(p, "UTF8", 4);
	p = wire_put_leb(p, 0);
	return wire_put_leb(p, 0);
}

static bool
get_hello(WireReader *r)
{
	WireHello h;

	wire_get_hello(r, &h);
	return wire_get_leb(r) == 0 && wire_get_leb(r) == 0 && h.proto == 1 &&
		   h.server_version == 150020 && same(h.plugin_version, "1.2") &&
		   same(h.encoding, "UTF8");
}

static uint8_t *
put_relation(uint8_t *p)
{
	WireRelation rel = { .relid = 1,
						 .root = 2,
						 .storage = 5,
						 .relkind = 'r',
						 .identity = 'd',
						 .schema = slice("s"),
						 .name = slice("t"),
						 .root_schema = slice("rs"),
						 .root_name = slice(""),
						 .ncolumns = 1 };
	WireColumn col = { .attnum = 3,
					   .flags = WIRE_COLUMN_KEY | WIRE_COLUMN_MISSING,
					   .category = 'N',
					   .type = 23,
					   .base_type = 20,
					   .typmod = -1,
					   .name = slice("id"),
					   .type_schema = slice("pg_catalog"),
					   .type_name = slice("int4"),
					   .base_schema = slice("bs"),
					   .base_name = slice("bn"),
					   .missing = slice("70") };

	return wire_put_column(wire_put_relation(p, &rel), &col);
}

static bool
get_relation(WireReader *r)
{
	WireRelation rel;
	WireColumn col;

	wire_get_relation(r, &rel);
	wire_get_column(r, &col);
	return rel.relid == 1 && rel.root == 2 && rel.storage == 5 &&
		   rel.relkind == 'r' && rel.identity == 'd' && same(rel.schema, "s") &&
		   same(rel.name, "t") && same(rel.root_schema, "rs") &&
		   same(rel.root_name, "") && rel.ncolumns == 1 && col.attnum == 3 &&
		   col.flags == (WIRE_COLUMN_KEY | WIRE_COLUMN_MISSING) &&
		   col.category == 'N' && col.type == 23 && col.base_type == 20 &&
		   col.typmod == -1 && same(col.name, "id") &&
		   same(col.type_schema, "pg_catalog") && same(col.type_name, "int4") &&
		   same(col.base_schema, "bs") && same(col.base_name, "bn") &&
		   same(col.missing, "70");
}

static uint8_t *
put_origin(uint8_t *p)
{
	return wire_put_origin(p, 7, "up", 2);
}

static bool
get_origin(WireReader *r)
{
	WireSlice name;

	return wire_get_origin(r, &name) == 7 && same(name, "up");
}

static uint8_t *
put_begin(uint8_t *p)
{
	WireBegin b = { 42, UINT64_C(0x1122334455667788), -5, 9 };

	return wire_put_begin(p, &b);
}

static bool
get_begin(WireReader *r)
{
	WireBegin b;

	wire_get_begin(r, &b);
	return b.xid == 42 && b.commit_lsn == UINT64_C(0x1122334455667788) &&
		   b.commit_time == -5 && b.origin == 9;
}

static uint8_t *
put_commit(uint8_t *p)
{
	WireCommit c = { 16, 32, INT64_MIN, UINT64_C(1) << 40, 0xCAFEBABE };

	return wire_put_commit(p, &c);
}

static bool
get_commit(WireReader *r)
{
	WireCommit c;

	wire_get_commit(r, &c);
	return c.commit_lsn == 16 && c.end_lsn == 32 &&
		   c.commit_time == INT64_MIN && c.nrows == UINT64_C(1) << 40 &&
		   c.crc == 0xCAFEBABE;
}

/* An update with its old key: (id: present, text: absent) -> all states. */
static uint8_t *
put_update(uint8_t *p)
{
	uint8_t bitmap[2] = { 0, 0 };

	p = wire_put_row(p, 77, WIRE_OLD_KEY);
	wire_set_state(bitmap, 0, WIRE_COL_PRESENT);
	for (uint32_t i = 1; i < 5; i++)
		wire_set_state(bitmap, i, WIRE_COL_ABSENT);
	memcpy(p, bitmap, 2);
	p = wire_put_string(p + 2, "5", 1);
	memset(bitmap, 0, 2);
	wire_set_state(bitmap, 0, WIRE_COL_PRESENT);
	wire_set_state(bitmap, 1, WIRE_COL_NULL);
	wire_set_state(bitmap, 2, WIRE_COL_UNCHANGED);
	wire_set_state(bitmap, 3, WIRE_COL_ABSENT);
	wire_set_state(bitmap, 4, WIRE_COL_PRESENT);
	memcpy(p, bitmap, 2);
	p = wire_put_string(p + 2, "6", 1);
	return wire_put_string(p, "", 0);
}

static bool
get_update(WireReader *r)
{
	WireOldKind old;
	uint32_t relid = wire_get_row(r, WIRE_UPDATE, &old);
	const uint8_t *bitmap = wire_get_bitmap(r, 5);
	bool good = relid == 77 && old == WIRE_OLD_KEY && bitmap != NULL &&
				wire_get_state(bitmap, 0) == WIRE_COL_PRESENT &&
				wire_get_state(bitmap, 4) == WIRE_COL_ABSENT &&
				same(wire_get_string(r), "5");

	bitmap = wire_get_bitmap(r, 5);
	return good && bitmap != NULL &&
		   wire_get_state(bitmap, 0) == WIRE_COL_PRESENT &&
		   wire_get_state(bitmap, 1) == WIRE_COL_NULL &&
		   wire_get_state(bitmap, 2) == WIRE_COL_UNCHANGED &&
		   wire_get_state(bitmap, 3) == WIRE_COL_ABSENT &&
		   wire_get_state(bitmap, 4) == WIRE_COL_PRESENT &&
		   same(wire_get_string(r), "6") && same(wire_get_string(r), "");
}

static uint8_t *
put_truncate(uint8_t *p)
{
	p = wire_put_truncate(p, WIRE_TRUNCATE_CASCADE, 2);
	return wire_put_u32(wire_put_u32(p, 10), 11);
}

static bool
get_truncate(WireReader *r)
{
	uint8_t flags;

	return wire_get_truncate(r, &flags) == 2 &&
		   flags == WIRE_TRUNCATE_CASCADE && wire_get_u32(r) == 10 &&
		   wire_get_u32(r) == 11;
}

static uint8_t *
put_nokey(uint8_t *p)
{
	return wire_put_nokey(p, 99, WIRE_DELETE);
}

static bool
get_nokey(WireReader *r)
{
	uint8_t op;

	return wire_get_nokey(r, &op) == 99 && op == WIRE_DELETE;
}

static uint8_t *
put_message(uint8_t *p)
{
	WireMessage m = { 5, WIRE_MESSAGE_TRANSACTIONAL, slice("pre"),
					  slice("con\ntent") };

	return wire_put_message(p, &m);
}

static bool
get_message(WireReader *r)
{
	WireMessage m;

	wire_get_message(r, &m);
	return m.lsn == 5 && m.flags == WIRE_MESSAGE_TRANSACTIONAL &&
		   same(m.prefix, "pre") && same(m.content, "con\ntent");
}

static const struct
{
	const char *name;
	WireTag tag;
	Writer put;
	Reader get;
	const char *hex;
} records[] = {
	{ "hello", WIRE_HELLO, put_hello, get_hello,
	  "4815000000"
	  "5067506f"
	  "0100"
	  "044a0200"
	  "03312e32"
	  "0455544638"
	  "0000" },
	{ "relation", WIRE_RELATION, put_relation, get_relation,
	  "5244000000"
	  "01000000"
	  "02000000"
	  "05000000"
	  "72"
	  "64"
	  "0173"
	  "0174"
	  "027273"
	  "00"
	  "0100"
	  "0300"
	  "41"
	  "4e"
	  "17000000"
	  "14000000"
	  "ffffffff"
	  "026964"
	  "0a70675f636174616c6f67"
	  "04696e7434"
	  "026273"
	  "02626e"
	  "023730" },
	{ "origin", WIRE_ORIGIN, put_origin, get_origin, "4f050000000700027570" },
	{ "begin", WIRE_BEGIN, put_begin, get_begin,
	  "4216000000"
	  "2a000000"
	  "8877665544332211"
	  "fbffffffffffffff"
	  "0900" },
	{ "commit", WIRE_COMMIT, put_commit, get_commit,
	  "4324000000"
	  "1000000000000000"
	  "2000000000000000"
	  "0000000000000080"
	  "0000000000010000"
	  "bebafeca" },
	{ "update", WIRE_UPDATE, put_update, get_update,
	  "550e000000"
	  "4d000000"
	  "01"
	  "fe03"
	  "0135"
	  "d202"
	  "0136"
	  "00" },
	{ "truncate", WIRE_TRUNCATE, put_truncate, get_truncate,
	  "540a000000"
	  "01"
	  "02"
	  "0a000000"
	  "0b000000" },
	{ "nokey", WIRE_NOKEY, put_nokey, get_nokey, "4e050000006300000044" },
	{ "message", WIRE_MESSAGE, put_message, get_message,
	  "4d16000000"
	  "0500000000000000"
	  "01"
	  "03707265"
	  "08636f6e0a74656e74" },
};

#define RECORD_COUNT (sizeof(records) / sizeof(records[0]))

static size_t
put_record(size_t i, uint8_t *buf)
{
	uint8_t *end = records[i].put(wire_put_header(buf, records[i].tag));

	wire_patch_length(buf, end);
	return (size_t) (end - buf);
}

/* A body that ends early must fail, and must not be read past its end. */
static bool
every_truncation_fails(size_t i, const uint8_t *body, size_t len)
{
	for (size_t cut = 0; cut < len; cut++)
	{
		uint8_t *copy = exact(body, cut);
		WireReader r;
		bool good;

		wire_reader_init(&r, copy, cut);
		good = records[i].get(&r) && wire_reader_done(&r);
		free(copy);
		if (good || !r.failed)
			return false;
	}
	return true;
}

static void
test_record(size_t i)
{
	uint8_t buf[512];
	size_t len = put_record(i, buf);
	uint8_t *copy;
	WireReader frame;
	WireReader body;
	WireRecord rec;

	is_bytes(buf, buf + len, records[i].hex, records[i].name);
	copy = exact(buf, len);
	wire_reader_init(&frame, copy, len);
	ok(wire_get_record(&frame, &rec) && rec.tag == records[i].tag &&
		   rec.whole.data == copy && rec.whole.len == len &&
		   wire_reader_done(&frame),
	   "%s is one whole record", records[i].name);
	wire_reader_init(&body, rec.body.data, rec.body.len);
	ok(records[i].get(&body) && wire_reader_done(&body),
	   "%s is read as it was written", records[i].name);
	ok(every_truncation_fails(i, rec.body.data, rec.body.len),
	   "%s fails at every shorter length", records[i].name);
	free(copy);
	buf[len] = 0;
	wire_reader_init(&body, buf + WIRE_HEADER_SIZE, len - WIRE_HEADER_SIZE + 1);
	ok(records[i].get(&body) && !wire_reader_done(&body),
	   "%s does not read what follows", records[i].name);
}

/* ----------------------------------------------------------------- frames */

static void
test_frame(void)
{
	uint8_t buf[2048];
	size_t len = 0;
	size_t ends[RECORD_COUNT];
	bool refused = true;
	WireReader r;
	WireRecord rec;
	size_t n = 0;

	for (size_t i = 0; i < RECORD_COUNT; i++)
	{
		len += put_record(i, buf + len);
		ends[i] = len;
	}
	wire_reader_init(&r, buf, len);
	while (wire_get_record(&r, &rec))
		n += rec.tag == records[n].tag;
	ok(n == RECORD_COUNT && wire_reader_done(&r), "all records of a frame");
	for (size_t cut = 0; cut < len; cut++)
	{
		uint8_t *copy = exact(buf, cut);
		bool between = cut == 0;

		for (size_t i = 0; i < RECORD_COUNT; i++)
			between = between || cut == ends[i];
		wire_reader_init(&r, copy, cut);
		while (wire_get_record(&r, &rec))
			;
		refused = refused && r.failed != between;
		free(copy);
	}
	ok(refused, "a frame that ends inside a record is refused");
}

static void
test_tags(void)
{
	static const char known[] = "HROBIUDTNMC";
	int count = 0;
	bool refused = true;

	for (int tag = 0; tag < 256; tag++)
	{
		uint8_t buf[WIRE_HEADER_SIZE];
		WireReader r;
		WireRecord rec;
		bool expected = tag != 0 && strchr(known, tag) != NULL;

		wire_put_header(buf, (WireTag) tag);
		wire_reader_init(&r, buf, sizeof(buf));
		refused = refused && wire_tag_known((uint8_t) tag) == expected &&
				  wire_get_record(&r, &rec) == expected && r.failed != expected;
		count += expected;
	}
	ok(refused && count == 11, "11 tags are known, the others are refused");
	ok(wire_tag_is_row('I') && wire_tag_is_row('U') && wire_tag_is_row('D') &&
		   wire_tag_is_row('T') && wire_tag_is_row('N') &&
		   !wire_tag_is_row('M') && !wire_tag_is_row('B'),
	   "five of them are rows");
}

static void
test_length_limit(void)
{
	uint8_t buf[WIRE_HEADER_SIZE];
	WireReader r;
	WireRecord rec;

	wire_put_header(buf, WIRE_BEGIN);
	wire_put_u32(buf + 1, WIRE_MAX_LENGTH + 1);
	wire_reader_init(&r, buf, sizeof(buf));
	ok(!wire_get_record(&r, &rec) && r.failed, "a gigabyte is refused");
}

/* --------------------------------------------------------------- refusals */

/* Is a body refused after the byte at offset was set to value? */
static bool
refused_with(Writer put, Reader get, size_t offset, uint8_t value)
{
	uint8_t buf[512];
	size_t len = (size_t) (put(buf) - buf);
	WireReader r;

	buf[offset] = value;
	wire_reader_init(&r, buf, len);
	get(&r);
	return r.failed;
}

static bool
row_refused(uint8_t tag, uint8_t kind)
{
	uint8_t buf[8];
	WireOldKind old;
	WireReader r;

	wire_put_u8(wire_put_u32(buf, 1), kind);
	wire_reader_init(&r, buf, 5);
	wire_get_row(&r, tag, &old);
	return r.failed;
}

static void
test_refusals(void)
{
	uint8_t bitmap[1];
	uint8_t flags;
	WireReader r;

	ok(refused_with(put_hello, get_hello, 0, 0), "another magic");
	ok(refused_with(put_relation, get_relation, 12, 'v'), "a view");
	ok(!refused_with(put_relation, get_relation, 12, 'p'), "a root is fine");
	ok(refused_with(put_relation, get_relation, 13, 'x'), "an identity");
	ok(refused_with(put_relation, get_relation, 23, 0xFF), "too many columns");
	ok(refused_with(put_relation, get_relation, 26, 0x80), "a column flag");
	ok(refused_with(put_truncate, get_truncate, 0, 4), "a TRUNCATE flag");
	ok(refused_with(put_truncate, get_truncate, 1, 0), "TRUNCATE of nothing");
	ok(refused_with(put_truncate, get_truncate, 1, 3), "a count past the end");
	ok(refused_with(put_nokey, get_nokey, 4, 'I'), "an INSERT without a key");
	ok(refused_with(put_message, get_message, 8, 2), "a message's flag");
	ok(row_refused(WIRE_INSERT, WIRE_OLD_KEY), "an INSERT with old values");
	ok(row_refused(WIRE_DELETE, WIRE_OLD_NONE), "a DELETE without");
	ok(row_refused(WIRE_UPDATE, 3), "old values of an unknown kind");
	ok(!row_refused(WIRE_UPDATE, WIRE_OLD_FULL), "a full old row is fine");
	for (uint32_t n = 1; n < 4; n++)
	{
		bitmap[0] = (uint8_t) (1 << (2 * n));
		wire_reader_init(&r, bitmap, 1);
		ok(wire_get_bitmap(&r, n) == NULL && r.failed, "a bit behind column %u",
		   n);
	}
	bitmap[0] = 0xFF;
	wire_reader_init(&r, bitmap, 1);
	ok(wire_get_bitmap(&r, 4) == bitmap, "no bit is behind column 4");
	wire_reader_init(&r, bitmap, 0);
	wire_get_truncate(&r, &flags);
	ok(r.failed, "an empty TRUNCATE");
}

int
main(void)
{
	test_fixed();
	test_leb();
	test_string();
	for (size_t i = 0; i < RECORD_COUNT; i++)
		test_record(i);
	test_frame();
	test_tags();
	test_length_limit();
	test_refusals();
	return done_testing();
}

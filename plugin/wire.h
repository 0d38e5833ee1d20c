/*
 * wire.h
 *		THE wire protocol between the output plugin and whoever reads it.
 *
 * One CopyData message carries one frame; a frame is one or more whole records
 * in order, nothing before, between or after them.  Every record is
 *
 *		tag		u8		WireTag
 *		length	u32		of the body that follows
 *		body	length bytes
 *
 * Integers are little-endian and of fixed width, or unsigned LEB128 ("leb")
 * where the layout says so (at most 32 bits, shortest form only).  A string is
 * a leb length and that many bytes in the server's encoding, without a NUL.
 *
 * Each layout stands once, above the pair of functions that write and read it.
 * Writers take a buffer of at least the stated size and return the end of what
 * they wrote.  Readers are sticky: after an overrun or a malformed value every
 * later read yields zero, and wire_reader_ok() is asked once, at the end.  A
 * reader never guesses: unknown tags, unknown flags, over-long numbers, lengths
 * past the end and trailing bytes all fail.
 *
 * The file is freestanding (no server and no libpq headers) and is compiled by
 * both sides.
 *
 * Order in a stream: H first.  An R precedes the first row of its relation, an
 * O the first B of its origin.  B, rows (I U D T N) and transactional M, then
 * C; transactions never interleave.  A non-transactional M stands between
 * transactions.  The checksum in C covers tag, length and body of the
 * transaction's B, I, U, D, T, N and transactional M records, in order; R and O
 * are left out because they may differ when a transaction is sent again.
 */
#ifndef PORTAGE_WIRE_H
#define PORTAGE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire_io.h"

/* "PgPo", the first four bytes of the body of every hello */
#define WIRE_MAGIC UINT32_C(0x6F506750)

/* protocol versions this file describes */
#define WIRE_PROTO_MIN 1
#define WIRE_PROTO_MAX 1

/* tag and length of a record */
#define WIRE_HEADER_SIZE 5

/* a relation may have this many columns (MaxHeapAttributeNumber is 1600) */
#define WIRE_MAX_COLUMNS 1664

/* no record and no value can be larger: the server's palloc limit is 1 GB */
#define WIRE_MAX_LENGTH UINT32_C(0x3FFFFFFF)

typedef enum WireTag
{
	WIRE_HELLO = 'H',
	WIRE_RELATION = 'R',
	WIRE_ORIGIN = 'O',
	WIRE_BEGIN = 'B',
	WIRE_INSERT = 'I',
	WIRE_UPDATE = 'U',
	WIRE_DELETE = 'D',
	WIRE_TRUNCATE = 'T',
	WIRE_NOKEY = 'N',
	WIRE_MESSAGE = 'M',
	WIRE_COMMIT = 'C'
} WireTag;

/* what is known of one column of a tuple: two bits in the tuple's bitmap */
typedef enum WireColumnState
{
	WIRE_COL_NULL = 0,
	WIRE_COL_UNCHANGED = 1, /* TOASTed and not touched: not in the WAL */
	WIRE_COL_PRESENT = 2,	/* a value follows */
	WIRE_COL_ABSENT = 3		/* not carried: no identity column, virtual */
} WireColumnState;

/* which old values an UPDATE or DELETE carries */
typedef enum WireOldKind
{
	WIRE_OLD_NONE = 0,
	WIRE_OLD_KEY = 1, /* the identity's columns, others absent */
	WIRE_OLD_FULL = 2 /* the whole row (REPLICA IDENTITY FULL) */
} WireOldKind;

/* flags of a column in R */
#define WIRE_COLUMN_KEY 0x01	   /* in the identity that finds a row; see R */
#define WIRE_COLUMN_GENERATED 0x02 /* GENERATED ... STORED: value is sent */
#define WIRE_COLUMN_VIRTUAL 0x04   /* GENERATED ... VIRTUAL: always absent */
#define WIRE_COLUMN_IDENTITY 0x08  /* GENERATED ... AS IDENTITY */
#define WIRE_COLUMN_ALWAYS 0x10	   /* with IDENTITY: ALWAYS, else BY DEFAULT */
#define WIRE_COLUMN_NOT_NULL 0x20
#define WIRE_COLUMN_MISSING 0x40 /* a value for older rows follows; see R */
#define WIRE_COLUMN_FLAGS 0x7F

/* flags of T */
#define WIRE_TRUNCATE_CASCADE 0x01
#define WIRE_TRUNCATE_RESTART 0x02
#define WIRE_TRUNCATE_FLAGS 0x03

/* flags of M */
#define WIRE_MESSAGE_TRANSACTIONAL 0x01
#define WIRE_MESSAGE_FLAGS 0x01

/* The start of a record; wire_patch_length() fills in the length later. */
static inline uint8_t *
wire_put_header(uint8_t *p, WireTag tag)
{
	p = wire_put_u8(p, (uint8_t) tag);
	return wire_put_u32(p, 0);
}

/* Set the length of the record that begins at record and ends before end. */
static inline void
wire_patch_length(uint8_t *record, const uint8_t *end)
{
	wire_put_u32(record + 1, (uint32_t) (end - record) - WIRE_HEADER_SIZE);
}

/* Is this one of the tags above? */
static inline bool
wire_tag_known(uint8_t tag)
{
	switch (tag)
	{
		case WIRE_HELLO:
		case WIRE_RELATION:
		case WIRE_ORIGIN:
		case WIRE_BEGIN:
		case WIRE_INSERT:
		case WIRE_UPDATE:
		case WIRE_DELETE:
		case WIRE_TRUNCATE:
		case WIRE_NOKEY:
		case WIRE_MESSAGE:
		case WIRE_COMMIT:
			return true;
		default:
			return false;
	}
}

/* Do the checksum and the row count of a transaction include this record? */
static inline bool
wire_tag_is_row(uint8_t tag)
{
	return tag == WIRE_INSERT || tag == WIRE_UPDATE || tag == WIRE_DELETE ||
		   tag == WIRE_TRUNCATE || tag == WIRE_NOKEY;
}

/* One record of a frame: its tag, its body, and all of its bytes. */
typedef struct WireRecord
{
	uint8_t tag;
	WireSlice body;
	WireSlice whole; /* header and body: what the checksum covers */
} WireRecord;

/*
 * Take the next record off a frame.  False at the end of the frame, and when
 * the frame is malformed: r->failed tells which.
 */
static inline bool
wire_get_record(WireReader *r, WireRecord *rec)
{
	const uint8_t *start = r->pos;
	uint32_t len;

	if (r->pos == r->end)
		return false;
	rec->tag = wire_get_u8(r);
	len = wire_get_u32(r);
	if (!wire_tag_known(rec->tag) || len > WIRE_MAX_LENGTH)
		wire_reader_fail(r);
	rec->body = wire_get_bytes(r, len);
	if (r->failed)
		return false;
	rec->whole.data = start;
	rec->whole.len = len + WIRE_HEADER_SIZE;
	return true;
}

/* ------------------------------------------------------------- H: hello
 *
 *		magic			u32		WIRE_MAGIC
 *		proto			u16		the version chosen
 *		server_version	u32		server_version_num
 *		plugin_version	string	"1.0.0"
 *		encoding		string	the server encoding's name: of all text
 *		settings		leb n, then n pairs of strings: name, value
 *								settings that shape text output
 *		options			leb n, then n pairs of strings: name, value
 *								every plugin option as it is in force
 */
typedef struct WireHello
{
	uint16_t proto;
	uint32_t server_version;
	WireSlice plugin_version;
	WireSlice encoding;
} WireHello;

#define WIRE_HELLO_FIXED_SIZE 10

static inline uint8_t *
wire_put_hello_fixed(uint8_t *p, uint16_t proto, uint32_t server_version)
{
	p = wire_put_u32(p, WIRE_MAGIC);
	p = wire_put_u16(p, proto);
	return wire_put_u32(p, server_version);
}

/*
 * Reads up to the settings.  The caller goes on with two lists: wire_get_leb()
 * for the count, then that many pairs of wire_get_string().
 */
static inline void
wire_get_hello(WireReader *r, WireHello *h)
{
	if (wire_get_u32(r) != WIRE_MAGIC)
		wire_reader_fail(r);
	h->proto = wire_get_u16(r);
	h->server_version = wire_get_u32(r);
	h->plugin_version = wire_get_string(r);
	h->encoding = wire_get_string(r);
}

/* ---------------------------------------------------------- R: relation
 *
 *		relid		u32		OID of the relation: its name in row records
 *		root		u32		OID of the topmost partitioned table, or 0
 *		storage		u32		pg_class.relfilenode; 0 if relkind is 'p'
 *		relkind		u8		'r', or 'p' (in TRUNCATE only)
 *		identity	u8		pg_class.relreplident: 'd' 'n' 'f' 'i'
 *		schema		string
 *		name		string
 *		root_schema	string	empty unless root
 *		root_name	string
 *		ncolumns	u16		dropped columns are left out
 *	then for each column, in attnum order:
 *		attnum		u16
 *		flags		u8		WIRE_COLUMN_*
 *		category	u8		pg_type.typcategory of the base type
 *		type		u32		type OID
 *		base_type	u32		the same with domains unwrapped
 *		typmod		u32		of the base type; two's complement, -1 is none
 *		name		string
 *		type_schema	string
 *		type_name	string
 *		base_schema	string	only if base_type is not type
 *		base_name	string	only if base_type is not type
 *		missing		string	only with WIRE_COLUMN_MISSING
 *
 * storage is another one after anything that wrote the rows anew: TRUNCATE,
 * VACUUM FULL, CLUSTER, and those ALTER TABLE that rewrite.  missing is what
 * rows written before the column existed have in it (a default that rewrote
 * nothing), in the form of a value of a row; without the flag they have null.
 *
 * WIRE_COLUMN_KEY marks the columns of the primary key (identity 'd'), of the
 * nominated index ('i'), or, with 'f', of the primary key if there is one.
 * Deferrable primary keys do not count: the server does not use them either.
 */
typedef struct WireRelation
{
	uint32_t relid;
	uint32_t root;
	uint32_t storage;
	uint8_t relkind;
	uint8_t identity;
	WireSlice schema;
	WireSlice name;
	WireSlice root_schema;
	WireSlice root_name;
	uint16_t ncolumns;
} WireRelation;

/* largest encoding, for names of up to 63 bytes (NAMEDATALEN) */
#define WIRE_RELATION_FIXED_SIZE (16 + 4 * (WIRE_LEB_SIZE + 63))

static inline uint8_t *
wire_put_relation(uint8_t *p, const WireRelation *rel)
{
	p = wire_put_u32(p, rel->relid);
	p = wire_put_u32(p, rel->root);
	p = wire_put_u32(p, rel->storage);
	p = wire_put_u8(p, rel->relkind);
	p = wire_put_u8(p, rel->identity);
	p = wire_put_string(p, (const char *) rel->schema.data, rel->schema.len);
	p = wire_put_string(p, (const char *) rel->name.data, rel->name.len);
	p = wire_put_string(p, (const char *) rel->root_schema.data,
						rel->root_schema.len);
	p = wire_put_string(p, (const char *) rel->root_name.data,
						rel->root_name.len);
	return wire_put_u16(p, rel->ncolumns);
}

static inline void
wire_get_relation(WireReader *r, WireRelation *rel)
{
	rel->relid = wire_get_u32(r);
	rel->root = wire_get_u32(r);
	rel->storage = wire_get_u32(r);
	rel->relkind = wire_get_u8(r);
	rel->identity = wire_get_u8(r);
	rel->schema = wire_get_string(r);
	rel->name = wire_get_string(r);
	rel->root_schema = wire_get_string(r);
	rel->root_name = wire_get_string(r);
	rel->ncolumns = wire_get_u16(r);
	if (rel->ncolumns > WIRE_MAX_COLUMNS ||
		(rel->relkind != 'r' && rel->relkind != 'p') ||
		(rel->identity != 'd' && rel->identity != 'n' && rel->identity != 'f' &&
		 rel->identity != 'i'))
		wire_reader_fail(r);
}

typedef struct WireColumn
{
	uint16_t attnum;
	uint8_t flags;
	uint8_t category;
	uint32_t type;
	uint32_t base_type;
	int32_t typmod;
	WireSlice name;
	WireSlice type_schema;
	WireSlice type_name;
	WireSlice base_schema; /* of a domain only, else empty */
	WireSlice base_name;
	WireSlice missing; /* only with WIRE_COLUMN_MISSING */
} WireColumn;

/* the same, and the length of missing comes on top */
#define WIRE_COLUMN_FIXED_SIZE (16 + 5 * (WIRE_LEB_SIZE + 63) + WIRE_LEB_SIZE)

static inline uint8_t *
wire_put_column(uint8_t *p, const WireColumn *col)
{
	p = wire_put_u16(p, col->attnum);
	p = wire_put_u8(p, col->flags);
	p = wire_put_u8(p, col->category);
	p = wire_put_u32(p, col->type);
	p = wire_put_u32(p, col->base_type);
	p = wire_put_u32(p, (uint32_t) col->typmod);
	p = wire_put_string(p, (const char *) col->name.data, col->name.len);
	p = wire_put_string(p, (const char *) col->type_schema.data,
						col->type_schema.len);
	p = wire_put_string(p, (const char *) col->type_name.data,
						col->type_name.len);
	if (col->base_type != col->type)
	{
		p = wire_put_string(p, (const char *) col->base_schema.data,
							col->base_schema.len);
		p = wire_put_string(p, (const char *) col->base_name.data,
							col->base_name.len);
	}
	if ((col->flags & WIRE_COLUMN_MISSING) != 0)
		p = wire_put_string(p, (const char *) col->missing.data,
							col->missing.len);
	return p;
}

static inline void
wire_get_column(WireReader *r, WireColumn *col)
{
	col->attnum = wire_get_u16(r);
	col->flags = wire_get_u8(r);
	col->category = wire_get_u8(r);
	col->type = wire_get_u32(r);
	col->base_type = wire_get_u32(r);
	col->typmod = (int32_t) wire_get_u32(r);
	col->name = wire_get_string(r);
	col->type_schema = wire_get_string(r);
	col->type_name = wire_get_string(r);
	col->base_schema.data = col->base_name.data = NULL;
	col->base_schema.len = col->base_name.len = 0;
	if (col->base_type != col->type)
	{
		col->base_schema = wire_get_string(r);
		col->base_name = wire_get_string(r);
	}
	col->missing.data = NULL;
	col->missing.len = 0;
	if ((col->flags & WIRE_COLUMN_MISSING) != 0)
		col->missing = wire_get_string(r);
	if ((col->flags & ~WIRE_COLUMN_FLAGS) != 0)
		wire_reader_fail(r);
}

/* ------------------------------------------------------------ O: origin
 *
 *		id			u16		as in B
 *		name		string	pg_replication_origin.roname, empty if dropped
 */
static inline uint8_t *
wire_put_origin(uint8_t *p, uint16_t id, const char *name, uint32_t len)
{
	p = wire_put_u16(p, id);
	return wire_put_string(p, name, len);
}

static inline uint16_t
wire_get_origin(WireReader *r, WireSlice *name)
{
	uint16_t id = wire_get_u16(r);

	*name = wire_get_string(r);
	return id;
}

/* ------------------------------------------------------------- B: begin
 *
 *		xid			u32		of the top-level transaction
 *		commit_lsn	u64		start of the commit record
 *		commit_time	u64		microseconds since 2000-01-01 00:00 UTC, signed
 *		origin		u16		0 is none
 */
typedef struct WireBegin
{
	uint32_t xid;
	uint64_t commit_lsn;
	int64_t commit_time;
	uint16_t origin;
} WireBegin;

#define WIRE_BEGIN_SIZE 22

static inline uint8_t *
wire_put_begin(uint8_t *p, const WireBegin *b)
{
	p = wire_put_u32(p, b->xid);
	p = wire_put_u64(p, b->commit_lsn);
	p = wire_put_u64(p, (uint64_t) b->commit_time);
	return wire_put_u16(p, b->origin);
}

static inline void
wire_get_begin(WireReader *r, WireBegin *b)
{
	b->xid = wire_get_u32(r);
	b->commit_lsn = wire_get_u64(r);
	b->commit_time = (int64_t) wire_get_u64(r);
	b->origin = wire_get_u16(r);
}

/* ------------------------------------------------------------ C: commit
 *
 *		commit_lsn	u64		as in B
 *		end_lsn		u64		end of the commit record: where to resume
 *		commit_time	u64		as in B
 *		nrows		u64		number of I, U, D, T and N records
 *		crc			u32		CRC-32C; see the head of this file
 */
typedef struct WireCommit
{
	uint64_t commit_lsn;
	uint64_t end_lsn;
	int64_t commit_time;
	uint64_t nrows;
	uint32_t crc;
} WireCommit;

#define WIRE_COMMIT_SIZE 36

static inline uint8_t *
wire_put_commit(uint8_t *p, const WireCommit *c)
{
	p = wire_put_u64(p, c->commit_lsn);
	p = wire_put_u64(p, c->end_lsn);
	p = wire_put_u64(p, (uint64_t) c->commit_time);
	p = wire_put_u64(p, c->nrows);
	return wire_put_u32(p, c->crc);
}

static inline void
wire_get_commit(WireReader *r, WireCommit *c)
{
	c->commit_lsn = wire_get_u64(r);
	c->end_lsn = wire_get_u64(r);
	c->commit_time = (int64_t) wire_get_u64(r);
	c->nrows = wire_get_u64(r);
	c->crc = wire_get_u32(r);
}

/* ------------------------------------------------------ I, U, D: a row
 *
 *		relid		u32
 *		old			u8		WireOldKind; always NONE for I, never NONE for D
 *		old tuple			unless NONE
 *		new tuple			I and U only
 *
 *	a tuple of the relation's n columns:
 *		states		ceil(n / 4) bytes: two bits a column, WireColumnState,
 *					column i in bits 2 * (i % 4) of byte i / 4; bits beyond
 *					the last column are zero
 *		values		for each PRESENT column in order: leb length, bytes
 *
 * Values are the type's text output, except that bytea (the base type) is its
 * raw bytes.  With REPLICA IDENTITY FULL the new tuple of U has no UNCHANGED
 * column: the old value is sent in its place.
 */
#define WIRE_ROW_FIXED_SIZE 5

static inline uint8_t *
wire_put_row(uint8_t *p, uint32_t relid, WireOldKind old)
{
	p = wire_put_u32(p, relid);
	return wire_put_u8(p, (uint8_t) old);
}

/* Reads up to the tuples; tag says which of I, U, D the record is. */
static inline uint32_t
wire_get_row(WireReader *r, uint8_t tag, WireOldKind *old)
{
	uint32_t relid = wire_get_u32(r);
	uint8_t kind = wire_get_u8(r);

	if (kind > WIRE_OLD_FULL || (tag == WIRE_INSERT && kind != WIRE_OLD_NONE) ||
		(tag == WIRE_DELETE && kind == WIRE_OLD_NONE))
		wire_reader_fail(r);
	*old = (WireOldKind) kind;
	return relid;
}

static inline uint32_t
wire_bitmap_size(uint32_t ncolumns)
{
	return (ncolumns + 3) / 4;
}

/* Set the state of column i; the bitmap must have been zeroed. */
static inline void
wire_set_state(uint8_t *bitmap, uint32_t i, WireColumnState state)
{
	bitmap[i / 4] |= (uint8_t) ((unsigned) state << (2 * (i % 4)));
}

static inline WireColumnState
wire_get_state(const uint8_t *bitmap, uint32_t i)
{
	return (WireColumnState) ((bitmap[i / 4] >> (2 * (i % 4))) & 3);
}

/* The bitmap of a tuple; checks that the unused bits are zero. */
static inline const uint8_t *
wire_get_bitmap(WireReader *r, uint32_t ncolumns)
{
	WireSlice s = wire_get_bytes(r, wire_bitmap_size(ncolumns));

	if (s.data != NULL && ncolumns % 4 != 0 &&
		(s.data[s.len - 1] >> (2 * (ncolumns % 4))) != 0)
		wire_reader_fail(r);
	return r->failed ? NULL : s.data;
}

/* ---------------------------------------------------------- T: truncate
 *
 *		flags		u8		WIRE_TRUNCATE_*
 *		n			leb
 *		relids		n times u32; includes what CASCADE reached, and
 *							partitioned tables beside their leaves
 */
static inline uint8_t *
wire_put_truncate(uint8_t *p, uint8_t flags, uint32_t n)
{
	p = wire_put_u8(p, flags);
	return wire_put_leb(p, n);
}

/* Reads up to the list; n times wire_get_u32() follow. */
static inline uint32_t
wire_get_truncate(WireReader *r, uint8_t *flags)
{
	uint32_t n;

	*flags = wire_get_u8(r);
	n = wire_get_leb(r);
	if ((*flags & ~WIRE_TRUNCATE_FLAGS) != 0 || n == 0 ||
		n > (size_t) (r->end - r->pos) / 4)
		wire_reader_fail(r);
	return r->failed ? 0 : n;
}

/* ------------------------------------------------------------- N: no key
 *
 *		relid		u32
 *		op			u8		'U' or 'D'
 *
 * A change that cannot be applied because the WAL does not say to which row it
 * belongs.  Sent so that the reader stops; never dropped in silence.
 */
static inline uint8_t *
wire_put_nokey(uint8_t *p, uint32_t relid, uint8_t op)
{
	p = wire_put_u32(p, relid);
	return wire_put_u8(p, op);
}

static inline uint32_t
wire_get_nokey(WireReader *r, uint8_t *op)
{
	uint32_t relid = wire_get_u32(r);

	*op = wire_get_u8(r);
	if (*op != WIRE_UPDATE && *op != WIRE_DELETE)
		wire_reader_fail(r);
	return relid;
}

/* ------------------------------------------------------------ M: message
 *
 *		lsn			u64
 *		flags		u8		WIRE_MESSAGE_*
 *		prefix		string
 *		content		string	any bytes
 */
typedef struct WireMessage
{
	uint64_t lsn;
	uint8_t flags;
	WireSlice prefix;
	WireSlice content;
} WireMessage;

#define WIRE_MESSAGE_FIXED_SIZE (9 + 2 * WIRE_LEB_SIZE)

static inline uint8_t *
wire_put_message(uint8_t *p, const WireMessage *m)
{
	p = wire_put_u64(p, m->lsn);
	p = wire_put_u8(p, m->flags);
	p = wire_put_string(p, (const char *) m->prefix.data, m->prefix.len);
	return wire_put_string(p, (const char *) m->content.data, m->content.len);
}

static inline void
wire_get_message(WireReader *r, WireMessage *m)
{
	m->lsn = wire_get_u64(r);
	m->flags = wire_get_u8(r);
	m->prefix = wire_get_string(r);
	m->content = wire_get_string(r);
	if ((m->flags & ~WIRE_MESSAGE_FLAGS) != 0)
		wire_reader_fail(r);
}

#endif /* PORTAGE_WIRE_H */

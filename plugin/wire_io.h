/*
 * wire_io.h
 *		Integers, lengths and strings of the wire protocol: how they are written
 *		and read.
 *
 * Writers return the end of what they wrote; the caller has made room.  Readers
 * are sticky: after an overrun or a malformed number every later read yields
 * zero.  What the protocol says with them stands in wire.h.  Freestanding.
 */
#ifndef PORTAGE_WIRE_IO_H
#define PORTAGE_WIRE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* longest leb of 32 bits */
#define WIRE_LEB_SIZE 5

/* bytes of length, no ownership; not NUL-terminated */
typedef struct WireSlice
{
	const uint8_t *data;
	uint32_t len;
} WireSlice;

/* ---------------------------------------------------------------- writing */

static inline uint8_t *
wire_put_u8(uint8_t *p, uint8_t v)
{
	*p = v;
	return p + 1;
}

static inline uint8_t *
wire_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t) v;
	p[1] = (uint8_t) (v >> 8);
	return p + 2;
}

static inline uint8_t *
wire_put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t) v;
	p[1] = (uint8_t) (v >> 8);
	p[2] = (uint8_t) (v >> 16);
	p[3] = (uint8_t) (v >> 24);
	return p + 4;
}

static inline uint8_t *
wire_put_u64(uint8_t *p, uint64_t v)
{
	p = wire_put_u32(p, (uint32_t) v);
	return wire_put_u32(p, (uint32_t) (v >> 32));
}

/* Unsigned LEB128, shortest form; needs up to WIRE_LEB_SIZE bytes. */
static inline uint8_t *
wire_put_leb(uint8_t *p, uint32_t v)
{
	while (v >= 0x80)
	{
		*p++ = (uint8_t) (v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8_t) v;
	return p;
}

/* How many bytes wire_put_leb() will write. */
static inline uint32_t
wire_leb_size(uint32_t v)
{
	uint32_t n = 1;

	while (v >= 0x80)
	{
		v >>= 7;
		n++;
	}
	return n;
}

/* A string; needs WIRE_LEB_SIZE + len bytes. */
static inline uint8_t *
wire_put_string(uint8_t *p, const char *s, uint32_t len)
{
	p = wire_put_leb(p, len);
	if (len > 0)
		memcpy(p, s, len);
	return p + len;
}

/* ---------------------------------------------------------------- reading */

typedef struct WireReader
{
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
} WireReader;

static inline void
wire_reader_init(WireReader *r, const uint8_t *data, size_t len)
{
	r->pos = data;
	r->end = data + len;
	r->failed = false;
}

static inline void
wire_reader_fail(WireReader *r)
{
	r->failed = true;
	r->pos = r->end;
}

/* True if len more bytes are there; fails the reader if not. */
static inline bool
wire_reader_need(WireReader *r, size_t len)
{
	if ((size_t) (r->end - r->pos) >= len)
		return true;
	wire_reader_fail(r);
	return false;
}

/* True if nothing failed and nothing is left over. */
static inline bool
wire_reader_done(const WireReader *r)
{
	return !r->failed && r->pos == r->end;
}

static inline uint8_t
wire_get_u8(WireReader *r)
{
	if (!wire_reader_need(r, 1))
		return 0;
	return *r->pos++;
}

static inline uint16_t
wire_get_u16(WireReader *r)
{
	uint16_t v;

	if (!wire_reader_need(r, 2))
		return 0;
	v = (uint16_t) (r->pos[0] | r->pos[1] << 8);
	r->pos += 2;
	return v;
}

static inline uint32_t
wire_get_u32(WireReader *r)
{
	uint32_t v;

	if (!wire_reader_need(r, 4))
		return 0;
	v = (uint32_t) r->pos[0] | (uint32_t) r->pos[1] << 8 |
		(uint32_t) r->pos[2] << 16 | (uint32_t) r->pos[3] << 24;
	r->pos += 4;
	return v;
}

static inline uint64_t
wire_get_u64(WireReader *r)
{
	uint64_t low = wire_get_u32(r);
	uint64_t high = wire_get_u32(r);

	return low | high << 32;
}

/* Unsigned LEB128 of at most 32 bits; any form but the shortest fails. */
static inline uint32_t
wire_get_leb(WireReader *r)
{
	uint32_t v = 0;
	int shift;
	uint8_t b;

	for (shift = 0; shift < 35; shift += 7)
	{
		b = wire_get_u8(r);
		if (shift == 28 && (b & 0xF0) != 0)
			break;
		v |= (uint32_t) (b & 0x7F) << shift;
		if ((b & 0x80) == 0)
		{
			if (b == 0 && shift > 0)
				break;
			return r->failed ? 0 : v;
		}
	}
	wire_reader_fail(r);
	return 0;
}

/* A view of len bytes of the frame. */
static inline WireSlice
wire_get_bytes(WireReader *r, uint32_t len)
{
	WireSlice s = { NULL, 0 };

	if (wire_reader_need(r, len))
	{
		s.data = r->pos;
		s.len = len;
		r->pos += len;
	}
	return s;
}

static inline WireSlice
wire_get_string(WireReader *r)
{
	return wire_get_bytes(r, wire_get_leb(r));
}

#endif /* PORTAGE_WIRE_IO_H */

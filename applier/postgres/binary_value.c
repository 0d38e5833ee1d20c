/*
 * binary_value.c
 *		See binary_value.h.
 *
 * The text is what output functions write with the settings of our slot: ISO
 * dates, UTC, shortest exact floats (plugin/README and wire.h).
 */
#include "postgres/binary_value.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "postgres/binary_numeric.h"
#include "postgres/binary_time.h"

BinaryForm
binary_form(uint32_t type_oid)
{
	switch (type_oid)
	{
		case 16:
			return BINARY_BOOL;
		case 17:   /* bytea */
		case 25:   /* text */
		case 114:  /* json */
		case 1042: /* bpchar */
		case 1043: /* varchar */
			return BINARY_BYTES;
		case 20:
			return BINARY_INT8;
		case 21:
			return BINARY_INT2;
		case 23:
			return BINARY_INT4;
		case 26:
			return BINARY_OID;
		case 700:
			return BINARY_FLOAT4;
		case 701:
			return BINARY_FLOAT8;
		case 1082:
			return BINARY_DATE;
		case 1114:
			return BINARY_TIMESTAMP;
		case 1184:
			return BINARY_TIMESTAMPTZ;
		case 1700:
			return BINARY_NUMERIC;
		case 2950:
			return BINARY_UUID;
		case 3802:
			return BINARY_JSONB;
		default:
			return BINARY_NONE;
	}
}

void
binary_put_int16(Buffer *out, uint16_t value)
{
	uint16_t bytes = htobe16(value);

	buffer_append(out, &bytes, sizeof(bytes));
}

void
binary_put_int32(Buffer *out, uint32_t value)
{
	uint32_t bytes = htobe32(value);

	buffer_append(out, &bytes, sizeof(bytes));
}

/* A value of eight bytes or less, the low ones of value. */
static void
put_fixed(Buffer *out, uint64_t value, uint32_t size)
{
	char *to;

	buffer_reserve(out, 12);
	to = out->data + out->len;
	to[0] = to[1] = to[2] = 0;
	to[3] = (char) size;
	value = htobe64(value << (64 - 8 * size));
	memcpy(to + 4, &value, 8);
	out->len += 4 + size;
	out->data[out->len] = '\0';
}

/* Digits only, behind an optional sign; within [min, max]. */
static bool
parse_int(Slice text, int64_t min, int64_t max, int64_t *value)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	uint64_t limit = negative ? 0 - (uint64_t) min : (uint64_t) max;
	uint64_t sum = 0;

	if (text.len == negative || text.len > 20)
		return false;
	for (size_t i = negative; i < text.len; i++)
	{
		unsigned digit = (unsigned) (unsigned char) text.data[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(sum, 10U, &sum) ||
			__builtin_add_overflow(sum, digit, &sum))
			return false;
	}
	if (sum > limit)
		return false;
	*value = (int64_t) (negative ? 0 - sum : sum);
	return true;
}

static bool
put_int(Buffer *out, Slice text, int64_t min, int64_t max, uint32_t size)
{
	int64_t value;

	if (!parse_int(text, min, max, &value))
		return false;
	put_fixed(out, (uint64_t) value, size);
	return true;
}

static bool
put_bool(Buffer *out, Slice text)
{
	if (text.len != 1 || (text.data[0] != 't' && text.data[0] != 'f'))
		return false;
	put_fixed(out, text.data[0] == 't', 1);
	return true;
}

/*
 * As float4in() and float8in() read it: the same functions of the C library,
 * which round the shortest exact digits back to what they came from.  The
 * program never sets a locale, so the point is a point.
 */
static bool
put_float(Buffer *out, Slice text, bool is_double)
{
	char *end;
	uint64_t bits64;
	uint32_t bits32;
	double as_double = 0;
	float as_float = 0;

	/* strtod() would skip spaces, and read hexadecimal digits and NaN(...) */
	if (text.len == 0 || text.data[0] == ' ' ||
		strpbrk(text.data, "xX(") != NULL)
		return false;
	if (is_double)
		as_double = strtod(text.data, &end);
	else
		as_float = strtof(text.data, &end);
	if (end != text.data + text.len)
		return false;
	memcpy(&bits64, &as_double, sizeof(bits64));
	memcpy(&bits32, &as_float, sizeof(bits32));
	put_fixed(out, is_double ? bits64 : bits32, is_double ? 8 : 4);
	return true;
}

static void
put_bytes(Buffer *out, Slice before, Slice bytes)
{
	uint32_t len = htobe32((uint32_t) (before.len + bytes.len));
	char *to;

	buffer_reserve(out, sizeof(len) + before.len + bytes.len);
	to = mempcpy(out->data + out->len, &len, sizeof(len));
	to = mempcpy(to, before.data, before.len);
	to = mempcpy(to, bytes.data, bytes.len);
	*to = '\0';
	out->len = (size_t) (to - out->data);
}

/* 8-4-4-4-12 digits, as uuid_out() writes it. */
static bool
put_uuid(Buffer *out, Slice text)
{
	unsigned char bytes[16];
	int count = 0;

	if (text.len != 36)
		return false;
	for (size_t i = 0; i < text.len; i += 2)
	{
		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (text.data[i++] != '-')
				return false;
		}
		if (!hex_get(&bytes[count++], text.data + i, 1))
			return false;
	}
	put_bytes(out, (Slice){ "", 0 },
			  (Slice){ (const char *) bytes, sizeof(bytes) });
	return true;
}

static bool
put_date(Buffer *out, Slice text)
{
	int32_t days;

	if (!binary_date(text, &days))
		return false;
	put_fixed(out, (uint32_t) days, 4);
	return true;
}

static bool
put_timestamp(Buffer *out, Slice text, bool with_zone)
{
	int64_t us;

	if (!binary_timestamp(text, with_zone, &us))
		return false;
	put_fixed(out, (uint64_t) us, 8);
	return true;
}

bool
binary_put(Buffer *out, BinaryForm form, const Value *value)
{
	Slice text = { value->data, value->len };

	if (value->state != WIRE_COL_PRESENT)
	{
		binary_put_int32(out, UINT32_MAX);
		return true;
	}
	switch (form)
	{
		case BINARY_NONE:
			return false;
		case BINARY_BOOL:
			return put_bool(out, text);
		case BINARY_INT2:
			return put_int(out, text, INT16_MIN, INT16_MAX, 2);
		case BINARY_INT4:
			return put_int(out, text, INT32_MIN, INT32_MAX, 4);
		case BINARY_INT8:
			return put_int(out, text, INT64_MIN, INT64_MAX, 8);
		case BINARY_OID:
			return put_int(out, text, 0, UINT32_MAX, 4);
		case BINARY_FLOAT4:
		case BINARY_FLOAT8:
			return put_float(out, text, form == BINARY_FLOAT8);
		case BINARY_NUMERIC:
			return binary_put_numeric(out, text);
		case BINARY_BYTES:
			put_bytes(out, (Slice){ "", 0 }, text);
			return true;
		case BINARY_JSONB:
			/* the only version that there is */
			put_bytes(out, (Slice){ "\1", 1 }, text);
			return true;
		case BINARY_UUID:
			return put_uuid(out, text);
		case BINARY_DATE:
			return put_date(out, text);
		case BINARY_TIMESTAMP:
		case BINARY_TIMESTAMPTZ:
			return put_timestamp(out, text, form == BINARY_TIMESTAMPTZ);
	}
	return false;
}

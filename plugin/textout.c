/*
 * textout.c
 *		The text form of a value.
 *
 * Output functions are correct and slow: each call allocates, and a timestamp
 * goes through struct pg_tm and a general formatter.  The types that fill
 * ordinary tables are written here instead, straight into the frame.  The rule
 * is that the bytes are the same as the output function's; where that is not
 * certain (years beyond 9999, BC, infinity, a DateStyle that is not ISO) the
 * output function is called.  The method is chosen by output function, not by
 * type, so that domains and types that share one come along.
 */
#include "postgres.h"

#include "compat.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "textout.h"

/* Julian days of 0001-01-01 and 9999-12-31 */
#define JULIAN_FIRST 1721426
#define JULIAN_LAST 5373484

static TextMethod
method_of(Oid function, TextStyle style)
{
	switch (function)
	{
		case F_TEXTOUT:
		case F_VARCHAROUT:
		case F_BPCHAROUT:
		case F_JSON_OUT:
			return TEXT_VARLENA;
		case F_NAMEOUT:
			return TEXT_NAME;
		case F_BOOLOUT:
			return TEXT_BOOL;
		case F_INT2OUT:
			return TEXT_INT2;
		case F_INT4OUT:
			return TEXT_INT4;
		case F_INT8OUT:
			return TEXT_INT8;
		case F_OIDOUT:
			return TEXT_OID;
		case F_FLOAT4OUT:
			return style.exact_floats ? TEXT_FLOAT4 : TEXT_FUNCTION;
		case F_FLOAT8OUT:
			return style.exact_floats ? TEXT_FLOAT8 : TEXT_FUNCTION;
		case F_DATE_OUT:
			return style.iso_dates ? TEXT_DATE : TEXT_FUNCTION;
		case F_TIMESTAMP_OUT:
			return style.iso_dates ? TEXT_TIMESTAMP : TEXT_FUNCTION;
		case F_TIMESTAMPTZ_OUT:
			return style.utc ? TEXT_TIMESTAMPTZ : TEXT_FUNCTION;
		case F_UUID_OUT:
			return TEXT_UUID;
		default:
			return TEXT_FUNCTION;
	}
}

static JsonKind
json_kind_of(Oid base_type)
{
	switch (base_type)
	{
		case BOOLOID:
			return JSON_BOOL;
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return JSON_NUMBER;
		case JSONOID:
		case JSONBOID:
			return JSON_EMBEDDED;
		case BYTEAOID:
			return JSON_BYTEA;
		default:
			return JSON_STRING;
	}
}

void
textout_init(ColumnText *text, Oid type, Oid base_type, int16 attlen,
			 TextStyle style, MemoryContext context)
{
	Oid function;
	bool is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &text->output, context);
	text->toastable = attlen == -1;
	text->json = json_kind_of(base_type);
	text->method = base_type == BYTEAOID ? TEXT_BYTEA
										 : method_of(function, style);
}

static inline char *
put_digits(char *p, int n, int width)
{
	int i;

	for (i = width - 1; i >= 0; i--)
	{
		p[i] = (char) ('0' + n % 10);
		n /= 10;
	}
	return p + width;
}

/* YYYY-MM-DD; NULL if the year has not got four digits, or is BC. */
static inline char *
put_date(char *p, int64 julian)
{
	int year;
	int month;
	int day;

	if (julian < JULIAN_FIRST || julian > JULIAN_LAST)
		return NULL;
	j2date((int) julian, &year, &month, &day);
	p = put_digits(p, year, 4);
	*p++ = '-';
	p = put_digits(p, month, 2);
	*p++ = '-';
	return put_digits(p, day, 2);
}

/* HH:MM:SS and microseconds without trailing zeros. */
static inline char *
put_time(char *p, int64 usecs)
{
	int seconds = (int) (usecs / USECS_PER_SEC);
	int fraction = (int) (usecs % USECS_PER_SEC);

	p = put_digits(p, seconds / SECS_PER_HOUR, 2);
	*p++ = ':';
	p = put_digits(p, seconds / SECS_PER_MINUTE % MINS_PER_HOUR, 2);
	*p++ = ':';
	p = put_digits(p, seconds % SECS_PER_MINUTE, 2);
	if (fraction != 0)
	{
		*p++ = '.';
		p = put_digits(p, fraction, 6);
		while (p[-1] == '0')
			p--;
	}
	return p;
}

static char *
put_timestamp(char *p, Timestamp value)
{
	int64 days;
	int64 usecs;

	if (TIMESTAMP_NOT_FINITE(value))
		return NULL;
	days = value / USECS_PER_DAY;
	usecs = value % USECS_PER_DAY;
	if (usecs < 0)
	{
		usecs += USECS_PER_DAY;
		days--;
	}
	p = put_date(p, days + POSTGRES_EPOCH_JDATE);
	if (p == NULL)
		return NULL;
	*p++ = ' ';
	return put_time(p, usecs);
}

char *
textout_timestamptz(char *p, int64 value)
{
	p = put_timestamp(p, value);
	if (p == NULL)
		return NULL;
	memcpy(p, "+00", 3);
	return p + 3;
}

static char *
put_uuid(char *p, const pg_uuid_t *uuid)
{
	static const char hex[] = "0123456789abcdef";
	int i;

	for (i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[uuid->data[i] >> 4];
		*p++ = hex[uuid->data[i] & 0x0F];
	}
	return p;
}

char *
textout_short(const ColumnText *text, Datum value, char *p)
{
	switch (text->method)
	{
		case TEXT_BOOL:
			*p = DatumGetBool(value) ? 't' : 'f';
			return p + 1;
		case TEXT_INT2:
			return compat_put_int32(p, DatumGetInt16(value));
		case TEXT_INT4:
			return compat_put_int32(p, DatumGetInt32(value));
		case TEXT_INT8:
			return compat_put_int64(p, DatumGetInt64(value));
		case TEXT_OID:
			return p + pg_ultoa_n(DatumGetObjectId(value), p);
		case TEXT_FLOAT4:
			return p + float_to_shortest_decimal_bufn(DatumGetFloat4(value), p);
		case TEXT_FLOAT8:
			return p +
				   double_to_shortest_decimal_bufn(DatumGetFloat8(value), p);
		case TEXT_DATE:
			return put_date(p, (int64) DatumGetDateADT(value) +
								   POSTGRES_EPOCH_JDATE);
		case TEXT_TIMESTAMP:
			return put_timestamp(p, DatumGetTimestamp(value));
		case TEXT_TIMESTAMPTZ:
			return textout_timestamptz(p, DatumGetTimestampTz(value));
		case TEXT_UUID:
			return put_uuid(p, DatumGetUUIDP(value));
		default:
			return NULL;
	}
}

WireSlice
textout_slice(ColumnText *text, Datum value)
{
	WireSlice slice;
	struct varlena *v;
	char *s;

	switch (text->method)
	{
		case TEXT_VARLENA:
		case TEXT_BYTEA:
			v = PG_DETOAST_DATUM_PACKED(value);
			slice.data = (const uint8_t *) VARDATA_ANY(v);
			slice.len = (uint32_t) VARSIZE_ANY_EXHDR(v);
			return slice;
		case TEXT_NAME:
			s = NameStr(*DatumGetName(value));
			break;
		default:
			s = OutputFunctionCall(&text->output, value);
			break;
	}
	slice.data = (const uint8_t *) s;
	slice.len = (uint32_t) strlen(s);
	return slice;
}

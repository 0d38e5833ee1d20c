/*
 * test_binary_value.c
 *		Values in binary form.  The oracle for single values are the bytes that
 *		the send functions of PostgreSQL 15 give; for many dates and times it is
 *		the C library's calendar.
 */
#include "postgres/array_binary.h"
#include "postgres/binary_row.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tap.h"

#define US INT64_C(1000000)

static Value
value_of(const char *text)
{
	return (Value){ text, (uint32_t) strlen(text), WIRE_COL_PRESENT };
}

/* What typsend gave for the text: SELECT encode(typsend('text'::type), 'hex'). */
static const struct
{
	uint32_t type_oid;
	const char *text;
	const char *hex;
} known[] = {
	{ 16, "t", "01" },
	{ 16, "f", "00" },
	{ 21, "0", "0000" },
	{ 21, "-32768", "8000" },
	{ 21, "32767", "7fff" },
	{ 23, "-1", "ffffffff" },
	{ 23, "2147483647", "7fffffff" },
	{ 23, "-2147483648", "80000000" },
	{ 20, "9223372036854775807", "7fffffffffffffff" },
	{ 20, "-9223372036854775808", "8000000000000000" },
	{ 20, "42", "000000000000002a" },
	{ 26, "4294967295", "ffffffff" },
	{ 700, "0.1", "3dcccccd" },
	{ 700, "-0", "80000000" },
	{ 700, "1e-45", "00000001" },
	{ 700, "3.4028235e+38", "7f7fffff" },
	{ 700, "Infinity", "7f800000" },
	{ 700, "NaN", "7fc00000" },
	{ 701, "0.1", "3fb999999999999a" },
	{ 701, "5e-324", "0000000000000001" },
	{ 701, "1.7976931348623157e+308", "7fefffffffffffff" },
	{ 701, "-Infinity", "fff0000000000000" },
	{ 701, "NaN", "7ff8000000000000" },
	{ 701, "-0", "8000000000000000" },
	{ 701, "123456789.125", "419d6f3454800000" },
	{ 1700, "0", "0000000000000000" },
	{ 1700, "0.00", "0000000000000002" },
	{ 1700, "1", "00010000000000000001" },
	{ 1700, "-1", "00010000400000000001" },
	{ 1700, "10000", "00010001000000000001" },
	{ 1700, "9999.9999", "0002000000000004270f270f" },
	{ 1700, "-12345678.9", "000300014000000104d2162e2328" },
	{ 1700, "0.0001", "0001ffff000000040001" },
	{ 1700, "0.00001234", "0001fffe0000000804d2" },
	{ 1700, "NaN", "00000000c0000000" },
	{ 1700, "1000000000000000000000000000000.5",
	  "0009000700000001006400000000000000000000000000001388" },
	{ 1700, "100.00", "00010000000000020064" },
	{ 1082, "2000-01-01", "00000000" },
	{ 1082, "1999-12-31", "ffffffff" },
	{ 1082, "0001-01-01", "fff4dbf9" },
	{ 1082, "2024-02-29", "00002279" },
	{ 1082, "1900-02-28", "ffff718e" },
	{ 1082, "1900-03-01", "ffff718f" },
	{ 1082, "9999-12-31", "002c95d3" },
	{ 1082, "123456-07-08", "02a4e57a" },
	{ 1082, "infinity", "7fffffff" },
	{ 1082, "-infinity", "80000000" },
	{ 1114, "2000-01-01 00:00:00", "0000000000000000" },
	{ 1114, "1999-12-31 23:59:59.999999", "ffffffffffffffff" },
	{ 1114, "2026-11-28 20:33:08.1", "0003045ada6a4fa0" },
	{ 1114, "294276-12-31 23:59:59.999999", "7fffff5bb3b29fff" },
	{ 1114, "0001-01-01 00:00:00", "ff1fe2ffc59c6000" },
	{ 1114, "infinity", "7fffffffffffffff" },
	{ 1114, "-infinity", "8000000000000000" },
	{ 1184, "2026-11-28 20:33:08.123456+00", "0003045ada6aab40" },
	{ 1184, "1970-01-01 00:00:00+00", "fffca2fec4c82000" },
	{ 2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
	  "a0eebc999c0b4ef8bb6d6bb9bd380a11" },
	{ 2950, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
	  "a0eebc999c0b4ef8bb6d6bb9bd380a11" },
	{ 2950, "00000000-0000-0000-0000-000000000000",
	  "00000000000000000000000000000000" },
	{ 25, "", "" },
	{ 25, "abc", "616263" },
	{ 1043, "x y", "782079" },
	{ 114, "{}", "7b7d" },
	{ 3802, "[1, 2]", "015b312c20325d" },
};

static void
to_hex(const Buffer *bytes, char *hex)
{
	for (size_t i = 0; i < bytes->len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char) bytes->data[i]);
}

static void
test_known(void)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		Value value = value_of(known[i].text);
		char expected[200];
		char found[200] = "";
		Buffer out;

		buffer_init(&out);
		sprintf(expected, "%08zx%s", strlen(known[i].hex) / 2, known[i].hex);
		if (binary_put(&out, binary_form(known[i].type_oid), &value))
			to_hex(&out, found);
		is_str(found, expected, known[i].text);
		buffer_release(&out);
	}
}

/* The server has to read these: what is not plain, and what is out of range. */
static const struct
{
	uint32_t type_oid;
	const char *text;
} refused[] = {
	{ 16, "" },
	{ 16, "true" },
	{ 16, "x" },
	{ 21, "32768" },
	{ 21, "-32769" },
	{ 23, "2147483648" },
	{ 23, "" },
	{ 23, "-" },
	{ 23, "+1" },
	{ 23, " 1" },
	{ 23, "1 " },
	{ 23, "1x" },
	{ 20, "9223372036854775808" },
	{ 20, "-9223372036854775809" },
	{ 20, "99999999999999999999" },
	{ 20, "18446744073709551617" },
	{ 26, "-1" },
	{ 26, "4294967296" },
	{ 700, "" },
	{ 700, " 1" },
	{ 700, "0x10" },
	{ 701, "nan(12)" },
	{ 701, "1,5" },
	{ 701, "1 " },
	{ 1700, "" },
	{ 1700, "-" },
	{ 1700, ".5" },
	{ 1700, "1." },
	{ 1700, "1e5" },
	{ 1700, "Infinity" },
	{ 1700, "-NaN" },
	{ 1700, "1.2.3" },
	{ 1082, "" },
	{ 1082, "0044-03-15 BC" },
	{ 1082, "2023-02-29" },
	{ 1082, "1900-02-29" },
	{ 1082, "2023-13-01" },
	{ 1082, "2023-00-01" },
	{ 1082, "2023-01-00" },
	{ 1082, "2023-1-1" },
	{ 1082, "5874897-12-31" },
	{ 1082, "0000-01-01" },
	{ 1082, "01/02/2023" },
	{ 1114, "2023-01-01" },
	{ 1114, "2023-01-01 24:00:00" },
	{ 1114, "2023-01-01 00:60:00" },
	{ 1114, "2023-01-01 00:00:60" },
	{ 1114, "2023-01-01 00:00:00." },
	{ 1114, "2023-01-01 00:00:00.1234567" },
	{ 1114, "2023-01-01 00:00:00+00" },
	{ 1114, "999999-01-01 00:00:00" },
	{ 1114, "0044-03-15 00:00:00 BC" },
	{ 1184, "2023-01-01 00:00:00" },
	{ 1184, "2023-01-01 00:00:00+01" },
	{ 1184, "2023-01-01 00:00:00+00:30" },
	{ 2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1" },
	{ 2950, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g" },
	{ 2950, "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11" },
	{ 869, "127.0.0.1" },
	{ 1186, "1 day" },
};

static void
test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		Value value = value_of(refused[i].text);
		Buffer out;

		buffer_init(&out);
		buffer_puts(&out, "before");
		ok(!binary_put(&out, binary_form(refused[i].type_oid), &value) &&
			   out.len == 6,
		   "not read: %s", refused[i].text);
		buffer_release(&out);
	}
}

static uint32_t
get32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t
get64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static bool
reads_as(BinaryForm form, const char *text, int64_t expected)
{
	Value value = value_of(text);
	Buffer out;
	bool same;

	buffer_init(&out);
	same = binary_put(&out, form, &value) &&
		   (form == BINARY_DATE ? (int32_t) get32(out.data + 4)
								: (int64_t) get64(out.data + 4)) == expected;
	buffer_release(&out);
	return same;
}

/* A moment, with so many decimals of its microseconds. */
static bool
moment_is_read(int64_t seconds, int64_t us, int digits)
{
	int64_t days = (seconds - (seconds % 86400 + 86400) % 86400) / 86400;
	time_t since_1970 = (time_t) (seconds + INT64_C(946684800));
	char day[32];
	char text[80];
	char decimals[24];
	struct tm tm;

	gmtime_r(&since_1970, &tm);
	sprintf(day, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			tm.tm_mday);
	sprintf(decimals, "%06" PRId64, us);
	sprintf(text, "%s %02d:%02d:%02d%s%.*s", day, tm.tm_hour, tm.tm_min,
			tm.tm_sec, digits > 0 ? "." : "", digits, decimals);
	if (!reads_as(BINARY_DATE, day, days) ||
		!reads_as(BINARY_TIMESTAMP, text, seconds * US + us))
		return false;
	strcat(text, "+00");
	return reads_as(BINARY_TIMESTAMPTZ, text, seconds * US + us);
}

/* Random moments of our era, with each number of decimals. */
static void
test_times(void)
{
	static const int64_t units[] = { US, 100000, 10000, 1000, 100, 10, 1 };
	int wrong = 0;

	for (int i = 0; i < 200000; i++)
	{
		int64_t seconds = (int64_t) (drand48() * 500e9) - INT64_C(61000000000);
		int64_t us = lrand48() % US;

		us -= us % units[i % 7];
		wrong += !moment_is_read(seconds, us, i % 7);
	}
	is_int(wrong, 0, "200000 random moments");
}

static void
test_array(void)
{
	static const char expected[] = "\0\0\0\1\0\0\0\1\0\0\0\27\0\0\0\3\0\0\0\1"
								   "\0\0\0\4\0\0\0\5\377\377\377\377"
								   "\0\0\0\4\377\377\377\376";
	ArrayForm form = { 23, BINARY_INT4 };
	Value values[] = { value_of("5"), { 0 }, value_of("-2") };
	bool all = true;
	Buffer out;

	values[1].state = WIRE_COL_NULL;
	buffer_init(&out);
	array_binary_begin(&out, &form, 3);
	for (int i = 0; i < 3; i++)
		all = array_binary_value(&out, &form, &values[i]) && all;
	ok(all && out.len == sizeof(expected) - 1 &&
		   memcmp(out.data, expected, out.len) == 0,
	   "array of three with a null");
	buffer_reset(&out);
	array_binary_begin(&out, &form, 1);
	all = array_binary_value(&out, &form, &values[0]);
	is_int((long) get32(out.data + 4), 0, "an array without nulls says so");
	buffer_release(&out);
}

static void
test_copy(void)
{
	static const char expected[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
								   "\0\2\0\0\0\1x\0\0\0\2\0\7"
								   "\377\377";
	BinaryColumn columns[] = { { 2, BINARY_BYTES }, { 0, BINARY_INT2 } };
	Value row[] = { value_of("7"), value_of("not sent"), value_of("x") };
	Buffer out;
	bool sent;
	size_t len;

	buffer_init(&out);
	binary_rows_begin(&out);
	sent = binary_row_put(&out, columns, 2, row);
	len = out.len;
	row[0] = value_of("seven");
	ok(!binary_row_put(&out, columns, 2, row) && out.len == len,
	   "nothing of a row that cannot be sent");
	binary_rows_end(&out);
	ok(sent && out.len == sizeof(expected) - 1 &&
		   memcmp(out.data, expected, out.len) == 0,
	   "a row of two columns");
	buffer_release(&out);
}

int
main(void)
{
	srand48(20261128);
	test_known();
	test_refused();
	test_times();
	test_array();
	test_copy();
	return done_testing();
}

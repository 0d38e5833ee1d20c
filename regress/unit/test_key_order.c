/*
 * test_key_order.c
 *		Values of keys in the order of their types.
 */
#include "stream/key_order.h"

#include <string.h>

#include "tap.h"

enum
{
	INT8 = 20,
	INT2 = 21,
	INT4 = 23,
	TEXT = 25,
	OID = 26,
	NUMERIC = 1700,
	VARCHAR = 1043,
	DATE = 1082,
	TIMESTAMP = 1114,
	TIMESTAMPTZ = 1184,
	UUID = 2950
};

static void
compares(uint32_t type, const char *a, const char *b, int want)
{
	int order = -2;
	bool good = key_compare(type, a, strlen(a), b, strlen(b), &order);
	int got = order < 0 ? -1 : order > 0;

	ok(good && got == want, "%u: \"%s\" %s \"%s\"", type, a,
	   want < 0	   ? "<"
	   : want == 0 ? "="
				   : ">",
	   b);
}

/* Each is less than the next, in both directions. */
static void
ascend(uint32_t type, const char *const *values, int count)
{
	for (int i = 0; i < count; i++)
	{
		compares(type, values[i], values[i], 0);
		for (int k = i + 1; k < count; k++)
		{
			compares(type, values[i], values[k], -1);
			compares(type, values[k], values[i], 1);
		}
	}
}

static void
refuses(uint32_t type, const char *value, const char *good)
{
	int order;

	ok(!key_compare(type, value, strlen(value), good, strlen(good), &order),
	   "%u: \"%s\" is refused", type, value);
	ok(!key_compare(type, good, strlen(good), value, strlen(value), &order),
	   "%u: \"%s\" is refused on the right, too", type, value);
}

#define ASCEND(type, ...)                                                   \
	do                                                                      \
	{                                                                       \
		static const char *const values[] = { __VA_ARGS__ };                \
		ascend((type), values, (int) (sizeof(values) / sizeof(values[0]))); \
	} while (0)

static void
test_numbers(void)
{
	ASCEND(INT8, "-9223372036854775808", "-10", "-9", "0", "9", "10",
		   "9223372036854775807");
	ASCEND(INT2, "-32768", "-1", "0", "7", "32767");
	ASCEND(INT4, "-2147483648", "2147483647");
	ASCEND(OID, "0", "2147483648", "4294967295");
	refuses(INT8, "", "1");
	refuses(INT8, "1x", "1");
	refuses(INT8, "9223372036854775808", "1");
	refuses(NUMERIC, "1", "2");
}

static void
test_bytes(void)
{
	ASCEND(TEXT, "", " ", "A", "AA", "B", "a", "a b", "ab", "\xc3\x84");
	ASCEND(VARCHAR, "10", "9");
	ASCEND(UUID, "00000000-0000-0000-0000-000000000000",
		   "7fffffff-ffff-ffff-ffff-ffffffffffff",
		   "80000000-0000-0000-0000-000000000000",
		   "a0000000-0000-0000-0000-000000000009",
		   "ffffffff-ffff-ffff-ffff-ffffffffffff");
	refuses(UUID, "ffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

/* As the server prints them, with DateStyle ISO and in UTC. */
static void
test_moments(void)
{
	ASCEND(DATE, "-infinity", "4713-01-01 BC", "0044-03-15 BC", "0001-12-31 BC",
		   "0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31",
		   "10000-01-01", "5874897-12-31", "infinity");
	ASCEND(TIMESTAMP, "-infinity", "0044-03-15 12:00:00 BC",
		   "2024-01-01 00:00:00", "2024-01-01 00:00:00.000001",
		   "2024-01-01 00:00:00.09", "2024-01-01 00:00:00.1",
		   "2024-01-01 00:00:01", "2024-01-01 23:59:59.999999",
		   "294276-12-31 23:59:59.999999", "infinity");
	ASCEND(TIMESTAMPTZ, "-infinity", "0044-03-15 12:00:00+00 BC",
		   "2024-01-01 00:00:00+00", "2024-01-01 00:00:00.7+00",
		   "2024-01-01 00:00:01.4+00", "infinity");
	refuses(DATE, "2024-01-01 00:00:00", "2024-01-01");
	refuses(DATE, "01.01.2024", "2024-01-01");
	refuses(TIMESTAMP, "2024-01-01", "2024-01-01 00:00:00");
	refuses(TIMESTAMP, "2024-01-01 00:00", "2024-01-01 00:00:00");
	refuses(TIMESTAMPTZ, "2024-01-01 00:00:00+01", "2024-01-01 00:00:00+00");
	refuses(TIMESTAMPTZ, "2024-01-01 00:00:00", "2024-01-01 00:00:00+00");
	refuses(TIMESTAMPTZ, "2024-01-01 00:00:00+00:30", "2024-01-01 00:00:00+00");
}

int
main(void)
{
	test_numbers();
	test_bytes();
	test_moments();
	return done_testing();
}

/*
 * test_crc32c.c
 *		CRC-32C against the vectors of RFC 3720 (B.4) and others' values.
 */
#include "crc32c.h"
#include "tap.h"

static uint32_t
crc(const Crc32cTables *tables, const void *data, size_t len)
{
	return crc32c_update(tables, 0, data, len);
}

/* Bit by bit: slow, and obviously the definition. */
static uint32_t
crc_slow(const unsigned char *data, size_t len)
{
	uint32_t value = 0xFFFFFFFF;

	for (size_t i = 0; i < len; i++)
	{
		value ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ ((value & 1) != 0 ? CRC32C_POLYNOMIAL : 0);
	}
	return ~value;
}

static void
test_vectors(const Crc32cTables *tables)
{
	unsigned char bytes[32];

	is_int(crc(tables, "", 0), 0, "nothing");
	is_int(crc(tables, "123456789", 9), 0xE3069283, "the check value");
	memset(bytes, 0, sizeof(bytes));
	is_int(crc(tables, bytes, 32), 0x8A9136AA, "32 zeroes");
	memset(bytes, 0xFF, sizeof(bytes));
	is_int(crc(tables, bytes, 32), 0x62A8AB43, "32 ones");
	for (int i = 0; i < 32; i++)
		bytes[i] = (unsigned char) i;
	is_int(crc(tables, bytes, 32), 0x46DD794E, "ascending");
	for (int i = 0; i < 32; i++)
		bytes[i] = (unsigned char) (31 - i);
	is_int(crc(tables, bytes, 32), 0x113FDB5C, "descending");
}

static void
test_lengths(const Crc32cTables *tables)
{
	unsigned char bytes[300];
	bool equal = true;
	bool split = true;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char) (i * 131 + 7);
	for (size_t start = 0; start < 9; start++)
	{
		for (size_t len = 0; start + len < sizeof(bytes); len++)
			equal = equal && crc(tables, bytes + start, len) ==
								 crc_slow(bytes + start, len);
	}
	ok(equal, "every length at every alignment equals the definition");
	for (size_t cut = 0; cut <= sizeof(bytes); cut++)
		split = split && crc32c_update(tables, crc(tables, bytes, cut),
									   bytes + cut, sizeof(bytes) - cut) ==
							 crc(tables, bytes, sizeof(bytes));
	ok(split, "in two parts, cut anywhere, it is the same");
}

int
main(void)
{
	Crc32cTables tables = { .ready = false };

	crc32c_init(&tables);
	crc32c_init(&tables);
	test_vectors(&tables);
	test_lengths(&tables);
	printf("# by the processor: %s\n", tables.hardware ? "yes" : "no");
	tables.hardware = false;
	test_vectors(&tables);
	test_lengths(&tables);
	return done_testing();
}

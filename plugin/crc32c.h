/*
 * crc32c.h
 *		CRC-32C (Castagnoli), eight bytes a step: by the processor's own
 *		instruction where it has one, else by tables.
 *
 * The plugin seals every transaction with it and the applier checks it; both
 * compile this one file, so the two sides cannot disagree.  Freestanding:
 * nothing but <stdint.h>, <stddef.h> and <stdbool.h>.
 *
 * The tables are built once, by crc32c_init(); calling it again is harmless.
 * The server has a CRC-32C of its own, but only behind headers that a client
 * program may not include.
 */
#ifndef PORTAGE_CRC32C_H
#define PORTAGE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* the reflected Castagnoli polynomial */
#define CRC32C_POLYNOMIAL UINT32_C(0x82F63B78)

typedef struct Crc32cTables
{
	uint32_t t[8][256];
	bool ready;
	bool hardware; /* the processor computes it: the tables are not used */
} Crc32cTables;

#if defined(__x86_64__) && defined(__GNUC__)
#define CRC32C_HAS_HARDWARE __builtin_cpu_supports("sse4.2")

__attribute__((target("sse4.2"))) static inline uint32_t
crc32c_hardware(uint32_t crc, const uint8_t *data, size_t len)
{
	uint64_t wide = ~crc;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), data += sizeof(word))
	{
		__builtin_memcpy(&word, data, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t) wide;
	while (len-- > 0)
		crc = __builtin_ia32_crc32qi(crc, *data++);
	return ~crc;
}
#else
#define CRC32C_HAS_HARDWARE false
#endif

/* Fill the tables.  Must be called before crc32c_update(). */
static inline void
crc32c_init(Crc32cTables *tables)
{
	uint32_t n;
	uint32_t crc;
	int k;

	if (tables->ready)
		return;
	for (n = 0; n < 256; n++)
	{
		crc = n;
		for (k = 0; k < 8; k++)
			crc = (crc & 1) ? (crc >> 1) ^ CRC32C_POLYNOMIAL : crc >> 1;
		tables->t[0][n] = crc;
	}
	for (n = 0; n < 256; n++)
	{
		for (k = 1; k < 8; k++)
			tables->t[k][n] = (tables->t[k - 1][n] >> 8) ^
							  tables->t[0][tables->t[k - 1][n] & 0xFF];
	}
	tables->hardware = CRC32C_HAS_HARDWARE;
	tables->ready = true;
}

/*
 * Continue a checksum over len bytes.  Start with 0 and use the result of the
 * last call as it is: the inversions at both ends are done inside.
 */
static inline uint32_t
crc32c_update(const Crc32cTables *tables, uint32_t crc, const uint8_t *data,
			  size_t len)
{
	uint32_t low;
	uint32_t high;

#if defined(__x86_64__) && defined(__GNUC__)
	if (tables->hardware)
		return crc32c_hardware(crc, data, len);
#endif
	crc = ~crc;
	while (len >= 8)
	{
		low = crc ^ ((uint32_t) data[0] | (uint32_t) data[1] << 8 |
					 (uint32_t) data[2] << 16 | (uint32_t) data[3] << 24);
		high = (uint32_t) data[4] | (uint32_t) data[5] << 8 |
			   (uint32_t) data[6] << 16 | (uint32_t) data[7] << 24;
		crc = tables->t[7][low & 0xFF] ^ tables->t[6][(low >> 8) & 0xFF] ^
			  tables->t[5][(low >> 16) & 0xFF] ^ tables->t[4][low >> 24] ^
			  tables->t[3][high & 0xFF] ^ tables->t[2][(high >> 8) & 0xFF] ^
			  tables->t[1][(high >> 16) & 0xFF] ^ tables->t[0][high >> 24];
		data += 8;
		len -= 8;
	}
	while (len-- > 0)
		crc = (crc >> 8) ^ tables->t[0][(crc ^ *data++) & 0xFF];
	return ~crc;
}

#endif /* PORTAGE_CRC32C_H */

/*
 * copy_binary.c
 *		See copy_binary.h.
 */
#include "postgres/copy_binary.h"

#include <stdint.h>
#include <string.h>

/* "COPY", file formats, binary format: signature, flags, length of the rest */
#define SIGNATURE "PGCOPY\n\377\r\n"
#define SIGNATURE_SIZE sizeof(SIGNATURE)
#define HEADER_SIZE (SIGNATURE_SIZE + 8)

/* No row looks like it: it would have 20551 columns. */
static size_t
header_size(const char *message, size_t len)
{
	const uint8_t *rest;
	uint32_t extension;

	if (len < HEADER_SIZE || memcmp(message, SIGNATURE, SIGNATURE_SIZE) != 0)
		return 0;
	rest = (const uint8_t *) message + SIGNATURE_SIZE + 4;
	extension = (uint32_t) rest[0] << 24 | (uint32_t) rest[1] << 16 |
				(uint32_t) rest[2] << 8 | rest[3];
	return extension <= len - HEADER_SIZE ? HEADER_SIZE + extension : len;
}

bool
copy_binary_has_row(const char *message, size_t len)
{
	size_t header = header_size(message, len);

	/* a row begins with the number of its columns, the end is -1 */
	return len - header >= 2 && memcmp(message + header, "\377\377", 2) != 0;
}

/*
 * hex.h
 *		Bytes as hexadecimal digits, and back.
 *
 * Digits are written in lower case, as PostgreSQL does, and read in either.
 */
#ifndef PORTAGE_HEX_H
#define PORTAGE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Two digits for each byte; returns what follows them.  No NUL. */
static inline char *
hex_put(char *to, const void *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < count; i++)
	{
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
	return to;
}

/* What the digit is worth; -1: it is none. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* So many bytes, of twice as many digits; false: one of them is none. */
static inline bool
hex_get(void *bytes, const char *digits, size_t count)
{
	unsigned char *to = bytes;

	for (size_t i = 0; i < count; i++)
	{
		int high = hex_digit(digits[2 * i]);
		int low = hex_digit(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (unsigned char) (high << 4 | low);
	}
	return true;
}

#endif /* PORTAGE_HEX_H */

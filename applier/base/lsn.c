/*
 * lsn.c
 *		See lsn.h.
 */
#include "base/lsn.h"

#include <stddef.h>
#include <stdio.h>

#include "base/hex.h"

char *
lsn_to_string(Lsn lsn, char *out)
{
	snprintf(out, LSN_STRING_SIZE, LSN_FORMAT, LSN_ARGS(lsn));
	return out;
}

/* One half: 1 to 8 hexadecimal digits.  Returns what follows, or NULL. */
static const char *
parse_half(const char *s, uint32_t *half)
{
	uint32_t value = 0;
	int count = 0;

	for (; hex_digit(*s) >= 0; s++)
	{
		value = value << 4 | (uint32_t) hex_digit(*s);
		if (++count > 8)
			return NULL;
	}
	*half = value;
	return count > 0 ? s : NULL;
}

bool
lsn_parse(const char *s, Lsn *lsn)
{
	uint32_t high;
	uint32_t low;

	s = parse_half(s, &high);
	if (s == NULL || *s != '/')
		return false;
	s = parse_half(s + 1, &low);
	if (s == NULL || *s != '\0')
		return false;
	*lsn = (Lsn) high << 32 | low;
	return true;
}

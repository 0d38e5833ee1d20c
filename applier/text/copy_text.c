/*
 * copy_text.c
 *		See copy_text.h.
 *
 * Of all bytes only backslash, newline, carriage return and the tab between
 * columns mean something to COPY FROM (CopyReadAttributesText() and
 * CopyReadLineText() in src/backend/commands/copyfromparse.c).  In every
 * encoding that a server may have, they are never part of another character.
 */
#include "text/copy_text.h"

#include <string.h>

#include "text/bytea_text.h"

#define EACH_BYTE(byte) (0x0101010101010101ULL * (byte))

static bool
is_special(char c)
{
	return c == '\\' || c == '\n' || c == '\r' || c == '\t';
}

/*
 * Is any of eight bytes a backslash, or below 0x0e and so perhaps special?  The
 * usual arithmetic on all of them at once; a false alarm only costs a look.
 */
static bool
may_be_special(uint64_t word)
{
	uint64_t slash = word ^ EACH_BYTE('\\');
	uint64_t is_slash = (slash - EACH_BYTE(1)) & ~slash;
	uint64_t is_low = (word - EACH_BYTE(0x0e)) & ~word;

	return ((is_slash | is_low) & EACH_BYTE(0x80)) != 0;
}

static char
escape_letter(char c)
{
	switch (c)
	{
		case '\n':
			return 'n';
		case '\r':
			return 'r';
		case '\t':
			return 't';
		default:
			return c;
	}
}

static char *
escape_bytes(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (is_special(from[i]))
			*to++ = '\\';
		*to++ = escape_letter(from[i]);
	}
	return to;
}

void
copy_text_escape(Buffer *out, const char *data, size_t len)
{
	char *to;
	uint64_t word;

	buffer_reserve(out, 2 * len);
	to = out->data + out->len;
	for (; len >= sizeof(word); len -= sizeof(word), data += sizeof(word))
	{
		memcpy(&word, data, sizeof(word));
		if (may_be_special(word))
			to = escape_bytes(to, data, sizeof(word));
		else
		{
			memcpy(to, &word, sizeof(word));
			to += sizeof(word);
		}
	}
	to = escape_bytes(to, data, len);
	out->len = (size_t) (to - out->data);
	*to = '\0';
}

/* "\\x0aff": the backslash of the type's own form is escaped for COPY. */
static void
put_bytea(Buffer *out, const char *data, size_t len)
{
	buffer_putc(out, '\\');
	bytea_print(out, (Slice){ data, len });
}

void
copy_text_row(Buffer *out, const Relation *relation, const uint8_t *columns,
			  const Value *row)
{
	bool first = true;

	for (int i = 0; i < relation->column_count; i++)
	{
		if (!plan_column_in(columns, i))
			continue;
		if (!first)
			buffer_putc(out, '\t');
		first = false;
		if (row[i].state != WIRE_COL_PRESENT)
			buffer_puts(out, "\\N");
		else if (relation->columns[i].base_type_oid == BYTEA_OID)
			put_bytea(out, row[i].data, row[i].len);
		else
			copy_text_escape(out, row[i].data, row[i].len);
	}
	buffer_putc(out, '\n');
}

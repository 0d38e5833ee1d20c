/*
 * load_text.c
 *		See load_text.h.
 */
#include "text/load_text.h"

#include <string.h>

#define EACH_BYTE(byte) (0x0101010101010101ULL * (byte))

/*
 * May any of eight bytes be a backslash, a tab or a newline?  The usual
 * arithmetic on all of them at once; a false alarm only costs a look.
 */
static bool
may_be_special(uint64_t word)
{
	uint64_t slash = word ^ EACH_BYTE('\\');
	uint64_t is_slash = (slash - EACH_BYTE(1)) & ~slash;
	uint64_t is_low = (word - EACH_BYTE('\n' + 1)) & ~word;

	return ((is_slash | is_low) & EACH_BYTE(0x80)) != 0;
}

/* Over what cannot be special, eight bytes at a time. */
static const char *
skip_plain(const char *p, const char *end)
{
	uint64_t word;

	while (end - p >= (ptrdiff_t) sizeof(word))
	{
		memcpy(&word, p, sizeof(word));
		if (may_be_special(word))
			break;
		p += sizeof(word);
	}
	return p;
}

const char *
load_field_end(const char *p, const char *end, bool *escapes)
{
	*escapes = false;
	while (p < end)
	{
		/* one look at eight bytes pays only where there are as many */
		p = skip_plain(p, end);
		for (int i = 0; i < (int) sizeof(uint64_t) && p < end; i++)
		{
			if (*p == '\t' || *p == '\n')
				return p;
			if (*p++ != '\\')
				continue;
			*escapes = true;
			p += p < end;
		}
	}
	return end;
}

Slice
load_row_next(Slice *rows)
{
	const char *end = rows->data + rows->len;
	const char *p = rows->data;
	Slice row = { p, 0 };
	bool escapes;

	while (p < end)
	{
		p = load_field_end(p, end, &escapes);
		if (p < end && *p++ == '\n')
			break;
	}
	row.len = (size_t) (p - rows->data);
	rows->data = p;
	rows->len -= row.len;
	return row;
}

bool
load_field_next(Slice *row, Slice *field)
{
	const char *end = row->data + row->len;
	const char *behind;
	bool escapes;

	if (row->len == 0)
		return false;
	behind = load_field_end(row->data, end, &escapes);
	field->data = row->data;
	field->len = (size_t) (behind - row->data);
	if (behind < end && *behind == '\t')
	{
		/* an empty field follows a tab at the end: never without a newline */
		row->data = behind + 1;
		row->len = (size_t) (end - row->data);
		return true;
	}
	row->data = end;
	row->len = 0;
	return true;
}

bool
load_field_is_null(Slice field)
{
	return field.len == 2 && field.data[0] == '\\' && field.data[1] == 'N';
}

static char
escaped_byte(char letter)
{
	switch (letter)
	{
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'v':
			return '\v';
		case '0':
			return '\0';
		case 'Z':
			return '\x1a';
		default:
			return letter;
	}
}

void
load_field_plain(Buffer *out, Slice field)
{
	const char *p = field.data;
	const char *end = p + field.len;
	const char *slash;

	buffer_reserve(out, field.len);
	while ((slash = memchr(p, '\\', (size_t) (end - p))) != NULL &&
		   slash + 1 < end)
	{
		buffer_append(out, p, (size_t) (slash - p));
		buffer_putc(out, escaped_byte(slash[1]));
		p = slash + 2;
	}
	buffer_append(out, p, (size_t) (end - p));
}

size_t
load_rows_length(Slice rows, int64_t count)
{
	size_t all = rows.len;

	while (count-- > 0)
		load_row_next(&rows);
	return all - rows.len;
}

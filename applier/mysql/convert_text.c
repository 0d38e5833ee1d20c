/*
 * convert_text.c
 *		Text: as it is, unless it is too long.
 *
 * Servers count characters for VARCHAR(n) and CHAR(n), and bytes for the TEXT
 * types.  What is cut is cut between characters.
 */
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

/* How many of eight bytes go on with a character: 10xxxxxx. */
static inline int
count_continuations(const char *data)
{
	uint64_t word = word_load(data);

	return __builtin_popcountll(word_has_high(word & (~word << 1)));
}

size_t
text_prefix(Slice text, int64_t chars)
{
	size_t i = 0;

	if (chars < 0)
		return text.len;
	/* eight bytes are eight characters at most */
	while (chars >= 8 && i + 8 <= text.len)
	{
		chars -= 8 - count_continuations(text.data + i);
		i += 8;
	}
	while (i < text.len)
	{
		if (((unsigned char) text.data[i] & 0xC0) != 0x80 && chars-- == 0)
			return i;
		i++;
	}
	return text.len;
}

/* Bytes of a text of at most max bytes, cut between characters. */
static size_t
bytes_prefix(Slice text, size_t max)
{
	if (text.len <= max)
		return text.len;
	while (max > 0 && ((unsigned char) text.data[max] & 0xC0) == 0x80)
		max--;
	return max;
}

/* CHAR, and no VARCHAR: spaces at the end are not kept. */
static bool
is_padded(const ColumnMap *column)
{
	return strncmp(column->type, "char(", 5) == 0;
}

static bool
limit_text(Conversion *c, Slice text)
{
	const ColumnMap *column = c->column;
	size_t len = text.len;

	c->out->bytes = text;
	if (column->max_chars >= 0 && len > (size_t) column->max_chars)
		len = text_prefix(text, column->max_chars);
	if (column->max_bytes >= 0 && len > (size_t) column->max_bytes)
		len = bytes_prefix(text, (size_t) column->max_bytes);
	if (len < text.len)
	{
		Slice cut = { text.data, len };

		return conversion_lose(c, LOSS_LENGTH, NEAR_SAME, cut, text);
	}
	return true;
}

bool
convert_text(Conversion *c)
{
	Slice trimmed = c->in;

	if (c->in.len == 1 && ((unsigned char) c->in.data[0] & 0x80) != 0)
	{
		/* "char" is the one type that may be a byte that is no text */
		Slice unknown = { "?", 1 };

		return conversion_lose(c, LOSS_ENCODING, NEAR_SAME, unknown, c->in);
	}
	if (c->in.len == 0 || c->in.data[c->in.len - 1] != ' ' ||
		!is_padded(c->column))
		return limit_text(c, c->in);
	while (trimmed.len > 0 && trimmed.data[trimmed.len - 1] == ' ')
		trimmed.len--;
	if (!limit_text(c, trimmed))
		return false;
	return c->out->loss != LOSS_NONE ||
		   conversion_lose(c, LOSS_PADDING, NEAR_SAME, trimmed, c->in);
}

/* Spaces at the end of a bpchar mean nothing on the source either. */
bool
convert_trimmed(Conversion *c)
{
	Slice text = c->in;

	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	return limit_text(c, text);
}

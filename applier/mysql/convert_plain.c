/*
 * convert_plain.c
 *		Booleans, bytes, bits and labels of enums.
 */
#include "mysql/conversion.h"

bool
convert_boolean(Conversion *c)
{
	if (c->in.len != 1 || (c->in.data[0] != 't' && c->in.data[0] != 'f'))
		return conversion_unreadable(c, "a boolean");
	return conversion_keep(c, c->in.data[0] == 't' ? "1" : "0", 1);
}

#define IS_HEX 0x10

/* IS_HEX and the digit's value; 0: no digit */
static const unsigned char hex_values[256] = {
	['0'] = IS_HEX | 0,	 ['1'] = IS_HEX | 1,  ['2'] = IS_HEX | 2,
	['3'] = IS_HEX | 3,	 ['4'] = IS_HEX | 4,  ['5'] = IS_HEX | 5,
	['6'] = IS_HEX | 6,	 ['7'] = IS_HEX | 7,  ['8'] = IS_HEX | 8,
	['9'] = IS_HEX | 9,	 ['a'] = IS_HEX | 10, ['b'] = IS_HEX | 11,
	['c'] = IS_HEX | 12, ['d'] = IS_HEX | 13, ['e'] = IS_HEX | 14,
	['f'] = IS_HEX | 15, ['A'] = IS_HEX | 10, ['B'] = IS_HEX | 11,
	['C'] = IS_HEX | 12, ['D'] = IS_HEX | 13, ['E'] = IS_HEX | 14,
	['F'] = IS_HEX | 15,
};

bool
hex_bytes(Slice in, Buffer *scratch)
{
	const unsigned char *from = (const unsigned char *) in.data + 2;
	size_t count;
	char *to;
	unsigned right = IS_HEX;

	if (in.len < 2 || in.len % 2 != 0 || in.data[0] != '\\' ||
		in.data[1] != 'x')
		return false;
	count = in.len / 2 - 1;
	buffer_reserve(scratch, count);
	to = scratch->data + scratch->len;
	for (size_t i = 0; i < count; i++)
	{
		unsigned high = hex_values[from[2 * i]];
		unsigned low = hex_values[from[2 * i + 1]];

		right &= high & low;
		to[i] = (char) (high << 4 | (low & 15));
	}
	if (right == 0)
	{
		*to = '\0';
		return false;
	}
	to[count] = '\0';
	scratch->len += count;
	return true;
}

bool
convert_bytes(Conversion *c)
{
	Slice bytes = c->in;

	if (!c->raw)
	{
		size_t start = c->scratch->len;

		if (!hex_bytes(c->in, c->scratch))
			return conversion_unreadable(c, "bytea in its hex format");
		bytes = conversion_scratch(c, start);
		c->out->bytes = bytes;
	}
	if (c->column->max_bytes >= 0 && bytes.len > (size_t) c->column->max_bytes)
	{
		Slice cut = { bytes.data, (size_t) c->column->max_bytes };

		return conversion_lose(c, LOSS_LENGTH, NEAR_SAME, cut, bytes);
	}
	return true;
}

/* max_chars: how many bits there are; a shorter value would lose its zeros. */
bool
convert_bits(Conversion *c)
{
	for (size_t i = 0; i < c->in.len; i++)
	{
		if (c->in.data[i] != '0' && c->in.data[i] != '1')
			return conversion_unreadable(c, "a string of bits");
	}
	if (c->in.len == 0 || c->in.len > 64)
		return conversion_unreadable(c, "a string of 1 to 64 bits");
	if (c->column->max_chars >= 0 && c->in.len > (size_t) c->column->max_chars)
	{
		Slice cut = { c->in.data, (size_t) c->column->max_chars };

		return conversion_lose(c, LOSS_LENGTH, NEAR_SAME, cut, c->in);
	}
	return true;
}

static size_t
without_spaces(Slice text)
{
	while (text.len > 0 && text.data[text.len - 1] == ' ')
		text.len--;
	return text.len;
}

/*
 * Servers take spaces off the ends of an ENUM's labels.  There is no label near
 * another one: the first is at least one, where NULL may not be.
 */
bool
convert_enum(Conversion *c)
{
	const ColumnMap *column = c->column;
	Slice first = { "", 0 };
	Slice trimmed = { c->in.data, without_spaces(c->in) };

	for (int i = 0; i < column->label_count; i++)
	{
		size_t len = strlen(column->labels[i]);

		if (len != c->in.len || memcmp(column->labels[i], c->in.data, len) != 0)
			continue;
		return trimmed.len == len ||
			   conversion_lose(c, LOSS_PADDING, NEAR_SAME, trimmed, c->in);
	}
	if (column->label_count > 0)
		first = slice_of(column->labels[0]);
	first.len = without_spaces(first);
	return conversion_lose(c, LOSS_LABEL, NEAR_NONE, first, c->in);
}

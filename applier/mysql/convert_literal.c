/*
 * convert_literal.c
 *		Converted values as they are sent: in SQL, or as a field of LOAD DATA.
 *
 * Sessions are utf8mb4 and have backslash escapes.  What is escaped are bytes
 * below 128, which are never part of another character.  Eight bytes are looked
 * at together, as there is rarely one to escape.
 */
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

/* Room is asked for piece by piece: a value may be of a gigabyte. */
#define PIECE ((size_t) 65536)

/* What follows a backslash for a byte; 0: the byte is written as it is. */
static const char literal_escapes[256] = {
	['\0'] = '0',
	['\''] = '\'',
	['\\'] = '\\',
};
static const char field_escapes[256] = {
	['\0'] = '0',
	['\t'] = 't',
	['\n'] = 'n',
	['\\'] = '\\',
};

static inline char *
put_bytes(char *to, const char *data, size_t len, const char *escapes)
{
	for (size_t i = 0; i < len; i++)
	{
		char escape = escapes[(unsigned char) data[i]];

		if (escape != 0)
		{
			*to++ = '\\';
			*to++ = escape;
		}
		else
			*to++ = data[i];
	}
	return to;
}

static inline bool
plain_literal(uint64_t word)
{
	return (word_has_byte(word, '\0') | word_has_byte(word, '\'') |
			word_has_byte(word, '\\')) == 0;
}

/* A little more than has to be: all control characters up to the newline. */
static inline bool
plain_field(uint64_t word)
{
	return (word_has_less(word, '\n' + 1) | word_has_byte(word, '\\')) == 0;
}

static inline __attribute__((always_inline)) void
append_escaped(Buffer *out, Slice bytes, bool (*plain)(uint64_t),
			   const char *escapes)
{
	const char *data = bytes.data;
	const char *end = data + bytes.len;

	while (data < end)
	{
		size_t left = (size_t) (end - data);
		const char *stop = left < PIECE ? end : data + PIECE;
		char *to;

		buffer_reserve(out, 2 * (size_t) (stop - data));
		to = out->data + out->len;
		for (; stop - data >= 8; data += 8)
		{
			uint64_t word = word_load(data);

			if (plain(word))
			{
				memcpy(to, &word, sizeof(word));
				to += sizeof(word);
			}
			else
				to = put_bytes(to, data, sizeof(word), escapes);
		}
		to = put_bytes(to, data, (size_t) (stop - data), escapes);
		data = stop;
		*to = '\0';
		out->len = (size_t) (to - out->data);
	}
}

void
convert_literal(Buffer *sql, const ColumnMap *column, const Converted *value)
{
	if (value->null)
	{
		buffer_append(sql, "NULL", 4);
		return;
	}
	switch (column_map_literal(column))
	{
		case LITERAL_NUMBER:
			buffer_append(sql, value->bytes.data, value->bytes.len);
			return;
		case LITERAL_BITS:
			buffer_append(sql, "b'", 2);
			buffer_append(sql, value->bytes.data, value->bytes.len);
			break;
		case LITERAL_BYTES:
			buffer_append(sql, "_binary'", 8);
			append_escaped(sql, value->bytes, plain_literal, literal_escapes);
			break;
		case LITERAL_TEXT:
			buffer_putc(sql, '\'');
			append_escaped(sql, value->bytes, plain_literal, literal_escapes);
			break;
	}
	buffer_putc(sql, '\'');
}

void
convert_field(Buffer *out, const Converted *value)
{
	if (value->null)
		buffer_append(out, "\\N", 2);
	else
		append_escaped(out, value->bytes, plain_field, field_escapes);
}

void
convert_literal_text(Buffer *sql, const ColumnMap *column,
					 const Converted *value)
{
	if (value->null || column_map_literal(column) != LITERAL_BYTES)
	{
		convert_literal(sql, column, value);
		return;
	}
	buffer_puts(sql, "X'");
	for (size_t i = 0; i < value->bytes.len; i++)
		buffer_printf(sql, "%02X", (unsigned char) value->bytes.data[i]);
	buffer_putc(sql, '\'');
}

/*
 * convert_hstore.c
 *		hstore as a JSON object: "k"=>"v", "n"=>NULL.
 *
 * hstore_out() quotes every key and every value that is none of NULL, and has
 * each key once.
 */
#include "base/hex.h"
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

/* Room is asked for piece by piece, as a byte may become six. */
#define PIECE ((size_t) 16384)

static bool
is_plain(char c)
{
	return (unsigned char) c >= ' ' && c != '"' && c != '\\';
}

static char *
put_char(char *to, char c)
{
	const char *letter;

	if (is_plain(c))
	{
		*to++ = c;
		return to;
	}
	*to++ = '\\';
	letter = memchr("\"\"\\\\\bb\ff\nn\rr\tt", c, 14);
	if (letter != NULL)
		*to++ = letter[1];
	else
	{
		*to++ = 'u';
		*to++ = '0';
		*to++ = '0';
		to = hex_put(to, &c, 1);
	}
	return to;
}

void
json_put_text(Buffer *out, Slice text)
{
	const char *at = text.data;
	const char *end = at + text.len;

	while (at < end)
	{
		const char *stop = (size_t) (end - at) < PIECE ? end : at + PIECE;
		char *to;

		buffer_reserve(out, 6 * (size_t) (stop - at));
		to = out->data + out->len;
		while (at < stop)
		{
			uint64_t word = stop - at >= 8 ? word_load(at) : 0;

			if ((word_has_less(word, ' ') | word_has_byte(word, '"') |
				 word_has_byte(word, '\\')) != 0)
				to = put_char(to, *at++);
			else
			{
				memcpy(to, &word, sizeof(word));
				to += sizeof(word);
				at += sizeof(word);
			}
		}
		*to = '\0';
		out->len = (size_t) (to - out->data);
	}
}

bool
quoted_text(Slice in, Slice *inside)
{
	if (in.len == 0 || in.data[0] != '"')
		return false;
	for (size_t i = 1; i < in.len; i++)
	{
		if (in.data[i] == '"')
		{
			inside->data = in.data + 1;
			inside->len = i - 1;
			return true;
		}
		if (in.data[i] == '\\')
			i++;
	}
	return false;
}

void
json_put_quoted(Buffer *out, Slice quoted)
{
	const char *at = quoted.data;
	const char *end = at + quoted.len;

	buffer_putc(out, '"');
	while (at < end)
	{
		size_t left = (size_t) (end - at);
		const char *escape = memchr(at, '\\', left);
		Slice run = { at, escape != NULL ? (size_t) (escape - at) : left };

		json_put_text(out, run);
		at += run.len;
		if (escape != NULL && ++at < end)
		{
			Slice byte = { at++, 1 };

			json_put_text(out, byte);
		}
	}
	buffer_putc(out, '"');
}

static bool
take(Slice *in, const char *text)
{
	size_t len = strlen(text);

	if (in->len < len || memcmp(in->data, text, len) != 0)
		return false;
	in->data += len;
	in->len -= len;
	return true;
}

static bool
take_string(Slice *in, Buffer *out)
{
	Slice inside;

	if (!quoted_text(*in, &inside))
		return false;
	json_put_quoted(out, inside);
	in->data += inside.len + 2;
	in->len -= inside.len + 2;
	return true;
}

/* "k"=>"v" or "k"=>NULL */
static bool
take_pair(Slice *in, Buffer *out)
{
	if (!take_string(in, out) || !take(in, "=>"))
		return false;
	buffer_putc(out, ':');
	if (!take(in, "NULL"))
		return take_string(in, out);
	buffer_puts(out, "null");
	return true;
}

bool
convert_hstore(Conversion *c)
{
	size_t start = c->scratch->len;
	Slice rest = c->in;

	buffer_putc(c->scratch, '{');
	while (rest.len > 0)
	{
		if (!take_pair(&rest, c->scratch) ||
			(rest.len > 0 && (!take(&rest, ", ") || rest.len == 0)))
			return conversion_unreadable(c, "hstore");
		if (rest.len > 0)
			buffer_putc(c->scratch, ',');
	}
	buffer_putc(c->scratch, '}');
	c->out->bytes = conversion_scratch(c, start);
	return true;
}

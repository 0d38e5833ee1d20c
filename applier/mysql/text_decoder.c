/*
 * text_decoder.c
 *		Text of the source's server encoding as UTF-8.
 *
 * No server encoding has ASCII bytes within other characters, so text of ASCII
 * alone is what it is.  glibc knows all encodings of servers but MULE_INTERNAL.
 */
#include <errno.h>
#include <iconv.h>

#include "base/mem.h"
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

#define NO_ICONV ((iconv_t) -1)

struct TextDecoder
{
	iconv_t converter; /* NO_ICONV: only validate, the source does not */
	const char *encoding;
};

/* As PostgreSQL and as iconv calls them; its own names that iconv knows too
 * are here as well, as a name that is not here is refused. */
static const struct
{
	const char *pg;
	const char *iconv;
} encodings[] = {
	{ "EUC_CN", "EUC-CN" },			{ "EUC_JIS_2004", "EUC-JISX0213" },
	{ "EUC_JP", "EUC-JP" },			{ "EUC_KR", "EUC-KR" },
	{ "EUC_TW", "EUC-TW" },			{ "ISO_8859_5", "ISO-8859-5" },
	{ "ISO_8859_6", "ISO-8859-6" }, { "ISO_8859_7", "ISO-8859-7" },
	{ "ISO_8859_8", "ISO-8859-8" }, { "KOI8R", "KOI8-R" },
	{ "KOI8U", "KOI8-U" },			{ "LATIN1", "ISO-8859-1" },
	{ "LATIN10", "ISO-8859-16" },	{ "LATIN2", "ISO-8859-2" },
	{ "LATIN3", "ISO-8859-3" },		{ "LATIN4", "ISO-8859-4" },
	{ "LATIN5", "ISO-8859-9" },		{ "LATIN6", "ISO-8859-10" },
	{ "LATIN7", "ISO-8859-13" },	{ "LATIN8", "ISO-8859-14" },
	{ "LATIN9", "ISO-8859-15" },	{ "WIN1250", "CP1250" },
	{ "WIN1251", "CP1251" },		{ "WIN1252", "CP1252" },
	{ "WIN1253", "CP1253" },		{ "WIN1254", "CP1254" },
	{ "WIN1255", "CP1255" },		{ "WIN1256", "CP1256" },
	{ "WIN1257", "CP1257" },		{ "WIN1258", "CP1258" },
	{ "WIN866", "CP866" },			{ "WIN874", "CP874" },
};

static TextDecoder *
decoder_new(const char *encoding, iconv_t converter)
{
	TextDecoder *decoder = mem_zalloc(sizeof(*decoder));

	decoder->converter = converter;
	decoder->encoding = encoding;
	return decoder;
}

bool
text_decoder_open(const char *pg_encoding, TextDecoder **decoder, Error *err)
{
	*decoder = NULL;
	if (strcmp(pg_encoding, "UTF8") == 0)
		return true;
	if (strcmp(pg_encoding, "SQL_ASCII") == 0)
	{
		*decoder = decoder_new("UTF8", NO_ICONV);
		return true;
	}
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
	{
		iconv_t converter;

		if (strcmp(encodings[i].pg, pg_encoding) != 0)
			continue;
		converter = iconv_open("UTF-8", encodings[i].iconv);
		if (converter == NO_ICONV)
			break;
		*decoder = decoder_new(encodings[i].pg, converter);
		return true;
	}
	(void) error_set(err, P_SERVER_SETUP,
					 "text of encoding %s cannot be converted to UTF-8",
					 pg_encoding);
	return error_hint(err, "Copy the source into a database of encoding UTF8 "
						   "first; where it is a common one, the system may "
						   "lack its gconv modules (Debian: libc6).");
}

void
text_decoder_close(TextDecoder *decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->converter != NO_ICONV)
		iconv_close(decoder->converter);
	mem_free(decoder);
}

/* How many bytes at the beginning are ASCII. */
static size_t
ascii_prefix(Slice text)
{
	size_t i = 0;

	while (i + 8 <= text.len && word_has_high(word_load(text.data + i)) == 0)
		i += 8;
	while (i < text.len && ((unsigned char) text.data[i] & 0x80) == 0)
		i++;
	return i;
}

size_t
utf8_char(const char *data, size_t len)
{
	const unsigned char *s = (const unsigned char *) data;
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

	if ((s[0] >= 0x80 && s[0] < 0xC2) || s[0] > 0xF4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	}
	/* longer than it has to be, a surrogate, or beyond U+10FFFF */
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
		(s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return need;
}

/* How many bytes at the beginning are UTF-8. */
static size_t
utf8_prefix(Slice text)
{
	size_t i = 0;

	while (i < text.len)
	{
		size_t len = utf8_char(text.data + i, text.len - i);

		if (len == 0)
			break;
		i += len;
	}
	return i;
}

/* Append what can be converted; how many bytes of the text that were. */
static size_t
convert_prefix(TextDecoder *decoder, Slice text, Buffer *scratch)
{
	char *from = (char *) text.data;
	size_t from_left = text.len;

	if (decoder->converter == NO_ICONV)
	{
		size_t len = utf8_prefix(text);

		buffer_append(scratch, text.data, len);
		return len;
	}
	(void) iconv(decoder->converter, NULL, NULL, NULL, NULL);
	while (from_left > 0)
	{
		size_t room = 3 * from_left + 16;
		size_t to_left = room;
		size_t done;
		char *to;

		buffer_reserve(scratch, room);
		to = scratch->data + scratch->len;
		done = iconv(decoder->converter, &from, &from_left, &to, &to_left);
		scratch->len += room - to_left;
		scratch->data[scratch->len] = '\0';
		if (done == (size_t) -1 && errno != E2BIG)
			break;
	}
	return text.len - from_left;
}

/* With a question mark for each byte that is none of a character. */
static bool
decode(TextDecoder *decoder, Slice in, Buffer *scratch, Slice *out)
{
	size_t start = scratch->len;
	bool valid = true;
	size_t at;

	*out = in;
	at = ascii_prefix(in);
	if (at == in.len)
		return true;
	buffer_append(scratch, in.data, at);
	for (;;)
	{
		Slice rest = { in.data + at, in.len - at };

		at += convert_prefix(decoder, rest, scratch);
		if (at == in.len)
			break;
		valid = false;
		buffer_putc(scratch, '?');
		at++;
	}
	out->data = scratch->data + start;
	out->len = scratch->len - start;
	return valid;
}

bool
text_decode(TextDecoder *decoder, Slice in, Buffer *scratch, Slice *out,
			Error *err)
{
	Buffer shown;

	if (decode(decoder, in, scratch, out))
		return true;
	buffer_init(&shown);
	value_show(&shown, in);
	(void) error_set(err, P_VALUE, "%s is not valid in encoding %s", shown.data,
					 decoder->encoding);
	buffer_release(&shown);
	return false;
}

bool
convert_encoded(TextDecoder *decoder, const ColumnMap *column, Slice in,
				bool raw, Buffer *decoded, Buffer *scratch, Converted *out,
				Error *err)
{
	Conversion c = { column, in, raw, scratch, out, err };
	Slice text;

	if (decoder == NULL || column->convert == CONVERT_BYTES ||
		ascii_prefix(in) == in.len)
		return convert_value(column, in, raw, scratch, out, err);
	if (decode(decoder, in, decoded, &text))
		return convert_value(column, text, raw, scratch, out, err);
	out->null = false;
	out->loss = LOSS_NONE;
	if (!conversion_lose(&c, LOSS_ENCODING, NEAR_SAME, text, in))
		return false;
	if (out->null)
		return true;
	if (!convert_value(column, text, raw, scratch, out, err))
		return false;
	if (out->loss == LOSS_NONE)
		out->loss = LOSS_ENCODING;
	return true;
}

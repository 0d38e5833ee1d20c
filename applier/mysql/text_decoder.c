/*
 * text_decoder.c
 *		Text of the source's server encoding as UTF-8.
 *
 * The copy is converted by the source itself, the stream here: keys would not be
 * found if the two were of different minds about a character.  So the encodings
 * are those in which every character of the source's conversions is the same in
 * glibc's.  Not among them are MULE_INTERNAL, which glibc has not, and
 * EUC_JIS_2004, where two characters are others.
 *
 * No server encoding has ASCII bytes within other characters, so text of ASCII
 * alone is what it is.
 */
#include <errno.h>
#include <iconv.h>

#include "base/mem.h"
#include "mysql/byte_words.h"
#include "mysql/conversion.h"

/* A character of an encoding of one byte each. */
typedef struct DecodedByte
{
	char bytes[4]; /* UTF-8 */
	uint8_t len;   /* 0: there is none */
} DecodedByte;

struct TextDecoder
{
	const char *encoding;
	bool utf8;		   /* the source does not validate, so we do */
	bool single;	   /* characters of one byte: table, no converter */
	iconv_t converter; /* of the other encodings */
	DecodedByte table[256];
};

/* As PostgreSQL and as iconv calls them. */
static const struct
{
	const char *pg;
	const char *iconv;
	bool single;
} encodings[] = {
	{ "EUC_CN", "EUC-CN", false },		  { "EUC_JP", "EUC-JP-MS", false },
	{ "EUC_KR", "EUC-KR", false },		  { "EUC_TW", "EUC-TW", false },
	{ "ISO_8859_5", "ISO-8859-5", true }, { "ISO_8859_6", "ISO-8859-6", true },
	{ "ISO_8859_7", "ISO-8859-7", true }, { "ISO_8859_8", "ISO-8859-8", true },
	{ "KOI8R", "KOI8-R", true },		  { "KOI8U", "KOI8-U", true },
	{ "LATIN1", "ISO-8859-1", true },	  { "LATIN10", "ISO-8859-16", true },
	{ "LATIN2", "ISO-8859-2", true },	  { "LATIN3", "ISO-8859-3", true },
	{ "LATIN4", "ISO-8859-4", true },	  { "LATIN5", "ISO-8859-9", true },
	{ "LATIN6", "ISO-8859-10", true },	  { "LATIN7", "ISO-8859-13", true },
	{ "LATIN8", "ISO-8859-14", true },	  { "LATIN9", "ISO-8859-15", true },
	{ "WIN1250", "CP1250", true },		  { "WIN1251", "CP1251", true },
	{ "WIN1252", "CP1252", true },		  { "WIN1253", "CP1253", true },
	{ "WIN1254", "CP1254", true },		  { "WIN1255", "CP1255", true },
	{ "WIN1256", "CP1256", true },		  { "WIN1257", "CP1257", true },
	{ "WIN1258", "CP1258", true },		  { "WIN866", "CP866", true },
	{ "WIN874", "CP874", true },
};

/*
 * Byte by byte, with the converter's state taken out in between: in texts it
 * would make one character of a letter and the accent behind it (WIN1258).
 */
static void
fill_table(TextDecoder *decoder)
{
	for (int b = 0; b < 256; b++)
	{
		DecodedByte *decoded = &decoder->table[b];
		char byte = (char) b;
		char *from = &byte;
		size_t from_left = 1;
		char *to = decoded->bytes;
		size_t to_left = sizeof(decoded->bytes);

		if (iconv(decoder->converter, &from, &from_left, &to, &to_left) ==
				(size_t) -1 ||
			iconv(decoder->converter, NULL, NULL, &to, &to_left) == (size_t) -1)
			to_left = sizeof(decoded->bytes);
		decoded->len = (uint8_t) (sizeof(decoded->bytes) - to_left);
		(void) iconv(decoder->converter, NULL, NULL, NULL, NULL);
	}
}

static TextDecoder *
decoder_new(const char *encoding)
{
	TextDecoder *decoder = mem_zalloc(sizeof(*decoder));

	decoder->encoding = encoding;
	return decoder;
}

/* NULL if iconv has it not. */
static TextDecoder *
open_iconv(const char *pg_encoding)
{
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
	{
		TextDecoder *decoder;
		iconv_t converter;

		if (strcmp(encodings[i].pg, pg_encoding) != 0)
			continue;
		converter = iconv_open("UTF-8", encodings[i].iconv);
		if (converter == (iconv_t) -1)
			return NULL;
		decoder = decoder_new(encodings[i].pg);
		decoder->single = encodings[i].single;
		decoder->converter = converter;
		if (decoder->single)
		{
			fill_table(decoder);
			iconv_close(converter);
		}
		return decoder;
	}
	return NULL;
}

bool
text_decoder_open(const char *pg_encoding, TextDecoder **decoder, Error *err)
{
	*decoder = NULL;
	/* where no source was asked, nothing of it is written: quarantine drop */
	if (pg_encoding == NULL || strcmp(pg_encoding, "UTF8") == 0)
		return true;
	if (strcmp(pg_encoding, "SQL_ASCII") == 0)
	{
		*decoder = decoder_new("UTF8");
		(*decoder)->utf8 = true;
		return true;
	}
	*decoder = open_iconv(pg_encoding);
	if (*decoder != NULL)
		return true;
	(void) error_set(err, P_SERVER_SETUP,
					 "text of encoding %s cannot be converted to UTF-8",
					 pg_encoding);
	return error_hint(err, "Copy the source into a database of encoding UTF8 "
						   "first.  If it is a common encoding, this system "
						   "lacks glibc's gconv modules.");
}

void
text_decoder_close(TextDecoder *decoder)
{
	if (decoder == NULL)
		return;
	if (!decoder->utf8 && !decoder->single)
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

static size_t
convert_bytes_prefix(const TextDecoder *decoder, Slice text, Buffer *scratch)
{
	size_t i = 0;
	char *to;

	buffer_reserve(scratch, 4 * text.len);
	to = scratch->data + scratch->len;
	for (; i < text.len; i++)
	{
		const DecodedByte *decoded =
			&decoder->table[(unsigned char) text.data[i]];

		if (decoded->len == 0)
			break;
		memcpy(to, decoded->bytes, sizeof(decoded->bytes));
		to += decoded->len;
	}
	*to = '\0';
	scratch->len = (size_t) (to - scratch->data);
	return i;
}

static size_t
convert_iconv_prefix(TextDecoder *decoder, Slice text, Buffer *scratch)
{
	char *from = (char *) text.data;
	size_t from_left = text.len;

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

/* Append what can be converted; how many bytes of the text that were. */
static size_t
convert_prefix(TextDecoder *decoder, Slice text, Buffer *scratch)
{
	size_t len;

	if (decoder->single)
		return convert_bytes_prefix(decoder, text, scratch);
	if (!decoder->utf8)
		return convert_iconv_prefix(decoder, text, scratch);
	len = utf8_prefix(text);
	buffer_append(scratch, text.data, len);
	return len;
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

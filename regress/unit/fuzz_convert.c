/*
 * fuzz_convert.c
 *		libFuzzer target: values of any kind, on their way to MySQL.
 *
 * Eight bytes say what the column is like, the rest is the value.  Whatever comes
 * is converted or refused with P_VALUE; what was converted is what a server takes
 * without a warning, by checks that are made of other code than the conversion.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mysql/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_SIZE 8
#define FLAG_NOT_NULL 1
#define FLAG_STRICT 2
#define FLAG_KEEP_SIGN 4
#define FLAG_RAW 8
#define FLAG_LIMIT 16

#define CHECK(condition)  \
	do                    \
	{                     \
		if (!(condition)) \
			abort();      \
	} while (0)

static const char *labels[] = { "sad", "ok", "" };

static void
read_head(const uint8_t *head, ColumnMap *column)
{
	memset(column, 0, sizeof(*column));
	column->name = column->target = "c";
	column->type = head[5] & FLAG_LIMIT ? "char(5)" : "longtext";
	column->convert = (ConvertKind) (head[0] % (CONVERT_HSTORE + 1));
	column->policy = (LossPolicy) (head[1] % (LOSS_TEXT + 1));
	column->precision = head[2] % 65 + 1;
	column->scale = head[3] % 39;
	if (column->scale > column->precision)
		column->scale = column->precision;
	column->max_chars = column->max_bytes = head[5] & FLAG_LIMIT ? head[4] + 1
																 : -1;
	column->not_null = (head[5] & FLAG_NOT_NULL) != 0;
	column->strict_json = (head[5] & FLAG_STRICT) != 0;
	column->keep_sign = (head[5] & FLAG_KEEP_SIGN) != 0;
	column->max_depth = column->strict_json ? 100 : 31;
	column->element = (ConvertKind) (head[6] % (CONVERT_JSON_TEXT + 1));
	if (column->convert >= CONVERT_DATE && column->convert <= CONVERT_TIME)
		column->precision %= 7;
	column->labels = labels;
	column->label_count = 3;
}

/* ---- what servers take */

static size_t
digits_at(const char **at)
{
	size_t count = strspn(*at, "0123456789");

	*at += count;
	return count;
}

static void
check_decimal(const ColumnMap *column, const char *text)
{
	size_t whole;
	bool zero;

	text += *text == '-';
	zero = *text == '0';
	whole = digits_at(&text);
	CHECK(whole >= 1);
	CHECK(whole <= (size_t) (column->precision - column->scale) ||
		  (zero && whole == 1));
	if (*text == '.')
	{
		size_t fraction;

		text++;
		fraction = digits_at(&text);
		CHECK(fraction >= 1 && fraction <= (size_t) column->scale);
	}
	CHECK(*text == '\0');
}

static void
check_double(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	CHECK(*end == '\0' && end > text && isfinite(value));
	CHECK(text[strspn(text, "0123456789.e+-")] == '\0');
}

/* strptime() knows the calendar, up to years of four digits. */
static void
check_moment(const ColumnMap *column, const char *text)
{
	const char *format = column->convert == CONVERT_DATE ? "%Y-%m-%d"
						 : column->convert == CONVERT_TIME
							 ? "%H:%M:%S"
							 : "%Y-%m-%d %H:%M:%S";
	struct tm tm = { 0 };
	const char *rest;
	size_t digits;

	if (column->convert == CONVERT_TIME && strncmp(text, "24:", 3) == 0)
		rest = text + 8;
	else
		rest = strptime(text, format, &tm);
	CHECK(rest != NULL);
	CHECK(column->convert == CONVERT_TIME || text[4] == '-');
	if (*rest != '\0')
	{
		CHECK(*rest++ == '.');
		digits = digits_at(&rest);
		CHECK(digits >= 1 && digits <= (size_t) column->precision);
	}
	CHECK(*rest == '\0');
}

/* jansson has limits that JSON does not have, and that MySQL has. */
static void
check_json(const ColumnMap *column, Slice text)
{
	json_error_t error;
	json_t *json = json_loadb(
		text.data, text.len,
		JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);

	if (json == NULL)
	{
		enum json_error_code code = json_error_code(&error);

		CHECK(code == json_error_null_byte_in_key ||
			  (code == json_error_numeric_overflow && !column->strict_json));
	}
	json_decref(json);
}

static bool
is_utf8(Slice text)
{
	json_t *string = json_stringn(text.data, text.len);
	bool valid = string != NULL;

	json_decref(string);
	return valid;
}

static size_t
count_characters(Slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char) text.data[i] & 0xC0) != 0x80;
	return count;
}

static void
check_value(const ColumnMap *column, Slice in, const Converted *out)
{
	char *text = strndup(out->bytes.data, out->bytes.len);

	switch (column->convert)
	{
		case CONVERT_DECIMAL:
		case CONVERT_MONEY:
			check_decimal(column, text);
			break;
		case CONVERT_DOUBLE:
			check_double(text);
			break;
		case CONVERT_INTEGER:
			CHECK(text[text[0] == '-'] != '\0');
			CHECK(text[(text[0] == '-') +
					   strspn(text + (text[0] == '-'), "0123456789")] == '\0');
			break;
		case CONVERT_BOOLEAN:
			CHECK(strcmp(text, "0") == 0 || strcmp(text, "1") == 0);
			break;
		case CONVERT_DATE:
		case CONVERT_DATETIME:
		case CONVERT_UTC:
		case CONVERT_TIME:
			check_moment(column, text);
			break;
		case CONVERT_JSON:
		case CONVERT_ARRAY:
		case CONVERT_HSTORE:
			if (is_utf8(in))
				check_json(column, out->bytes);
			break;
		case CONVERT_TEXT:
		case CONVERT_TRIMMED:
			CHECK(column->max_chars < 0 ||
				  (int64_t) count_characters(out->bytes) <= column->max_chars);
			/* fall through */
		case CONVERT_BYTES:
			CHECK(column->max_bytes < 0 ||
				  (int64_t) out->bytes.len <= column->max_bytes);
			break;
		default:
			break;
	}
	free(text);
}

/* ---- what is sent can be read again */

/* Behind one escaped text: what a server makes of it. */
static void
check_escaped(const char *text, size_t len, char stop, bool field, Slice want)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];

		CHECK(c != stop && c != '\0');
		if (c == '\\')
		{
			c = text[++i];
			c = c == '0'			? '\0'
				: field && c == 't' ? '\t'
				: field && c == 'n' ? '\n'
									: c;
		}
		else
			CHECK(!field || (c != '\t' && c != '\n'));
		CHECK(at < want.len && want.data[at] == c);
		at++;
	}
	CHECK(at == want.len);
}

static void
check_sent(const ColumnMap *column, const Converted *out)
{
	Buffer sql;
	LiteralKind kind = column_map_literal(column);
	size_t skip = kind == LITERAL_BYTES ? 8 : 1;

	buffer_init(&sql);
	convert_literal(&sql, column, out);
	if (out->null)
		CHECK(strcmp(sql.data, "NULL") == 0);
	else if (kind == LITERAL_TEXT || kind == LITERAL_BYTES)
		check_escaped(sql.data + skip, sql.len - skip - 1, '\'', false,
					  out->bytes);
	buffer_reset(&sql);
	convert_field(&sql, out);
	if (out->null)
		CHECK(strcmp(sql.data, "\\N") == 0);
	else
		check_escaped(sql.data, sql.len, '\t', true, out->bytes);
	buffer_release(&sql);
}

/* ---- one value */

static void
convert_one(const uint8_t *head, Slice in, TextDecoder *decoder)
{
	bool raw = (head[5] & FLAG_RAW) != 0;
	Error err = ERROR_INIT;
	ColumnMap column;
	Buffer scratch;
	Buffer decoded;
	Converted out;

	read_head(head, &column);
	buffer_init(&scratch);
	buffer_init(&decoded);
	if (!convert_encoded(decoder, &column, in, raw, &decoded, &scratch, &out,
						 &err))
		CHECK(err.code == P_VALUE && err.message[0] != '\0');
	else
	{
		CHECK(!out.null || (!column.not_null && out.loss != LOSS_NONE));
		CHECK(column.policy != LOSS_ERROR || out.loss == LOSS_NONE ||
			  out.loss == LOSS_JSON_SCALE);
		if (!out.null)
			check_value(&column, in, &out);
		check_sent(&column, &out);
	}
	buffer_release(&scratch);
	buffer_release(&decoded);
}

/* One of them is for each value; the value itself has no other encoding. */
static TextDecoder *
decoder_of(uint8_t which)
{
	static const char *const names[] = { "UTF8", "SQL_ASCII", "EUC_JP",
										 "LATIN1" };
	static TextDecoder *decoders[4];
	Error err = ERROR_INIT;

	which %= 4;
	if (decoders[which] == NULL)
		CHECK(text_decoder_open(names[which], &decoders[which], &err));
	return decoders[which];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;
	Slice in;

	if (size < HEAD_SIZE)
		return 0;
	/* of exactly its size, so that reading beyond it is seen */
	in.len = size - HEAD_SIZE;
	in.data = copy = malloc(in.len > 0 ? in.len : 1);
	memcpy(copy, data + HEAD_SIZE, in.len);
	/* the source has no text with a NUL */
	if (memchr(copy, '\0', in.len) == NULL)
		convert_one(data, in, decoder_of(data[7]));
	free(copy);
	return 0;
}

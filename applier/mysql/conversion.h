/*
 * conversion.h
 *		The parts of convert.h, for themselves: one value on its way.
 *
 *		convert.c			by kind; what is lost and what becomes of it
 *		convert_plain.c		booleans, bytes, bits, enums
 *		convert_text.c		text, by characters and bytes
 *		convert_number.c	integers, decimals, money, doubles
 *		convert_time.c		dates and times
 *		convert_json.c		what JSON of the target would change
 *		json_keys.c			keys that occur twice
 *		json_number.c		numbers as MySQL's JSON reads them
 *		convert_array.c		arrays as JSON
 *		convert_hstore.c	hstore as JSON; JSON strings
 *		convert_literal.c	what is sent
 *		text_decoder.c		text of other encodings
 *		loss_tally.c		losses that were allowed
 */
#ifndef PORTAGE_CONVERSION_H
#define PORTAGE_CONVERSION_H

#include "base/hex.h"
#include "mysql/convert.h"

typedef struct Conversion
{
	const ColumnMap *column;
	Slice in;
	bool raw; /* bytea comes as its bytes */
	Buffer *scratch;
	Converted *out;
	Error *err;
} Conversion;

/* How near the value that can be kept is to the one that cannot. */
typedef enum Nearness
{
	NEAR_SAME, /* rounded, cut, without its sign: what servers make of it */
	NEAR_FAR,  /* the end of a range, where servers would make something up */
	NEAR_NONE  /* there is none */
} Nearness;

/*
 * The value cannot be kept.  What becomes of it by the column's policy:
 *
 *				NEAR_SAME	NEAR_FAR			NEAR_NONE
 *		error	P_VALUE		P_VALUE				P_VALUE
 *		warn	near		NULL, else near		NULL, else near
 *		clamp	near		near				NULL, else near
 *		null	NULL or P_VALUE if the column is NOT NULL
 *		text	as error: a column that became text does not come here
 *
 * "else" is for a column that is NOT NULL.  culprit: the part of the value that
 * is shown.
 */
bool conversion_lose(Conversion *c, LossKind kind, Nearness nearness,
					 Slice near, Slice culprit) MUST_CHECK;

/* The output function of no such type says this: P_VALUE whatever the policy. */
bool conversion_unreadable(Conversion *c, const char *what) MUST_CHECK;

/* The whole value goes as these bytes. */
static inline bool
conversion_keep(Conversion *c, const char *data, size_t len)
{
	c->out->bytes.data = data;
	c->out->bytes.len = len;
	return true;
}

/* What was appended to scratch since it was of length start. */
static inline Slice
conversion_scratch(const Conversion *c, size_t start)
{
	Slice bytes = { c->scratch->data + start, c->scratch->len - start };

	return bytes;
}

static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') < 10;
}

/*
 * Append a value for people: in quotes, cut, with what is no printable text as
 * \xNN.
 */
void value_show(Buffer *out, Slice value);

/* Bytes up to the end of the count-th character, or all; UTF-8. */
size_t text_prefix(Slice text, int64_t chars);

/* Length of the character at the beginning; 0: it is none of UTF-8. */
size_t utf8_char(const char *data, size_t len);

bool convert_boolean(Conversion *c) MUST_CHECK;
bool convert_bytes(Conversion *c) MUST_CHECK;
bool convert_bits(Conversion *c) MUST_CHECK;
bool convert_enum(Conversion *c) MUST_CHECK;
bool convert_text(Conversion *c) MUST_CHECK;
bool convert_trimmed(Conversion *c) MUST_CHECK;
bool convert_integer(Conversion *c) MUST_CHECK;
bool convert_decimal(Conversion *c) MUST_CHECK;
bool convert_money(Conversion *c) MUST_CHECK;
bool convert_double(Conversion *c) MUST_CHECK;
bool convert_date(Conversion *c) MUST_CHECK;
bool convert_datetime(Conversion *c) MUST_CHECK;
bool convert_utc(Conversion *c) MUST_CHECK;
bool convert_time(Conversion *c) MUST_CHECK;
bool convert_json(Conversion *c) MUST_CHECK;
bool convert_array(Conversion *c) MUST_CHECK;
bool convert_hstore(Conversion *c) MUST_CHECK;

/*
 * "$1,234.56" as "1234.56", appended to scratch; false if it is none of what
 * money looks like in locale C.
 */
bool money_digits(Slice in, Buffer *scratch);

/* The bytes of "\x0aff"; false, and scratch as it was, for anything else. */
bool hex_bytes(Slice in, Buffer *scratch);

/* -?DIGITS, and -?DIGITS(.DIGITS)?(e[+-]?DIGITS)?, as they are in JSON too. */
bool is_integer_text(Slice in);
bool is_number_text(Slice in);

/* Append the inside of a JSON string; the text is UTF-8. */
void json_put_text(Buffer *out, Slice text);

/*
 * Append the string between these quotes as a JSON string: a backslash stands
 * for the byte behind it, as arrays and hstore have it.
 */
void json_put_quoted(Buffer *out, Slice quoted);

/* The string at the beginning: inside of its quotes; false if it has no end. */
bool quoted_text(Slice in, Slice *inside);

/* \uXXXX at the beginning: its code unit, -1 if it is none. */
int json_code_unit(const char *at, const char *end);

/* Halves of a surrogate pair. */
static inline bool
json_is_high(int unit)
{
	return unit >= 0xD800 && unit < 0xDC00;
}

static inline bool
json_is_low(int unit)
{
	return unit >= 0xDC00 && unit < 0xE000;
}

/* A key that the object with these members has twice; false: there is none. */
bool json_key_twice(Slice members, Slice *key);

/* What MySQL's JSON makes of a number. */
typedef enum JsonNumberFate
{
	JSON_NUMBER_KEPT,
	JSON_NUMBER_SCALE,	/* zeros are lost, the number is the same */
	JSON_NUMBER_OTHER,	/* another number */
	JSON_NUMBER_REFUSED /* an error */
} JsonNumberFate;

#define JSON_NUMBER_SIZE 32

/*
 * The token is a number as JSON has it.  instead: what to write in its place, so
 * that it is read as the same number, or of REFUSED the nearest; "": itself.
 */
JsonNumberFate json_number_fate(Slice token, char instead[JSON_NUMBER_SIZE]);

#endif /* PORTAGE_CONVERSION_H */

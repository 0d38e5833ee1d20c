/*
 * convert_array.c
 *		Arrays as JSON: {1,NULL,"a b"}, [2:3]={1,2}, {{1,2},{3,4}}.
 *
 * array_out() (src/backend/utils/adt/arrayfuncs.c) quotes what would be read as
 * something else, NULL as a text too.  Elements go straight from the array's
 * text to JSON's.
 */
#include "mysql/conversion.h"

/* as the source has it */
#define MAX_DIMENSIONS 6

typedef struct ArrayText
{
	Conversion *c;
	const char *at;
	const char *end;
	LossKind loss;
	Slice culprit;
} ArrayText;

static bool
skip_char(ArrayText *a, char c)
{
	if (a->at == a->end || *a->at != c)
		return false;
	a->at++;
	return true;
}

/* ---- elements */

/* Base64 of what is \x and hexadecimal digits; false if it is not. */
static bool
put_base64(Buffer *out, Slice hex)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t bytes;

	if (hex.len < 2 || hex.len % 2 != 0 || hex.data[0] != '\\' ||
		hex.data[1] != 'x')
		return false;
	bytes = hex.len / 2 - 1;
	buffer_putc(out, '"');
	buffer_reserve(out, (bytes + 2) / 3 * 4 + 1);
	for (size_t i = 0; i < bytes; i += 3)
	{
		unsigned group = 0;
		int count = bytes - i < 3 ? (int) (bytes - i) : 3;

		for (int b = 0; b < 3; b++)
		{
			const char *pair = hex.data + 2 * (i + (size_t) b) + 2;
			int high = b < count ? hex_digit(pair[0]) : 0;
			int low = b < count ? hex_digit(pair[1]) : 0;

			if (high < 0 || low < 0)
				return false;
			group = group << 8 | (unsigned) high << 4 | (unsigned) low;
		}
		for (int d = 0; d < 4; d++)
			buffer_putc(out,
						d <= count ? digits[group >> (18 - 6 * d) & 63] : '=');
	}
	buffer_putc(out, '"');
	return true;
}

static bool
put_money(Buffer *out, Slice text)
{
	buffer_putc(out, '"');
	if (!money_digits(text, out))
		return false;
	buffer_putc(out, '"');
	return true;
}

static bool
put_integer(Buffer *out, Slice text)
{
	if (!is_integer_text(text))
		return false;
	buffer_append(out, text.data, text.len);
	return true;
}

/* NaN and infinity are text: JSON has no such numbers. */
static bool
put_double(ArrayText *a, Slice text)
{
	Buffer *out = a->c->scratch;
	char instead[JSON_NUMBER_SIZE] = "";
	JsonNumberFate fate = JSON_NUMBER_KEPT;

	if (!is_number_text(text))
	{
		if (!slice_equal(text, slice_of("NaN")) &&
			!slice_equal(text, slice_of("Infinity")) &&
			!slice_equal(text, slice_of("-Infinity")))
			return false;
		json_put_quoted(out, text);
		return true;
	}
	if (slice_equal(text, slice_of("-0")))
		text = slice_of("-0.0"); /* an integer has no sign */
	if (a->c->column->strict_json)
		fate = json_number_fate(text, instead);
	if (a->loss == LOSS_NONE &&
		(fate == JSON_NUMBER_OTHER || fate == JSON_NUMBER_REFUSED))
	{
		a->loss = LOSS_JSON_NUMBER;
		a->culprit = text;
	}
	if (instead[0] != '\0')
		text = slice_of(instead);
	buffer_append(out, text.data, text.len);
	return true;
}

static bool
put_boolean(Buffer *out, Slice text)
{
	if (text.len != 1 || (text.data[0] != 't' && text.data[0] != 'f'))
		return false;
	buffer_puts(out, text.data[0] == 't' ? "true" : "false");
	return true;
}

/* An element that is not null; of a quoted one, what is inside of the quotes. */
static bool
put_element(ArrayText *a, Slice text)
{
	Buffer *out = a->c->scratch;

	switch (a->c->column->element)
	{
		case CONVERT_INTEGER:
			return put_integer(out, text);
		case CONVERT_DOUBLE:
			return put_double(a, text);
		case CONVERT_BOOLEAN:
			return put_boolean(out, text);
		case CONVERT_MONEY:
			return put_money(out, text);
		case CONVERT_BYTES:
			if (text.len > 0 && text.data[0] == '\\')
			{
				text.data++; /* it is escaped by another one */
				text.len--;
			}
			return put_base64(out, text);
		default:
			json_put_quoted(out, text);
			return true;
	}
}

static bool
take_element(ArrayText *a)
{
	Slice rest = { a->at, (size_t) (a->end - a->at) };
	Slice text;

	if (quoted_text(rest, &text))
	{
		a->at += text.len + 2;
		return put_element(a, text);
	}
	text.data = a->at;
	while (a->at < a->end && *a->at != ',' && *a->at != '}' && *a->at != '{' &&
		   *a->at != '"' && *a->at != '\\')
		a->at++;
	text.len = (size_t) (a->at - text.data);
	if (text.len == 0)
		return false;
	if (!slice_equal(text, slice_of("NULL")))
		return put_element(a, text);
	buffer_puts(a->c->scratch, "null");
	return true;
}

/* ---- the array */

/* [LOW:HIGH]... =, where a dimension does not begin with 1. */
static bool
take_bounds(ArrayText *a)
{
	const char *from = a->at;

	while (skip_char(a, '['))
	{
		int colons = 0;

		while (a->at < a->end &&
			   (is_digit(*a->at) || *a->at == '-' || *a->at == ':'))
			colons += *a->at++ == ':';
		if (colons != 1 || !skip_char(a, ']'))
			return false;
	}
	if (a->at == from)
		return true;
	a->loss = LOSS_BOUNDS;
	a->culprit = a->c->in;
	return skip_char(a, '=');
}

/* The cursor is at the first brace. */
static bool
take_array(ArrayText *a)
{
	Buffer *out = a->c->scratch;
	int depth = 0;

	for (;;)
	{
		while (skip_char(a, '{'))
		{
			if (++depth > MAX_DIMENSIONS)
				return false;
			buffer_putc(out, '[');
		}
		if (depth == 0)
			return false;
		/* only a whole array can be empty */
		if (!(depth == 1 && a->at[-1] == '{' && a->at < a->end &&
			  *a->at == '}') &&
			!take_element(a))
			return false;
		while (skip_char(a, '}'))
		{
			buffer_putc(out, ']');
			if (--depth == 0)
				return a->at == a->end;
		}
		if (!skip_char(a, ','))
			return false;
		buffer_putc(out, ',');
	}
}

bool
convert_array(Conversion *c)
{
	ArrayText a = { .c = c,
					.at = c->in.data,
					.end = c->in.data + c->in.len,
					.loss = LOSS_NONE };
	size_t start = c->scratch->len;

	if (!take_bounds(&a) || !take_array(&a))
		return conversion_unreadable(c, "an array");
	c->out->bytes = conversion_scratch(c, start);
	return a.loss == LOSS_NONE ||
		   conversion_lose(c, a.loss, NEAR_SAME, c->out->bytes, a.culprit);
}

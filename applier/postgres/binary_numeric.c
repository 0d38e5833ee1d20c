/*
 * binary_numeric.c
 *		See binary_numeric.h.
 *
 * Four 16-bit numbers: the count of digits, the power of 10000 that the first
 * one counts, the sign, the decimals shown; then the digits (numeric_recv(),
 * src/backend/utils/adt/numeric.c).  Infinity is not known before 14 and left
 * to the server.
 */
#include "postgres/binary_numeric.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define DIGITS 4		/* decimal digits in one of base 10000 */
#define HEADER_BYTES 12 /* the length and four numbers */
#define SIGN_NEGATIVE 0x4000
#define SIGN_NAN 0xC000

/* the most that numeric_out() writes before and behind the point */
#define MAX_WHOLE 131072
#define MAX_DECIMALS 16383

/* The decimal digits, and where the point is. */
typedef struct Number
{
	bool negative;
	const char *whole;
	const char *decimals;
	size_t whole_len;
	size_t decimals_len;
} Number;

static size_t
count_digits(Slice text)
{
	size_t i = 0;

	while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9')
		i++;
	return i;
}

static Slice
slice_from(Slice text, size_t offset)
{
	return (Slice){ text.data + offset, text.len - offset };
}

static bool
parse(Slice text, Number *number)
{
	number->negative = text.len > 0 && text.data[0] == '-';
	text = slice_from(text, number->negative);
	number->whole = text.data;
	number->whole_len = count_digits(text);
	text = slice_from(text, number->whole_len);
	number->decimals = text.data;
	number->decimals_len = 0;
	if (text.len > 1 && text.data[0] == '.')
	{
		text = slice_from(text, 1);
		number->decimals = text.data;
		number->decimals_len = count_digits(text);
		text = slice_from(text, number->decimals_len);
	}
	return text.len == 0 && number->whole_len > 0 &&
		   number->whole_len <= MAX_WHOLE &&
		   number->decimals_len <= MAX_DECIMALS;
}

/* Up to four decimal digits; zeros stand behind those of the decimals. */
static uint16_t
digit_at(const char *digits, size_t len, bool padded)
{
	unsigned value = 0;

	for (size_t i = 0; i < DIGITS; i++)
	{
		if (i < len)
			value = value * 10 + (unsigned) (digits[i] - '0');
		else if (padded)
			value *= 10;
	}
	return (uint16_t) value;
}

/* Appended by raw writes: the caller has reserved the room. */
static void
put_int16(Buffer *out, uint16_t value)
{
	value = htobe16(value);
	memcpy(out->data + out->len, &value, sizeof(value));
	out->len += sizeof(value);
}

/* Digits that were put, without zeros before the first that counts. */
typedef struct Digits
{
	Buffer *out;
	size_t count;
	size_t last; /* the count when the last one but zeros was put */
	int weight;	 /* of the first one */
} Digits;

static void
put_digit(Digits *digits, uint16_t digit)
{
	if (digits->count == 0 && digit == 0)
	{
		digits->weight--;
		return;
	}
	put_int16(digits->out, digit);
	digits->count++;
	if (digit != 0)
		digits->last = digits->count;
}

/* The digits, aligned at the point, without zeros at either end. */
static void
put_digits(Digits *digits, const Number *number)
{
	size_t head = number->whole_len % DIGITS;

	if (head > 0)
		put_digit(digits, digit_at(number->whole, head, false));
	for (size_t i = head; i < number->whole_len; i += DIGITS)
		put_digit(digits, digit_at(number->whole + i, DIGITS, false));
	for (size_t i = 0; i < number->decimals_len; i += DIGITS)
	{
		size_t left = number->decimals_len - i;

		put_digit(digits, digit_at(number->decimals + i,
								   left < DIGITS ? left : DIGITS, true));
	}
	digits->out->len -= 2 * (digits->count - digits->last);
}

/* The length and the four numbers, before the digits if there are any. */
static void
put_header(Buffer *out, size_t at, const Digits *digits, uint16_t sign,
		   size_t decimals)
{
	size_t count = digits->last;
	uint32_t len = htobe32((uint32_t) (8 + 2 * count));

	memcpy(out->data + at, &len, sizeof(len));
	out->len = at + sizeof(len);
	put_int16(out, (uint16_t) count);
	put_int16(out, count > 0 ? (uint16_t) digits->weight : 0);
	put_int16(out, count > 0 || sign == SIGN_NAN ? sign : 0);
	put_int16(out, (uint16_t) decimals);
	out->len += 2 * count;
	out->data[out->len] = '\0';
}

bool
binary_put_numeric(Buffer *out, Slice text)
{
	size_t at = out->len;
	Digits digits = { .out = out };
	Number number;

	buffer_reserve(out, HEADER_BYTES + text.len + 2 * DIGITS);
	if (text.len == 3 && memcmp(text.data, "NaN", 3) == 0)
	{
		put_header(out, at, &digits, SIGN_NAN, 0);
		return true;
	}
	if (!parse(text, &number))
		return false;
	digits.weight = (int) ((number.whole_len + DIGITS - 1) / DIGITS) - 1;
	out->len += HEADER_BYTES;
	put_digits(&digits, &number);
	put_header(out, at, &digits, number.negative ? SIGN_NEGATIVE : 0,
			   number.decimals_len);
	return true;
}

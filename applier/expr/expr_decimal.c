/*
 * expr_decimal.c
 *		See expr_decimal.h.
 */
#include "expr/expr_decimal.h"

#include <string.h>

#include "base/buffer.h"
#include "base/mem.h"

void
decimal_parse(const char *text, size_t len, Decimal *exact)
{
	size_t i = 0;

	exact->digits = mem_alloc(len + 2);
	exact->count = 0;
	exact->scale = 0;
	exact->negative = text[0] == '-';
	if (text[0] == '-' || text[0] == '+')
		i++;
	for (; i < len; i++)
	{
		if (text[i] == '.')
			exact->scale = (int) (len - i) - 1;
		else
			exact->digits[exact->count++] = text[i];
	}
	exact->digits[exact->count] = '\0';
}

void
decimal_increment(Decimal *exact)
{
	int i;

	for (i = exact->count - 1; i >= 0 && exact->digits[i] == '9'; i--)
		exact->digits[i] = '0';
	if (i >= 0)
	{
		exact->digits[i]++;
		return;
	}
	memmove(exact->digits + 1, exact->digits, (size_t) exact->count + 1);
	exact->digits[0] = '1';
	exact->count++;
}

void
decimal_set_scale(Decimal *exact, int scale)
{
	int more = scale - exact->scale;

	if (more > 0)
	{
		exact->digits = mem_realloc(exact->digits,
									(size_t) (exact->count + more) + 2);
		memset(exact->digits + exact->count, '0', (size_t) more);
	}
	exact->count += more;
	if (exact->count < 0)
		exact->count = 0;
	exact->digits[exact->count] = '\0';
	exact->scale = scale;
}

void
decimal_round(Decimal *exact, int scale)
{
	int keep = exact->count - (exact->scale - scale);
	bool up = keep >= 0 && keep < exact->count && exact->digits[keep] > '4';

	decimal_set_scale(exact, scale);
	if (up)
		decimal_increment(exact);
	if (scale < 0)
		decimal_set_scale(exact, 0);
}

char *
decimal_print(const Decimal *exact, size_t *len)
{
	int skip = 0;
	int whole;
	Buffer text;

	while (skip < exact->count - exact->scale && exact->digits[skip] == '0')
		skip++;
	whole = exact->count - exact->scale - skip;
	buffer_init(&text);
	if (exact->negative && strspn(exact->digits, "0") != (size_t) exact->count)
		buffer_putc(&text, '-');
	if (whole > 0)
		buffer_append(&text, exact->digits + skip, (size_t) whole);
	else
		buffer_putc(&text, '0');
	if (exact->scale > 0)
	{
		buffer_putc(&text, '.');
		for (; whole < 0; whole++)
			buffer_putc(&text, '0');
		/* fewer digits than the scale: all there are */
		buffer_append(
			&text,
			exact->digits + exact->count -
				(exact->count < exact->scale ? exact->count : exact->scale),
			(size_t) (exact->count < exact->scale ? exact->count
												  : exact->scale));
	}
	*len = text.len;
	return text.data;
}

void
decimal_decrement(Decimal *exact)
{
	int i;

	for (i = exact->count - 1; i >= 0 && exact->digits[i] == '0'; i--)
		exact->digits[i] = '9';
	if (i >= 0)
		exact->digits[i]--;
}

/*
 * test_buffer.c
 *		Buffers: growth, the NUL behind the end, emptiness.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "tap.h"

static void
test_empty(void)
{
	Buffer buffer;

	buffer_init(&buffer);
	is_str(buffer.data, "", "a new buffer can be printed");
	is_int(buffer.len, 0, "and is empty");
	buffer_reset(&buffer);
	is_str(buffer.data, "", "still after a reset");
	buffer_append(&buffer, NULL, 0);
	is_int(buffer.len, 0, "nothing can be appended");
	buffer_release(&buffer);
	buffer_release(&buffer);
	is_str(buffer.data, "", "and after being released twice");
}

static void
test_append(void)
{
	Buffer buffer;
	bool terminated = true;

	buffer_init(&buffer);
	for (int i = 0; i < 5000; i++)
	{
		buffer_putc(&buffer, (char) ('a' + i % 26));
		terminated = terminated && buffer.data[buffer.len] == '\0';
	}
	ok(terminated, "there always is a NUL behind the last byte");
	is_int(buffer.len, 5000, "every byte counts");
	ok(buffer.data[0] == 'a' && buffer.data[4999] == 'a' + 4999 % 26,
	   "growing keeps what was there");
	buffer_reset(&buffer);
	is_str(buffer.data, "", "a reset empties it");
	buffer_append(&buffer, "a\0b", 3);
	ok(buffer.len == 3 && memcmp(buffer.data, "a\0b", 4) == 0,
	   "NULs are bytes like others");
	buffer_release(&buffer);
}

static void
test_printf(void)
{
	Buffer buffer;

	buffer_init(&buffer);
	buffer_puts(&buffer, "n=");
	buffer_printf(&buffer, "%d, %s", 7, "seven");
	is_str(buffer.data, "n=7, seven", "printf appends");
	buffer_printf(&buffer, "%300d", 1);
	is_int(buffer.len, 310, "and grows");
	buffer_printf(&buffer, "%s", "");
	is_int(buffer.len, 310, "by nothing as well");
	buffer_reserve(&buffer, 100000);
	ok(buffer.capacity > 100000 && buffer.len == 310, "reserve only reserves");
	buffer_release(&buffer);
}

int
main(void)
{
	test_empty();
	test_append();
	test_printf();
	return done_testing();
}

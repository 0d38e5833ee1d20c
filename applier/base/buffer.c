/*
 * buffer.c
 *		See buffer.h.
 *
 * An empty buffer has no memory of its own: data points to a shared constant
 * NUL that nothing writes to, because every write goes through
 * buffer_reserve().
 */
#include "base/buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CAPACITY_MIN ((size_t) 64)

static char nothing[1] = "";

void
buffer_init(Buffer *buffer)
{
	buffer->data = nothing;
	buffer->len = 0;
	buffer->capacity = 0;
}

void
buffer_release(Buffer *buffer)
{
	if (buffer->capacity > 0)
		mem_free(buffer->data);
	buffer_init(buffer);
}

void
buffer_reset(Buffer *buffer)
{
	buffer->len = 0;
	if (buffer->capacity > 0)
		buffer->data[0] = '\0';
}

void
buffer_reserve(Buffer *buffer, size_t len)
{
	size_t capacity = buffer->capacity;
	size_t needed;

	if (__builtin_add_overflow(buffer->len, len, &needed) ||
		__builtin_add_overflow(needed, 1, &needed) || needed > SIZE_MAX / 4)
		BUG("buffer of %zu bytes cannot grow by %zu", buffer->len, len);
	if (needed <= capacity)
		return;
	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	while (capacity < needed)
		capacity *= 2;
	buffer->data = mem_realloc(buffer->capacity > 0 ? buffer->data : NULL,
							   capacity);
	buffer->capacity = capacity;
	buffer->data[buffer->len] = '\0';
}

void
buffer_append(Buffer *buffer, const void *data, size_t len)
{
	buffer_reserve(buffer, len);
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void
buffer_puts(Buffer *buffer, const char *s)
{
	buffer_append(buffer, s, strlen(s));
}

void
buffer_putc(Buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

void
buffer_printf(Buffer *buffer, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		BUG("bad format \"%s\"", fmt);
	buffer_reserve(buffer, (size_t) len);
	va_start(args, fmt);
	vsnprintf(buffer->data + buffer->len, (size_t) len + 1, fmt, args);
	va_end(args);
	buffer->len += (size_t) len;
}

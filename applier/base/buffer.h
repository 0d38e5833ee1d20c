/*
 * buffer.h
 *		A growing string of bytes, always with a NUL behind its last byte.
 *
 * data is never NULL after buffer_init(), so that it can be printed.
 */
#ifndef PORTAGE_BUFFER_H
#define PORTAGE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Buffer
{
	char *data;
	size_t len;
	size_t capacity; /* 0: data points to a constant empty string */
} Buffer;

void buffer_init(Buffer *buffer);
void buffer_release(Buffer *buffer);

/* Make it empty, keep the memory. */
void buffer_reset(Buffer *buffer);

/* Room for len more bytes and a NUL. */
void buffer_reserve(Buffer *buffer, size_t len);

void buffer_append(Buffer *buffer, const void *data, size_t len);
void buffer_puts(Buffer *buffer, const char *s);
void buffer_putc(Buffer *buffer, char c);
void buffer_printf(Buffer *buffer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* PORTAGE_BUFFER_H */

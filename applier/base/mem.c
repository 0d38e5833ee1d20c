/*
 * mem.c
 *		See mem.h.
 *
 * The last words are formatted on the stack and written with one write(2):
 * they must come out when the heap is exhausted or damaged.  The process then
 * ends without running exit handlers, because other threads still run.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define EXIT_BUG 70
#define FIRST_ROOM 16 /* elements */

static void
last_words(const char *text)
{
	char line[2048];
	int len;
	ssize_t ignored;

	len = snprintf(line, sizeof(line), "pg_portage: bug: %s [P%04d]\n", text,
				   P_BUG);
	if (len > (int) sizeof(line) - 1)
		len = (int) sizeof(line) - 1;
	ignored = write(STDERR_FILENO, line, (size_t) len);
	(void) ignored;
	_exit(EXIT_BUG);
}

static void
out_of_memory(size_t size)
{
	char text[80];

	snprintf(text, sizeof(text), "out of memory: %zu bytes were refused", size);
	last_words(text);
}

void *
mem_alloc(size_t size)
{
	void *ptr = malloc(size > 0 ? size : 1);

	if (ptr == NULL)
		out_of_memory(size);
	return ptr;
}

void *
mem_zalloc(size_t size)
{
	void *ptr = calloc(1, size > 0 ? size : 1);

	if (ptr == NULL)
		out_of_memory(size);
	return ptr;
}

void *
mem_realloc(void *ptr, size_t size)
{
	void *moved = realloc(ptr, size > 0 ? size : 1);

	if (moved == NULL)
		out_of_memory(size);
	return moved;
}

void *
mem_room(void *array, int count, int *capacity, size_t element_size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity * 2 + FIRST_ROOM;
	return mem_realloc(array, (size_t) *capacity * element_size);
}

char *
mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(mem_alloc(size), s, size);
}

void
mem_free(void *ptr)
{
	free(ptr);
}

void
bug_at(const char *file, int line, const char *fmt, ...)
{
	char message[1024];
	char text[1536];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	snprintf(text, sizeof(text), "%s (%s:%d)", message, file, line);
	last_words(text);
	/* not reached, but the compiler cannot see that in last_words() */
	_exit(EXIT_BUG);
}

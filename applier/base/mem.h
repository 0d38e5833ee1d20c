/*
 * mem.h
 *		Allocation that cannot fail, and the end of a process that is wrong.
 *
 * Running out of memory and a broken invariant are not errors that a caller
 * could handle: the process says what happened and exits with 70.  Starting it
 * again is safe at every moment, by the same path as after a crash.
 */
#ifndef PORTAGE_MEM_H
#define PORTAGE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *ptr, size_t size);
/*
 * The array with room for one more element behind its count: where it lies now,
 * never NULL.  It doubles; *capacity is 0 for an array that is NULL.
 */
void *mem_room(void *array, int count, int *capacity, size_t element_size);
char *mem_strdup(const char *s);
void mem_free(void *ptr);

/* Say "pg_portage: bug: MESSAGE [P0901]" and exit with 70. */
void bug_at(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
#define BUG_UNLESS(condition)      \
	do                             \
	{                              \
		if (!(condition))          \
			BUG("%s", #condition); \
	} while (0)

#endif /* PORTAGE_MEM_H */

/*
 * slice.h
 *		A view of bytes: pointer and length together, no ownership.
 */
#ifndef PORTAGE_SLICE_H
#define PORTAGE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct Slice
{
	const char *data;
	size_t len;
} Slice;

/* A slice over a C string (without its NUL). */
static inline Slice
slice_of(const char *s)
{
	Slice slice = { s, strlen(s) };

	return slice;
}

static inline bool
slice_equal(Slice a, Slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif /* PORTAGE_SLICE_H */

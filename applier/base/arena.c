/*
 * arena.c
 *		See arena.h.
 *
 * A list of chunks, the newest first; only the newest is allocated from.  An
 * allocation larger than a chunk gets a chunk of its own, which is put behind
 * the newest so that the room left there is not lost.  Ordinary chunks double
 * in size, so their number stays small however much an arena holds.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES_MIN ((size_t) 4096)
#define CHUNK_BYTES_MAX ((size_t) 1024 * 1024)
#define FIRST_ROOM ((size_t) 8) /* elements, a power of two */

struct ArenaChunk
{
	ArenaChunk *next;
	size_t size; /* bytes in data */
	size_t used;
	alignas(max_align_t) char data[];
};

#ifndef ARENA_DEBUG
static size_t
align_up(size_t size)
{
	const size_t step = alignof(max_align_t);

	if (size > SIZE_MAX / 2)
		BUG("allocation of %zu bytes", size);
	return (size + step - 1) / step * step;
}
#endif

static ArenaChunk *
chunk_new(size_t size)
{
	ArenaChunk *chunk = mem_alloc(sizeof(ArenaChunk) + size);

	chunk->next = NULL;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

static void
chunk_list_free(ArenaChunk *chunk)
{
	while (chunk != NULL)
	{
		ArenaChunk *next = chunk->next;

		mem_free(chunk);
		chunk = next;
	}
}

void
arena_init(Arena *arena)
{
	arena->chunks = NULL;
	arena->used_bytes = 0;
	arena->chunk_bytes = CHUNK_BYTES_MIN;
}

void
arena_reset(Arena *arena)
{
	ArenaChunk *kept = arena->chunks;

#ifdef ARENA_DEBUG
	arena_release(arena);
	kept = NULL;
#endif
	if (kept == NULL)
		return;
	if (kept->size > CHUNK_BYTES_MAX)
	{
		/* a single huge result must not stay for the arena's whole life */
		arena_release(arena);
		return;
	}
	chunk_list_free(kept->next);
	kept->next = NULL;
	kept->used = 0;
	arena->used_bytes = 0;
}

void
arena_release(Arena *arena)
{
	chunk_list_free(arena->chunks);
	arena_init(arena);
}

/* A chunk with room for size bytes: the newest, or a new one. */
static ArenaChunk *
chunk_with_room(Arena *arena, size_t size)
{
	ArenaChunk *newest = arena->chunks;
	ArenaChunk *chunk;

#ifndef ARENA_DEBUG
	if (newest != NULL && newest->size - newest->used >= size)
		return newest;
	if (size <= arena->chunk_bytes)
	{
		chunk = chunk_new(arena->chunk_bytes);
		if (arena->chunk_bytes < CHUNK_BYTES_MAX)
			arena->chunk_bytes *= 2;
		chunk->next = newest;
		arena->chunks = chunk;
		return chunk;
	}
#endif
	chunk = chunk_new(size);
	if (newest == NULL)
		arena->chunks = chunk;
	else
	{
		chunk->next = newest->next;
		newest->next = chunk;
	}
	return chunk;
}

void *
arena_alloc(Arena *arena, size_t size)
{
#ifdef ARENA_DEBUG
	/* not rounded up, so that ASan sees a read one byte past the end */
	size_t room = size;
#else
	size_t room = align_up(size > 0 ? size : 1);
#endif
	ArenaChunk *chunk = chunk_with_room(arena, room);
	void *ptr = chunk->data + chunk->used;

	chunk->used += room;
	arena->used_bytes += size;
	return ptr;
}

void *
arena_zalloc(Arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &bytes))
		BUG("allocation of %zu times %zu bytes", count, size);
	ptr = arena_alloc(arena, bytes);
	memset(ptr, 0, bytes);
	return ptr;
}

void *
arena_room(Arena *arena, void *array, int count, size_t element_size)
{
	size_t used = (size_t) count;
	void *larger;

	/* full at 0, and at powers of two from the first room on */
	if (used > 0 && (used < FIRST_ROOM || (used & (used - 1)) != 0))
		return array;
	larger = arena_zalloc(arena, used > 0 ? used * 2 : FIRST_ROOM,
						  element_size);
	if (used > 0)
		memcpy(larger, array, used * element_size);
	return larger;
}

char *
arena_strdup(Arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *
arena_strndup(Arena *arena, const char *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		BUG("string of %zu bytes", len);
	copy = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_printf(Arena *arena, const char *fmt, ...)
{
	va_list args;
	int len;
	char *text;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		BUG("bad format \"%s\"", fmt);
	text = arena_alloc(arena, (size_t) len + 1);
	va_start(args, fmt);
	vsnprintf(text, (size_t) len + 1, fmt, args);
	va_end(args);
	return text;
}

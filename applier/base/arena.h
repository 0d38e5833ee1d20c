/*
 * arena.h
 *		Memory that is given back all at once.
 *
 * An arena is named by its lifetime (session, frame, call) and passed to
 * whoever allocates for that lifetime, so a parameter list shows where a
 * result lives.  Allocation cannot fail (mem.h).  An arena is used by one
 * thread at a time.
 *
 * With -DARENA_DEBUG every allocation is a malloc of its own, so that ASan and
 * valgrind see each of them.
 */
#ifndef PORTAGE_ARENA_H
#define PORTAGE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

typedef struct ArenaChunk ArenaChunk;

typedef struct Arena
{
	ArenaChunk *chunks; /* newest first */
	size_t used_bytes;	/* sum of all allocations since the reset */
	size_t chunk_bytes; /* size of the next ordinary chunk */
} Arena;

/* An empty arena; allocates nothing until it is used. */
void arena_init(Arena *arena);

/* Forget every allocation; may keep one chunk for the next use. */
void arena_reset(Arena *arena);

/* Give everything back; the arena is empty and can be used again. */
void arena_release(Arena *arena);

/* Memory aligned for any type, not zeroed; size 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size);

/* The same, zeroed; count * size is checked for overflow. */
void *arena_zalloc(Arena *arena, size_t count, size_t size);

/*
 * An array of count elements with room for one more behind them, which is zeroed:
 * where it lies now.  NULL with 0 begins one; it doubles, and must have grown by
 * this function alone.
 */
void *arena_room(Arena *arena, void *array, int count, size_t element_size);

/* A copy with a NUL behind it. */
char *arena_strdup(Arena *arena, const char *s);
char *arena_strndup(Arena *arena, const char *s, size_t len);
char *arena_printf(Arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define ARENA_NEW(arena, type) ((type *) arena_zalloc((arena), 1, sizeof(type)))
#define ARENA_ARRAY(arena, type, n) \
	((type *) arena_zalloc((arena), (n), sizeof(type)))

#endif /* PORTAGE_ARENA_H */

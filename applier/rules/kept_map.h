/*
 * kept_map.h
 *		What is kept on the target, in memory: 128-bit hashes with a number each.
 *
 * Quarantined keys and counters, of which only these are asked for.
 */
#ifndef PORTAGE_KEPT_MAP_H
#define PORTAGE_KEPT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

typedef struct KeptSlot
{
	uint64_t high;
	uint64_t low;
	int64_t number;
	bool used;
	bool removed; /* used once: searches go on behind it */
} KeptSlot;

typedef struct KeptMap
{
	KeptSlot *slots; /* open addressing; a power of two, or none */
	size_t capacity;
	size_t filled; /* slots that are used or removed */
	size_t count;
} KeptMap;

void kept_map_release(KeptMap *map);

/* The number kept for area and key; false if there is none. */
bool
kept_map_find(const KeptMap *map, const char *area, Slice key, int64_t *number);
void kept_map_put(KeptMap *map, const char *area, Slice key, int64_t number);
void kept_map_remove(KeptMap *map, const char *area, Slice key);

#endif /* PORTAGE_KEPT_MAP_H */

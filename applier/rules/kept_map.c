/*
 * kept_map.c
 *		See kept_map.h.
 */
#include "rules/kept_map.h"

#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define FIRST_CAPACITY 64

void
kept_map_release(KeptMap *map)
{
	mem_free(map->slots);
	memset(map, 0, sizeof(*map));
}

static XXH128_hash_t
hash_of(const char *area, Slice key)
{
	uint64_t seed = (uint64_t) XXH3_64bits(area, strlen(area));

	return XXH3_128bits_withSeed(key.data, key.len, seed);
}

/* Its slot, or a free one to put it into. */
static KeptSlot *
slot_of(const KeptMap *map, XXH128_hash_t hash)
{
	size_t i = (size_t) hash.low64 & (map->capacity - 1);

	while (map->slots[i].used || map->slots[i].removed)
	{
		if (map->slots[i].used && map->slots[i].high == hash.high64 &&
			map->slots[i].low == hash.low64)
			break;
		i = (i + 1) & (map->capacity - 1);
	}
	return &map->slots[i];
}

bool
kept_map_find(const KeptMap *map, const char *area, Slice key, int64_t *number)
{
	const KeptSlot *slot;

	if (map->count == 0)
		return false;
	slot = slot_of(map, hash_of(area, key));
	if (slot->used)
		*number = slot->number;
	return slot->used;
}

static void
grow(KeptMap *map)
{
	KeptMap bigger = { .capacity = FIRST_CAPACITY };

	while (bigger.capacity < map->count * 4)
		bigger.capacity *= 2;
	bigger.slots = mem_zalloc(bigger.capacity * sizeof(*bigger.slots));
	for (size_t i = 0; i < map->capacity; i++)
	{
		const KeptSlot *slot = &map->slots[i];

		if (slot->used)
			*slot_of(&bigger, (XXH128_hash_t){ slot->low, slot->high }) = *slot;
	}
	bigger.count = map->count;
	bigger.filled = map->count;
	mem_free(map->slots);
	*map = bigger;
}

void
kept_map_put(KeptMap *map, const char *area, Slice key, int64_t number)
{
	XXH128_hash_t hash = hash_of(area, key);
	KeptSlot *slot;

	if (map->filled * 2 >= map->capacity)
		grow(map);
	slot = slot_of(map, hash);
	if (!slot->used)
	{
		map->count++;
		map->filled++;
	}
	*slot = (KeptSlot){ hash.high64, hash.low64, number, true, false };
}

void
kept_map_remove(KeptMap *map, const char *area, Slice key)
{
	KeptSlot *slot;

	if (map->count == 0)
		return;
	slot = slot_of(map, hash_of(area, key));
	if (!slot->used)
		return;
	slot->used = false;
	slot->removed = true;
	map->count--;
}

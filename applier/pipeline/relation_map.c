/*
 * relation_map.c
 *		A hash table from OID to relation; entries are replaced, never removed.
 */
#include "pipeline/relation_map.h"

#include "base/mem.h"

#define FIRST_CAPACITY 64

void
relation_map_init(RelationMap *map)
{
	map->slots = NULL;
	map->capacity = 0;
	map->count = 0;
}

void
relation_map_release(RelationMap *map)
{
	size_t i;

	for (i = 0; i < map->capacity; i++)
		relation_release(map->slots[i].relation);
	mem_free(map->slots);
	relation_map_init(map);
}

/* Fibonacci hashing: OIDs are dense, their high product bits are not. */
static size_t
slot_of(const RelationMap *map, uint32_t oid)
{
	size_t i = ((uint64_t) oid * UINT64_C(0x9E3779B97F4A7C15)) >> 32;

	for (i &= map->capacity - 1;
		 map->slots[i].relation != NULL && map->slots[i].relation->oid != oid;
		 i = (i + 1) & (map->capacity - 1))
		;
	return i;
}

RelationSlot *
relation_map_find(RelationMap *map, uint32_t oid)
{
	RelationSlot *slot;

	if (map->capacity == 0)
		return NULL;
	slot = &map->slots[slot_of(map, oid)];
	return slot->relation != NULL ? slot : NULL;
}

static void
map_grow(RelationMap *map)
{
	RelationMap bigger = { NULL, 0, map->count };
	size_t i;

	bigger.capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
	bigger.slots = mem_zalloc(bigger.capacity * sizeof(*bigger.slots));
	for (i = 0; i < map->capacity; i++)
	{
		if (map->slots[i].relation != NULL)
			bigger.slots[slot_of(&bigger, map->slots[i].relation->oid)] =
				map->slots[i];
	}
	mem_free(map->slots);
	*map = bigger;
}

void
relation_map_put(RelationMap *map, const Relation *relation)
{
	RelationSlot *slot;

	if (map->count * 2 >= map->capacity)
		map_grow(map);
	slot = &map->slots[slot_of(map, relation->oid)];
	if (slot->relation != NULL)
		relation_release(slot->relation);
	else
		map->count++;
	slot->relation = relation;
	slot->frame_mark = 0;
}

/*
 * key_map.c
 *		See key_map.h.  Probing is linear; at most half of the slots are used.
 */
#include "plan/key_map.h"

#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define MIN_CAPACITY 1024

void
key_map_init(KeyMap *map)
{
	memset(map, 0, sizeof(*map));
}

void
key_map_reset(KeyMap *map)
{
	if (map->used > 0)
		memset(map->slots, 0, map->capacity * sizeof(*map->slots));
	map->used = 0;
}

void
key_map_release(KeyMap *map)
{
	mem_free(map->slots);
	key_map_init(map);
}

uint64_t
key_hash(const PlanTable *table, const Value *key)
{
	const Relation *relation = table->relation;
	uint64_t hash = table->id;

	for (int i = 0; i < relation->column_count; i++)
	{
		if ((relation->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			hash = XXH3_64bits_withSeed(key[i].data, key[i].len, hash);
	}
	return hash;
}

bool
key_equal(const Relation *relation, const Value *a, const Value *b)
{
	for (int i = 0; i < relation->column_count; i++)
	{
		if ((relation->columns[i].flags & WIRE_COLUMN_KEY) != 0 &&
			(a[i].len != b[i].len || memcmp(a[i].data, b[i].data, a[i].len)))
			return false;
	}
	return true;
}

PlanOp *
key_map_find(const KeyMap *map, const PlanTable *table, uint64_t generation,
			 uint64_t hash, const Value *key)
{
	PlanOp *op;

	if (map->used == 0)
		return NULL;
	for (size_t i = hash & (map->capacity - 1); (op = map->slots[i].op) != NULL;
		 i = (i + 1) & (map->capacity - 1))
	{
		if (map->slots[i].hash == hash && op->table == table &&
			op->generation == generation &&
			key_equal(table->relation, op->key, key))
			return op;
	}
	return NULL;
}

static void
place(KeyMap *map, PlanOp *op)
{
	size_t i = op->hash & (map->capacity - 1);

	while (map->slots[i].op != NULL)
		i = (i + 1) & (map->capacity - 1);
	map->slots[i] = (KeySlot){ op->hash, op };
	map->used++;
}

static void
grow(KeyMap *map)
{
	KeyMap bigger = {
		.capacity = map->capacity > 0 ? map->capacity * 2 : MIN_CAPACITY,
	};

	bigger.slots = mem_zalloc(bigger.capacity * sizeof(*bigger.slots));
	for (size_t i = 0; i < map->capacity; i++)
	{
		if (map->slots[i].op != NULL)
			place(&bigger, map->slots[i].op);
	}
	mem_free(map->slots);
	*map = bigger;
}

void
key_map_put(KeyMap *map, PlanOp *op)
{
	if (map->used >= map->capacity / 2)
		grow(map);
	place(map, op);
}

/*
 * key_map.h
 *		Finds the operation on a row by table and key.
 *
 * Open addressing with pointers into somebody else's memory.  Entries of older
 * generations of a table are dead: they are stepped over until the reset.
 */
#ifndef PORTAGE_KEY_MAP_H
#define PORTAGE_KEY_MAP_H

#include "plan/plan.h"

typedef struct KeySlot
{
	uint64_t hash; /* the operation's: most that differ are not looked at */
	PlanOp *op;	   /* NULL: free */
} KeySlot;

typedef struct KeyMap
{
	KeySlot *slots;
	size_t capacity; /* a power of two */
	size_t used;
} KeyMap;

void key_map_init(KeyMap *map);
void key_map_reset(KeyMap *map);
void key_map_release(KeyMap *map);

/* Over the key's columns of a row; every one of them is PRESENT. */
uint64_t key_hash(const PlanTable *table, const Value *key);
bool key_equal(const Relation *relation, const Value *a, const Value *b);

/* The operation on that key in that generation, or NULL. */
PlanOp *key_map_find(const KeyMap *map, const PlanTable *table,
					 uint64_t generation, uint64_t hash, const Value *key);

/* op->hash, table, generation and key are set; the key is not in the map. */
void key_map_put(KeyMap *map, PlanOp *op);

#endif /* PORTAGE_KEY_MAP_H */

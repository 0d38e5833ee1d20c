/*
 * relation_map.h
 *		OID to the relation as it was last announced.
 */
#ifndef PORTAGE_RELATION_MAP_H
#define PORTAGE_RELATION_MAP_H

#include "change.h"

typedef struct RelationSlot
{
	const Relation *relation; /* NULL: free */
	uint64_t frame_mark;	  /* last frame that holds a reference */
} RelationSlot;

typedef struct RelationMap
{
	RelationSlot *slots; /* open addressing, linear probing */
	size_t capacity;	 /* a power of two, or 0 */
	size_t count;
} RelationMap;

void relation_map_init(RelationMap *map);
void relation_map_release(RelationMap *map);

/* NULL if the OID was never announced. */
RelationSlot *relation_map_find(RelationMap *map, uint32_t oid);

/* Takes over the reference; releases the one it replaces. */
void relation_map_put(RelationMap *map, const Relation *relation);

#endif /* PORTAGE_RELATION_MAP_H */

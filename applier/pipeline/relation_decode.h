/*
 * relation_decode.h
 *		The record that announces a relation.
 */
#ifndef PORTAGE_RELATION_DECODE_H
#define PORTAGE_RELATION_DECODE_H

#include "change.h"
#include "wire_io.h"

/* A relation with one reference, or NULL: the record is malformed. */
Relation *relation_decode(WireReader *r);

char *wire_copy(Arena *arena, WireSlice s);

#endif /* PORTAGE_RELATION_DECODE_H */

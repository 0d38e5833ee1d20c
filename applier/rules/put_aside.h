/*
 * put_aside.h
 *		Changes that the target has refused and that are to go into quarantine.
 *
 * What a target says of a row is known when its batch is written, and by then
 * others that depend on it are planned already.  So the change is noted here, the
 * stream begins again before it, and the stage puts it aside when it comes: by the
 * commit, the number of its record, and the derived table.
 */
#ifndef PORTAGE_PUT_ASIDE_H
#define PORTAGE_PUT_ASIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/lsn.h"

typedef struct PutAside
{
	Lsn commit_lsn;
	uint32_t number; /* Change.number */
	uint32_t table;	 /* OID of the derived table */
	Error why;
} PutAside;

typedef struct PutAsides
{
	PutAside *items;
	int count;
	int capacity;
} PutAsides;

/* False if the error names no change, or one that is noted already. */
bool put_asides_add(PutAsides *asides, const Error *why);

/* NULL if it is not to be put aside. */
const PutAside *put_asides_find(const PutAsides *asides, Lsn commit_lsn,
								uint32_t number, uint32_t table);

/* Forget what is applied: everything before this position. */
void put_asides_trim(PutAsides *asides, Lsn resume_lsn);

void put_asides_release(PutAsides *asides);

#endif /* PORTAGE_PUT_ASIDE_H */

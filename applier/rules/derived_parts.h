/*
 * derived_parts.h
 *		What the files share that make the schema of a derived table; see derived.h.
 */
#ifndef PORTAGE_DERIVED_PARTS_H
#define PORTAGE_DERIVED_PARTS_H

#include "rules/derived.h"

typedef struct Deriving
{
	const Derived *derived;
	const SchemaTable *table; /* the source's */
	Arena *arena;
	SchemaTable *out;
	Findings *notes;
	const char *object;
	SqlColumns columns;
} Deriving;

/* What does not go along, and why: the two words that fmt has room for. */
void deriving_note(const Deriving *self, const char *fmt, const char *what,
				   const char *why);

/* The columns of out are there already. */
void deriving_take_indexes(Deriving *self);

#endif /* PORTAGE_DERIVED_PARTS_H */

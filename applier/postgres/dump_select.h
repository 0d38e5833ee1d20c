/*
 * dump_select.h
 *		Which entries of a dump are created on the target.
 *
 * Left out are: what is ours (extension pg_portage, schema portage), what a
 * target's owner may not create or has already (event triggers, schema public,
 * comments on extensions), tables that the migration does not carry; and with
 * each of them all that depends on it.  A table that is not carried but that a
 * carried one needs (as a parent, as a column's type) is created and stays
 * empty.
 *
 * A table that rules change is none of the dump's: it goes with all that is its
 * own, and what needs it cannot come, which is an error.
 */
#ifndef PORTAGE_DUMP_SELECT_H
#define PORTAGE_DUMP_SELECT_H

#include "finding.h"
#include "postgres/dump_split.h"

/* What the catalog says about a relation with rows, or a partitioned one. */
typedef struct DumpTable
{
	uint32_t oid;
	uint32_t parent; /* of a partition, else 0 */
	bool selected;
	bool changed; /* by rules, or not sent here by any */
} DumpTable;

/* An object that belongs to a table: index, constraint, trigger ... */
typedef struct DumpOwner
{
	uint32_t class_oid;
	uint32_t oid;
	uint32_t table_oid;
} DumpOwner;

typedef struct DumpCatalog
{
	DumpTable *tables; /* in order of oid */
	int table_count;
	DumpOwner *owners; /* in order of class_oid, oid */
	int owner_count;
	bool all;					  /* no table is left out by patterns */
	const char *const *sequences; /* of changed tables, which come: DumpScope */
	int sequence_count;
} DumpCatalog;

/*
 * What stays, numbered from 1 in the order given; what does not is told in
 * left_out.  A partitioned table counts as selected if a partition of it is.
 */
void
dump_select(DumpCatalog *catalog, DumpEntry *dumped, int dumped_count,
			Arena *arena, DdlEntry **entries, int *count, Findings *left_out);

#endif /* PORTAGE_DUMP_SELECT_H */

/*
 * dump_split.h
 *		What pg_restore prints, as entries.
 *
 * Input is the list (pg_restore --list) and the script (pg_restore --verbose
 * --file=-) of the same archive and section.  In the script each entry begins
 * with a comment that names its number and object; the list says which numbers
 * there are.  The script is read as the server would read it: such a comment
 * within a quoted string, name or function body is text and nothing else, so
 * nobody can make an entry end early by what he writes into one.
 *
 * Settings that pg_restore changes between entries are put before each entry
 * that they hold for, so that an entry can run alone in a transaction.
 */
#ifndef PORTAGE_DUMP_SPLIT_H
#define PORTAGE_DUMP_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "catalog.h"

typedef struct DumpEntry
{
	int id;				/* pg_dump's number */
	uint32_t class_oid; /* of the system catalog; may be 0 */
	uint32_t oid;		/* of the object; may be 0 */
	DdlSection section;
	const char *type;
	const char *schema;		 /* or ""; line breaks have become blanks */
	const char *name;		 /* the same */
	const int *dependencies; /* numbers of other entries */
	int dependency_count;
	const char *sql;
} DumpEntry;

/* Entries in the script's order, in arena.  P_PG_DUMP if it is not as said. */
bool dump_split(const char *list, const char *script, DdlSection section,
				Arena *arena, DumpEntry **entries, int *count,
				Error *err) MUST_CHECK;

#endif /* PORTAGE_DUMP_SPLIT_H */

/*
 * kept.h
 *		Rows that the rules keep on the target beside the data: followed
 *		references, counters, quarantine, keys of the ledger.
 *
 * They lie in one table of the state (portage.kept, portage_kept on MySQL) with
 * five columns of text:
 *
 *		stream	  | key
 *		area	  | key: "reference:NAME", "counter:RULE:COLUMN", ...
 *		key_hash  | key: 32 hexadecimal digits, XXH3-128 of key
 *		key		  | what it is about
 *		body	  | what is kept: JSON, or a number
 *
 * The rules write them as changes of a Relation of this form, which go through
 * planner and target like any other and so are in the transaction of the rows
 * that they belong to.
 */
#ifndef PORTAGE_KEPT_H
#define PORTAGE_KEPT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "change.h"

enum
{
	KEPT_STREAM,
	KEPT_AREA,
	KEPT_KEY_HASH,
	KEPT_KEY,
	KEPT_BODY,
	KEPT_COLUMNS
};

#define KEPT_HASH_SIZE 33

/* areas, with a name behind it */
#define KEPT_AREA_REFERENCE "reference:"

typedef struct KeptRow
{
	const char *area;
	const char *key_hash;
	Slice key;
	Slice body;
} KeptRow;

/* Rows of an area: all of them, or those with this key. */
typedef struct KeptPlace
{
	const char *area;
	const char *key; /* or NULL */
} KeptPlace;

/* Called for each row; false ends it with the error. */
typedef bool (*KeptVisitor)(void *arg, const KeptRow *row, Error *err);

/* The relation of the table; internal is set. The caller's reference. */
const Relation *kept_relation_new(void);

/* Under which a row of that key is found. */
void kept_hash(Slice key, char hash[KEPT_HASH_SIZE]);

/*
 * A change of one row, PUT, MAYBE_DELETE, INSERT or DELETE; values are copied
 * into the arena.  body is not looked at in a DELETE.
 */
Change kept_change(ChangeKind kind, const Relation *relation,
				   const char *stream, const KeptRow *row, Arena *arena);

#endif /* PORTAGE_KEPT_H */

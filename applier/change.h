/*
 * change.h
 *		The currency of the pipeline: frames, transactions, changes, values.
 *
 * A Frame is what one CopyData message became: the message's own bytes, decoded
 * in place, and the events in it.  Values point into those bytes; nothing is
 * copied.  When decode_frame() has returned, every present value has a NUL
 * behind it that is not part of its length, so text can be handed to a client
 * library as it is.
 *
 * Lifetimes: a Frame is reference counted and holds a reference on each
 * Relation that it names; a Relation is immutable once announced.  Both may be
 * released by another thread than the one that made them.
 */
#ifndef PORTAGE_CHANGE_H
#define PORTAGE_CHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/lsn.h"
#include "base/slice.h"
#include "wire.h"

/* bytea, whose values come as their bytes and not as text */
#define BYTEA_OID 17

/* columns that a target computes by itself */
#define GENERATED_FLAGS (WIRE_COLUMN_GENERATED | WIRE_COLUMN_VIRTUAL)

typedef struct Column
{
	const char *name;
	const char *type_schema;
	const char *type_name;
	const char *base_schema; /* the type's, or what the domain is over */
	const char *base_name;
	uint32_t type_oid;
	uint32_t base_type_oid; /* domains unwrapped */
	int32_t typmod;
	uint16_t attnum;
	uint8_t category; /* pg_type.typcategory of the base type */
	uint8_t flags;	  /* WIRE_COLUMN_* */

	/* what rows older than the column have in it: in the form of a Value, with a
	 * NUL behind it; data is NULL if they have null */
	Slice missing;
} Column;

/* A relation as one R record announced it; never changes afterwards. */
typedef struct Relation
{
	atomic_int refs;
	Arena arena;	 /* holds all of this, the struct included */
	uint64_t serial; /* unique in the process: the key of caches */
	uint32_t oid;
	uint32_t root_oid; /* topmost partitioned table, or 0 */
	uint32_t
		storage; /* pg_class.relfilenode: changes when rows are rewritten */
	const char *schema;
	const char *name;
	const char *root_schema;
	const char *root_name;
	char kind;	   /* 'r', or 'p' in TRUNCATE */
	char identity; /* 'd' 'n' 'f' 'i' */
	bool derived;  /* made by a rule, see rules/rule_set.h */
	bool internal; /* the state's own table, see kept.h */
	int column_count;
	int key_count; /* columns with WIRE_COLUMN_KEY */
	const Column *columns;
} Relation;

/* One column's value in one row. */
typedef struct Value
{
	const char *data; /* PRESENT only; NUL behind it */
	uint32_t len;
	uint8_t state; /* WireColumnState */
} Value;

typedef enum ChangeKind
{
	CHANGE_INSERT,
	CHANGE_UPDATE,
	CHANGE_DELETE,
	CHANGE_TRUNCATE,
	CHANGE_NOKEY, /* N: stops the stream */

	/* made by rules only, where it is not known what the target has */
	CHANGE_PUT,			 /* the whole row (new_values), there or not */
	CHANGE_MAYBE_DELETE, /* by its key (old_values), there or not */
	CHANGE_MATCH		 /* UPDATE of any number of rows by other columns */
} ChangeKind;

/* Who wins where an INSERT finds its key taken; a rule's on_conflict. */
typedef enum ConflictRule
{
	CONFLICT_REFUSED,
	CONFLICT_OVERWRITE, /* the source wins */
	CONFLICT_KEEP,		/* the target wins */
	CONFLICT_IF_GREATER /* the one with the greater value in latest */
} ConflictRule;

/*
 * What a change that a rule has made needs beside its values.
 *
 * A match finds rows by the old values of its columns, or by the new ones where
 * there are no old values, and sets what else the new values say; its own columns
 * only if there are old values.  One of them that is null finds nothing.
 */
typedef struct ChangeManner
{
	ConflictRule conflict; /* of an INSERT */
	int latest;			   /* index of the column, for IF_GREATER */
	const int *match;	   /* of CHANGE_MATCH: columns that find the rows */
	int match_count;
	/* says as which rule and table to count what was merged, or kept; or NULL */
	const struct LedgerEntry *entry;
} ChangeManner;

typedef struct Change
{
	ChangeKind kind;
	WireOldKind old_kind;
	const Relation *relation;	/* not for TRUNCATE */
	const Value *old_values;	/* column_count of them, or NULL */
	const Value *new_values;	/* column_count of them, or NULL */
	const Relation **truncated; /* TRUNCATE only */
	int truncated_count;
	uint8_t truncate_flags;		/* WIRE_TRUNCATE_* */
	char nokey_op;				/* NOKEY: 'U' or 'D' */
	const ChangeManner *manner; /* of rules; or NULL: strict */
	uint32_t bytes;				/* size of the record: for limits */
	uint32_t number; /* of the record in its transaction, from 1; 0: none */
} Change;

typedef struct Message
{
	Lsn lsn;
	bool transactional;
	Slice prefix;
	Slice content;
} Message;

/* A transaction's names, from B; end_lsn, rows and crc are known after C. */
typedef struct Txn
{
	uint32_t xid;
	Lsn commit_lsn;			/* start of the commit record */
	Lsn end_lsn;			/* end of it: where to resume */
	int64_t commit_time_us; /* since 2000-01-01 UTC */
	uint16_t origin;
	uint64_t rows;
	uint32_t crc;
} Txn;

typedef enum EventKind
{
	EVENT_BEGIN,
	EVENT_CHANGE,
	EVENT_MESSAGE,
	EVENT_COMMIT,
	EVENT_LEDGER /* of rules: what became of the rows before it */
} EventKind;

typedef struct Event
{
	EventKind kind;
	union
	{
		Txn txn; /* BEGIN, COMMIT */
		Change change;
		Message message;
		const struct Ledger *ledger;
	};
} Event;

typedef struct Frame
{
	atomic_int refs;
	Arena arena;   /* events, values; not the bytes */
	uint8_t *data; /* the message's bytes, ours to change */
	size_t len;
	void *handle; /* what release_data needs */
	void (*release_data)(void *handle);
	Lsn wal_end; /* of the message's header: says nothing */
	Event *events;
	int event_count;
	const Relation **relations; /* those we hold references on */
	int relation_count;
	size_t bytes; /* what it costs in memory, about */
} Frame;

/* A frame that takes over data; refs is 1. */
Frame *frame_new(uint8_t *data, size_t len, void *handle,
				 void (*release_data)(void *handle));
void frame_retain(Frame *frame);
void frame_release(Frame *frame);

/* An empty relation with a number of its own, and one reference on it. */
Relation *relation_new(void);
/* The first column of the new row whose value is not in the WAL, or -1. */
int change_unchanged_column(const Change *change);

/*
 * Half of an UPDATE, CHANGE_INSERT or CHANGE_DELETE, as a change of its own in
 * arena.  An INSERT needs the whole of the new row.
 */
const Change *change_half(const Change *change, ChangeKind kind, Arena *arena);

void relation_retain(const Relation *relation);
void relation_release(const Relation *relation);

#endif /* PORTAGE_CHANGE_H */

/*
 * catalog.h
 *		What is to be copied: tables, pieces, schema entries, sequences.
 *
 * Plain values that a source adapter reads and a target adapter stores; both
 * live in the caller's arena.
 */
#ifndef PORTAGE_CATALOG_H
#define PORTAGE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/lsn.h"

/* How the rows of a table's updates and deletes can be found; see R in wire.h */
typedef enum IdentityKind
{
	IDENTITY_KEY,  /* immediate primary key or nominated index */
	IDENTITY_FULL, /* REPLICA IDENTITY FULL */
	IDENTITY_NONE  /* inserts only */
} IdentityKind;

/* A table whose rows are to be copied: a plain table or a leaf partition. */
typedef struct Table
{
	uint32_t oid;
	const char *schema;
	const char *name;
	IdentityKind identity;
	bool unlogged; /* never streamed, so never copied */
	int column_count;
	const char **columns; /* stored columns, generated ones left out */
	const char **types;	  /* of the columns, with their modifiers */
	int computed_count;	  /* of the columns, the last ones: generated, but the
						   * target is given their values all the same */
	int generated_count;  /* stored generated columns, which COPY leaves out */
	const char **generated;
	const char **generated_types;
	bool partition;	  /* of a partitioned table */
	bool shared;	  /* the target's table gets rows from elsewhere, too */
	bool binary;	  /* both servers have the same binary form of all */
	int64_t bytes;	  /* with TOAST, for order and progress */
	int64_t rows;	  /* reltuples, an estimate; -1 unknown */
	uint32_t storage; /* changes when the table is rewritten */
	int64_t blocks;	  /* it can be read by ranges of so many blocks; or 0 */
	const char *identity_index; /* that finds a row; or NULL */
	const char *key;			/* the index's first column, if we can compare
								 * its values as it does; or NULL */
	bool key_bytes;				/* text, compared byte by byte */
	bool key_ordered;			/* the rows lie in its order */
	bool key_primary;			/* the index is the primary key's */
	const struct Table *source; /* of a table that a rule makes: what its rows
								  * are read from; else NULL */
	/* its rows are to be kept for a reference: no table of the target */
	const struct RuleReference *reference;
	const char **order; /* columns that rows are to be read in the order of */
	int order_count;
	bool match; /* its rows change others of the target, behind all tables */
	bool conflicts; /* they come as changes: one may find its key taken, and a
					 * rule says who wins */
	/* what rules keep of its rows, and as which they are counted in the ledger or
	 * NULL: both go with them */
	const struct KeptPlace *kept;
	int kept_count;
	const char *ledger_rule;
	uint32_t ledger_oid;
	bool aside; /* rows that the target refuses are to go into quarantine */
	const struct Shape *altered; /* name and columns, if they are others than
								  * what is noted; see copy_plan_altered */
} Table;

/* Under which snapshot rows were read. */
typedef struct Stamp
{
	bool slot;			  /* the slot's own: everything after it applies */
	Lsn lsn;			  /* WAL position when it was taken */
	const char *snapshot; /* pg_current_snapshot(): "xmin:xmax:xip,..." */
} Stamp;

typedef enum ChunkState
{
	CHUNK_TODO,
	CHUNK_DONE
} ChunkState;

/* How the rows of a chunk are told from those of the table's others. */
typedef enum ChunkKind
{
	CHUNK_WHOLE, /* the table has no other */
	CHUNK_KEYS,	 /* low <= key column < high */
	CHUNK_BLOCKS /* low <= block of the ctid < high */
} ChunkKind;

/* One piece to copy: a table, or a range of it that is never split again. */
typedef struct Chunk
{
	int number;			/* within the table, from 1 */
	uint32_t table_oid; /* on the source */
	const char *schema;
	const char *name;
	ChunkKind kind;
	const char *key;  /* KEYS: the column, first of the row's identity */
	const char *low;  /* as text; NULL: open */
	const char *high; /* as text; NULL: open */
	ChunkState state;
	Stamp stamp;	  /* once done */
	uint32_t storage; /* of the source's table that was read, once done */
	int64_t size;	  /* in the source's bytes, about: for forecasts */
	int64_t rows;
	int64_t bytes;
} Chunk;

/* What of a table is being loaded and not yet committed. */
typedef struct LoadActivity
{
	const char *schema;
	const char *name;
	int64_t rows;
	int64_t bytes;
} LoadActivity;

/* In which section of the schema an entry stands. */
typedef enum DdlSection
{
	DDL_PRE_DATA,
	DDL_POST_DATA
} DdlSection;

typedef enum DdlState
{
	DDL_TODO,
	DDL_DONE,
	DDL_WAITING, /* until the stream has passed the newest stamp */
	DDL_DEFERRED /* waits for pg_portage finish */
} DdlState;

/* Types that pg_dump does not have. */
#define DDL_TYPE_IDENTITY "IDENTITY"		/* GENERATED ALWAYS restored */
#define DDL_TYPE_VALIDATION "FK VALIDATION" /* of a key that was NOT VALID */

/* One entry of the schema, able to run on its own. */
typedef struct DdlEntry
{
	int number; /* order of execution, from 1 */
	DdlSection section;
	DdlState state;
	const char *type;	/* pg_dump's word, "FK CONSTRAINT", or one of ours */
	const char *schema; /* or "" */
	const char *name;
	uint32_t table_oid; /* the table it belongs to, or 0 */
	const char *sql;

	/*
	 * Where DDL commits by itself: a query whose one value is 1 if the entry was
	 * carried out; NULL where it is one transaction with the note of it.
	 */
	const char *probe;
} DdlEntry;

typedef struct Sequence
{
	const char *schema;
	const char *name;
	int64_t last_value;
	bool is_called;
} Sequence;

/* As the state on a target and the output of commands call them. */
const char *chunk_kind_name(ChunkKind kind);
const char *ddl_state_name(DdlState state);

#endif /* PORTAGE_CATALOG_H */

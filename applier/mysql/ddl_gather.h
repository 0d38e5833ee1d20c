/*
 * ddl_gather.h
 *		What one piece of a source transaction says of tables: commands, and
 *		relations that are announced with another form than is noted.
 *
 * Nothing is decided here.  Of each table only what it has come to counts,
 * because everything is carried out before the first row.
 */
#ifndef PORTAGE_DDL_GATHER_H
#define PORTAGE_DDL_GATHER_H

#include "mysql/target_mysql.h"
#include "stream/ddl_event.h"

/* A table that commands or rows are about. */
typedef struct DdlTable
{
	uint32_t oid;
	Shape *want;	 /* as it was announced last; NULL: it was only dropped */
	Shape *first;	 /* as it was announced first */
	uint64_t serial; /* of the relation that was announced last, or 0 */
	bool told;		 /* commands have told of its columns */
	bool rows;		 /* rows of it are to be applied */
	bool was_there;	 /* what is heard of it first is that it was altered */
	bool dropped;
	bool rewritten;		/* a command has written its rows anew, */
	bool unpredictable; /* with values that cannot be computed again */
	bool noted;			/* it was announced as it is noted, */
	bool beyond;		/* and then in another way */
	bool changed;		/* it was announced in another way than was known */
	const char *tag;	/* of the last command, for messages */
	const char *statement;
	const char *using; /* one that computes what it writes anew, or NULL */
} DdlTable;

/*
 * Something that was created, altered or dropped and is no table, or a table by a
 * command that has changed nothing of it that is known.
 */
typedef struct DdlOther
{
	const DdlEvent *event;
	const DdlObject *object;
} DdlOther;

typedef struct DdlGather
{
	Arena arena;
	DdlTable **tables; /* in the order in which they were mentioned */
	int table_count;
	int table_capacity;
	DdlOther *others;
	int other_count;
	int other_capacity;
	/* of a command that has not ended: tables that it has written anew */
	uint32_t *rewritten;
	int rewritten_count;
	int rewritten_capacity;
	bool rewrite_volatile;
	TextDecoder *decoder; /* of names; NULL: they are UTF-8 */
} DdlGather;

/* encoding: of the stream, as TargetConfig has it.  P_SERVER_SETUP. */
bool
ddl_gather_init(DdlGather *gather, const char *encoding, Error *err) MUST_CHECK;
void ddl_gather_release(DdlGather *gather);

/* One more piece: what earlier ones said stays.  P_PROTOCOL. */
bool ddl_gather_piece(DdlGather *gather, const Batch *batch,
					  const ChangeFilter *filter, const MapTable *maps,
					  Error *err) MUST_CHECK;

/* As it is noted; NULL if it is not, or not on the target: an unlogged one. */
const MapEntry *ddl_entry(const MapTable *maps, uint32_t oid);

/* NULL if nothing was said of it. */
DdlTable *ddl_gather_find(const DdlGather *gather, uint32_t oid);

/* What the copy of a table shows of a transaction. */
ChangeVerdict
ddl_verdict(const ChangeFilter *filter, const Txn *txn, uint32_t oid);

#endif /* PORTAGE_DDL_GATHER_H */

/*
 * capture.h
 *		Changes of the schema as messages of the WAL: the parts of one.
 *
 * The format of the message is in doc/wire.md.  What the caller's session
 * decides (names that its search_path resolves) is asked first; the rest is
 * told under fixed settings, so that all names come out qualified and values in
 * the form that the stream has them in.
 */
#ifndef PORTAGE_CAPTURE_H
#define PORTAGE_CAPTURE_H

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"

/* --- capture_command.c: the text of the command */

/*
 * The text of the one command that parsetree is, out of what the client sent;
 * NULL if it is not there, because a function or a DO block has run it.
 */
extern char *command_text(const Node *parsetree);

/* Is it a command that works outside of a transaction (CONCURRENTLY)? */
extern bool command_is_concurrent(const Node *parsetree);

/*
 * ALTER TABLE ... DETACH PARTITION as it would be without CONCURRENTLY or
 * FINALIZE; NULL if it is none.  Under the caller's search_path.
 */
extern char *command_plain_detach(const Node *parsetree);

/* CREATE INDEX without CONCURRENTLY, in full.  Under the fixed settings. */
extern char *command_plain_index(Oid index);

/* The partitions that the command names, which its objects do not. */
extern List *command_partitions(const Node *parsetree);

/* --- capture_objects.c: what the command has done */

typedef struct CapturedObjects
{
	int count;		/* elements written */
	bool left_out;	/* there were others, which are temporary */
	List *tables;	/* OIDs of tables, partitioned ones too, among them */
	Oid index;		/* the last index, or InvalidOid */
	char *identity; /* of the last one */
} CapturedObjects;

/* The elements of "objects" at ddl_command_end, and of "dropped" at sql_drop. */
extern void objects_put_changed(StringInfo out, CapturedObjects *objects);
extern void objects_put_dropped(StringInfo out, CapturedObjects *objects);

/* Is the relation of no interest: temporary, or our own? */
extern bool relation_is_left_out(Oid relid);

/* --- capture_tables.c: the tables as they are now */

/* The elements of "tables"; those that are gone again are left out. */
extern void tables_put(StringInfo out, const List *tables);

/* --- capture_details.c: members of an object that is being written */

/* "base": what a type is below its domains. */
extern void type_put(StringInfo out, Oid type, int32 typmod);

/* "index", if the relation is one. */
extern void index_put(StringInfo out, Oid relid);

/* "primary_key": the numbers of its columns. */
extern void primary_key_put(StringInfo out, Relation relation);

/* --- capture_volatile.c: can a rewrite be done again, with the same values? */

/*
 * False if the new values of a rewrite follow from the old ones alone, so that
 * the same command gives the same on another server; true if not, and if it
 * cannot be told.  reason is that of the event.  Under the caller's search_path.
 */
extern bool rewrite_is_volatile(Oid relid, int reason, const Node *parsetree);

/* --- sign.c: who wrote the message */

#define SIGNATURE_HEX_SIZE 64

/*
 * Append the HMAC of some bytes in hex; false if there is no key, which only
 * somebody who may write to portage.ddl_key can bring about.
 */
extern bool sign_bytes(StringInfo out, const char *data, size_t len);

#endif /* PORTAGE_CAPTURE_H */

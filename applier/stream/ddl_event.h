/*
 * ddl_event.h
 *		DDL as the source's event triggers put it into the stream.
 *
 * A transactional message with the prefix "portage.ddl": a version, an HMAC of
 * the rest, and one JSON object.  Anybody may write messages, so one counts only
 * if its HMAC was made with the key that the extension keeps to itself, and if
 * the transaction that it names is the one that it stands in: a copy of an old
 * message is no message.  What is genuine was written by our own functions; it
 * is read with the same mistrust all the same.
 */
#ifndef PORTAGE_DDL_EVENT_H
#define PORTAGE_DDL_EVENT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "change.h"
#include "shape.h"

#define DDL_PREFIX "portage.ddl"
#define DDL_KEY_SIZE 32

/* The key of the source's extension; known is false where there is none. */
typedef struct DdlKey
{
	bool known;
	unsigned char bytes[DDL_KEY_SIZE];
} DdlKey;

typedef enum DdlEventKind
{
	DDL_END,	/* a command has ended: what it made and changed */
	DDL_DROP,	/* what it dropped; may be followed by its end */
	DDL_REWRITE /* it writes the rows of a table anew; its end follows */
} DdlEventKind;

/* An index, as far as a target of another kind can have one. */
typedef struct DdlIndex
{
	const char *name;
	bool unique;
	bool primary;
	bool plain;			  /* a B-tree of columns and nothing else */
	const uint16_t *nums; /* the columns, by number */
	int count;
} DdlIndex;

typedef struct DdlObject
{
	const char *type; /* "table", "index", "function", ... */
	const char *schema;
	const char *name; /* dropped ones only */
	const char *identity;
	bool original; /* dropped ones only: named, not reached by a cascade */
	uint32_t oid;
	uint32_t table_oid;	   /* the table it belongs to, or 0 */
	const DdlIndex *index; /* NULL: it is none, or was dropped */
} DdlObject;

typedef struct DdlSetting
{
	const char *name;
	const char *value;
} DdlSetting;

typedef struct DdlEvent
{
	DdlEventKind kind;
	const char *tag;
	const char *command; /* NULL: not to be told from what surrounded it */
	const char *search_path;
	const DdlSetting *settings;
	int setting_count;
	bool as;				  /* its rows are in the stream already */
	const DdlObject *objects; /* of an end, or dropped ones */
	int object_count;
	Shape *tables; /* as they are after it */
	int table_count;
	uint32_t rewritten_oid;
	bool rewrite_volatile; /* its values cannot be computed again */
} DdlEvent;

/* Does it carry our prefix? */
bool ddl_event_is(const Message *message);

/*
 * *genuine: made by the extension, for this transaction.  P_PROTOCOL if it is
 * ours by its HMAC and still no JSON.
 */
bool ddl_event_verify(const Message *message, const DdlKey *key, uint32_t xid,
					  bool *genuine, Error *err) MUST_CHECK;

/* Strings live in arena.  P_PROTOCOL for what is not as it has to be. */
bool ddl_event_parse(const Message *message, Arena *arena, DdlEvent *event,
					 Error *err) MUST_CHECK;

#endif /* PORTAGE_DDL_EVENT_H */

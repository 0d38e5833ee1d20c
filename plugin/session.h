/*
 * session.h
 *		One stream: its state, and the two formats it may be written in.
 *
 * The callbacks of the server (plugin.c) decide what is sent and in which
 * order; a format only writes.
 */
#ifndef PORTAGE_SESSION_H
#define PORTAGE_SESSION_H

#include "replication/logical.h"
#include "replication/output_plugin.h"
#include "replication/reorderbuffer.h"

#include "frame.h"
#include "options.h"
#include "relcache.h"
#include "row.h"

typedef struct Session Session;

/* a message, as the callback gets it */
typedef struct LogicalMessage
{
	XLogRecPtr lsn;
	bool transactional;
	const char *prefix;
	const char *content;
	Size len;
} LogicalMessage;

/*
 * A format.  Between begin and commit a transaction is open; relation comes
 * before the first row of each relation; message may stand outside of a
 * transaction and must read no catalog there (ctx and session suffice).  Scratch
 * memory is the current context of every call.
 */
typedef struct Format
{
	OutputPluginOutputType output_type;

	/* a stream starts; nothing may be written yet */
	void (*start)(LogicalDecodingContext *ctx, Session *session);

	/* a transaction begins, which may turn out to be empty */
	void (*prepare)(LogicalDecodingContext *ctx, Session *session);
	void (*begin)(LogicalDecodingContext *ctx, Session *session,
				  ReorderBufferTXN *txn);
	void (*relation)(LogicalDecodingContext *ctx, Session *session,
					 RelationEntry *entry);
	void (*row)(LogicalDecodingContext *ctx, Session *session, const Row *row);
	void (*truncate)(LogicalDecodingContext *ctx, Session *session,
					 const ReorderBufferChange *change, int nentries,
					 RelationEntry **entries);
	void (*message)(LogicalDecodingContext *ctx, Session *session,
					const LogicalMessage *message);
	void (*commit)(LogicalDecodingContext *ctx, Session *session,
				   ReorderBufferTXN *txn);
} Format;

extern const Format format_binary;
extern const Format format_json;

struct Session
{
	Options options;
	int protocol;
	const Format *format;
	MemoryContext scratch; /* emptied after every callback */
	RelationCache *relations;
	RowBuffer *rows;

	/* of the transaction being sent */
	bool begun; /* B is in the stream */
	TransactionId xid;
	XLogRecPtr change_lsn;
	uint64 nrows; /* I, U, D, T and N */

	/* changes since something was last written, or progress reported */
	int quiet;
	uint64 nwritten; /* value of Frame.nwritten at that time */

	/* binary only */
	Frame *frame;
	List *origins; /* of OriginName: the O records sent */
};

#endif /* PORTAGE_SESSION_H */

/*
 * plugin.c
 *		The callbacks of the output plugin.
 *
 * They decide what is sent and in which order, and leave the writing to one of
 * two formats.  A transaction begins in the stream with its first record, so
 * that one without any leaves no trace; a relation is announced before its
 * first row and after any change to it.
 *
 * All state hangs off the decoding context and goes with it, also when an
 * error takes it away: the same backend may start another stream.  Nothing is
 * written in the startup, shutdown and filter callbacks.
 */
#include "postgres.h"

#include "compat.h"

#include "fmgr.h"
#include "replication/origin.h"
#include "utils/memutils.h"

#include "session.h"
#include "settings.h"

/* Tell the server that we are alive once in so many changes it hears not of. */
#define PROGRESS_CHANGES 100

COMPAT_MODULE_MAGIC(PORTAGE_VERSION);

static void
portage_startup(LogicalDecodingContext *ctx, OutputPluginOptions *opt,
				bool is_init)
{
	MemoryContext caller = MemoryContextSwitchTo(ctx->context);
	Session *session = palloc0(sizeof(Session));
	TextStyle style = settings_text_style();

	options_parse(&session->options, ctx->output_plugin_options);
	session->protocol = options_protocol(&session->options);
	session->format = session->options.format == FORMAT_BINARY ? &format_binary
															   : &format_json;
	session->scratch = AllocSetContextCreate(ctx->context, "pg_portage scratch",
											 ALLOCSET_DEFAULT_SIZES);
	session->relations = relcache_new(ctx->context, &session->options, style);
	session->rows = row_buffer_new();
	ctx->output_plugin_private = session;
	opt->output_type = session->format->output_type;
	opt->receive_rewrites = false;
	if (!is_init)
	{
		if (session->options.format == FORMAT_BINARY)
			settings_check();
		MemoryContextSwitchTo(session->scratch);
		session->format->start(ctx, session);
		MemoryContextReset(session->scratch);
	}
	MemoryContextSwitchTo(caller);
}

/*
 * A change has gone into a buffer, or nowhere.  Without a word for too long,
 * the receiver or the server would take the other for dead.
 */
static void
count_change(LogicalDecodingContext *ctx, Session *session)
{
	uint64 nwritten;

	if (!COMPAT_REPORTS_PROGRESS)
		return;
	nwritten = session->frame != NULL ? session->frame->nwritten : 0;
	if (nwritten != session->nwritten)
	{
		session->nwritten = nwritten;
		session->quiet = 0;
	}
	if (++session->quiet >= PROGRESS_CHANGES)
	{
		session->quiet = 0;
		compat_update_progress(ctx, false);
	}
}

/* Begin the transaction in the stream, unless it has begun. */
static void
ensure_begun(LogicalDecodingContext *ctx, Session *session,
			 ReorderBufferTXN *txn)
{
	if (likely(session->begun))
		return;
	session->format->begin(ctx, session, txn);
	session->begun = true;
}

/* The entry of a relation, announced if it is wanted; else NULL. */
static RelationEntry *
wanted_relation(LogicalDecodingContext *ctx, Session *session,
				ReorderBufferTXN *txn, Relation relation)
{
	RelationEntry *entry = relcache_get(session->relations, relation);

	if (!entry->wanted)
		return NULL;
	ensure_begun(ctx, session, txn);
	if (unlikely(!entry->announced))
	{
		session->format->relation(ctx, session, entry);
		entry->announced = true;
	}
	return entry;
}

static void
portage_begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	Session *session = ctx->output_plugin_private;

	session->begun = false;
	session->nrows = 0;
	session->xid = txn->xid;
	session->format->prepare(ctx, session);
}

static void
portage_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			   Relation relation, ReorderBufferChange *change)
{
	Session *session = ctx->output_plugin_private;
	MemoryContext caller = MemoryContextSwitchTo(session->scratch);
	RelationEntry *entry = wanted_relation(ctx, session, txn, relation);
	Row row;

	if (entry != NULL)
	{
		session->change_lsn = change->lsn;
		session->nrows++;
		row_open(&row, session->rows, entry, relation, change);
		session->format->row(ctx, session, &row);
	}
	count_change(ctx, session);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(session->scratch);
}

static void
portage_truncate(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				 int nrelations, Relation relations[],
				 ReorderBufferChange *change)
{
	Session *session = ctx->output_plugin_private;
	MemoryContext caller = MemoryContextSwitchTo(session->scratch);
	RelationEntry **entries = palloc(nrelations * sizeof(RelationEntry *));
	int nentries = 0;
	int i;

	for (i = 0; i < nrelations; i++)
	{
		entries[nentries] = wanted_relation(ctx, session, txn, relations[i]);
		if (entries[nentries] != NULL)
			nentries++;
	}
	if (nentries > 0)
	{
		session->change_lsn = change->lsn;
		session->nrows++;
		session->format->truncate(ctx, session, change, nentries, entries);
	}
	count_change(ctx, session);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(session->scratch);
}

/* Outside of a transaction no catalog may be read: nor do formats need one. */
static void
portage_message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				XLogRecPtr lsn, bool transactional, const char *prefix,
				Size len, const char *content)
{
	Session *session = ctx->output_plugin_private;
	MemoryContext caller = MemoryContextSwitchTo(session->scratch);
	LogicalMessage message;

	message.lsn = lsn;
	message.transactional = transactional;
	message.prefix = prefix;
	message.content = content;
	message.len = len;
	if (transactional)
		ensure_begun(ctx, session, txn);
	session->format->message(ctx, session, &message);
	count_change(ctx, session);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(session->scratch);
}

/*
 * While commits are held back, lag is reported for those that leave: the rest
 * is nowhere near the receiver.
 */
static void
portage_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			   XLogRecPtr commit_lsn)
{
	Session *session = ctx->output_plugin_private;
	MemoryContext caller = MemoryContextSwitchTo(session->scratch);

	if (session->begun)
		session->format->commit(ctx, session, txn);
	if (session->frame == NULL || session->frame->held_since == 0)
		compat_update_progress(ctx, !session->begun);
	else
		count_change(ctx, session);
	session->begun = false;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(session->scratch);
}

static bool
portage_filter_by_origin(LogicalDecodingContext *ctx, RepOriginId origin)
{
	Session *session = ctx->output_plugin_private;

	return session->options.local_only && origin != InvalidRepOriginId;
}

/*
 * No shutdown callback: all there is goes with the context.  None for streaming
 * and two-phase decoding either, which asks the server for neither: a
 * transaction arrives whole, when it is committed.
 */
void
_PG_output_plugin_init(OutputPluginCallbacks *cb)
{
	cb->startup_cb = portage_startup;
	cb->begin_cb = portage_begin;
	cb->change_cb = portage_change;
	cb->truncate_cb = portage_truncate;
	cb->message_cb = portage_message;
	cb->commit_cb = portage_commit;
	cb->filter_by_origin_cb = portage_filter_by_origin;
}

/*
 * history.h
 *		Proof that a source's history is the one the target has applied.
 *
 * From each marker (the anchor) a digest is chained over the transactions that
 * follow: commit LSN, xid, commit time and the checksum of their contents; the
 * skeleton leaves the checksum out.  Both are in the progress row.  After every
 * connect the server must deliver the anchor's marker with its nonce, and the
 * same digest up to the row's resume_lsn; then, and only then, is anything
 * applied.  See doc/architecture.md.
 */
#ifndef PORTAGE_HISTORY_H
#define PORTAGE_HISTORY_H

#include "base/error.h"
#include "change.h"
#include "progress.h"

/* prefix of our markers: pg_logical_emit_message(true, prefix, nonce) */
#define MARKER_PREFIX "portage.marker"

/* Is this a marker, and which nonce does it carry? */
bool message_is_marker(const Message *message, char nonce[NONCE_SIZE]);

/*
 * The nonce of a new marker: 64 random bits, and a keyed hash of them.  secret
 * is the stream's, known to nobody but the owner of the target; with it an
 * applier recognises the markers of its predecessors, which may still be on
 * their way.  It is not what makes a marker trustworthy: an anchor is proven by
 * being delivered again.
 */
void marker_nonce(const char *secret, char nonce[NONCE_SIZE]);
bool marker_is_of_stream(const char *secret, const char nonce[NONCE_SIZE]);

/*
 * Move progress over one applied transaction.  nonce is that of a marker of
 * ours in it, or NULL; a marker becomes the new anchor.
 */
void progress_advance(Progress *progress, const Txn *txn, const char *nonce,
					  const char *plugin_version);

typedef enum HistoryState
{
	HISTORY_EXPECT_RESUME, /* nothing to prove: the anchor lies ahead */
	HISTORY_EXPECT_ANCHOR, /* the anchor's transaction comes, or another target's */
	HISTORY_REPLAY,		   /* between anchor and resume_lsn */
	HISTORY_PROVEN
} HistoryState;

/* What a reader needs to follow the proof. */
typedef struct History
{
	HistoryState state;
	const Progress *expected;
	Lsn start_lsn;	   /* of the stream */
	Progress replayed; /* only digests and positions are used */
	bool nonce_seen;
	bool skeleton_only;	   /* another plugin version made the anchor */
	uint64_t transactions; /* replayed so far */
} History;

/*
 * Begin a proof for a stream that starts at start_lsn: at expected->anchor_lsn, or
 * before that, because another target needs it; what lies between is passed over.
 * Where the anchor is still ahead nothing is proven here, and what lies before
 * resume_lsn is passed over.  expected must outlive it.
 */
void history_init(History *history, const Progress *expected, Lsn start_lsn);

/* The plugin says its version: decides between digest and skeleton. */
void history_hello(History *history, const char *plugin_version);

/*
 * Look at the events of a frame, in order, until the history is proven.
 * *keep_from is the index of the first event that is to be applied, or
 * event_count.  P_HISTORY if the source shows anything else than expected.
 */
bool history_check(History *history, const Frame *frame, int *keep_from,
				   Error *err) MUST_CHECK;

#endif /* PORTAGE_HISTORY_H */

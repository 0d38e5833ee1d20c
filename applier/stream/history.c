/*
 * history.c
 *		Digests over transactions, and their comparison after a connect.
 */
#include "stream/history.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

bool
message_is_marker(const Message *message, char nonce[NONCE_SIZE])
{
	if (!message->transactional ||
		!slice_equal(message->prefix, slice_of(MARKER_PREFIX)) ||
		message->content.len != NONCE_SIZE - 1)
		return false;
	memcpy(nonce, message->content.data, NONCE_SIZE - 1);
	nonce[NONCE_SIZE - 1] = '\0';
	return true;
}

#define NONCE_RANDOM (NONCE_SIZE / 2)

/* The second half of a nonce: XXH3-64 of the secret and the first half. */
static void
nonce_hash(const char *secret, const char *nonce, char out[17])
{
	char input[2 * NONCE_SIZE];

	memset(input, 0, sizeof(input));
	snprintf(input, NONCE_SIZE, "%s", secret);
	memcpy(input + NONCE_SIZE, nonce, NONCE_RANDOM);
	snprintf(out, 17, "%016" PRIx64,
			 (uint64_t) XXH3_64bits(input, sizeof(input)));
}

void
marker_nonce(const char *secret, char nonce[NONCE_SIZE])
{
	nonce_make(nonce);
	nonce_hash(secret, nonce, nonce + NONCE_RANDOM);
}

bool
marker_is_of_stream(const char *secret, const char nonce[NONCE_SIZE])
{
	char hash[17];

	nonce_hash(secret, nonce, hash);
	return strcmp(hash, nonce + NONCE_RANDOM) == 0;
}

/* next = XXH3-128(previous, commit LSN, xid, commit time [, checksum]) */
static void
digest_chain(char digest[DIGEST_SIZE], const Txn *txn, bool with_crc)
{
	uint8_t input[DIGEST_SIZE + 24];
	uint8_t *p = input;
	XXH128_hash_t hash;

	memset(input, 0, sizeof(input));
	memcpy(p, digest, strlen(digest));
	p += DIGEST_SIZE;
	p = wire_put_u64(p, txn->commit_lsn);
	p = wire_put_u32(p, txn->xid);
	p = wire_put_u64(p, (uint64_t) txn->commit_time_us);
	p = wire_put_u32(p, with_crc ? txn->crc : 0);
	hash = XXH3_128bits(input, (size_t) (p - input));
	snprintf(digest, DIGEST_SIZE, "%016" PRIx64 "%016" PRIx64,
			 (uint64_t) hash.high64, (uint64_t) hash.low64);
}

static void
chain_both(Progress *progress, const Txn *txn)
{
	digest_chain(progress->digest, txn, true);
	digest_chain(progress->skeleton, txn, false);
}

void
progress_advance(Progress *progress, const Txn *txn, const char *nonce,
				 const char *plugin_version)
{
	bool first = progress->digest[0] == '\0' &&
				 txn->commit_lsn == progress->anchor_lsn;

	if (nonce != NULL && !first)
	{
		progress->previous_anchor_lsn = progress->digest[0] != '\0'
											? progress->anchor_lsn
											: progress->previous_anchor_lsn;
		progress->anchor_lsn = txn->commit_lsn;
		memcpy(progress->anchor_nonce, nonce, NONCE_SIZE);
		snprintf(progress->plugin_version, sizeof(progress->plugin_version),
				 "%s", plugin_version);
	}
	if (nonce != NULL || first)
	{
		progress->digest[0] = '\0';
		progress->skeleton[0] = '\0';
		chain_both(progress, txn);
	}
	else if (progress->digest[0] != '\0')
		chain_both(progress, txn);
	progress->resume_lsn = txn->end_lsn;
	progress->commit_lsn = txn->commit_lsn;
	progress->xid = txn->xid;
	progress->commit_time_us = txn->commit_time_us;
	progress->transactions++;
	progress->rows += txn->rows;
}

void
history_init(History *history, const Progress *expected, Lsn start_lsn)
{
	memset(history, 0, sizeof(*history));
	history->expected = expected;
	history->start_lsn = start_lsn;
	if (expected->digest[0] != '\0')
		history->state = HISTORY_EXPECT_ANCHOR;
	else if (start_lsn < expected->resume_lsn)
		history->state = HISTORY_EXPECT_RESUME;
	else
		history->state = HISTORY_PROVEN;
}

void
history_hello(History *history, const char *plugin_version)
{
	history->skeleton_only = strcmp(plugin_version,
									history->expected->plugin_version) != 0;
}

static bool
history_differs(const History *history, Error *err, const char *what, Lsn lsn)
{
	const Progress *expected = history->expected;

	error_set(err, P_HISTORY,
			  "the source's history is not the one that was "
			  "applied: %s at " LSN_FORMAT,
			  what, LSN_ARGS(lsn));
	error_detail(err,
				 "The target has applied it up to " LSN_FORMAT
				 ", proven from the marker at " LSN_FORMAT "; %" PRIu64
				 " transactions were compared.  Nothing was applied.",
				 LSN_ARGS(expected->resume_lsn), LSN_ARGS(expected->anchor_lsn),
				 history->transactions);
	return false;
}

static bool
check_begin(History *history, const Txn *txn, Error *err)
{
	const Progress *expected = history->expected;

	if (history->state == HISTORY_EXPECT_RESUME)
	{
		if (txn->commit_lsn >= expected->resume_lsn)
			history->state = HISTORY_PROVEN;
		return true;
	}
	if (history->state == HISTORY_EXPECT_ANCHOR)
	{
		if (txn->commit_lsn >= history->start_lsn &&
			txn->commit_lsn < expected->anchor_lsn)
			return true;
		if (txn->commit_lsn != expected->anchor_lsn)
			return history_differs(history, err,
								   "the first transaction is not the marker's",
								   txn->commit_lsn);
		history->state = HISTORY_REPLAY;
	}
	if (txn->commit_lsn >= expected->resume_lsn)
		return history_differs(history, err,
							   "the last applied transaction is missing, "
							   "the next one is",
							   txn->commit_lsn);
	return true;
}

static bool
digests_agree(const History *history)
{
	if (history->skeleton_only)
		return strcmp(history->replayed.skeleton,
					  history->expected->skeleton) == 0;
	return strcmp(history->replayed.digest, history->expected->digest) == 0;
}

static bool
check_commit(History *history, const Txn *txn, Error *err)
{
	const Progress *expected = history->expected;

	if (history->state != HISTORY_REPLAY)
		return true;
	if (!history->nonce_seen)
		return history_differs(history, err, "the marker's nonce is missing",
							   txn->commit_lsn);
	chain_both(&history->replayed, txn);
	history->transactions++;
	if (txn->end_lsn < expected->resume_lsn)
		return true;
	if (txn->end_lsn > expected->resume_lsn)
		return history_differs(history, err,
							   "a transaction ends later than "
							   "the one that was applied",
							   txn->commit_lsn);
	if (!digests_agree(history))
		return history_differs(history, err, "the transactions differ before",
							   txn->end_lsn);
	history->state = HISTORY_PROVEN;
	return true;
}

/* The event is one of ours to look at: is it what was applied? */
static bool
check_event(History *history, const Event *event, Error *err)
{
	char nonce[NONCE_SIZE];

	switch (event->kind)
	{
		case EVENT_BEGIN:
			return check_begin(history, &event->txn, err);
		case EVENT_COMMIT:
			return check_commit(history, &event->txn, err);
		case EVENT_MESSAGE:
			if (history->state == HISTORY_REPLAY &&
				message_is_marker(&event->message, nonce) &&
				strcmp(nonce, history->expected->anchor_nonce) == 0)
				history->nonce_seen = true;
			return true;
		default:
			return true;
	}
}

bool
history_check(History *history, const Frame *frame, int *keep_from, Error *err)
{
	int i;

	for (i = 0; i < frame->event_count; i++)
	{
		if (history->state == HISTORY_PROVEN)
			break;
		if (!check_event(history, &frame->events[i], err))
			return false;
		/* this one is the first that was not applied */
		if (history->state == HISTORY_PROVEN &&
			frame->events[i].kind == EVENT_BEGIN)
			break;
	}
	*keep_from = i;
	return true;
}

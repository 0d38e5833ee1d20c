/*
 * anchor.c
 *		See anchor.h.
 *
 * START_REPLICATION accepts a position beyond the end of the WAL and then skips
 * every transaction before it, and moves one below confirmed_flush forward in
 * silence (logical.c CreateDecodingContext, snapbuild.c
 * SnapBuildXactNeedsSkip).  Both would lose transactions, so both are caught
 * before it is sent: here, and by lane_check_identity().
 */
#include "stream/anchor.h"

#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/signals.h"
#include "pipeline/decode.h"
#include "stream/history.h"
#include "stream/stream.h"

/* how long the first marker may take to come through */
#define ANCHOR_TIMEOUT_MS 600000

bool
anchor_check_slot(Source *source, Lsn start_lsn, Error *err)
{
	const char *slot = source->config->slot;
	SlotInfo info;

	if (!source_slot_check(source, &info, err))
		return false;
	if (info.confirmed_lsn <= start_lsn)
		return true;
	error_set(err, P_SLOT_AHEAD,
			  "the slot %s stands at " LSN_FORMAT ", beyond " LSN_FORMAT
			  " where the stream has to begin",
			  slot, LSN_ARGS(info.confirmed_lsn), LSN_ARGS(start_lsn));
	return error_detail(err,
						"Somebody has advanced the slot or created it "
						"anew; what lies between cannot be read any more.");
}

/*
 * Looks for the marker with this nonce in what the stream says, without
 * applying anything.
 */
typedef struct AnchorSearch
{
	const char *nonce;
	Lsn expected_lsn; /* where it must be; LSN_NONE: not known */
	Lsn found_lsn;
	Lsn txn_lsn; /* of the transaction being looked at */
} AnchorSearch;

static bool
anchor_moved(const AnchorSearch *search, Error *err)
{
	return error_set(err, P_HISTORY,
					 "the first marker, which was at " LSN_FORMAT
					 ", is not there any more",
					 LSN_ARGS(search->expected_lsn));
}

static bool
search_frame(AnchorSearch *search, const Frame *frame, Error *err)
{
	bool expecting = search->expected_lsn != LSN_NONE;
	const Event *event;
	char nonce[NONCE_SIZE];
	int i;

	for (i = 0; i < frame->event_count && search->found_lsn == LSN_NONE; i++)
	{
		event = &frame->events[i];
		if (event->kind == EVENT_BEGIN)
			search->txn_lsn = event->txn.commit_lsn;
		if (expecting && search->txn_lsn > search->expected_lsn)
			return anchor_moved(search, err);
		if (event->kind == EVENT_MESSAGE &&
			message_is_marker(&event->message, nonce) &&
			strcmp(nonce, search->nonce) == 0)
			search->found_lsn = search->txn_lsn;
	}
	return !expecting || search->found_lsn == LSN_NONE ||
		   search->found_lsn == search->expected_lsn ||
		   anchor_moved(search, err);
}

static bool
search_stream(Source *source, Decoder *decoder, AnchorSearch *search,
			  Error *err)
{
	int64_t deadline_ms = clock_ms() + ANCHOR_TIMEOUT_MS;
	Frame *frame;
	bool ok = true;

	while (ok && search->found_lsn == LSN_NONE)
	{
		if (signals_stop_requested())
			return error_set(err, P_STOPPED, "stopped");
		if (clock_ms() > deadline_ms)
			return error_set(err, P_CONNECTION_LOST,
							 "the first marker does "
							 "not come through the stream");
		if (!source->ops->stream_next(source, 1000, &frame, err))
			return false;
		if (frame == NULL)
			continue;
		ok = decode_frame(decoder, frame, err) &&
			 search_frame(search, frame, err);
		frame_release(frame);
	}
	return ok;
}

static bool
find_anchor(Source *source, Lsn start_lsn, AnchorSearch *search,
			char *plugin_version, size_t version_size, Error *err)
{
	StreamOptions options = {
		.start_lsn = start_lsn,
		.origin = "any",
		.wake_fd = -1,
	};
	Decoder *decoder = decoder_new();
	bool ok;

	ok = anchor_check_slot(source, start_lsn, err) &&
		 source->ops->stream_start(source, &options, err) &&
		 search_stream(source, decoder, search, err);
	if (ok)
		snprintf(plugin_version, version_size, "%s",
				 decoder_hello(decoder)->plugin_version);
	source->ops->stream_stop(source);
	decoder_free(decoder);
	return ok;
}

bool
stream_first_anchor(Source *source, Progress *progress, Error *err)
{
	AnchorSearch search = { .nonce = progress->anchor_nonce };
	Lsn emitted;
	bool ok;

	marker_nonce(progress->origin_nonce, progress->anchor_nonce);
	ok = source->ops->marker_connect(source, err) &&
		 source->ops->marker_emit(source, progress->anchor_nonce, &emitted,
								  err) &&
		 FAILPOINT(FP_ANCHOR_EMITTED, err);
	source->ops->marker_disconnect(source);
	if (!ok || !find_anchor(source, progress->consistent_lsn, &search,
							progress->plugin_version,
							sizeof(progress->plugin_version), err))
		return false;
	progress->anchor_lsn = search.found_lsn;
	snprintf(progress->plugin_options, sizeof(progress->plugin_options),
			 "proto=%d origin=any", WIRE_PROTO_MAX);
	progress->digest[0] = '\0';
	progress->skeleton[0] = '\0';
	return true;
}

bool
anchor_prove(Source *source, const Progress *progress, Error *err)
{
	AnchorSearch search = {
		.nonce = progress->anchor_nonce,
		.expected_lsn = progress->anchor_lsn,
	};
	char version[32];

	return find_anchor(source, progress->resume_lsn, &search, version,
					   sizeof(version), err) &&
		   FAILPOINT(FP_HISTORY_PROVEN, err);
}

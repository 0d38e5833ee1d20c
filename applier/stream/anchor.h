/*
 * anchor.h
 *		The first marker of a migration: emitted, found in the stream, found again.
 *
 * Until it is applied a stream begins below it, so its proof is a pass of its
 * own that applies nothing.  See history.h for all later ones.
 */
#ifndef PORTAGE_STREAM_ANCHOR_H
#define PORTAGE_STREAM_ANCHOR_H

#include "progress.h"
#include "source/source.h"

/* P_SLOT_AHEAD if the slot cannot give what comes behind start_lsn any more. */
bool anchor_check_slot(Source *source, Lsn start_lsn, Error *err) MUST_CHECK;

/* Is the marker of a target that has not come to it yet where it was? */
bool
anchor_prove(Source *source, const Progress *progress, Error *err) MUST_CHECK;

#endif /* PORTAGE_STREAM_ANCHOR_H */

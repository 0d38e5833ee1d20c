/*
 * markers.h
 *		The markers that this process has emitted and not yet seen again.
 *
 * A marker counts by its nonce alone: anybody may write a message with our
 * prefix, nobody can guess 128 random bits.  Filled by the marker thread, asked
 * by the writer and the reader.
 */
#ifndef PORTAGE_MARKERS_H
#define PORTAGE_MARKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/lsn.h"

typedef struct Markers Markers;

Markers *markers_new(void);
void markers_free(Markers *markers);

/* Before it is emitted; the oldest is forgotten when there are too many. */
void markers_add(Markers *markers, const char nonce[NONCE_SIZE]);

/* After it was emitted: a position before its commit. */
void markers_emitted(Markers *markers, const char nonce[NONCE_SIZE], Lsn lsn);

/* The reader has received it; the writer may come to it much later. */
void markers_arrived(Markers *markers, const char nonce[NONCE_SIZE]);

/* Is it one of ours?  Then it is forgotten; *age_ms since it was added. */
bool
markers_take(Markers *markers, const char nonce[NONCE_SIZE], int64_t *age_ms);

/*
 * The oldest that was emitted before wal_end and has not arrived; false if
 * there is none.
 */
bool markers_overdue(Markers *markers, Lsn wal_end, int64_t *age_ms);

#endif /* PORTAGE_MARKERS_H */

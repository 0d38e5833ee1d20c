/*
 * stamps.h
 *		Which changes a table's copy has already.
 *
 * A chunk that was read under a later snapshot than the slot's holds what that
 * snapshot showed: a change is applied to its rows only if its transaction was
 * not visible there.  An UPDATE that moves a row between chunks counts for each
 * by its own stamp, and a TRUNCATE for each chunk.  Beyond the newest stamp
 * every change applies.
 *
 * Tables that belong to extensions are not copied, and so never followed.
 */
#ifndef PORTAGE_STAMPS_H
#define PORTAGE_STAMPS_H

#include "base/error.h"
#include "catalog.h"
#include "target/target.h"

typedef struct Stamps Stamps;

/* From the chunks of a finished copy; P_PROGRESS for an unreadable stamp. */
Stamps *stamps_new(const Chunk *chunks, int count, Lsn newest, Error *err);

/* Never apply changes of these; oids ascend and are copied. */
void stamps_ignore(Stamps *stamps, const uint32_t *oids, int count);

void stamps_free(Stamps *stamps);

/* For the target; lives as long as the stamps. */
const ChangeFilter *stamps_filter(const Stamps *stamps);

/* For tests: is this transaction visible in "xmin:xmax:xip,..."? */
bool stamp_shows(const char *snapshot, uint32_t xid, bool *shows);

#endif /* PORTAGE_STAMPS_H */

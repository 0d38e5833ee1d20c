/*
 * copy_chunks.h
 *		Into which pieces tables are split for the copy.
 *
 * Pure: facts in, chunks out.  Pieces are stored before the copy begins and
 * never split again, since the stream will ask in which of them a row was.
 */
#ifndef PORTAGE_COPY_CHUNKS_H
#define PORTAGE_COPY_CHUNKS_H

#include "base/arena.h"
#include "catalog.h"

/* Tables above this are split in pieces of about this size, unless told. */
#define SPLIT_OVER_DEFAULT (INT64_C(256) * 1024 * 1024)

/* Values of a table's key that separate its pieces, ascending and distinct. */
typedef struct KeyBounds
{
	const char **values;
	int count;
} KeyBounds;

/* How a table is split; CHUNK_WHOLE if it is not. */
ChunkKind copy_split_kind(const Table *table, int64_t split_bytes);

/* Into how many pieces: at least 2 for a table that is split, else 1. */
int copy_split_pieces(const Table *table, int64_t split_bytes);

/*
 * The chunks of the tables, in the order of tables and ranges; bounds belong to
 * the tables that are split by keys.  Unlogged tables have none.
 */
int copy_chunks_make(const Table *tables, int count, const KeyBounds *bounds,
					 int64_t split_bytes, Arena *arena, Chunk **chunks);

/* One chunk for all of a table. */
void copy_chunk_whole(const Table *table, Chunk *chunk);

#endif /* PORTAGE_COPY_CHUNKS_H */

/*
 * copy_chunks.c
 *		See copy_chunks.h.
 */
#include "copy/copy_chunks.h"

#include <inttypes.h>
#include <string.h>

/* each is a row on the target, and a target transaction */
#define PIECES_MAX 10000

/*
 * Key ranges where the rows lie in the key's order: each is read from a part of
 * the table, and after a crash those that are done stay.  Else ranges of
 * blocks, which are always cheap to read, but mean nothing to the stream.
 */
ChunkKind
copy_split_kind(const Table *table, int64_t split_bytes)
{
	if (table->bytes <= split_bytes)
		return CHUNK_WHOLE;
	if (table->key != NULL && table->key_ordered)
		return CHUNK_KEYS;
	return table->blocks > 1 ? CHUNK_BLOCKS : CHUNK_WHOLE;
}

int
copy_split_pieces(const Table *table, int64_t split_bytes)
{
	ChunkKind kind = copy_split_kind(table, split_bytes);
	int64_t pieces;

	if (kind == CHUNK_WHOLE)
		return 1;
	pieces = table->bytes / split_bytes + (table->bytes % split_bytes != 0);
	if (pieces > PIECES_MAX)
		pieces = PIECES_MAX;
	if (kind == CHUNK_BLOCKS && pieces > table->blocks)
		pieces = table->blocks;
	return (int) pieces;
}

void
copy_chunk_whole(const Table *table, Chunk *chunk)
{
	memset(chunk, 0, sizeof(*chunk));
	chunk->number = 1;
	chunk->table_oid = table->oid;
	chunk->schema = table->schema;
	chunk->name = table->name;
	chunk->kind = CHUNK_WHOLE;
	chunk->size = table->bytes;
	chunk->state = CHUNK_TODO;
}

/* Pieces between consecutive bounds, open at both ends. */
static int
chunks_between(const Table *table, ChunkKind kind, const char *const *bounds,
			   int count, Chunk *chunks)
{
	for (int i = 0; i <= count; i++)
	{
		copy_chunk_whole(table, &chunks[i]);
		chunks[i].number = i + 1;
		chunks[i].kind = kind;
		chunks[i].size = table->bytes / (count + 1);
		chunks[i].key = kind == CHUNK_KEYS ? table->key : NULL;
		chunks[i].low = i > 0 ? bounds[i - 1] : NULL;
		chunks[i].high = i < count ? bounds[i] : NULL;
	}
	return count + 1;
}

static const char **
block_bounds(const Table *table, int pieces, Arena *arena)
{
	const char **bounds = ARENA_ARRAY(arena, const char *, (size_t) pieces);

	for (int i = 1; i < pieces; i++)
		bounds[i - 1] = arena_printf(arena, "%" PRId64,
									 table->blocks * i / pieces);
	return bounds;
}

int
copy_chunks_make(const Table *tables, int count, const KeyBounds *bounds,
				 int64_t split_bytes, Arena *arena, Chunk **chunks)
{
	size_t max = 0;
	int n = 0;

	for (int i = 0; i < count; i++)
		max += (size_t) copy_split_pieces(&tables[i], split_bytes) +
			   (size_t) bounds[i].count + 1;
	*chunks = ARENA_ARRAY(arena, Chunk, max);
	for (int i = 0; i < count; i++)
	{
		const Table *table = &tables[i];
		ChunkKind kind = copy_split_kind(table, split_bytes);
		int pieces = copy_split_pieces(table, split_bytes);

		/* in no WAL, so they could never be kept up to date */
		if (table->unlogged)
			continue;
		if (kind == CHUNK_KEYS && bounds[i].count > 0)
			n += chunks_between(table, kind, bounds[i].values, bounds[i].count,
								&(*chunks)[n]);
		else if (kind == CHUNK_BLOCKS)
			n += chunks_between(table, kind, block_bounds(table, pieces, arena),
								pieces - 1, &(*chunks)[n]);
		else
			copy_chunk_whole(table, &(*chunks)[n++]);
	}
	return n;
}

/*
 * pg_chunk.h
 *		The rows of a chunk in SQL, alike for reading and for removing them.
 */
#ifndef PORTAGE_PG_CHUNK_H
#define PORTAGE_PG_CHUNK_H

#include "base/buffer.h"
#include "catalog.h"

/*
 * Append " WHERE ..." that selects the chunk's rows, or nothing for a whole
 * table.  Keys are compared by the operators of the column's type, under its
 * collation, as its index does.
 */
void pg_chunk_where(Buffer *out, const Chunk *chunk);

#endif /* PORTAGE_PG_CHUNK_H */

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
 * table.  Keys are compared by the operators of the column's type, as its index
 * does, under its collation or, if it is not NULL, that one.
 */
void pg_chunk_where(Buffer *out, const Chunk *chunk, const char *collation);

#endif /* PORTAGE_PG_CHUNK_H */

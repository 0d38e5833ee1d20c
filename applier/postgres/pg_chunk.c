/*
 * pg_chunk.c
 *		See pg_chunk.h.
 */
#include "postgres/pg_chunk.h"

#include "postgres/pg_conn.h"

/* An untyped literal takes the type of what it is compared with. */
static void
put_bound(Buffer *out, const Chunk *chunk, const char *comparison,
		  const char *bound, const char *collation)
{
	if (chunk->kind == CHUNK_KEYS)
	{
		pg_quote_ident(out, chunk->key);
		if (collation != NULL)
		{
			buffer_puts(out, " COLLATE pg_catalog.");
			pg_quote_ident(out, collation);
		}
		buffer_puts(out, comparison);
		pg_quote_literal(out, bound);
	}
	else
		buffer_printf(out, "ctid%s'(%s,0)'::tid", comparison, bound);
}

void
pg_chunk_where(Buffer *out, const Chunk *chunk, const char *collation)
{
	if (chunk->kind == CHUNK_WHOLE ||
		(chunk->low == NULL && chunk->high == NULL))
		return;
	buffer_puts(out, " WHERE ");
	if (chunk->low != NULL)
		put_bound(out, chunk, " >= ", chunk->low, collation);
	if (chunk->low != NULL && chunk->high != NULL)
		buffer_puts(out, " AND ");
	if (chunk->high != NULL)
		put_bound(out, chunk, " < ", chunk->high, collation);
}

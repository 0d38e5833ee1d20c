/*
 * test_copy_order.c
 *		Which table is begun first.
 */
#include "copy/copy_order.h"

#include <string.h>

#include "tap.h"

static Table
table_of(uint32_t oid, int64_t bytes)
{
	return (Table){ .oid = oid, .bytes = bytes };
}

static Chunk
chunk_of(uint32_t oid, int64_t size, ChunkState state)
{
	return (Chunk){ .table_oid = oid, .size = size, .state = state };
}

static DdlEntry
entry_of(uint32_t oid, const char *type, DdlState state)
{
	return (DdlEntry){
		.section = DDL_POST_DATA, .state = state, .type = type, .table_oid = oid
	};
}

#define COUNT(array) ((int) (sizeof(array) / sizeof((array)[0])))

static void
test_indexes(void)
{
	/* 2 has to wait for one piece of 1, and for three indexes of 1000 / 4 */
	Table tables[] = { table_of(1, 1200), table_of(2, 1000), table_of(3, 400) };
	Chunk chunks[] = { chunk_of(1, 600, CHUNK_TODO),
					   chunk_of(1, 600, CHUNK_TODO),
					   chunk_of(2, 1000, CHUNK_TODO),
					   chunk_of(3, 400, CHUNK_TODO) };
	DdlEntry entries[] = { entry_of(1, "CONSTRAINT", DDL_TODO),
						   entry_of(2, "CONSTRAINT", DDL_TODO),
						   entry_of(2, "INDEX", DDL_TODO),
						   entry_of(2, "INDEX", DDL_TODO) };

	copy_order_tables(tables, COUNT(tables), entries, COUNT(entries), chunks,
					  COUNT(chunks));
	is_int(tables[0].oid, 2, "the longest way: one piece and its indexes");
	is_int(tables[1].oid, 1, "then what is spread over the workers");
	is_int(tables[2].oid, 3, "the smallest at last");
}

static void
test_done(void)
{
	Table tables[] = { table_of(1, 1000), table_of(2, 500), table_of(3, 400) };
	Chunk chunks[] = { chunk_of(1, 1000, CHUNK_DONE),
					   chunk_of(2, 500, CHUNK_DONE),
					   chunk_of(3, 400, CHUNK_TODO) };
	DdlEntry entries[] = { entry_of(1, "INDEX", DDL_DONE),
						   entry_of(1, "TRIGGER", DDL_TODO),
						   entry_of(1, "INDEX", DDL_WAITING),
						   entry_of(2, "INDEX", DDL_TODO) };

	copy_order_tables(tables, COUNT(tables), entries, COUNT(entries), chunks,
					  COUNT(chunks));
	is_int(tables[0].oid, 3, "rows that are to come");
	is_int(tables[1].oid, 2, "an index that is to come");
	is_int(tables[2].oid, 1, "what is done, or waits, counts for nothing");
}

static void
test_equal(void)
{
	Table tables[] = { table_of(7, 100), table_of(5, 100), table_of(6, 300) };

	copy_order_tables(tables, COUNT(tables), NULL, 0, NULL, 0);
	is_int(tables[0].oid, 6, "of equal ways the biggest table");
	is_int(tables[1].oid, 5, "of equal tables the first");
	copy_order_tables(tables, 0, NULL, 0, NULL, 0);
	is_int(tables[2].oid, 7, "no tables");
}

int
main(void)
{
	test_indexes();
	test_done();
	test_equal();
	return done_testing();
}

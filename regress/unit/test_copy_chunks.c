/*
 * test_copy_chunks.c
 *		Which tables are split, where, and what must happen before they can be
 *		copied on.
 */
#include "copy/copy_chunks.h"

#include <string.h>

#include "copy/copy_plan.h"
#include "copy/copy_work.h"
#include "tap.h"

#define MB (INT64_C(1) << 20)

static const char *
text_or(const char *text)
{
	return text != NULL ? text : "-";
}

static void
is_chunk(const Chunk *chunk, int number, ChunkKind kind, const char *low,
		 const char *high)
{
	ok(chunk->number == number && chunk->kind == kind &&
		   chunk->state == CHUNK_TODO &&
		   strcmp(text_or(chunk->low), text_or(low)) == 0 &&
		   strcmp(text_or(chunk->high), text_or(high)) == 0,
	   "%s: chunk %d from %s to %s", chunk->name, number, text_or(low),
	   text_or(high));
}

static void
test_kinds(void)
{
	Table table = { .bytes = 256 * MB, .blocks = 32768, .key = "id" };

	is_int(copy_split_kind(&table, 256 * MB), CHUNK_WHOLE, "not over");
	is_int(copy_split_pieces(&table, 256 * MB), 1, "is one piece");
	table.bytes++;
	is_int(copy_split_kind(&table, 256 * MB), CHUNK_BLOCKS, "not in order");
	is_int(copy_split_pieces(&table, 256 * MB), 2, "just over");
	table.key_ordered = true;
	is_int(copy_split_kind(&table, 256 * MB), CHUNK_KEYS, "in order");
	table.key = NULL;
	is_int(copy_split_kind(&table, 256 * MB), CHUNK_BLOCKS, "no such key");
	table.blocks = 0;
	is_int(copy_split_kind(&table, 256 * MB), CHUNK_WHOLE,
		   "a server without ranges of blocks");
	is_int(copy_split_pieces(&table, 256 * MB), 1, "is left whole");
	table.blocks = 3;
	is_int(copy_split_pieces(&table, MB), 3, "no more pieces than blocks");
	table.blocks = INT64_C(1) << 40;
	table.bytes = INT64_MAX;
	is_int(copy_split_pieces(&table, 1), 10000, "nor than any could need");
}

/* What a target asks of how its tables are read. */
static void
test_fit(void)
{
	TargetOps ops = { .features = { .binary_rows = true } };
	Target target = { .ops = &ops };
	Table tables[] = {
		{ .bytes = 2 * MB, .blocks = 256, .binary = true, .partition = true },
		{ .bytes = 2 * MB, .blocks = 256, .key = "id", .key_ordered = true },
		{ .bytes = 2 * MB,
		  .blocks = 256,
		  .key = "id",
		  .key_ordered = true,
		  .key_primary = true },
	};

	copy_plan_fit(&target, tables, 3);
	ok(tables[0].binary, "binary rows for a target of the same kind");
	is_int(copy_split_kind(&tables[0], MB), CHUNK_BLOCKS, "a partition");
	is_int(copy_split_kind(&tables[1], MB), CHUNK_KEYS, "by any key");
	ops.features = (TargetFeatures){ .own_schema = true,
									 .merges_partitions = true };
	copy_plan_fit(&target, tables, 3);
	ok(!tables[0].binary, "none for another one");
	is_int(copy_split_kind(&tables[0], MB), CHUNK_WHOLE,
		   "a partition is read whole where it shares a table");
	is_int(copy_split_kind(&tables[1], MB), CHUNK_BLOCKS,
		   "not by a key beside the primary one");
	is_int(copy_split_kind(&tables[2], MB), CHUNK_KEYS, "by the primary key");
}

static void
test_make(void)
{
	static const char *values[] = { "-5", "7" };
	Table tables[] = {
		{ .oid = 1,
		  .name = "keys",
		  .bytes = 3 * MB,
		  .blocks = 384,
		  .key = "id",
		  .key_ordered = true },
		{ .oid = 2, .name = "blocks", .bytes = 5 * MB, .blocks = 10 },
		{ .oid = 3,
		  .name = "unlogged",
		  .bytes = 9 * MB,
		  .blocks = 9,
		  .unlogged = true },
		{ .oid = 4,
		  .name = "few",
		  .bytes = 9 * MB,
		  .blocks = 9,
		  .key = "k",
		  .key_ordered = true },
		{ .oid = 5, .name = "whole", .bytes = MB, .blocks = 128 },
	};
	KeyBounds bounds[5] = { { values, 2 } };
	Chunk *chunks;
	Arena arena;

	arena_init(&arena);
	is_int(copy_chunks_make(tables, 5, bounds, 2 * MB, &arena, &chunks), 8,
		   "eight chunks");
	is_chunk(&chunks[0], 1, CHUNK_KEYS, NULL, "-5");
	is_chunk(&chunks[1], 2, CHUNK_KEYS, "-5", "7");
	is_chunk(&chunks[2], 3, CHUNK_KEYS, "7", NULL);
	ok(strcmp(chunks[1].key, "id") == 0, "by their key");
	is_chunk(&chunks[3], 1, CHUNK_BLOCKS, NULL, "3");
	is_chunk(&chunks[4], 2, CHUNK_BLOCKS, "3", "6");
	is_chunk(&chunks[5], 3, CHUNK_BLOCKS, "6", NULL);
	is_chunk(&chunks[6], 1, CHUNK_WHOLE, NULL, NULL);
	is_int(chunks[6].table_oid, 4, "a key of one value splits nothing");
	is_chunk(&chunks[7], 1, CHUNK_WHOLE, NULL, NULL);
	arena_release(&arena);
}

static void
test_start(void)
{
	Table table = { .oid = 1, .key = "id", .storage = 7 };
	Shape now = { .oid = 1 };
	Chunk chunks[2];

	copy_chunk_whole(&table, &chunks[0]);
	is_int(copy_plan_start(&table, chunks, 1, false), START_READY,
		   "a whole table: the loader sees to it");
	for (int i = 0; i < 2; i++)
	{
		copy_chunk_whole(&table, &chunks[i]);
		chunks[i].kind = CHUNK_KEYS;
		chunks[i].key = "id";
		chunks[i].number = i + 1;
	}
	is_int(copy_plan_start(&table, chunks, 2, true), START_PROVE_EMPTY,
		   "nothing is done");
	chunks[0].state = CHUNK_DONE;
	chunks[0].storage = 7;
	is_int(copy_plan_start(&table, chunks, 2, false), START_READY,
		   "keys that are done stay");
	table.altered = &now;
	is_int(copy_plan_start(&table, chunks, 2, false), START_RESET,
		   "but not those of a table that was altered");
	table.altered = NULL;
	table.storage = 8;
	is_int(copy_plan_start(&table, chunks, 2, false), START_RESET_WHOLE,
		   "but not of another storage");
	table.storage = 7;
	table.key = "other";
	is_int(copy_plan_start(&table, chunks, 2, false), START_RESET_WHOLE,
		   "nor of another key");
	chunks[1].state = CHUNK_DONE;
	is_int(copy_plan_start(&table, chunks, 2, false), START_READY,
		   "all is done");
	chunks[0].kind = chunks[1].kind = CHUNK_BLOCKS;
	chunks[1].state = CHUNK_TODO;
	is_int(copy_plan_start(&table, chunks, 2, false), START_RESET,
		   "blocks need each other");
	chunks[0].state = CHUNK_TODO;
	is_int(copy_plan_start(&table, chunks, 2, false), START_PROVE_EMPTY,
		   "none is there");
}

static void
test_mixed(void)
{
	Chunk chunks[2] = {
		{ .state = CHUNK_DONE, .stamp = { .snapshot = "1:2:" } },
		{ .state = CHUNK_DONE, .stamp = { .snapshot = "1:2:" } },
	};

	ok(!copy_plan_mixed(chunks, 1), "one");
	ok(!copy_plan_mixed(chunks, 2), "the same snapshot");
	chunks[1].stamp.snapshot = "1:3:";
	ok(copy_plan_mixed(chunks, 2), "another");
	chunks[1].stamp.slot = true;
	ok(copy_plan_mixed(chunks, 2), "the slot's");
	chunks[0].stamp.slot = true;
	ok(!copy_plan_mixed(chunks, 2), "both are the slot's");
	chunks[1].state = CHUNK_TODO;
	ok(copy_plan_mixed(chunks, 2), "todo will be another");
	chunks[0].state = CHUNK_TODO;
	chunks[1].stamp.slot = false;
	chunks[0].stamp.slot = false;
	ok(!copy_plan_mixed(chunks, 2), "all are todo");
}

static void
test_second_key(void)
{
	Table table = { .name = "t", .identity_index = "t_pkey" };
	DdlEntry primary = { .type = "CONSTRAINT", .name = "t t_pkey", .sql = "" };
	DdlEntry unique = { .type = "CONSTRAINT", .name = "t u", .sql = "" };
	DdlEntry index = { .type = "INDEX",
					   .name = "i",
					   .sql = "CREATE UNIQUE INDEX i ON t" };
	DdlEntry plain = { .type = "INDEX",
					   .name = "p",
					   .sql = "CREATE INDEX p ON t" };
	DdlEntry nominated = { .type = "INDEX",
						   .name = "t_pkey",
						   .sql = "CREATE UNIQUE INDEX t_pkey ON t" };

	ok(!copy_plan_second_key(&table, &primary), "the identity's own");
	ok(!copy_plan_second_key(&table, &nominated), "which may be an index");
	ok(copy_plan_second_key(&table, &unique), "a constraint");
	ok(copy_plan_second_key(&table, &index), "a unique index");
	ok(!copy_plan_second_key(&table, &plain), "not any index");
	table.identity_index = NULL;
	ok(copy_plan_second_key(&table, &primary), "no identity at all");
}

static CopyWork
take(CopyPlan *plan, WorkKind kind, const char *what)
{
	CopyWork work;

	copy_work_take(plan, &work);
	is_int(work.kind, kind, what);
	return work;
}

/* Two tables: one in three pieces with two indexes, and a small one. */
static void
test_work(void)
{
	Table big = { .oid = 1, .name = "big", .bytes = 300 };
	Table small = { .oid = 2, .name = "small" };
	Chunk pieces[3] = { { .number = 1 },
						{ .number = 2, .state = CHUNK_DONE },
						{ .number = 3 } };
	Chunk whole = { .number = 1 };
	DdlEntry entries[2] = { { .number = 1 }, { .number = 2 } };
	IndexJob indexes[2] = { { &entries[0], false }, { &entries[1], true } };
	CopyTable todo[2] = { { .table = &big,
							.chunks = pieces,
							.chunk_count = 3,
							.chunks_done = 1,
							.indexes = indexes,
							.index_count = 2,
							.analyze = ANALYZE_DONE },
						  { .table = &small,
							.chunks = &whole,
							.chunk_count = 1,
							.analyze = ANALYZE_DONE } };
	CopyPlan plan = { .todo = todo, .todo_count = 2 };
	CopyWork first = take(&plan, WORK_CHUNK, "the biggest first");
	CopyWork second = take(&plan, WORK_CHUNK, "spread over workers");
	CopyWork third;

	ok(first.chunk == &pieces[0] && second.chunk == &pieces[2],
	   "what is done is left out");
	third = take(&plan, WORK_CHUNK, "then the next table");
	ok(third.chunk == &whole, "which is small");
	take(&plan, WORK_WAIT, "others copy");
	copy_work_done(&first, false);
	take(&plan, WORK_WAIT, "no index before the last chunk is in");
	copy_work_done(&third, false);
	copy_work_done(&second, false);
	is_int(todo[0].chunks_done, 3, "chunks are counted");
	first = take(&plan, WORK_INDEX, "an index");
	take(&plan, WORK_WAIT, "one that locks the table waits");
	copy_work_done(&first, false);
	second = take(&plan, WORK_INDEX, "and comes then");
	copy_work_done(&second, false);
	ok(copy_table_done(&todo[0]), "the table is done");
	take(&plan, WORK_END, "the end");
}

static void
test_rewritten(void)
{
	Table big = { .oid = 1, .name = "big", .bytes = 300 };
	Chunk pieces[3] = { { .number = 1, .kind = CHUNK_KEYS },
						{ .number = 2, .kind = CHUNK_KEYS },
						{ .number = 3, .kind = CHUNK_KEYS } };
	CopyTable todo = {
		.table = &big,
		.chunks = pieces,
		.chunk_count = 3,
		.bytes = 9,
		.rows = 9,
		.analyze = ANALYZE_DONE,
	};
	CopyPlan plan = { .todo = &todo, .todo_count = 1 };
	CopyWork first = take(&plan, WORK_CHUNK, "one");
	CopyWork second = take(&plan, WORK_CHUNK, "and two are copied");
	CopyWork again;

	copy_work_done(&first, true);
	take(&plan, WORK_WAIT, "rewritten: nobody begins another piece");
	copy_work_done(&second, false);
	again = take(&plan, WORK_AGAIN, "the last has ended: again as a whole");
	ok(again.chunk->kind == CHUNK_WHOLE && again.chunk->number == 1 &&
		   todo.rows == 0 && todo.bytes == 0,
	   "from the beginning");
	take(&plan, WORK_WAIT, "by one worker");
	copy_work_done(&again, false);
	ok(copy_table_done(&todo), "the table is done");
	take(&plan, WORK_END, "the end");
}

int
main(void)
{
	test_kinds();
	test_fit();
	test_make();
	test_start();
	test_mixed();
	test_second_key();
	test_work();
	test_rewritten();
	return done_testing();
}

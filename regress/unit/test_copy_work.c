/*
 * test_copy_work.c
 *		What a worker takes next, and what it has to wait for.
 */
#include "copy/copy_work.h"

#include "tap.h"

static DdlEntry entries[2];
static IndexJob jobs[2] = { { &entries[0], true }, { &entries[1], false } };
static Chunk chunks[3] = { { .number = 1 }, { .number = 2 }, { .number = 1 } };

/* One of two chunks and two indexes, one of a chunk and nothing else. */
static const Table rows; /* neither is a reference */
static CopyTable tables[2];

static void
plan_init(CopyPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	tables[0] = (CopyTable){ .table = &rows,
							 .chunks = &chunks[0],
							 .chunk_count = 2,
							 .indexes = jobs,
							 .index_count = 2 };
	tables[1] =
		(CopyTable){ .table = &rows, .chunks = &chunks[2], .chunk_count = 1 };
	plan->todo = tables;
	plan->todo_count = 2;
}

static void
test_order(void)
{
	CopyPlan plan;
	CopyWork first;
	CopyWork second;
	CopyWork work;

	plan_init(&plan);
	copy_work_take(&plan, &first);
	copy_work_take(&plan, &second);
	ok(first.chunk == &chunks[0] && second.chunk == &chunks[1],
	   "the chunks of the first table go to two workers");
	copy_work_done(&first, false);
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_CHUNK && work.table == &tables[1],
	   "then rows of the next, while some of the first's are to come");
	copy_work_done(&work, false);
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_ANALYZE && work.table == &tables[1],
	   "statistics, where nothing else can be done");
	ok(!copy_table_done(&tables[1]), "the table is not done before them");
	copy_work_done(&work, false);
	ok(copy_table_done(&tables[1]), "but with them");
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_WAIT, "indexes wait for the last row");
	copy_work_done(&second, false);
	copy_work_take(&plan, &first);
	ok(first.index == &jobs[0], "an index");
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_WAIT, "what locks the table is built alone");
	copy_work_done(&first, false);
	copy_work_take(&plan, &second);
	ok(second.index == &jobs[1], "the other index");
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_WAIT, "statistics wait for the last index");
	copy_work_done(&second, false);
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_ANALYZE && work.table == &tables[0], "and follow it");
	copy_work_done(&work, false);
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_END, "that was all");
}

static void
test_later(void)
{
	CopyPlan plan;
	CopyWork work;

	plan_init(&plan);
	tables[0].chunks_done = tables[0].next_chunk = 2;
	tables[0].indexes_done = tables[0].next_index = 2;
	tables[0].analyze = ANALYZE_LATER;
	tables[1].chunks_done = tables[1].next_chunk = 1;
	tables[1].analyze = ANALYZE_DONE;
	copy_work_take(&plan, &work);
	ok(work.kind == WORK_END && copy_table_done(&tables[0]),
	   "what is analyzed behind all the rest is no work of the pool");
}

int
main(void)
{
	test_order();
	test_later();
	return done_testing();
}

/*
 * test_kept_spill.c
 *		Kept rows that wait: what was added comes back, from memory, from the file,
 *		and from both.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rules/kept_spill.h"
#include "tap.h"

/* The i-th row's parts, as bytes that tell rows apart. */
static Slice
part_of(int i, int salt, int longest, char *buffer)
{
	int len = (i * 7 + salt * 13) % (longest + 1);

	for (int k = 0; k < len; k++)
		buffer[k] = (char) (i + salt + k * 31);
	return (Slice){ buffer, (size_t) len };
}

static bool
row_is(const KeptRow *row, int i, int longest)
{
	char hash[KEPT_HASH_SIZE];
	char *buffer = mem_zalloc((size_t) longest + 1);
	Slice key = part_of(i, 1, longest, buffer);
	bool same = slice_equal(row->key, key) &&
				strcmp(row->area, i % 2 == 0 ? "counter:a:b" : "ledger:x") == 0;

	kept_hash(key, hash);
	same = same && strcmp(row->key_hash, hash) == 0 &&
		   slice_equal(row->body, part_of(i, 2, longest, buffer)) &&
		   row->key.data[row->key.len] == '\0' &&
		   row->body.data[row->body.len] == '\0';
	mem_free(buffer);
	return same;
}

static bool
add_all(KeptSpill *spill, int rows, int longest, Error *err)
{
	char *key = mem_zalloc((size_t) longest + 1);
	char *body = mem_zalloc((size_t) longest + 1);
	bool ok = true;

	for (int i = 0; ok && i < rows; i++)
	{
		char hash[KEPT_HASH_SIZE];
		KeptRow row = { .area = i % 2 == 0 ? "counter:a:b" : "ledger:x",
						.key_hash = hash,
						.key = part_of(i, 1, longest, key),
						.body = part_of(i, 2, longest, body) };

		kept_hash(row.key, hash);
		ok = kept_spill_add(spill, &row, err);
	}
	mem_free(key);
	mem_free(body);
	return ok;
}

static void
test_rows(const char *what, size_t memory, int rows, int longest)
{
	KeptSpill *spill = kept_spill_open(memory);
	Error err = ERROR_INIT;
	KeptRow *some;
	int count = 1;
	int seen = 0;
	int wrong = 0;
	bool good = add_all(spill, rows, longest, &err);

	while (good && count > 0)
	{
		good = kept_spill_next(spill, &some, &count, &err);
		for (int i = 0; good && i < count; i++)
			wrong += !row_is(&some[i], seen++, longest);
	}
	ok(good && seen == rows && wrong == 0, "%s", what);
	ok(good && kept_spill_next(spill, &some, &count, &err) && count == 0,
	   "%s: and no more", what);
	kept_spill_close(spill);
}

static void
test_no_room(void)
{
	KeptSpill *spill = kept_spill_open(10);
	KeptRow row = { "area", "hash", { "key", 3 }, { "body", 4 } };
	Error err = ERROR_INIT;

	setenv("TMPDIR", "/nonexistent", 1);
	ok(!kept_spill_add(spill, &row, &err) && err.code == P_COPY,
	   "no directory for the file is an error");
	unsetenv("TMPDIR");
	kept_spill_close(spill);
}

int
main(void)
{
	test_rows("nothing", 1000, 0, 10);
	test_rows("a few in memory", 1000, 5, 10);
	test_rows("several answers from memory", 10000000, 2000, 50);
	test_rows("each row in the file", 0, 700, 20);
	test_rows("file and memory", 4096, 3001, 60);
	test_rows("rows longer than memory", 1000, 40, 100000);
	test_no_room();
	kept_spill_close(NULL);
	return done_testing();
}

/*
 * test_kept_map.c
 *		Keys and their numbers, against an array.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/kept_map.h"
#include "tap.h"

#define KEYS 500
#define STEPS 20000

static Slice
key_of(int i, char *buffer)
{
	snprintf(buffer, 16, "key %d", i);
	return slice_of(buffer);
}

static void
test_random(unsigned seed)
{
	bool there[KEYS] = { false };
	int64_t numbers[KEYS] = { 0 };
	KeptMap map = { 0 };
	size_t count = 0;
	char buffer[16];
	int wrong = 0;

	srand(seed);
	for (int step = 0; step < STEPS; step++)
	{
		int i = rand() % KEYS;
		Slice key = key_of(i, buffer);
		int64_t number = -1;

		if (kept_map_find(&map, "area", key, &number) != there[i] ||
			(there[i] && number != numbers[i]) || map.count != count)
			wrong++;
		if (rand() % 3 != 0)
		{
			count += !there[i];
			there[i] = true;
			numbers[i] = step;
			kept_map_put(&map, "area", key, step);
		}
		else
		{
			count -= there[i];
			there[i] = false;
			kept_map_remove(&map, "area", key);
		}
	}
	ok(wrong == 0, "%d steps, seed %u: as in an array", STEPS, seed);
	ok(map.capacity <= 8192, "removed keys do not make it grow for ever: %zu",
	   map.capacity);
	kept_map_release(&map);
}

int
main(void)
{
	KeptMap map = { 0 };
	int64_t number = 7;

	ok(!kept_map_find(&map, "a", slice_of("k"), &number) && number == 7,
	   "an empty map has nothing");
	kept_map_put(&map, "a", slice_of("k"), 1);
	kept_map_put(&map, "b", slice_of("k"), 2);
	ok(kept_map_find(&map, "a", slice_of("k"), &number) && number == 1,
	   "an area by itself");
	ok(kept_map_find(&map, "b", slice_of("k"), &number) && number == 2,
	   "and another one");
	kept_map_remove(&map, "a", slice_of("k"));
	ok(!kept_map_find(&map, "a", slice_of("k"), &number), "gone");
	kept_map_release(&map);
	test_random(1);
	test_random((unsigned) time(NULL));
	return done_testing();
}

/*
 * test_arena.c
 *		Arenas in both builds: bump allocation, and one malloc per allocation.
 */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "tap.h"

void bump_init(Arena *arena);
void bump_reset(Arena *arena);
void bump_release(Arena *arena);
void *bump_alloc(Arena *arena, size_t size);
void *bump_zalloc(Arena *arena, size_t count, size_t size);
char *bump_strdup(Arena *arena, const char *s);
void *bump_room(Arena *arena, void *array, int count, size_t size);
char *bump_strndup(Arena *arena, const char *s, size_t len);
char *bump_printf(Arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

typedef struct Build
{
	const char *name;
	void (*init)(Arena *arena);
	void (*reset)(Arena *arena);
	void (*release)(Arena *arena);
	void *(*alloc)(Arena *arena, size_t size);
	void *(*zalloc)(Arena *arena, size_t count, size_t size);
	void *(*room)(Arena *arena, void *array, int count, size_t size);
	char *(*strdup)(Arena *arena, const char *s);
	char *(*strndup)(Arena *arena, const char *s, size_t len);
	char *(*printf)(Arena *arena, const char *fmt, ...);
} Build;

static const Build builds[] = {
	{ "debug", arena_init, arena_reset, arena_release, arena_alloc,
	  arena_zalloc, arena_room, arena_strdup, arena_strndup, arena_printf },
	{ "bump", bump_init, bump_reset, bump_release, bump_alloc, bump_zalloc,
	  bump_room, bump_strdup, bump_strndup, bump_printf },
};

static void
test_alignment(const Build *build)
{
	Arena arena;
	bool aligned = true;
	size_t size;

	build->init(&arena);
	is_int(arena.used_bytes, 0, "an empty arena has used nothing");
	for (size = 0; size < 200; size++)
	{
		char *p = build->alloc(&arena, size);

		aligned = aligned && (uintptr_t) p % alignof(max_align_t) == 0;
		memset(p, 0xAA, size);
	}
	ok(aligned, "%s: allocations of every size are aligned", build->name);
	is_int(arena.used_bytes, 199 * 200 / 2, "and counted without padding");
	build->release(&arena);
	is_int(arena.used_bytes, 0, "release counts from zero again");
}

/* Neighbours keep their contents, whatever the sizes. */
static void
test_contents(const Build *build)
{
	enum
	{
		N = 600
	};
	Arena arena;
	unsigned char *p[N];
	bool intact = true;
	size_t size;
	int i;

	build->init(&arena);
	for (i = 0; i < N; i++)
	{
		size = (size_t) (i * 37 % 9000 + (i % 100 == 0 ? 2000000 : 0));
		p[i] = build->alloc(&arena, size);
		memset(p[i], i & 0xFF, size);
	}
	for (i = 0; i < N; i++)
	{
		size = (size_t) (i * 37 % 9000 + (i % 100 == 0 ? 2000000 : 0));
		for (size_t b = 0; b < size; b++)
			intact = intact && p[i][b] == (i & 0xFF);
	}
	ok(intact, "%s: no allocation overlaps another", build->name);
	build->reset(&arena);
	is_int(arena.used_bytes, 0, "reset forgets all");
	memset(build->alloc(&arena, 5000), 1, 5000);
	is_int(arena.used_bytes, 5000, "and the arena can be used again");
	build->release(&arena);
	build->release(&arena);
	ok(true, "%s: releasing twice is harmless", build->name);
}

static void
test_strings(const Build *build)
{
	Arena arena;
	unsigned char *zeroes;
	bool zero = true;
	char *s;

	build->init(&arena);
	memset(build->alloc(&arena, 4000), 0xFF, 4000);
	build->reset(&arena);
	zeroes = build->zalloc(&arena, 1000, 4);
	for (int i = 0; i < 4000; i++)
		zero = zero && zeroes[i] == 0;
	ok(zero, "%s: zalloc clears memory that was used before", build->name);
	is_str(build->strdup(&arena, ""), "", "a copy of nothing");
	s = build->strndup(&arena, "abc\0def", 7);
	ok(memcmp(s, "abc\0def", 8) == 0, "strndup copies NULs and adds one");
	is_str(build->printf(&arena, "%s-%05d", "x", 42), "x-00042", "printf");
	s = build->printf(&arena, "%5000s", "end");
	is_int(strlen(s), 5000, "printf of more than a chunk");
	is_str(s + 4997, "end", "to its end");
	build->release(&arena);
}

/* Every element stays what it is, and the one behind them is zero. */
static void
test_room(const Build *build)
{
	int *numbers = NULL;
	bool zero = true;
	bool kept = true;
	int moves = 0;
	Arena arena;

	build->init(&arena);
	memset(build->alloc(&arena, 4000), 0xFF, 4000);
	build->reset(&arena);
	for (int count = 0; count < 1000; count++)
	{
		int *before = numbers;

		numbers = build->room(&arena, numbers, count, sizeof(*numbers));
		moves += numbers != before;
		zero = zero && numbers[count] == 0;
		numbers[count] = count + 1;
	}
	for (int i = 0; i < 1000; i++)
		kept = kept && numbers[i] == i + 1;
	ok(kept, "%s: an array that grows keeps its elements", build->name);
	ok(zero, "%s: a new one is zero", build->name);
	ok(moves <= 10, "%s: it doubles", build->name);
	build->release(&arena);
}

/* What must end the process is done in one that may end. */
static int
exit_code_of(void (*function)(const Build *build), const Build *build)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		function(build);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
overflow(const Build *build)
{
	Arena arena;

	build->init(&arena);
	build->zalloc(&arena, SIZE_MAX / 2, 3);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
	{
		test_alignment(&builds[i]);
		test_contents(&builds[i]);
		test_strings(&builds[i]);
		test_room(&builds[i]);
		is_int(exit_code_of(overflow, &builds[i]), 70,
			   "a product that overflows is a bug");
	}
	return done_testing();
}

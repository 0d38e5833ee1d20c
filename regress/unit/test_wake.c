/*
 * test_wake.c
 *		A wake ends waits that are going on, and those that come after it.
 */
#include "base/wake.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "tap.h"

/* far beyond what the test may take */
#define NEVER_MS 600000

static Wake wake;
static atomic_int woken;

static void *
wait_main(void *unused)
{
	(void) unused;
	wake_wait(&wake, clock_ms() + NEVER_MS);
	atomic_fetch_add(&woken, 1);
	return NULL;
}

int
main(void)
{
	pthread_t threads[3];
	int64_t begun_ms = clock_ms();

	wake_init(&wake);
	wake_wait(&wake, begun_ms + 20);
	ok(clock_ms() >= begun_ms + 20, "a wait without a wake takes its time");
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_main, NULL);
	wake_ring(&wake);
	wake_ring(&wake);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	is_int(atomic_load(&woken), 3, "all that wait are woken");
	wake_wait(&wake, clock_ms() + NEVER_MS);
	ok(clock_ms() < begun_ms + NEVER_MS, "and who comes later does not wait");
	wake_release(&wake);
	return done_testing();
}

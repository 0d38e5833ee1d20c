/*
 * wake.h
 *		A descriptor that becomes readable once and stays so: for threads that
 *		wait for something else, too.
 */
#ifndef PORTAGE_WAKE_H
#define PORTAGE_WAKE_H

#include <stdint.h>

typedef struct Wake
{
	int fd;
} Wake;

void wake_init(Wake *wake);
void wake_release(Wake *wake);

/* From any thread, as often as one likes. */
void wake_ring(const Wake *wake);

/* Pause until it rings, a stop is requested, or then. */
void wake_wait(const Wake *wake, int64_t until_ms);

#endif /* PORTAGE_WAKE_H */

/*
 * clock.h
 *		Monotonic time for every deadline, and random bytes for nonces.
 *
 * No decision reads a wall clock: it may jump.
 */
#ifndef PORTAGE_CLOCK_H
#define PORTAGE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_ms(void);
int64_t clock_us(void);

/* Wall clock, microseconds since 2000-01-01 UTC: for display and lag only. */
int64_t clock_wall_us(void);

/* Sleep until the time has passed or a stop was requested (signals.h). */
void clock_pause_ms(int64_t ms);

/* 32 hexadecimal digits from the kernel's generator, and a NUL. */
#define NONCE_SIZE 33
void nonce_make(char out[NONCE_SIZE]);

#endif /* PORTAGE_CLOCK_H */

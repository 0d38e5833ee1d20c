/*
 * meter.h
 *		How fast a number grows, over the last while.
 *
 * Samples are taken at any interval; those older than the window are forgotten,
 * except that two are kept, so that a meter which is rarely fed still answers.
 * For display only: nothing is decided by a rate.
 */
#ifndef PORTAGE_METER_H
#define PORTAGE_METER_H

#include <stdint.h>

#define METER_SAMPLES 32

typedef struct MeterSample
{
	int64_t at_ms;
	uint64_t value;
} MeterSample;

typedef struct Meter
{
	int64_t window_ms;
	MeterSample samples[METER_SAMPLES]; /* oldest first */
	int count;
} Meter;

void meter_init(Meter *meter, int64_t window_ms);

/*
 * The number as it is at a time (clock_ms()).  Times do not go backwards; a
 * number that does begins anew.
 */
void meter_add(Meter *meter, int64_t at_ms, uint64_t value);

/* Per second; 0 while fewer than two samples are there. */
double meter_rate(const Meter *meter);

/*
 * Seconds until a follower that is behind by so much has caught up, if both go
 * on as they do; -1 if it never does.
 */
double meter_catch_up_s(uint64_t behind, double drain_rate, double source_rate);

#endif /* PORTAGE_METER_H */

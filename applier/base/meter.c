/*
 * meter.c
 *		See meter.h.
 */
#include "base/meter.h"

#include <string.h>

void
meter_init(Meter *meter, int64_t window_ms)
{
	meter->window_ms = window_ms;
	meter->count = 0;
}

static void
forget(Meter *meter, int count)
{
	meter->count -= count;
	memmove(meter->samples, meter->samples + count,
			(size_t) meter->count * sizeof(meter->samples[0]));
}

void
meter_add(Meter *meter, int64_t at_ms, uint64_t value)
{
	int old = 0;

	if (meter->count > 0 && value < meter->samples[meter->count - 1].value)
		meter->count = 0;
	while (meter->count - old > 1 &&
		   meter->samples[old + 1].at_ms <= at_ms - meter->window_ms)
		old++;
	if (old == 0 && meter->count == METER_SAMPLES)
		old = 1;
	if (old > 0)
		forget(meter, old);
	meter->samples[meter->count].at_ms = at_ms;
	meter->samples[meter->count].value = value;
	meter->count++;
}

double
meter_rate(const Meter *meter)
{
	const MeterSample *first = &meter->samples[0];
	const MeterSample *last;

	if (meter->count < 2)
		return 0;
	last = &meter->samples[meter->count - 1];
	if (last->at_ms <= first->at_ms)
		return 0;
	return (double) (last->value - first->value) * 1000.0 /
		   (double) (last->at_ms - first->at_ms);
}

double
meter_catch_up_s(uint64_t behind, double drain_rate, double source_rate)
{
	if (behind == 0)
		return 0;
	if (drain_rate <= source_rate)
		return -1;
	return (double) behind / (drain_rate - source_rate);
}

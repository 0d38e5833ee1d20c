/*
 * test_meter.c
 *		Rates, times to catch up, and how numbers are shown.
 */
#include "base/meter.h"
#include "base/units.h"
#include "tap.h"

static void
test_rate(void)
{
	Meter meter;

	meter_init(&meter, 10000);
	ok(meter_rate(&meter) == 0, "no sample: no rate");
	meter_add(&meter, 1000, 500);
	ok(meter_rate(&meter) == 0, "one sample: no rate");
	meter_add(&meter, 1000, 600);
	ok(meter_rate(&meter) == 0, "no time has passed");
	meter_add(&meter, 3000, 2500);
	ok(meter_rate(&meter) == 1000, "2000 in two seconds");
	meter_add(&meter, 60000, 2600);
	ok(meter_rate(&meter) > 1.7 && meter_rate(&meter) < 1.8,
	   "what is older than the window counts by its last sample");
	meter_add(&meter, 61000, 2600);
	meter_add(&meter, 71000, 2600);
	ok(meter_rate(&meter) == 0, "nothing moves");
	meter_add(&meter, 72000, 10);
	ok(meter_rate(&meter) == 0, "a number that goes back begins anew");
	meter_add(&meter, 73000, 20);
	ok(meter_rate(&meter) == 10, "and is measured again");
}

static void
test_many_samples(void)
{
	Meter meter;

	meter_init(&meter, 10000);
	for (int i = 0; i < 100000; i++)
		meter_add(&meter, i, (uint64_t) i * 7);
	ok(meter.count <= METER_SAMPLES, "bounded, however often it is fed");
	ok(meter_rate(&meter) == 7000, "and still right");
}

static void
test_catch_up(void)
{
	ok(meter_catch_up_s(0, 0, 100) == 0, "nothing is behind");
	ok(meter_catch_up_s(1000, 300, 100) == 5, "200 a second faster");
	ok(meter_catch_up_s(1000, 100, 100) == -1, "as fast is never");
	ok(meter_catch_up_s(1000, 0, 0) == -1, "nothing moves");
}

static void
bytes_are(double value, const char *expected)
{
	char out[UNITS_SIZE];

	is_str(units_bytes(value, out), expected, expected);
}

static void
duration_is(double value, const char *expected)
{
	char out[UNITS_SIZE];

	is_str(units_duration(value, out), expected, expected);
}

static void
count_is(double value, const char *expected)
{
	char out[UNITS_SIZE];

	is_str(units_count(value, out), expected, expected);
}

static void
test_units(void)
{
	bytes_are(0, "0 bytes");
	bytes_are(1023, "1023 bytes");
	bytes_are(1024, "1.0 kB");
	bytes_are(1048575, "1.0 MB");
	bytes_are(1572864, "1.5 MB");
	bytes_are(5e12, "4.5 TB");
	duration_is(-1, "never");
	duration_is(0, "0 s");
	duration_is(59.4, "59 s");
	duration_is(59.6, "1 min 00 s");
	duration_is(3599.9, "1 h 00 min");
	duration_is(7265, "2 h 01 min");
	duration_is(90000, "1 d 01 h");
	count_is(9999, "9999");
	count_is(10000, "10.0 k");
	count_is(999999, "1.0 M");
	count_is(4560000, "4.6 M");
}

int
main(void)
{
	test_rate();
	test_many_samples();
	test_catch_up();
	test_units();
	return done_testing();
}

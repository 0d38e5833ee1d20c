/*
 * report.c
 *		See report.h.
 *
 * What the source has written is known from the markers, which go through an
 * ordinary connection: the positions in the stream itself are only how far the
 * walsender has decoded (walsender.c, WalSndKeepalive sends sentPtr).
 */
#include "stream/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/display.h"
#include "base/log.h"
#include "base/units.h"

#define WINDOW_MS 10000
#define FEED_MS 500
#define DRAW_MS 1000
#define LOG_MS 10000

void
report_init(Report *report, const Lane *lane)
{
	report->lane = lane;
	meter_init(&report->rows, WINDOW_MS);
	meter_init(&report->drained, WINDOW_MS);
	meter_init(&report->written, WINDOW_MS);
	report->fed_ms = 0;
	report->shown_ms = clock_ms();
}

/* The furthest that we know the source to be. */
static Lsn
source_position(const StreamSession *session)
{
	Lsn written = atomic_load(&session->source_written);
	Lsn sent = atomic_load(&session->source_wal_end);

	return written > sent ? written : sent;
}

static void
feed(Report *report, int64_t now_ms)
{
	const Progress *progress = report->lane->progress;
	Lsn source = source_position(report->lane->session);

	report->fed_ms = now_ms;
	meter_add(&report->rows, now_ms, progress->rows);
	meter_add(&report->drained, now_ms, progress->resume_lsn);
	if (source != LSN_NONE)
		meter_add(&report->written, now_ms, source);
}

static void
format(const Report *report, int64_t lag_ms, const char *between, char *out,
	   size_t size)
{
	Lsn resume = report->lane->progress->resume_lsn;
	Lsn source = source_position(report->lane->session);
	uint64_t behind = source > resume ? source - resume : 0;
	double drain = meter_rate(&report->drained);
	double written = meter_rate(&report->written);
	char numbers[5][UNITS_SIZE];
	char lag[UNITS_SIZE] = "";

	if (lag_ms >= 0)
		snprintf(lag, sizeof(lag), ", %.1f s", (double) lag_ms / 1e3);
	snprintf(
		out, size,
		"streaming at " LSN_FORMAT ": %s%s behind, catches up: %s%s"
		"applies %s rows/s, %s/s of WAL; the source writes %s/s",
		LSN_ARGS(resume), units_bytes((double) behind, numbers[0]), lag,
		units_duration(meter_catch_up_s(behind, drain, written), numbers[1]),
		between, units_count(meter_rate(&report->rows), numbers[2]),
		units_bytes(drain, numbers[3]), units_bytes(written, numbers[4]));
}

void
report_turn(Report *report, int64_t lag_ms)
{
	int64_t now_ms = clock_ms();
	int64_t every_ms = display_active() ? DRAW_MS : LOG_MS;
	char line[512];

	if (now_ms - report->fed_ms >= FEED_MS)
		feed(report, now_ms);
	if (now_ms - report->shown_ms < every_ms)
		return;
	report->shown_ms = now_ms;
	format(report, lag_ms, display_active() ? "\n  " : "; ", line,
		   sizeof(line));
	if (display_active())
		display_set(line);
	else
		log_info("%s", line);
}

void
report_end(void)
{
	display_set("");
}

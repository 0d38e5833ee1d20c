/*
 * report.h
 *		How the stream is doing, for a person who looks on.
 *
 * On a terminal two lines that are drawn again every second, elsewhere a line in
 * the log every ten seconds; nothing with --quiet.
 */
#ifndef PORTAGE_STREAM_REPORT_H
#define PORTAGE_STREAM_REPORT_H

#include "base/meter.h"
#include "stream/session.h"

typedef struct Report
{
	const Lane *lane;
	Meter rows;	   /* applied */
	Meter drained; /* WAL applied, in bytes */
	Meter written; /* WAL of the source, in bytes */
	int64_t fed_ms;
	int64_t shown_ms;
} Report;

void report_init(Report *report, const Lane *lane);

/* Called often; lag_ms: age of the last marker that was applied, or -1. */
void report_turn(Report *report, int64_t lag_ms);

/* Take the lines away. */
void report_end(void);

#endif /* PORTAGE_STREAM_REPORT_H */

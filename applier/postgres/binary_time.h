/*
 * binary_time.h
 *		Dates and times of the source's text as the numbers that they are.
 */
#ifndef PORTAGE_BINARY_TIME_H
#define PORTAGE_BINARY_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* Days since 2000-01-01.  False if it is not an ISO date of our era. */
bool binary_date(Slice text, int32_t *days) MUST_CHECK;

/*
 * Microseconds since 2000-01-01 00:00 (UTC, with_zone).  False if it is not an
 * ISO timestamp of our era, with_zone one of UTC.
 */
bool binary_timestamp(Slice text, bool with_zone, int64_t *us) MUST_CHECK;

#endif /* PORTAGE_BINARY_TIME_H */

/*
 * expr_timestamp.h
 *		Timestamps of PostgreSQL as text in ISO, and as microseconds since 2000-01-01.
 *
 * By PostgreSQL's calendar, the proleptic Gregorian one, to the microsecond and in
 * its range.
 */
#ifndef PORTAGE_EXPR_TIMESTAMP_H
#define PORTAGE_EXPR_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#define USECS_PER_SEC INT64_C(1000000)
#define USECS_PER_DAY (INT64_C(86400) * USECS_PER_SEC)
/* 2000-01-01, in days since 1970-01-01 */
#define EPOCH_DAYS 10957

/* Rounded down, also below zero. */
static inline int64_t
expr_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Could PostgreSQL hold it? */
bool expr_timestamp_in_range(int64_t us);

/* Text as PostgreSQL prints it; *with_zone: it has an offset, which is applied. */
bool expr_parse_timestamp(const char *text, bool *with_zone, int64_t *us);

/* As PostgreSQL prints it, a timestamptz in UTC; at most 48 bytes with the NUL. */
int expr_print_timestamp(int64_t us, bool with_zone, char out[48]);

#endif /* PORTAGE_EXPR_TIMESTAMP_H */

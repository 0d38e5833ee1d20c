/*
 * units.h
 *		Numbers as people read and write them: bytes, rates, durations.
 */
#ifndef PORTAGE_UNITS_H
#define PORTAGE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define UNITS_SIZE 32

/* "512 bytes", "10.2 MB"; powers of 1024.  Returns out. */
const char *units_bytes(double bytes, char out[UNITS_SIZE]);

/* "12 s", "3 min 05 s", "2 h 10 min", "4 d 01 h"; below 0: "never". */
const char *units_duration(double seconds, char out[UNITS_SIZE]);

/* "950", "12.3 k", "4.56 M". */
const char *units_count(double count, char out[UNITS_SIZE]);

/* A duration with its unit: 500ms, 30s, 10min, 2h, 1d, or 0. */
bool duration_parse(const char *text, int64_t *ms);

/* A size with its unit: 64kB, 16MB, 1GB, at least 1 byte. */
bool size_parse(const char *text, int64_t *bytes);

#endif /* PORTAGE_UNITS_H */

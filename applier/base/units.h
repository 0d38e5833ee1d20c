/*
 * units.h
 *		Numbers as people read them: bytes, rates, durations.
 */
#ifndef PORTAGE_UNITS_H
#define PORTAGE_UNITS_H

#include <stdint.h>

#define UNITS_SIZE 32

/* "512 bytes", "10.2 MB"; powers of 1024.  Returns out. */
const char *units_bytes(double bytes, char out[UNITS_SIZE]);

/* "12 s", "3 min 05 s", "2 h 10 min", "4 d 01 h"; below 0: "never". */
const char *units_duration(double seconds, char out[UNITS_SIZE]);

/* "950", "12.3 k", "4.56 M". */
const char *units_count(double count, char out[UNITS_SIZE]);

#endif /* PORTAGE_UNITS_H */

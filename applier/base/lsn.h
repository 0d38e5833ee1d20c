/*
 * lsn.h
 *		A position in the write-ahead log, as PostgreSQL prints it: "0/16B3748".
 */
#ifndef PORTAGE_LSN_H
#define PORTAGE_LSN_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t Lsn;

/* no position; the server's InvalidXLogRecPtr */
#define LSN_NONE UINT64_C(0)

/* for printf: printf("at " LSN_FORMAT, LSN_ARGS(lsn)) */
#define LSN_FORMAT "%" PRIX32 "/%" PRIX32
#define LSN_ARGS(lsn) (uint32_t)((lsn) >> 32), (uint32_t) (lsn)

/* bytes for lsn_to_string(), with the NUL */
#define LSN_STRING_SIZE 18

/* Writes at most LSN_STRING_SIZE bytes to out; returns out. */
char *lsn_to_string(Lsn lsn, char *out);

/* Has a stream at lsn come to end_lsn?  Not where none is set. */
static inline bool
lsn_reaches(Lsn lsn, Lsn end_lsn)
{
	return end_lsn != LSN_NONE && lsn >= end_lsn;
}

/* Whole string or nothing; false leaves *lsn alone. */
bool lsn_parse(const char *s, Lsn *lsn);

#endif /* PORTAGE_LSN_H */

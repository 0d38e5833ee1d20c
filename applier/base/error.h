/*
 * error.h
 *		What went wrong, for the caller to decide on and for a person to act on.
 *
 * A function that can fail returns bool (or a pointer) and takes an Error as
 * its last parameter.  The error is set where it happens, gains context on its
 * way up (error_wrap) and is logged once, at the top.  Its code never changes
 * on the way.  Nothing is allocated: messages are cut at the array's size.
 *
 * Codes are P and four digits; base/error_codes.def lists them all with kind,
 * cause and remedy, and doc/errors.md shows the same list to people.
 */
#ifndef PORTAGE_ERROR_H
#define PORTAGE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* What a caller can do about it; also decides the exit code. */
typedef enum ErrorKind
{
	ERROR_NONE = 0,
	ERROR_USAGE,	   /* 2: words, configuration, roles, server setup */
	ERROR_TRANSIENT,   /* 3: try again, after reconnecting */
	ERROR_UNREACHABLE, /* 3: could not be reached or kept failing */
	ERROR_DATA,		   /* 4: data or history refused: never retried */
	ERROR_STOPPED,	   /* 0: a signal asked to stop */
	ERROR_INTERNAL	   /* 70: a bug */
} ErrorKind;

typedef enum ErrorCode
{
	ERROR_CODE_NONE = 0,
#define ERROR_CODE(number, name, kind, cause, remedy) name = number,
#include "base/error_codes.def"
#undef ERROR_CODE
} ErrorCode;

typedef struct Error
{
	ErrorKind kind;
	ErrorCode code;
	char sqlstate[6]; /* of a server's answer, or "" */
	char message[1024];
	char detail[1024];
	char hint[1024];
	uint32_t
		table; /* the source's OID of the one whose rows it is about, or 0 */
	bool lock_wait;		 /* a lock was not granted, or a deadlock was ended */
	uint32_t change;	 /* the number of its record in its transaction, or 0 */
	uint64_t commit_lsn; /* with change: the transaction's */
} Error;

#define ERROR_INIT                                                  \
	{                                                               \
		ERROR_NONE, ERROR_CODE_NONE, "", "", "", "", 0, false, 0, 0 \
	}
#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Set code, its kind from the table, and the message; forget what was there.
 * Returns false, so that a failing function ends with return error_set(...).
 */
bool error_set(Error *err, ErrorCode code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Add to an error that is set.  Return false, too. */
bool error_detail(Error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool error_hint(Error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "context: " before the message. */
bool error_wrap(Error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ERROR_TRANSIENT instead of the table's kind, or the other way round. */
bool error_as(Error *err, ErrorKind kind);

void error_clear(Error *err);
bool error_is_set(const Error *err);

/* Is it worth reconnecting and trying again? */
bool error_is_transient(const Error *err);

/* The process's exit code for it; 0 for none and for ERROR_STOPPED. */
int error_exit_code(const Error *err);

/* Table access for documentation and tests: false past the end. */
bool
error_table_entry(int index, int *number, const char **name, ErrorKind *kind,
				  const char **cause, const char **remedy);

#endif /* PORTAGE_ERROR_H */

/*
 * mysql_watch.h
 *		Ends waits that the client library would not end.
 *
 * The library blocks in connect(), in read() and in write().  Connecting is
 * done by a thread of its own, which is left to itself when it takes too long.
 * Calls on a connection are watched by one thread of the process: at the
 * connection's deadline, when the server does not answer others either, or when
 * a stop is requested and the call may be stopped, it ends the query by KILL
 * QUERY or shuts the socket down, and the call returns.
 */
#ifndef PORTAGE_MYSQL_WATCH_H
#define PORTAGE_MYSQL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <mysql.h>

#include "base/error.h"

/* What a library's call says about its failure. */
typedef struct MyFailure
{
	unsigned int number; /* 0: it has not failed by itself */
	char sqlstate[6];
	char message[512];
} MyFailure;

void my_failure_take(MYSQL *my, MyFailure *failure);

/* Set err from it, as my_error() does.  Always false. */
bool my_failure_error(const MyFailure *failure, const char *side,
					  ErrorCode fallback, Error *err);

/* This thread calls the library, now and later. */
void my_thread_attach(void);

typedef struct MyAttempt
{
	const char *url;
	int timeout_s;		/* 0: the URL's, else 10 s */
	const char *sql;	/* to run when connected, or NULL */
	bool interruptible; /* a stop request ends the wait */
} MyAttempt;

/*
 * Connect within the time.  NULL: failure->number says why, or err is set:
 * P_URL, P_STOPPED, P_CONNECT when time is up.
 */
MYSQL *my_attempt(const MyAttempt *attempt, MyFailure *failure, Error *err);

/* See my_infile_refuse(). */
void my_infile_refuse_all(MYSQL *my);

/* Why a call was ended from outside. */
typedef enum MyVerdict
{
	VERDICT_NONE,
	VERDICT_LATE,		   /* the deadline */
	VERDICT_SILENT,		   /* the server is not there any more */
	VERDICT_STOPPED_QUERY, /* stopped; the connection can be used */
	VERDICT_STOPPED_LOST   /* stopped, and the server did not say so */
} MyVerdict;

typedef struct MyWatch MyWatch;

/* connection_id: of the server, for KILL QUERY.  The url is copied. */
MyWatch *my_watch_open(MYSQL *my, const char *url, uint64_t connection_id);
void my_watch_close(MyWatch *watch); /* NULL is fine */

/*
 * Around each call of the library that may wait for the server; fresh: it sends
 * a statement, and what was said about the one before does not matter any more.
 */
void my_watch_begin(MyWatch *watch, int64_t timeout_ms, bool interruptible,
					bool fresh);
void my_watch_end(MyWatch *watch);

/* About the last statement. */
MyVerdict my_watch_verdict(const MyWatch *watch);

/* Nothing that is sent or read from now on waits. */
void my_watch_hang_up(MyWatch *watch);

#endif /* PORTAGE_MYSQL_WATCH_H */

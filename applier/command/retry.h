/*
 * retry.h
 *		When to try again, and when to give up (--retry-for).
 */
#ifndef PORTAGE_RETRY_H
#define PORTAGE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Retry
{
	int64_t retry_for_ms;	  /* 0: for ever */
	int64_t failing_since_ms; /* 0: nothing has failed */
	int64_t pause_ms;		  /* before the next attempt */
	int64_t connected_ms;	  /* when the last attempt got through, or 0 */
} Retry;

void retry_init(Retry *retry, int64_t retry_for_ms);

/* An attempt has reached both servers. */
void retry_connected(Retry *retry);

/*
 * An attempt has failed.  True, after a pause, if there is to be another.
 * False with what the command ends with: the error itself if it is not one
 * that passes, P_KEPT_FAILING, or P_STOPPED.
 */
bool retry_again(Retry *retry, Error *err) MUST_CHECK;

#endif /* PORTAGE_RETRY_H */

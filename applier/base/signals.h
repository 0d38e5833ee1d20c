/*
 * signals.h
 *		SIGINT and SIGTERM: the first asks to stop after the current target
 *		transaction, the second ends the process at once.
 */
#ifndef PORTAGE_SIGNALS_H
#define PORTAGE_SIGNALS_H

#include <stdbool.h>

/* Install the handlers; once, from main(), before threads exist. */
void signals_init(void);

/* Has a stop been asked for, by a signal or by signals_request_stop()? */
bool signals_stop_requested(void);
void signals_request_stop(void);

/* The signal that asked, or 0. */
int signals_number(void);

/* A descriptor that becomes and stays readable once a stop is requested. */
int signals_fd(void);

#endif /* PORTAGE_SIGNALS_H */

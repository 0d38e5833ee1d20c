/*
 * confirm.h
 *		Asking on the terminal before something is gone.
 */
#ifndef PORTAGE_CONFIRM_H
#define PORTAGE_CONFIRM_H

#include "command/options.h"

/*
 * True at once with --yes.  P_CONFIRM if there is no terminal, or the answer is no;
 * P_STOPPED if a signal comes first.  what: the command, for messages.
 */
bool
confirm(const Options *options, const char *what, Error *err, const char *fmt,
		...) __attribute__((format(printf, 4, 5))) MUST_CHECK;

#endif /* PORTAGE_CONFIRM_H */

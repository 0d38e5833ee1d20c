/*
 * display.h
 *		Lines at the foot of a terminal that are drawn again as things move.
 *
 * Only where stderr is a terminal that can move its cursor; elsewhere nothing
 * is drawn and display_active() is false.  The log prints above the foot.
 */
#ifndef PORTAGE_DISPLAY_H
#define PORTAGE_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

/* Look at stderr; wanted: false for --quiet. */
void display_init(bool wanted);

bool display_active(void);

/*
 * Show these lines, each ended by a newline, instead of those before; "" takes
 * the foot away.  Lines wider than the terminal are cut, what is more than its
 * height is left out.
 */
void display_set(const char *text);

/* Whole lines to stderr, above the foot. */
void display_print(const char *data, size_t len);

#endif /* PORTAGE_DISPLAY_H */

/*
 * key_order.h
 *		The order of key values, as the source's index has it.
 *
 * The copy splits tables at such values, and the stream has to know on which
 * side of them a row lies.  Values are the types' text output under DateStyle
 * ISO and TimeZone UTC, which is what both the copy and the stream get.
 */
#ifndef PORTAGE_KEY_ORDER_H
#define PORTAGE_KEY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * *order is below, equal to or above 0 as a is compared with b; NUL follows
 * both.  type_oid is a base type: int2, int4, int8, oid, uuid, date, timestamp,
 * timestamptz, or text and varchar, which are compared byte by byte.  False for
 * other types, and for text that is no such value.
 */
bool key_compare(uint32_t type_oid, const char *a, size_t a_len, const char *b,
				 size_t b_len, int *order);

#endif /* PORTAGE_KEY_ORDER_H */

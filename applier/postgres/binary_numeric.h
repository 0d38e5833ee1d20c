/*
 * binary_numeric.h
 *		numeric, whose binary form are digits to the base of 10000.
 */
#ifndef PORTAGE_BINARY_NUMERIC_H
#define PORTAGE_BINARY_NUMERIC_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

/*
 * Append the length and the bytes that numeric_recv() reads.  False if it is
 * not a plain number or NaN; then nothing was appended.
 */
bool binary_put_numeric(Buffer *out, Slice text) MUST_CHECK;

#endif /* PORTAGE_BINARY_NUMERIC_H */

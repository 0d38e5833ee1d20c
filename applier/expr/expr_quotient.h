/*
 * expr_quotient.h
 *		Quotients of numerics as PostgreSQL's server computes them: libpgtypes cuts
 *		them off elsewhere.
 */
#ifndef PORTAGE_EXPR_QUOTIENT_H
#define PORTAGE_EXPR_QUOTIENT_H

#include <pgtypes_numeric.h>
#include <stdbool.h>

#include "expr/expr_decimal.h"

#define QUOTIENT_SCALE_MAX 1000

/* NULL: the library does not take the text.  PGTYPESnumeric_free() frees it. */
numeric *numeric_parse(const char *text);

/* All of its digits, which are the caller's to free; it is finite. */
void decimal_of_numeric(numeric *number, Decimal *exact);

/* How many digits behind the point the quotient has. */
int quotient_scale(const numeric *a, const numeric *b);

/*
 * a / b, rounded to the scale; digits are the caller's to free.  Takes the signs
 * from a and b, and the scale of a.  False: b is 0, and quotient is not set.
 */
bool quotient_compute(numeric *a, numeric *b, int scale, Decimal *quotient);

#endif /* PORTAGE_EXPR_QUOTIENT_H */

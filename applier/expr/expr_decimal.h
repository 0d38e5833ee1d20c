/*
 * expr_decimal.h
 *		Decimal numbers as digits: to round and print what libpgtypes computes.
 */
#ifndef PORTAGE_EXPR_DECIMAL_H
#define PORTAGE_EXPR_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

/* Its sign, and its digits without point; scale is how many are behind it. */
typedef struct Decimal
{
	bool negative;
	char *digits;
	int count;
	int scale;
} Decimal;

/* Of [-+]digits[.digits]; digits are the caller's to free. */
void decimal_parse(const char *text, size_t len, Decimal *exact);

/* One more, one less in the last digit; not below 0. */
void decimal_increment(Decimal *exact);
void decimal_decrement(Decimal *exact);

/* Zeros behind, or digits dropped, with no regard to them. */
void decimal_set_scale(Decimal *exact, int scale);

/* Half away from zero; a scale below 0 leaves zeros before the point. */
void decimal_round(Decimal *exact, int scale);

/* As PostgreSQL prints a numeric; the caller frees. */
char *decimal_print(const Decimal *exact, size_t *len);

#endif /* PORTAGE_EXPR_DECIMAL_H */

/*
 * pg_expr_scan.h
 *		The words of PostgreSQL's expressions, for pg_expr*.c.
 */
#ifndef PORTAGE_PG_EXPR_SCAN_H
#define PORTAGE_PG_EXPR_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_BAD,
	TOKEN_NAME, /* in quotes, unescaped */
	TOKEN_WORD, /* not in quotes */
	TOKEN_TEXT,
	TOKEN_BITS,
	TOKEN_NUMBER,
	TOKEN_SIGN /* an operator or punctuation */
} TokenKind;

typedef struct Token
{
	TokenKind kind;
	const char *text;
	const char *start; /* in the input */
} Token;

typedef struct Scanner
{
	Arena *arena;
	const char *next; /* what is not scanned */
	Token token;	  /* the one to look at */
} Scanner;

/* Look at the next one. */
void scan_next(Scanner *self);

/* Words are the same in any case. */
bool scan_at_sign(const Scanner *self, const char *sign);
bool scan_at_word(const Scanner *self, const char *word);
bool scan_at_operator(const Scanner *self);

/* The same, and look at the next one if it is. */
bool scan_take_sign(Scanner *self, const char *sign);
bool scan_take_word(Scanner *self, const char *word);

#endif /* PORTAGE_PG_EXPR_SCAN_H */

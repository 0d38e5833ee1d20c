/*
 * expr_scan.h
 *		SQLite's SQL as tokens, cut exactly as SQLite cuts it.
 *
 * What an expression may name, and where, is decided on its tokens before SQLite
 * sees it.  A text that SQLite would cut differently would get around that, so what
 * SQLite takes leniently (a comment without end, say) is refused here.
 */
#ifndef PORTAGE_EXPR_SCAN_H
#define PORTAGE_EXPR_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum ExprTokenKind
{
	EXPR_TOKEN_WORD,   /* without quotes: a name or a keyword */
	EXPR_TOKEN_NAME,   /* quoted: "x", [x], `x`; 'x' beside a dot, too */
	EXPR_TOKEN_STRING, /* 'x' */
	EXPR_TOKEN_NUMBER,
	EXPR_TOKEN_BLOB, /* x'00' */
	EXPR_TOKEN_SIGN	 /* parentheses, commas, operators */
} ExprTokenKind;

typedef struct ExprToken
{
	ExprTokenKind kind;
	int start; /* in the text, with quotes */
	int len;
	const char *text; /* without quotes; NUL behind it */
	int open;		  /* index of the parenthesis it is in, or -1 */
	int match;		  /* of a parenthesis: index of its other one */
} ExprToken;

typedef struct ExprTokens
{
	const char *source;
	ExprToken *items;
	int count;
} ExprTokens;

/*
 * Cut the text of one expression.  P_RULE for what cannot be within one:
 * nothing at all, ; and parameters, what has no end, parentheses that do not match.
 */
bool expr_scan(const char *text, Arena *arena, ExprTokens *tokens,
			   Error *err) MUST_CHECK;

/* Is token i this word without quotes, this sign, a name of this spelling?  False
 * for indexes outside.  Words and names compare as SQLite's do, by ASCII case. */
bool expr_token_word(const ExprTokens *tokens, int i, const char *word);
bool expr_token_sign(const ExprTokens *tokens, int i, const char *sign);
bool expr_token_name(const ExprTokens *tokens, int i, const char *name);

/* Is it one of these words or signs?  NULL ends the list. */
bool
expr_token_one_of(const ExprTokens *tokens, int i, const char *const *words);

/* A word or a quoted name? */
bool expr_token_is_name(const ExprTokens *tokens, int i);

/* The word is a function: a parenthesis follows. */
bool expr_token_call(const ExprTokens *tokens, int i);

/* The index of the word before the parenthesis, or -1 if it groups only. */
int expr_token_caller(const ExprTokens *tokens, int open);

/* ASCII case is ignored, as SQLite does with names. */
bool expr_same_name(const char *a, const char *b);

#endif /* PORTAGE_EXPR_SCAN_H */
